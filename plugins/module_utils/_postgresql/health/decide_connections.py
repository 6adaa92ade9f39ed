# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the number of connections. Pure."""

from __future__ import annotations

from collections import Counter

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.result import Metrics, metric_name
from ..._core.runner import Decision
from ..rights import hidden
from .observation import Connections, Group, Limit

__all__ = ["decide_connections"]


def decide_connections(seen: Connections, situation: Situation) -> Decision:
    """Judge how many of the connections are used: of the server's, and of each role's and database's own limit."""
    clients = [group for group in seen.groups if group.is_client]
    used, available = sum(group.sessions for group in clients), seen.server.available_connections
    percent = 100 * used / available if available > 0 else None
    decision = Decision(metrics=_metrics(clients, used, available, percent))
    states = _states(clients)
    by_state = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    at_most = "" if seen.server.sees_all else "at most "
    decision.findings += situation.thresholds.judge(
        "connections_percent",
        "postgresql.connections",
        situation.subject,
        percent,
        f"{at_most}{used} of {available:g} connections are in use ({by_state}):",
    )
    for limit in seen.limits:
        decision.findings += _limit(limit, clients, situation)
    if not seen.server.sees_all:
        decision.findings.append(
            hidden(situation, "connections", seen.server.user, "the state of other users' connections")
        )
    return decision


def _states(clients: list[Group]) -> Counter[str]:
    states: Counter[str] = Counter()
    for group in clients:
        states[group.state or "unknown"] += group.sessions
    return states


def _metrics(clients: list[Group], used: int, available: float, percent: float | None) -> Metrics:
    metrics: Metrics = {
        "postgresql_connections_used_total": used,
        "postgresql_connections_available_total": int(available),
    }
    if percent is not None:
        metrics["postgresql_connections_used_percent"] = round(percent, 2)
    for state, count in _states(clients).items():
        metrics[metric_name("postgresql_connections_total", state=state)] = count
    return metrics


def _limit(limit: Limit, clients: list[Group], situation: Situation) -> list[Finding]:
    names = {"role": [group.user for group in clients], "database": [group.database for group in clients]}[limit.kind]
    used = sum(group.sessions for group, name in zip(clients, names, strict=True) if name == limit.name)
    return situation.thresholds.judge(
        "connection_limit_percent",
        "postgresql.connection_limit",
        f"{situation.subject} {limit.kind} {limit.name}",
        100 * used / limit.connections,
        f"{used} of its {limit.connections} connections are in use:",
    )
