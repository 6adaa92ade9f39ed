# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long operations and the lock against writes."""

from __future__ import annotations

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health.decide_operations import decide_operations
from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health.observation import Operation, Operations
from tests.unit._mongodb.samples import found, situation


def operation(seconds: float) -> Operation:
    return Operation("4711", "query", "shop.orders", seconds, "web", "10.0.0.7:4000", "COLLSCAN", waits=True)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (60.0, []),
        (60.5, [("mongodb.long_operation", "warning")]),
        (600.0, [("mongodb.long_operation", "warning")]),
        (600.5, [("mongodb.long_operation", "critical")]),
    ],
)
def test_long_operation(seconds: float, expected: list[tuple[str, str]]) -> None:
    decision = decide_operations(Operations((operation(seconds),), locked=False), situation())
    assert found(decision) == expected
    assert decision.metrics == {"mongodb_longest_operation_seconds": seconds}


def test_a_finding_says_what_is_needed_to_end_the_operation() -> None:
    (finding,) = decide_operations(Operations((operation(90.0),), locked=False), situation()).findings
    assert finding.subject == "db shop.orders"
    for part in ("opid 4711", "web", "10.0.0.7:4000", "COLLSCAN", "waits for a lock", "1min 30s"):
        assert part in finding.message
    assert "killOp" in finding.remedy


def test_nothing_runs() -> None:
    decision = decide_operations(Operations((), locked=False), situation())
    assert (found(decision), decision.metrics) == ([], {"mongodb_longest_operation_seconds": 0.0})


def test_a_lock_against_writes() -> None:
    decision = decide_operations(Operations((), locked=True), situation())
    assert found(decision) == [("mongodb.write_locked", "critical")]
