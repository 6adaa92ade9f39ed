# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections, queues, cache, assertions, page faults and cursors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.health import Situation
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Decision
from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health import decide_load as load
from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health.counters import Growth, growth, remembered
from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health.observation import (
    Asserts,
    Cache,
    Cursors,
    Status,
    Tickets,
)
from tests.unit._mongodb.samples import STATUS, found, situation

DECISIONS = [
    load.decide_connections,
    load.decide_queues,
    load.decide_cache,
    load.decide_asserts,
    load.decide_page_faults,
    load.decide_cursors,
]
REMEMBERING = [load.remember_asserts, load.remember_page_faults, load.remember_cursors]

Decide = Callable[[Status | None, Situation], Decision]


@pytest.mark.parametrize("decide", DECISIONS)
def test_a_sound_server_is_no_finding(decide: Decide) -> None:
    decision = decide(STATUS, situation())
    assert decision.findings == []
    assert decision.metrics


@pytest.mark.parametrize("decide", DECISIONS)
def test_unknown_statistics_say_nothing(decide: Decide) -> None:
    decision = decide(None, situation())
    assert (decision.findings, decision.metrics) == ([], {})


@pytest.mark.parametrize("decide", DECISIONS)
def test_a_server_that_tells_nothing_is_not_judged(decide: Decide) -> None:
    silent = replace(
        STATUS,
        connections=None,
        connections_available=None,
        queued_readers=None,
        queued_writers=None,
        read_tickets=None,
        write_tickets=None,
        majority_lags=None,
        cache=None,
        asserts=None,
        page_faults=None,
        cursors=None,
        operations={},
        resident_bytes=None,
    )
    decision = decide(silent, situation())
    assert (decision.findings, decision.metrics) == ([], {})


@pytest.mark.parametrize("remember", REMEMBERING)
def test_what_was_remembered_outlives_a_run_without_statistics(
    remember: Callable[[Status | None, Situation], dict[str, Any]],
) -> None:
    previous = remember(STATUS, situation())
    assert previous
    assert remember(None, situation(previous)) == previous


@pytest.mark.parametrize(
    ("used", "free", "expected"),
    [
        (80, 20, []),
        (81, 19, [("mongodb.connections", "warning")]),
        (95, 5, [("mongodb.connections", "warning")]),
        (96, 4, [("mongodb.connections", "critical")]),
        (0, 0, []),
    ],
)
def test_connections(used: int, free: int, expected: list[tuple[str, str]]) -> None:
    status = replace(STATUS, connections=used, connections_available=free)
    assert found(load.decide_connections(status, situation())) == expected


@pytest.mark.parametrize(
    ("readers", "writers", "expected"),
    [
        (25, 25, []),
        (25, 26, [("mongodb.queue", "warning")]),
        (0, 500, [("mongodb.queue", "warning")]),
        (1, 500, [("mongodb.queue", "critical")]),
    ],
)
def test_queues(readers: int, writers: int, expected: list[tuple[str, str]]) -> None:
    status = replace(STATUS, queued_readers=readers, queued_writers=writers)
    assert found(load.decide_queues(status, situation())) == expected


@pytest.mark.parametrize(
    ("tickets", "queued", "expected"),
    [
        (Tickets(128, 128, 0), 0, []),
        (Tickets(128, 128, 0), 1, [("mongodb.tickets", "warning")]),
        (Tickets(128, 128, 1), 0, [("mongodb.tickets", "warning")]),
        (Tickets(90, 100, 1), 0, []),
        (Tickets(91, 100, 1), 0, [("mongodb.tickets", "warning")]),
        (Tickets(0, 0, 1), 1, []),
    ],
)
def test_tickets_matter_only_while_somebody_waits(
    tickets: Tickets, queued: int, expected: list[tuple[str, str]]
) -> None:
    status = replace(STATUS, write_tickets=tickets, queued_writers=queued)
    assert found(load.decide_queues(status, situation())) == expected


def test_flow_control() -> None:
    decision = load.decide_queues(replace(STATUS, majority_lags=True), situation())
    assert found(decision) == [("mongodb.flow_control", "warning")]


@pytest.mark.parametrize(
    ("used", "dirty", "expected"),
    [
        (90, 10, []),
        (91, 10, [("mongodb.cache", "warning")]),
        (95, 10, [("mongodb.cache", "warning")]),
        (96, 10, [("mongodb.cache", "critical")]),
        (50, 11, [("mongodb.cache_dirty", "warning")]),
        (50, 20, [("mongodb.cache_dirty", "warning")]),
        (50, 21, [("mongodb.cache_dirty", "critical")]),
    ],
)
def test_cache(used: int, dirty: int, expected: list[tuple[str, str]]) -> None:
    status = replace(STATUS, cache=Cache(used, dirty, 100))
    assert found(load.decide_cache(status, situation())) == expected


