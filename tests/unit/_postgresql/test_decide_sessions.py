# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open transactions and waits for locks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.decide_sessions import (
    decide_sessions,
    root_blockers,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.observation import (
    Prepared,
    Session,
    Sessions,
    Waiter,
)
from tests.unit._postgresql.making import ids, one, server, session, situation


def seen(*sessions: Session, waiters: tuple[Waiter, ...] = (), prepared: tuple[Prepared, ...] = ()) -> Sessions:
    return Sessions(server(), sessions, waiters, prepared)


def test_nobody_there() -> None:
    decision = decide_sessions(seen(), situation())
    assert ids(decision) == []
    assert decision.metrics["postgresql_longest_transaction_seconds"] == 0


@pytest.mark.parametrize(
    ("seconds", "severity"), [(1800, None), (1800.1, "warning"), (14400, "warning"), (14400.1, "critical")]
)
def test_a_long_transaction(seconds: float, severity: str | None) -> None:
    decision = decide_sessions(seen(session(), session(2, transaction_seconds=seconds)), situation())
    assert ids(decision) == ([("postgresql.long_transaction", severity)] if severity else [])


@pytest.mark.parametrize("state", ["idle in transaction", "idle in transaction (aborted)"])
@pytest.mark.parametrize(
    ("seconds", "severity"), [(60, None), (60.1, "warning"), (600, "warning"), (600.1, "critical")]
)
def test_idle_in_transaction(state: str, seconds: float, severity: str | None) -> None:
    idle = session(7, state=state, state_seconds=seconds, transaction_seconds=seconds)
    decision = decide_sessions(seen(session(), idle), situation())
    assert ids(decision) == ([("postgresql.idle_in_transaction", severity)] if severity else [])
    if severity:
        assert "pid 7 (api of web in app)" in decision.findings[0].message


@pytest.mark.parametrize(("seconds", "severity"), [(5, None), (5.1, "warning"), (60, "warning"), (60.1, "critical")])
def test_a_blocked_session(seconds: float, severity: str | None) -> None:
    idle = session(7, state="idle in transaction", state_seconds=30.0)
    decision = decide_sessions(seen(idle, session(8, waits=True), waiters=(Waiter(8, seconds, [7]),)), situation())
    assert ids(decision) == ([("postgresql.blocked_session", severity)] if severity else [])
    if severity:
        assert "blocked by pid 7 (api of web in app) (idle in transaction for 30s)" in decision.findings[0].message


def test_version_13_does_not_tell_for_how_long() -> None:
    waiting = session(8, waits=True, state_seconds=100.0)
    finding = one(decide_sessions(seen(waiting, waiters=(Waiter(8, None, [0]),)), situation()))
    assert finding.value == 100
    assert "blocked by a prepared transaction" in finding.message


def test_a_waiter_that_has_gone_meanwhile_is_none() -> None:
    assert ids(decide_sessions(seen(waiters=(Waiter(8, 100.0, [7]),)), situation())) == []


def test_the_head_of_a_queue() -> None:
    waits = {waiter.pid: waiter for waiter in (Waiter(3, 1, [2]), Waiter(2, 1, [1]), Waiter(4, 1, [2, 9]))}
    assert root_blockers(3, waits) == [1]
    assert root_blockers(4, waits) == [1, 9]


@given(
    st.dictionaries(st.integers(1, 8), st.lists(st.integers(0, 9), max_size=4), min_size=1),
)
def test_any_queue_ends(blockers: dict[int, list[int]]) -> None:
    waits = {pid: Waiter(pid, 1.0, blocked_by) for pid, blocked_by in blockers.items()}
    for pid in waits:
        roots = root_blockers(pid, waits)
        assert not set(roots) & set(waits), "who waits is no head"
        assert roots == sorted(set(roots))


@pytest.mark.parametrize(
    ("seconds", "severity"), [(300, None), (301, "warning"), (3600, "warning"), (3601, "critical")]
)
def test_a_prepared_transaction(seconds: float, severity: str | None) -> None:
    decision = decide_sessions(seen(prepared=(Prepared("old", "app", seconds), Prepared("new", "app", 1))), situation())
    assert ids(decision) == ([("postgresql.prepared_transaction", severity)] if severity else [])


def test_what_is_hidden_is_said_to_be() -> None:
    blind = Sessions(server(sees_all=False), (), (), ())
    assert ids(decide_sessions(blind, situation())) == [("postgresql.access_denied", "warning")]
