# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the operations that run now."""

from __future__ import annotations

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.runner import Decision
from ..._core.severity import Severity
from .observation import Operation, Operations

__all__ = ["decide_operations"]


def decide_operations(found: Operations, situation: Situation) -> Decision:
    """Judge each long operation, and a lock against writes that may have been forgotten."""
    longest = max((operation.seconds for operation in found.longest), default=0.0)
    decision = Decision(metrics={"mongodb_longest_operation_seconds": round(longest, 3)})
    for operation in found.longest:
        decision.findings += situation.thresholds.judge(
            "operation_seconds",
            "mongodb.long_operation",
            f"{situation.subject} {operation.namespace}",
            operation.seconds,
            _described(operation),
        )
    if found.locked:
        decision.findings.append(
            Finding(
                "mongodb.write_locked",
                Severity.CRITICAL,
                situation.subject,
                f"{situation.subject}: is locked against writes (fsyncLock)",
                remedy="If no backup is copying its files right now, the lock was forgotten: db.fsyncUnlock().",
            )
        )
    return decision


def _described(operation: Operation) -> str:
    by = " ".join(part for part in (operation.application, operation.client) if part)
    notes = [note for note in (operation.plan, "waits for a lock" if operation.waits else "") if note]
    text = f"{operation.kind} opid {operation.opid}"
    return text + (f" of {by}" if by else "") + (f" ({', '.join(notes)})" if notes else "") + " runs for"