def later(seconds: float, **changes: Any) -> Status:
    return replace(STATUS, uptime=STATUS.uptime + seconds, **changes)


@pytest.mark.parametrize(
    ("internal", "user", "expected"),
    [
        (3, 1000, []),
        (4, 1000, [("mongodb.asserts", "warning")]),
        (103, 1000, [("mongodb.asserts", "warning")]),
        (104, 1000, [("mongodb.asserts", "critical")]),
        (3, 2000, []),
        (3, 2001, [("mongodb.user_asserts", "warning")]),
        (3, 11_001, [("mongodb.user_asserts", "critical")]),
    ],
)
def test_asserts_since_the_last_run(internal: int, user: int, expected: list[tuple[str, str]]) -> None:
    previous = load.remember_asserts(STATUS, situation())
    decision = load.decide_asserts(later(100, asserts=Asserts(internal, user)), situation(previous))
    assert [finding for finding in found(decision) if finding[0] == "mongodb.asserts"] == [
        finding for finding in expected if finding[0] == "mongodb.asserts"
    ]
    # 1001 in 100 s are 10.01 a second
    assert found(decision) == expected


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        (500, []),
        (10_500, []),
        (10_600, [("mongodb.page_faults", "warning")]),
        (100_500, [("mongodb.page_faults", "warning")]),
        (100_600, [("mongodb.page_faults", "critical")]),
    ],
)
def test_page_faults_since_the_last_run(faults: int, expected: list[tuple[str, str]]) -> None:
    previous = load.remember_page_faults(STATUS, situation())
    decision = load.decide_page_faults(later(100, page_faults=faults), situation(previous))
    assert found(decision) == expected


@pytest.mark.parametrize(
    ("opened", "timed_out", "expected"),
    [
        (10_000, 40, []),
        (10_001, 40, [("mongodb.cursors_open", "warning")]),
        (5, 140, []),
        (5, 142, [("mongodb.cursors_timed_out", "warning")]),
    ],
)
def test_cursors(opened: int, timed_out: int, expected: list[tuple[str, str]]) -> None:
    previous = load.remember_cursors(STATUS, situation())
    decision = load.decide_cursors(later(60, cursors=Cursors(opened, timed_out)), situation(previous))
    assert found(decision) == expected


def test_after_a_restart_everything_counted_is_new() -> None:
    previous = remembered(STATUS, internal=300)
    counted = growth(replace(STATUS, process="p2", uptime=50.0), previous, "internal", 5)
    assert counted is not None
    assert (counted.count, counted.seconds) == (5, 50.0)


@pytest.mark.parametrize(
    ("changes", "previous", "now"),
    [
        ({}, {}, 5),
        ({"host": "b:27017"}, remembered(STATUS, internal=1), 5),
        ({"uptime": 10_001.0}, remembered(STATUS, internal=6), 5),
        ({}, remembered(STATUS, internal=1), 5),
        ({"process": "p2", "uptime": 0.0}, remembered(STATUS, internal=1), 5),
    ],
    ids=["first run", "other member", "ran over", "no time went by", "just started"],
)
def test_growth_is_unknown(changes: dict[str, Any], previous: dict[str, Any], now: int) -> None:
    assert growth(replace(STATUS, **changes), previous, "internal", now) is None


@given(
    before=st.integers(0, 2**40),
    now=st.integers(0, 2**40),
    then=st.floats(0, 1e9),
    uptime=st.floats(0, 1e9),
    same=st.booleans(),
)
def test_growth_is_never_negative_and_never_divides_by_zero(
    before: int, now: int, then: float, uptime: float, same: bool
) -> None:
    previous = remembered(replace(STATUS, uptime=then), counter=before)
    status = replace(STATUS, uptime=uptime, process="p1" if same else "p2")
    counted = growth(status, previous, "counter", now)
    if counted is not None:
        assert counted.count >= 0
        assert counted.per_second >= 0


@pytest.mark.parametrize(("seconds", "rate"), [(1.0, 2.0), (60.0, 2.0), (120.0, 1.0)])
def test_a_rate_is_taken_over_a_minute_at_least(seconds: float, rate: float) -> None:
    assert Growth(120, seconds).per_second == rate
