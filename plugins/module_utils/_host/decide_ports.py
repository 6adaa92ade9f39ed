# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges which ports are listened on, against those that are expected."""

from __future__ import annotations

from .._core.finding import Finding
from .._core.health import Situation
from .._core.result import metric_name
from .._core.runner import Decision
from .._core.severity import Severity
from .facts import Ports

__all__ = ["decide_ports"]

NAMED = 200
"""Listeners that get a metric of their own; the counts hold all."""


def decide_ports(ports: Ports, situation: Situation) -> Decision:
    """A critical finding for every expected port on which nothing listens."""
    listeners = ports.listeners
    open_ports = {listener.port for listener in listeners}
    decision = Decision(
        metrics={
            "host_listening_ports_count": len(open_ports),
            "host_public_listening_ports_count": len({listener.port for listener in listeners if listener.public}),
        }
    )
    for listener in listeners[:NAMED]:
        labels = {"address": listener.address, "port": str(listener.port), "process": listener.process}
        decision.metrics[metric_name("host_listening", **labels)] = 1
    for port in sorted(set(ports.expected) - open_ports):
        message = f"{situation.subject}: nothing listens on TCP port {port}"
        remedy = "See whether its service runs (systemctl --failed) and which port it is set to (ss -ltnp)."
        subject = f"{situation.subject}:{port}"
        decision.findings.append(Finding("host.port_missing", Severity.CRITICAL, subject, message, port, remedy=remedy))
    return decision
