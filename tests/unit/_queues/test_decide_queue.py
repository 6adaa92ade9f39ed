# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import AccessDenied
from ansible_collections.dataops.upkeep.plugins.module_utils._core.health import Situation
from ansible_collections.dataops.upkeep.plugins.module_utils._core.result import METRIC_NAME
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Decision
from ansible_collections.dataops.upkeep.plugins.module_utils._core.threshold import Thresholds
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.health.decide_details import (
    decide_ages,
    decide_rates,
    decide_schedulers,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.health.decide_ended import failure_percent
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.health.decide_queue import (
    decide_active,
    decide_backlog,
    decide_counts,
    decide_delayed,
    decide_events,
    decide_eviction,
    decide_failures,
    decide_paused,
    remember_backlog,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.health.decide_remains import (
    decide_ghosts,
    decide_orphans,
    decide_workers,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.health.observation import (
    Details,
    Looked,
    Remains,
    Served,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.health.thresholds import HEALTH_THRESHOLDS
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.observations import (
    Active,
    Finished,
    Flavour,
    Keeping,
    Problem,
    Queue,
    Reading,
    Waiting,
)
from tests.unit._redis.test_reading import documented_limits

ON_READINGS = (decide_counts, decide_backlog, decide_active, decide_paused, decide_failures, decide_delayed)

NOW = datetime(2026, 11, 22, 2, tzinfo=timezone.utc)
DAY, HOUR = 86400.0, 3600.0
CALLS = Queue(
    name="calls",
    flavour=Flavour("bullmq5", "5.81.5", "meta.version"),
    counts={"waiting": 400, "paused": 0, "prioritized": 600, "active": 2, "delayed": 5000, "completed": 9, "failed": 1},
    paused=False,
    events=20_000,
    events_limit=10_000,
    delayed_overdue=0,
    window=DAY,
    waiting=Waiting("7", NOW.timestamp() - HOUR),
    active=Active(NOW.timestamp() - HOUR, (), 2),
    finished=Finished(completed=99, failed=1, completed_kept=99, failed_kept=1),
)


def situation(previous: dict[str, Any] | None = None, now: datetime = NOW, **settings: Any) -> Situation:
    return Situation("redis:6379 bull", Thresholds(HEALTH_THRESHOLDS, settings), now, previous or {})


def found(decision: Decision) -> dict[str, str]:
    assert all(METRIC_NAME.fullmatch(name) for name in decision.metrics)
    return {finding.id: finding.severity.value for finding in decision.findings}


def looked(**changes: Any) -> Looked:
    return Looked([Details(CALLS._replace(**changes))])


def reading(**changes: Any) -> Reading:
    return Reading([CALLS._replace(**changes)])


def waiting(number: int) -> dict[str, int]:
    return {**CALLS.counts, "waiting": number, "paused": 0, "prioritized": 0}


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (CALLS.counts, {}),
        ({**CALLS.counts, "paused": 1}, {"queue.waiting": "warning"}),
        (waiting(1001), {"queue.waiting": "warning"}),
        (waiting(10_001), {"queue.waiting": "critical"}),
    ],
)
def test_waiting_jobs_are_those_that_could_run(counts: dict[str, int], expected: dict[str, str]) -> None:
    assert found(decide_backlog(reading(counts=counts), situation())) == expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [(HOUR, {}), (HOUR + 1, {"queue.oldest_waiting": "warning"}), (DAY + 1, {"queue.oldest_waiting": "critical"})],
)
def test_the_oldest_waiting_job(age: float, expected: dict[str, str]) -> None:
    decision = decide_backlog(reading(waiting=Waiting("7", NOW.timestamp() - age)), situation())
    assert found(decision) == expected
    assert decision.metrics['queue_oldest_waiting_seconds{queue="calls"}'] == age


def test_nobody_waits() -> None:
    decision = decide_backlog(reading(waiting=Waiting(), counts=waiting(0)), situation())
    assert (decision.findings, decision.metrics) == ([], {})


def test_a_clock_that_runs_ahead_gives_no_negative_age() -> None:
    decision = decide_backlog(reading(waiting=Waiting("7", NOW.timestamp() + 99)), situation())
    assert decision.metrics['queue_oldest_waiting_seconds{queue="calls"}'] == 0


def test_a_job_that_nobody_takes_from_run_to_run() -> None:
    first = remember_backlog(reading(), situation())
    later = NOW + timedelta(minutes=10)
    assert found(decide_backlog(reading(waiting=Waiting("7", None)), situation(first, later))) == {}
    much_later = NOW + timedelta(minutes=10, seconds=1)
    assert found(decide_backlog(reading(waiting=Waiting("7", None)), situation(first, much_later))) == {
        "queue.stuck": "critical"
    }
    # A run in between must not make it young again.
    between = remember_backlog(reading(), situation(first, NOW + timedelta(minutes=6)))
    assert found(decide_backlog(reading(waiting=Waiting("7", None)), situation(between, much_later))) == {
        "queue.stuck": "critical"
    }


def test_another_job_next_in_line_or_a_pause_is_not_stuck() -> None:
    first = remember_backlog(reading(), situation())
    later = situation(first, NOW + timedelta(days=1))
    assert found(decide_backlog(reading(waiting=Waiting("8", None)), later)) == {}
    assert found(decide_backlog(reading(waiting=Waiting()), later)) == {}
    assert found(decide_backlog(reading(waiting=Waiting("7", None), paused=True), later)) == {}


def test_what_is_known_of_other_queues_is_kept() -> None:
    first = remember_backlog(reading(name="mails"), situation())
    assert set(remember_backlog(reading(), situation(first))) == {"mails", "calls"}


def test_an_empty_queue_never_gets_stuck() -> None:
    empty = reading(waiting=Waiting())
    first = remember_backlog(empty, situation())
    assert found(decide_backlog(empty, situation(first, NOW + timedelta(days=9)))) == {}


@pytest.mark.parametrize(
    ("active", "expected"),
    [
        (Active(), {}),
        (CALLS.active, {}),
        (Active(NOW.timestamp() - HOUR - 1, (), 1), {"queue.oldest_active": "warning"}),
        (Active(None, ("3",), 1), {"queue.stalled": "warning"}),
        (Active(None, ("3",), 1, watched=True), {}),
    ],
)
def test_active_jobs(active: Active, expected: dict[str, str]) -> None:
    assert found(decide_active(reading(active=active), situation())) == expected


def test_a_pause_is_found_with_what_waits_and_can_be_meant() -> None:
    decision = decide_paused(reading(paused=True), situation())
    assert found(decision) == {"queue.paused": "warning"}
    assert "1000 jobs" in decision.findings[0].message
    assert found(decide_paused(reading(paused=True), situation(paused="off"))) == {}
    assert found(decide_paused(reading(), situation())) == {}


@pytest.mark.parametrize(
    ("finished", "expected"),
    [
        (CALLS.finished, {}),
        (Finished(completed=98, failed=2), {"queue.failure_rate": "warning"}),
        (Finished(completed=75, failed=25), {"queue.failure_rate": "warning"}),
        (Finished(completed=74, failed=26), {"queue.failure_rate": "critical"}),
        (Finished(completed=0, failed=20), {"queue.failure_rate": "critical"}),
        (Finished(completed=0, failed=19), {}),
        (Finished(), {}),
        (Finished(completed=0, failed=50, counted_completed=9950, counted_failed=50), {}),
        (Finished(counted_completed=50, counted_failed=None), {}),
        (Finished(counted_completed=50, counted_failed=50), {"queue.failure_rate": "critical"}),
    ],
)
def test_failure_rate(finished: Finished, expected: dict[str, str]) -> None:
    assert found(decide_failures(reading(finished=finished), situation())) == expected


@pytest.mark.parametrize(
    ("finished", "known"),
    [
        (Finished(0, 50, completed_keeping=Keeping(number=0)), False),
        (Finished(10, 50, completed_kept=100, completed_keeping=Keeping(number=100)), False),
        (Finished(10, 50, completed_kept=99, completed_keeping=Keeping(number=100)), True),
        (Finished(10, 50, completed_keeping=Keeping(age=DAY - 1)), False),
        (Finished(10, 50, completed_keeping=Keeping(age=DAY)), True),
        (Finished(10, 50, completed_keeping=Keeping()), True),
        (Finished(50, 0, failed_keeping=Keeping(number=0)), False),
        (Finished(0, 50, 50, 50, completed_keeping=Keeping(number=0)), True),
    ],
)
def test_the_rate_is_unknown_where_jobs_are_removed_as_they_end(finished: Finished, known: bool) -> None:
    assert (failure_percent(finished, DAY) is not None) is known


@given(completed=st.integers(0, 10**9), failed=st.integers(0, 10**9))
def test_a_rate_is_a_share(completed: int, failed: int) -> None:
    finished = Finished(completed, failed)
    share = failure_percent(finished, DAY)
    assert share is None if finished.completed + finished.failed == 0 else share is not None and 0 <= share <= 100


@pytest.mark.parametrize(("overdue", "expected"), [(0, {}), (1, {"queue.delayed_overdue": "warning"})])
def test_overdue_delayed_jobs(overdue: int, expected: dict[str, str]) -> None:
    assert found(decide_delayed(reading(delayed_overdue=overdue), situation())) == expected


@pytest.mark.parametrize(
    ("events", "limit", "expected"),
    [(20_000, 10_000, {}), (20_100, 10_000, {"queue.events": "warning"}), (999, 0, {})],
)
def test_the_event_stream(events: int, limit: int, expected: dict[str, str]) -> None:
    assert found(decide_events(looked(events=events, events_limit=limit), situation())) == expected


def test_the_memory_of_the_event_stream_is_a_metric_where_it_is_known() -> None:
    name = 'queue_events_bytes{queue="calls"}'
    assert name not in decide_events(looked(), situation()).metrics
    assert decide_events(Looked([Details(CALLS, events_bytes=4096)]), situation()).metrics[name] == 4096


def test_bull_has_no_event_stream() -> None:
    decision = decide_events(looked(flavour=Flavour("bull", None, "a job counter"), events=0), situation())
    assert (decision.findings, decision.metrics) == ([], {})


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("noeviction", {}), (None, {}), ("allkeys-lru", {"queue.eviction_policy": "warning"})],
)
def test_eviction_policy(policy: str | None, expected: dict[str, str]) -> None:
    assert found(decide_eviction(policy, situation())) == expected


