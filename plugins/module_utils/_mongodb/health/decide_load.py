# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from serverStatus: connections, queues, cache, assertions, page faults and cursors.

Each function takes None where the statistics could not be read; another finding says so then.
"""

from __future__ import annotations

from typing import Any

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.result import metric_name
from ..._core.runner import Decision
from ..._core.severity import Severity
from .counters import growth, remembered
from .observation import Status, Tickets

__all__ = [
    "decide_asserts",
    "decide_cache",
    "decide_connections",
    "decide_cursors",
    "decide_page_faults",
    "decide_queues",
    "remember_asserts",
    "remember_cursors",
    "remember_page_faults",
]


def decide_connections(status: Status | None, situation: Situation) -> Decision:
    """Judge how many of the possible connections are in use."""
    if status is None or status.connections is None or status.connections_available is None:
        return Decision()
    limit = status.connections + status.connections_available
    decision = Decision(metrics={"mongodb_connections": status.connections, "mongodb_connections_limit": limit})
    if limit > 0:
        percent = 100 * status.connections / limit
        decision.metrics["mongodb_connections_percent"] = round(percent, 2)
        what = f"connections in use ({status.connections} of {limit})"
        decision.findings += situation.thresholds.judge(
            "connections_percent", "mongodb.connections", situation.subject, percent, what
        )
    return decision


def decide_queues(status: Status | None, situation: Situation) -> Decision:
    """Judge the operations that wait, the storage engine's tickets, and flow control."""
    if status is None:
        return Decision()
    decision = Decision()
    queued = None
    if status.queued_readers is not None and status.queued_writers is not None:
        queued = status.queued_readers + status.queued_writers
        decision.metrics["mongodb_queued_readers"] = status.queued_readers
        decision.metrics["mongodb_queued_writers"] = status.queued_writers
        what = f"operations that wait ({status.queued_readers} readers, {status.queued_writers} writers):"
        decision.findings += situation.thresholds.judge(
            "queued_operations", "mongodb.queue", situation.subject, queued, what
        )
    for kind, tickets in (("read", status.read_tickets), ("write", status.write_tickets)):
        if tickets is not None and tickets.total > 0:
            decision.extend(_decide_tickets(kind, tickets, queued or 0, situation))
    if status.majority_lags:
        decision.findings.append(
            Finding(
                "mongodb.flow_control",
                Severity.WARNING,
                situation.subject,
                f"{situation.subject}: the majority of members lags, so the server slows writes down (flow control)",
                remedy="Look at the lag of the secondaries: their disks, load and network.",
            )
        )
    for kind, count in status.operations.items():
        decision.metrics[metric_name("mongodb_operations_total", type=kind)] = count
    return decision


def _decide_tickets(kind: str, tickets: Tickets, queued: int, situation: Situation) -> Decision:
    """Judge the tickets of one kind, but only while somebody waits.

    From 7.0 on the server sets their number to what it needs, so that all in use is no trouble in itself.
    """
    percent = 100 * tickets.out / tickets.total
    decision = Decision(
        metrics={
            metric_name("mongodb_tickets_used", kind=kind): tickets.out,
            metric_name("mongodb_tickets_total", kind=kind): tickets.total,
        }
    )
    waiting = max(queued, tickets.queued)
    if waiting:
        what = f"{kind} tickets in use ({tickets.out} of {tickets.total}, {waiting} operations wait)"
        decision.findings += situation.thresholds.judge(
            "tickets_percent", "mongodb.tickets", f"{situation.subject} {kind}", percent, what
        )
    return decision


