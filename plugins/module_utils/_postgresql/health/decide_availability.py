# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from latency, version, time of start and role. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..._core.units import format_duration
from ..server import Server
from .observation import Availability
from .releases import OLDEST_SUPPORTED, unsupported_days

__all__ = ["decide_availability", "remember_start"]

SAME_START_SECONDS = 1.0
"""Two times of start that differ by less are the same: they pass through text."""


def decide_availability(seen: Availability, situation: Situation) -> Decision:
    """Judge whether the server answers quickly, is supported, was restarted, and has the role that is expected."""
    server, judge = seen.server, situation.thresholds.judge
    uptime = max(0.0, server.now - server.started)
    decision = Decision(
        metrics={
            "postgresql_latency_seconds": round(seen.latency_milliseconds / 1000, 6),
            "postgresql_uptime_seconds": round(uptime),
            "postgresql_in_recovery": int(server.in_recovery),
            "postgresql_version_number": server.number,
        }
    )
    decision.findings += judge(
        "latency_milliseconds", "postgresql.latency", situation.subject, seen.latency_milliseconds, "SELECT 1 took"
    )
    decision.findings += _version(server, situation)
    decision.findings += judge(
        "restarts",
        "postgresql.restarted",
        situation.subject,
        _restarts(server, situation.previous),
        f"the server was started {format_duration(uptime)} ago; restarts since the last run:",
    )
    decision.findings += _role(seen, situation)
    return decision


def remember_start(seen: Availability, _situation: Situation) -> Mapping[str, Any]:
    """Keep the time of start."""
    return {"started": seen.server.started}


def _version(server: Server, situation: Situation) -> list[Finding]:
    if server.major < OLDEST_SUPPORTED:
        message = f"{situation.subject}: version {server.version} is older than {OLDEST_SUPPORTED}, which checks need"
        remedy = "Upgrade the server; until then some checks fail."
        return [
            Finding(
                "postgresql.version",
                Severity.WARNING,
                situation.subject,
                message,
                server.version,
                OLDEST_SUPPORTED,
                remedy,
            )
        ]
    days = unsupported_days(server.major, situation.now.date())
    what = f"days that version {server.version} has been without support:"
    return situation.thresholds.judge("unsupported_days", "postgresql.version", situation.subject, days, what)


def _restarts(server: Server, previous: Mapping[str, Any]) -> int | None:
    """At least one restart, if the time of start is another; None if it was not known."""
    if previous.get("started") is None:
        return None
    return int(abs(server.started - float(previous["started"])) > SAME_START_SECONDS)


def _role(seen: Availability, situation: Situation) -> list[Finding]:
    role = seen.server.role
    if seen.expected_role in ("any", role):
        return []
    message = f"{situation.subject}: the server is a {role}, expected is a {seen.expected_role}"
    remedy = "Find out whether a failover took place, and point the application and this check at the right server."
    return [Finding("postgresql.role", Severity.CRITICAL, situation.subject, message, role, seen.expected_role, remedy)]
