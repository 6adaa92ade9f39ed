# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is new, what is resolved, and since when."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._core.redact import Redactor
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets
from ansible_collections.dataops.upkeep.plugins.module_utils._core.severity import Severity
from ansible_collections.dataops.upkeep.plugins.module_utils._report.entries import gather
from ansible_collections.dataops.upkeep.plugins.module_utils._report.past import (
    FORGET_AFTER,
    Comparison,
    Past,
    compare,
    remembered,
    run_record,
)

from .samples import NOW, application, finding, result


class Runs:
    """One run after another, each remembering for the next."""

    def __init__(self) -> None:
        self.last: dict[str, Any] = {}

    def run(self, number: int, *results: dict[str, Any], at: datetime | None = None) -> Comparison:
        entries = gather(results, Redactor(Secrets()))
        moment = at or NOW + timedelta(days=number)
        comparison = compare(entries, f"run-{number}", moment, Past(last=self.last))
        self.last = json.loads(json.dumps(remembered(entries, f"run-{number}", moment, Past(last=self.last))))
        return comparison


MEMORY = finding("redis.memory", "warning", "cache", "memory 90 %")
SLOW = finding("redis.slow_log", "warning", "cache", "3 slow commands")
DOWN = finding("redis.unreachable", "critical", "cache", "cache is down")


def short(comparison: Comparison) -> tuple[list[str], list[str]]:
    """The ids of what is new and resolved."""
    new = sorted(key.split("\x1f")[1] for key in comparison.new)
    return new, sorted(found.id for found in comparison.resolved.values())


def test_the_first_run_has_nothing_to_compare_with() -> None:
    comparison = Runs().run(1, result("redis", "cache", [MEMORY]))
    assert comparison.at is None
    assert short(comparison) == ([], [])


def test_new_and_resolved() -> None:
    runs = Runs()
    runs.run(1, result("redis", "cache", [MEMORY]))
    second = runs.run(2, result("redis", "cache", [SLOW]))
    assert short(second) == (["redis.slow_log"], ["redis.memory"])
    assert second.at == NOW + timedelta(days=1)
    assert short(runs.run(3, result("redis", "cache", [SLOW]))) == ([], [])


def test_a_finding_keeps_the_moment_it_came() -> None:
    runs = Runs()
    for number in range(1, 5):
        comparison = runs.run(number, result("redis", "cache", [MEMORY]))
    assert list(comparison.since.values()) == [(NOW + timedelta(days=1)).isoformat()]


def test_another_message_is_the_same_finding_and_another_subject_is_not() -> None:
    runs = Runs()
    runs.run(1, result("redis", "cache", [MEMORY]))
    assert short(runs.run(2, result("redis", "cache", [{**MEMORY, "message": "memory 91 %"}]))) == ([], [])
    changed = runs.run(3, result("redis", "cache", [{**MEMORY, "subject": "cache\n2"}]))
    assert short(changed) == (["redis.memory"], ["redis.memory"])


def test_a_server_that_moved_keeps_its_findings() -> None:
    runs = Runs()
    for number, address in enumerate(["10.0.0.1:6379", "10.0.0.2:6380"]):
        moved = result("redis", "cache", [{**MEMORY, "subject": f"{address} db0"}])
        comparison = runs.run(number, {**moved, "server": {"kind": "redis", "address": address}})
    assert short(comparison) == ([], [])
    assert len(comparison.since) == 1


def test_what_was_not_looked_at_is_not_resolved() -> None:
    runs = Runs()
    runs.run(1, result("redis", "cache", [MEMORY]), result("host", "app", [SLOW]))
    assert short(runs.run(2, result("redis", "cache", [DOWN]))) == (["redis.unreachable"], [])
    back = runs.run(3, result("redis", "cache", [MEMORY]), result("host", "app", [SLOW]))
    assert short(back) == ([], ["redis.unreachable"])
    assert set(back.since.values()) == {(NOW + timedelta(days=1)).isoformat()}


def test_what_nobody_looks_at_is_forgotten_in_the_end() -> None:
    runs = Runs()
    runs.run(1, result("redis", "gone", [MEMORY]))
    runs.run(2, at=NOW + timedelta(days=1) + FORGET_AFTER - timedelta(seconds=1))
    assert len(runs.last["findings"]) == 1
    runs.run(3, at=NOW + timedelta(days=1) + FORGET_AFTER)
    assert runs.last["findings"] == {}


def test_a_run_that_is_reported_again_is_compared_with_the_one_before_it() -> None:
    runs = Runs()
    runs.run(1, result("redis", "cache", [MEMORY]))
    first = runs.run(2, result("redis", "cache", [SLOW]))
    assert runs.run(2, result("redis", "cache", [SLOW])) == first
    assert set(runs.last["before"]) == {"run_id", "at", "findings"}


def test_the_record_of_a_run_is_small_and_holds_what_is_plotted() -> None:
    entries = gather(application(), Redactor(Secrets()))
    record = run_record(entries, "run-1", NOW, Severity.CRITICAL)
    assert set(record["entries"]) == {entry.key for entry in entries}
    assert record["entries"]["redis/cache@app-1"]["metrics"]["redis_memory_used_percent"] == 70
    assert all(len(entry["metrics"]) <= 6 for entry in record["entries"].values())
    assert len(json.dumps(record)) < 3000
