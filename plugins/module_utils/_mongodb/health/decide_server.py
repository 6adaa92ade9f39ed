# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the server's latency, version and uptime."""

from __future__ import annotations

from typing import Any

from ..._core.health import Situation
from ..._core.runner import Decision
from ..._core.units import format_duration
from .counters import remembered
from .observation import Server, Status
from .releases import end_of_life

__all__ = ["decide_latency", "decide_uptime", "decide_version", "remember_process"]


def decide_latency(seconds: float, situation: Situation) -> Decision:
    """Judge how long a ping takes."""
    return Decision(
        findings=situation.thresholds.judge(
            "latency_milliseconds", "mongodb.latency", situation.subject, seconds * 1000, "a ping takes"
        ),
        metrics={"mongodb_ping_seconds": round(seconds, 6)},
    )


def decide_version(server: Server, situation: Situation) -> Decision:
    """Judge for how long the release has been without support."""
    ended = end_of_life(server.version)
    if ended is None:
        return Decision()
    days = (situation.now.date() - ended).days
    return Decision(
        findings=situation.thresholds.judge(
            "unsupported_days",
            "mongodb.version_unsupported",
            situation.subject,
            days,
            f"version {server.version} is without support (since {ended.isoformat()}) for",
        ),
        metrics={"mongodb_support_days_left": -days},
    )


def decide_uptime(status: Status | None, situation: Situation) -> Decision:
    """Judge whether the same server runs as another process than in the last run."""
    if status is None:
        return Decision()
    decision = Decision(metrics={"mongodb_uptime_seconds": round(status.uptime, 3)})
    previous = situation.previous
    if previous.get("host") == status.host:
        restarted = int(previous.get("process") != status.process)
        what = f"restarts since the last run (up for {format_duration(status.uptime)}):"
        decision.metrics["mongodb_restarted"] = restarted
        decision.findings += situation.thresholds.judge(
            "restarts", "mongodb.restarted", situation.subject, restarted, what
        )
    return decision


def remember_process(status: Status | None, situation: Situation) -> dict[str, Any]:
    """Keep which process it was."""
    return dict(situation.previous) if status is None else remembered(status)
