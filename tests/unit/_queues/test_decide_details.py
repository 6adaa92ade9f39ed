# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ages, rates, schedulers, workers, ghosts and orphans: both sides of every limit."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._queues.decide_finished import counted
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.health.decide_details import (
    decide_ages,
    decide_rates,
    decide_schedulers,
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
    Schedules,
    Served,
    Workers,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.health.observe_workers import (
    worker_name,
    workers_of,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.observations import (
    Active,
    Finished,
    Ghosts,
    Keeping,
    Orphans,
)
from tests.unit._queues.test_decide_queue import CALLS, DAY, HOUR, NOW, found, situation

MOMENT = NOW.timestamp()


def details(**seen: Any) -> Looked:
    return Looked([Details(CALLS, **seen)])


@pytest.mark.parametrize(
    ("state", "age", "settings", "expected"),
    [
        ("waiting-children", 7 * DAY, {}, {}),
        ("waiting-children", 7 * DAY + 1, {}, {"queue.oldest_parent": "warning"}),
        ("completed", 300 * DAY, {}, {}),
        ("completed", 2 * DAY, {"oldest_completed_seconds": "2d"}, {}),
        ("completed", 2 * DAY + 1, {"oldest_completed_seconds": "2d"}, {"queue.oldest_completed": "warning"}),
        ("failed", 9 * DAY, {"oldest_failed_seconds": "8d"}, {"queue.oldest_failed": "warning"}),
        ("delayed", 900 * DAY, {}, {}),
    ],
)
def test_ages(state: str, age: float, settings: dict[str, Any], expected: dict[str, str]) -> None:
    decision = decide_ages(details(oldest={state: MOMENT - age}), situation(**settings))
    assert found(decision) == expected
    assert decision.metrics == {f'queue_oldest_job_seconds{{queue="calls",state="{state}"}}': age}


@pytest.mark.parametrize(
    ("completed", "failed", "waiting", "expected", "drain"),
    [
        (15, 5, 80, {}, 3600),
        (15, 5, 81, {"queue.slow_drain": "warning"}, 3645),
        (15, 4, 9999, {}, None),
    ],
)
def test_rates(completed: int, failed: int, waiting: int, expected: dict[str, str], drain: int | None) -> None:
    queue = CALLS._replace(counts={"waiting": waiting})
    decision = decide_rates(Looked([Details(queue, recent=Finished(completed, failed))]), situation())
    assert found(decision) == expected
    assert decision.metrics['queue_completed_jobs_per_minute{queue="calls"}'] == 1
    assert decision.metrics.get('queue_drain_seconds{queue="calls"}') == drain


def test_a_paused_queue_has_no_time_in_which_it_is_done() -> None:
    queue = CALLS._replace(paused=True, counts={"paused": 9999})
    decision = decide_rates(Looked([Details(queue, recent=Finished(20, 0))]), situation())
    assert (found(decision), 'queue_drain_seconds{queue="calls"}' in decision.metrics) == ({}, False)


def test_rates_are_unknown_where_jobs_are_removed_as_they_end_and_nobody_counts() -> None:
    removed = Finished(20, 0, completed_keeping=Keeping(number=0))
    assert decide_rates(details(recent=removed), situation()).metrics == {}
    counted_too = removed._replace(counted_completed=30, counted_failed=15)
    assert (
        decide_rates(details(recent=counted_too), situation()).metrics['queue_failed_jobs_per_minute{queue="calls"}']
        == 1
    )


@pytest.mark.parametrize(
    ("schedules", "expected"),
    [
        (Schedules(), {}),
        (Schedules(2), {}),
        (Schedules(2, MOMENT - HOUR, ["a"]), {}),
        (Schedules(2, MOMENT - HOUR - 1, ["a"]), {"queue.scheduler_late": "warning"}),
        (Schedules(2, MOMENT - 90, ["a"], ["a"]), {"queue.dead_scheduler": "warning"}),
    ],
)
def test_schedulers(schedules: Schedules, expected: dict[str, str]) -> None:
    assert found(decide_schedulers(details(schedules=schedules), situation())) == expected
    paused = Looked([Details(CALLS._replace(paused=True), schedules=schedules)])
    assert found(decide_schedulers(paused, situation())) == {}


@pytest.mark.parametrize(
    ("workers", "changes", "expected"),
    [
        (0, {}, {"queue.no_workers": "warning"}),
        (0, {"counts": {"waiting": 0}}, {}),
        (0, {"paused": True}, {}),
        (0, {"active": Active(sampled=2, stalled=("1",))}, {}),
        (0, {"active": Active(sampled=1, stalled=("1",))}, {"queue.no_workers": "warning"}),
        (1, {}, {}),
        (None, {}, {}),
    ],
)
def test_workers(workers: int | None, changes: dict[str, Any], expected: dict[str, str]) -> None:
    queue = CALLS._replace(**{"active": Active(), **changes})
    decision = decide_workers(Served([(queue, workers)]), situation())
    assert found(decision) == expected
    assert decision.metrics == ({} if workers is None else {'queue_workers{queue="calls"}': workers})


def test_whose_worker_a_connection_is_its_name_tells() -> None:
    name = worker_name("bull", "calls")
    names = {name: 2, f"{name}:w:night": 1, f"{name}:qe": 4, worker_name("bull", "callsign"): 8}
    assert workers_of(Workers(names), name, False) == 3
    assert workers_of(Workers(names, unnamed=1), name, False) == 3
    assert workers_of(Workers(names), worker_name("bull", "other"), False) == 0
    assert workers_of(Workers(names, unnamed=1), worker_name("bull", "other"), False) is None


def test_a_worker_of_bull_is_who_waits_for_jobs() -> None:
    name, other = worker_name("bull", "calls"), worker_name("bull", "other")
    assert workers_of(Workers({name: 3}, {name: 1}), name, True) == 1
    assert workers_of(Workers({name: 3}, {name: 0}), name, True) is None, "somebody who adds jobs, perhaps"
    assert workers_of(Workers({name: 3}, {name: 1}), other, True) == 0


def test_ghosts() -> None:
    none, some = Remains().with_ghosts(CALLS, [], 9), Remains().with_ghosts(CALLS, [Ghosts("wait", ["7"])], 9)
    assert found(decide_ghosts(none, situation())) == {}
    decision = decide_ghosts(some, situation())
    assert found(decision) == {"queue.ghosts": "warning"}
    assert "of 9 ids" in decision.findings[0].message
    assert decision.metrics == {'queue_ghosts{queue="calls"}': 1}


def test_orphans() -> None:
    assert found(decide_orphans(Remains().with_orphans(CALLS, Orphans()), situation())) == {}
    some = Remains().with_orphans(CALLS, Orphans(["7", "8"], complete=False))
    decision = decide_orphans(some, situation())
    assert found(decision) == {"queue.orphans": "warning", "queue.search_incomplete": "warning"}
    assert decision.metrics == {'queue_orphans{queue="calls"}': 2}
    unknown = decide_orphans(Remains().with_orphans(CALLS, Orphans(unknown="wait is too long")), situation())
    assert (found(unknown), unknown.metrics) == ({"queue.orphans_unknown": "warning"}, {})


@pytest.mark.parametrize(
    ("metrics", "minutes", "expected"),
    [
        ((None, None, None), [], None),
        (("10", None, None), [], 0),
        (("10", "1000000", "7"), ["2", "3", "4", "5"], 12),  # 3 in the two minutes since, and three minutes before
        (("10", "699999", "7"), ["2", "3"], 0),
        (("10", "700000", "7"), ["2", "3"], 3),
        (("10", "1000000", None), [], 10),
    ],
)
def test_what_the_library_counted(metrics: tuple[str | None, ...], minutes: list[str], expected: int | None) -> None:
    assert counted(metrics, minutes, 1_120_000.0 if metrics[1] == "1000000" else 1_000_000.0, 300.0) == expected