def test_a_queue_that_is_missing_or_denied_is_a_warning_of_any_check() -> None:
    problems = [Problem("gone"), Problem("", None), Problem("secret", AccessDenied("read the queue secret", "no"))]
    for decide, observed in (
        *((decide, Reading((), problems)) for decide in ON_READINGS),
        *((decide, Looked((), problems)) for decide in (decide_events, decide_ages, decide_rates, decide_schedulers)),
        *((decide, Remains((), problems)) for decide in (decide_ghosts, decide_orphans)),
        (decide_workers, Served((), problems)),
    ):
        findings = decide(observed, situation()).findings
        assert [(finding.id, finding.severity.value) for finding in findings] == [
            ("queue.missing", "warning"),
            ("queue.missing", "warning"),
            ("queue.access_denied", "warning"),
        ]
        assert "set the option postgresql" in findings[0].remedy


def test_a_queue_that_is_neither_here_nor_there() -> None:
    (finding,) = decide_counts(Reading((), [Problem("gone", looked_in="PostgreSQL")]), situation()).findings
    assert finding.message.endswith("there is no queue gone, neither in Redis nor in PostgreSQL")
    assert "set the option" not in finding.remedy


def test_counts_are_metrics() -> None:
    metrics = decide_counts(reading(), situation()).metrics
    assert metrics['queue_jobs{queue="calls",state="prioritized"}'] == 600
    assert metrics['queue_jobs{queue="calls",state="waiting-children"}'] == 0


def test_a_name_of_any_bytes_makes_a_metric() -> None:
    name = b'odd "\xff"\n'.decode("utf-8", "surrogateescape")
    assert found(decide_counts(reading(name=name), situation())) == {}


def test_the_documented_limits_are_the_limits() -> None:
    real = {t.name: (t.unit, t.warning, t.critical, t.below) for t in HEALTH_THRESHOLDS}
    assert documented_limits("queue_health_info") == real
    assert all(threshold.remedy and threshold.source for threshold in HEALTH_THRESHOLDS)
