# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges how the server answers and what it is. Pure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from ..._core.dependency import version_tuple
from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.result import Metrics
from ..._core.runner import Decision, sub_finding
from ..._core.severity import Severity
from ..observations import Cluster, Ping, Server

__all__ = ["decide_cluster", "decide_ping", "decide_server", "remember_server"]

CLUSTER_SLOTS = 16384

END_OF_LIFE = {
    (6, 2): date(2025, 2, 28),
    (7, 0): date(2024, 7, 29),
    (7, 2): date(2026, 2, 28),
    (7, 4): date(2026, 11, 30),
}
"""Last day of support of Redis's branches (endoflife.date/redis). A newer branch that is not listed is supported."""

REPAIR = "Bring the failed nodes back or fail over to their replicas (CLUSTER NODES); assign all slots."

BEFORE_ALL = date(2024, 7, 29)
"""By this day every branch before 6.2 had ended."""


def decide_ping(ping: Ping, situation: Situation) -> Decision:
    """Judge the latency."""
    if ping.refusal:
        return Decision([sub_finding(situation.subject, "redis", ping.refusal)])
    decision = Decision()
    if ping.milliseconds is not None:
        decision.metrics["redis_ping_seconds"] = round(ping.milliseconds / 1000, 6)
    decision.findings += situation.thresholds.judge(
        "latency_milliseconds", "redis.latency", situation.subject, ping.milliseconds, "answers after"
    )
    return decision


def decide_server(server: Server, situation: Situation) -> Decision:
    """Judge the age of the version and whether the server was started since the last run."""
    judge = situation.thresholds.judge
    metrics: Metrics = {} if server.uptime is None else {"redis_uptime_seconds": server.uptime}
    decision = Decision(metrics=metrics)
    decision.findings += judge(
        "unsupported_days",
        "redis.version_unsupported",
        situation.subject,
        unsupported_days(server, situation.now),
        f"version {server.version} is without support for",
    )
    restarted = _restarted(server, situation)
    if restarted is not None:
        decision.metrics["redis_restarted"] = int(restarted)
        decision.findings += judge(
            "restarts", "redis.restarted", situation.subject, int(restarted), "restarts since the last run:"
        )
    return decision


def remember_server(server: Server, _situation: Situation) -> dict[str, Any]:
    """Keep which start of the server this is."""
    return {"run_id": server.run_id}


def decide_cluster(cluster: Cluster | None, situation: Situation) -> Decision:
    """Judge the cluster's state."""
    if cluster is None:
        return Decision()
    decision = Decision(
        metrics={
            "redis_cluster_slots_assigned": cluster.slots_assigned,
            "redis_cluster_slots_failed": cluster.slots_failed,
        }
    )
    if cluster.state != "ok":
        decision.findings.append(
            Finding(
                "redis.cluster_state",
                Severity.CRITICAL,
                situation.subject,
                f"{situation.subject}: the cluster is in state {cluster.state}, with {cluster.slots_assigned} of "
                f"{CLUSTER_SLOTS} slots assigned and {cluster.slots_failed} failed",
                cluster.state,
                "ok",
                REPAIR,
            )
        )
    elif cluster.slots_failed or cluster.slots_assigned < CLUSTER_SLOTS:
        missing = CLUSTER_SLOTS - cluster.slots_assigned + cluster.slots_failed
        decision.findings.append(
            Finding(
                "redis.cluster_slots",
                Severity.CRITICAL,
                situation.subject,
                f"{situation.subject}: the cluster serves, but not {missing} of {CLUSTER_SLOTS} slots: their keys "
                "cannot be reached",
                missing,
                0,
                REPAIR,
            )
        )
    return decision


def unsupported_days(server: Server, now: datetime) -> int | None:
    """Return for how many days the version has been without support: negative before its end, None if unknown."""
    branch = version_tuple(server.version or "")[:2]
    if server.product != "redis" or len(branch) < 2:
        return None
    end = BEFORE_ALL if branch < min(END_OF_LIFE) else END_OF_LIFE.get((branch[0], branch[1]))
    return None if end is None else (now.date() - end).days


def _restarted(server: Server, situation: Situation) -> bool | None:
    """Whether the server was started since the last run, None if that cannot be told."""
    before = situation.previous.get("run_id")
    return None if not before or not server.run_id else before != server.run_id
