# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members, primary, majority, lag and oplog."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health.decide_replication import (
    decide_oplog,
    decide_replication,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health.observation import (
    Member,
    Oplog,
    ReplicaSet,
)
from tests.unit._mongodb.samples import found, member, replica_set, situation

STATE = "mongodb.member_state"
RISK = ("mongodb.majority_at_risk", "warning")
NO_PRIMARY = ("mongodb.no_primary", "critical")
PRIMARY = member("a", 1)
DOWN = {"state": 8, "healthy": False, "optime": None}


def test_a_standalone_server_has_nothing_to_say() -> None:
    decision = decide_replication(ReplicaSet(None), situation())
    assert (decision.findings, decision.metrics) == ([], {"mongodb_replica_set": 0})


def test_a_member_without_configuration() -> None:
    decision = decide_replication(ReplicaSet(None, broken=True), situation())
    assert found(decision) == [("mongodb.replica_set_unconfigured", "critical")]


@pytest.mark.parametrize(
    "members",
    [
        (),
        (member("a", 1),),
        (member("a", 1), member("b"), member("c", 7, optime=None)),
        (member("a", 1), member("b", optime=400.0, delay=600.0, votes=0), member("c")),
    ],
    ids=["three", "one", "with an arbiter", "with a delayed member"],
)
def test_a_sound_set_is_no_finding(members: tuple[Member, ...]) -> None:
    found_set = replica_set(*members, majority=1 if len(members) == 1 else 2)
    assert found(decide_replication(found_set, situation())) == []


@pytest.mark.parametrize("state", [3, 6, 8, 9, 10])
def test_a_member_that_serves_nobody(state: int) -> None:
    decision = decide_replication(replica_set(PRIMARY, member("b"), member("c", state)), situation())
    assert found(decision) == [(STATE, "critical"), RISK]


@pytest.mark.parametrize("state", [0, 5])
def test_a_member_that_starts(state: int) -> None:
    decision = decide_replication(replica_set(PRIMARY, member("b"), member("c", state)), situation())
    assert found(decision) == [(STATE, "warning")]


@pytest.mark.parametrize("state", [1, 2, 7])
def test_a_member_that_serves(state: int) -> None:
    decision = decide_replication(replica_set(PRIMARY, member("b"), member("c", state)), situation())
    assert found(decision) == []


def test_a_member_that_is_not_reachable_puts_the_majority_at_risk() -> None:
    decision = decide_replication(replica_set(PRIMARY, member("b"), member("c", **DOWN)), situation())
    assert found(decision) == [(STATE, "critical"), RISK]
    assert decision.findings[0].subject == "db c"
    assert (decision.findings[1].value, decision.findings[1].threshold) == (2, 2)
    assert decision.metrics["mongodb_members_healthy"] == 2


def test_of_five_members_one_may_be_missing() -> None:
    members = (PRIMARY, member("b"), member("c"), member("d"), member("e", **DOWN))
    assert found(decide_replication(replica_set(*members, majority=3), situation())) == [(STATE, "critical")]


def test_a_missing_member_without_a_vote_puts_nothing_at_risk() -> None:
    members = (PRIMARY, member("b"), member("c"), member("d", votes=0, **DOWN))
    assert found(decide_replication(replica_set(*members), situation())) == [(STATE, "critical")]


def test_no_primary() -> None:
    members = (member("a"), member("b", **DOWN), member("c", **DOWN))
    decision = decide_replication(replica_set(*members), situation())
    assert found(decision) == [(STATE, "critical"), (STATE, "critical"), NO_PRIMARY]
    assert (decision.findings[-1].value, decision.findings[-1].threshold) == (1, 2)


def test_a_primary_that_is_not_reachable_is_none() -> None:
    decision = decide_replication(replica_set(member("a", 1, healthy=False), member("b"), member("c")), situation())
    assert NO_PRIMARY in found(decision)


@pytest.mark.parametrize(
    ("optime", "expected"),
    [
        (995.0, []),
        (994.0, [("mongodb.replication_lag", "warning")]),
        (990.0, [("mongodb.replication_lag", "warning")]),
        (989.0, [("mongodb.replication_lag", "critical")]),
        (1001.0, []),
    ],
)
def test_lag(optime: float, expected: list[tuple[str, str]]) -> None:
    decision = decide_replication(replica_set(PRIMARY, member("b"), member("c", optime=optime)), situation())
    assert found(decision) == expected
    assert decision.metrics['mongodb_replication_lag_seconds{member="c"}'] == max(0.0, 1000.0 - optime)


def test_without_a_primary_the_lag_is_behind_the_furthest_member() -> None:
    assert replica_set(member("a", optime=50.0), member("b", optime=30.0)).lags() == {"a": 0.0, "b": 20.0}


def test_a_delayed_member_lags_only_beyond_its_delay() -> None:
    assert replica_set(PRIMARY, member("b", optime=300.0, delay=600.0)).lags() == {"b": 100.0}


@given(st.lists(st.tuples(st.sampled_from([0, 1, 2, 3, 5, 6, 7, 8, 9, 10]), st.booleans()), min_size=1, max_size=7))
def test_a_set_without_finding_can_write(states: list[tuple[int, bool]]) -> None:
    members = tuple(member(f"m{number}", state, healthy=healthy) for number, (state, healthy) in enumerate(states))
    decision = decide_replication(replica_set(*members, majority=None), situation())
    if not decision.findings:
        assert any(state == 1 and healthy for state, healthy in states)
        assert all(healthy for _state, healthy in states)


@pytest.mark.parametrize(
    ("oplog", "expected"),
    [
        (Oplog(86_400, 95, 100), []),
        (Oplog(86_399, 95, 100), [("mongodb.oplog_window", "warning")]),
        (Oplog(3600, 95, 100), [("mongodb.oplog_window", "warning")]),
        (Oplog(3599, 90, 100), [("mongodb.oplog_window", "critical")]),
        (Oplog(0, 100, 100), [("mongodb.oplog_window", "critical")]),
        (Oplog(10, 89, 100), []),
        (Oplog(10, None, 100), []),
        (Oplog(10, 100, None), []),
        (Oplog(10, 0, 0), []),
    ],
)
def test_oplog(oplog: Oplog, expected: list[tuple[str, str]]) -> None:
    decision = decide_oplog(oplog, situation())
    assert found(decision) == expected
    assert decision.metrics["mongodb_oplog_window_seconds"] == oplog.seconds


def test_no_oplog() -> None:
    decision = decide_oplog(None, situation())
    assert (decision.findings, decision.metrics) == ([], {})