def decide_cache(status: Status | None, situation: Situation) -> Decision:
    """Judge how full WiredTiger's cache is, and how much of it is not yet written."""
    if status is None or status.cache is None:
        return Decision()
    cache = status.cache
    used, dirty = 100 * cache.used / cache.maximum, 100 * cache.dirty / cache.maximum
    decision = Decision(
        metrics={
            "mongodb_cache_used_bytes": cache.used,
            "mongodb_cache_dirty_bytes": cache.dirty,
            "mongodb_cache_limit_bytes": cache.maximum,
        }
    )
    if status.resident_bytes is not None:
        decision.metrics["mongodb_resident_bytes"] = status.resident_bytes
    judge, subject = situation.thresholds.judge, situation.subject
    decision.findings += judge("cache_percent", "mongodb.cache", subject, used, "cache in use")
    decision.findings += judge("cache_dirty_percent", "mongodb.cache_dirty", subject, dirty, "cache not yet written")
    return decision


def decide_asserts(status: Status | None, situation: Situation) -> Decision:
    """Judge the assertions since the last run: the server's own errors, and those of clients."""
    if status is None or status.asserts is None:
        return Decision()
    asserts, judge, subject = status.asserts, situation.thresholds.judge, situation.subject
    decision = Decision(
        metrics={
            metric_name("mongodb_asserts_total", type="internal"): asserts.internal,
            metric_name("mongodb_asserts_total", type="user"): asserts.user,
        }
    )
    internal = growth(status, situation.previous, "internal", asserts.internal)
    user = growth(status, situation.previous, "user", asserts.user)
    if internal is not None:
        what = "internal errors of the server since the last run:"
        decision.findings += judge("asserts", "mongodb.asserts", subject, internal.count, what)
    if user is not None:
        what = f"errors of clients a second ({user.count} since the last run):"
        decision.findings += judge(
            "user_asserts_per_second", "mongodb.user_asserts", subject, round(user.per_second, 2), what
        )
    return decision


def remember_asserts(status: Status | None, situation: Situation) -> dict[str, Any]:
    """Keep the counters."""
    if status is None or status.asserts is None:
        return dict(situation.previous)
    return remembered(status, internal=status.asserts.internal, user=status.asserts.user)


def decide_page_faults(status: Status | None, situation: Situation) -> Decision:
    """Judge the rate of page faults since the last run."""
    if status is None or status.page_faults is None:
        return Decision()
    decision = Decision(metrics={"mongodb_page_faults_total": status.page_faults})
    faults = growth(status, situation.previous, "page_faults", status.page_faults)
    if faults is not None:
        decision.metrics["mongodb_page_faults_per_second"] = round(faults.per_second, 3)
        what = f"page faults a second ({faults.count} since the last run):"
        decision.findings += situation.thresholds.judge(
            "page_faults_per_second", "mongodb.page_faults", situation.subject, round(faults.per_second, 2), what
        )
    return decision


def remember_page_faults(status: Status | None, situation: Situation) -> dict[str, Any]:
    """Keep the counter."""
    if status is None or status.page_faults is None:
        return dict(situation.previous)
    return remembered(status, page_faults=status.page_faults)


def decide_cursors(status: Status | None, situation: Situation) -> Decision:
    """Judge the cursors that are open, and the rate at which clients abandon them."""
    if status is None or status.cursors is None:
        return Decision()
    cursors, judge, subject = status.cursors, situation.thresholds.judge, situation.subject
    decision = Decision(
        findings=judge("cursors_open", "mongodb.cursors_open", subject, cursors.open, "open cursors:"),
        metrics={"mongodb_cursors_open": cursors.open, "mongodb_cursors_timed_out_total": cursors.timed_out},
    )
    abandoned = growth(status, situation.previous, "timed_out", cursors.timed_out)
    if abandoned is not None:
        what = f"abandoned cursors a minute ({abandoned.count} since the last run):"
        decision.findings += judge(
            "cursors_timed_out_per_minute",
            "mongodb.cursors_timed_out",
            subject,
            round(abandoned.per_second * 60, 2),
            what,
        )
    return decision


def remember_cursors(status: Status | None, situation: Situation) -> dict[str, Any]:
    """Keep the counter."""
    if status is None or status.cursors is None:
        return dict(situation.previous)
    return remembered(status, timed_out=status.cursors.timed_out)
