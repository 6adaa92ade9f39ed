# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one envelope that every module returns."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .action import Action, ActionState
from .finding import Finding
from .severity import Severity, worst

__all__ = ["ENVELOPE_KEYS", "METRIC_NAME", "Metrics", "Result", "metric_name"]

Metrics: TypeAlias = "dict[str, float | int]"

METRIC_NAME = re.compile(r'[a-z][a-z0-9_]*(\{[a-z_]+="(?:[^"\\]|\\.)*"(,[a-z_]+="(?:[^"\\]|\\.)*")*\})?')
"""A metric's name: Prometheus style, labels where one number is one of several (per database, per mount)."""

ENVELOPE_KEYS = ("changed", "status", "findings", "actions", "metrics", "summary", "server")


def metric_name(name: str, **labels: str) -> str:
    """Return ``name{label="value"}``, with quotes, backslashes and line feeds escaped as Prometheus wants it."""
    if not labels:
        return name
    escaped = (
        (key, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
        for key, value in sorted(labels.items())
    )
    return name + "{" + ",".join(f'{key}="{value}"' for key, value in escaped) + "}"


@dataclass
class Result:
    """What a module has to say: findings, actions, metrics, the server, and one sentence.

    :param findings: what is wrong; the status is the gravest of them, and critical if an action failed.
    :param actions: what was planned or done; ``changed`` says whether any was done (or, in check mode, would be).
    :param metrics: flat numbers with Prometheus-style names (``redis_memory_used_bytes``).
    :param server: ``kind``, ``version`` and what else identifies the server that was asked.
    :param subject: what the summary speaks of, such as ``redis cache``.
    """

    subject: str
    findings: list[Finding] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    metrics: Metrics = field(default_factory=dict)
    server: dict[str, Any] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether an action was done, in part at least, or would be done in check mode."""
        return any(action.touched or action.state in (ActionState.DONE, ActionState.PLANNED) for action in self.actions)

    @property
    def status(self) -> Severity:
        """The gravest finding; a failed action is critical."""
        failed = any(action.state is ActionState.FAILED for action in self.actions)
        return worst([finding.severity for finding in self.findings] + ([Severity.CRITICAL] if failed else []))

    @property
    def summary(self) -> str:
        """One sentence for people: how it stands and what was done."""
        severities = Counter(finding.severity for finding in self.findings)
        parts = [f"{severities[s]} {s.value}" for s in (Severity.CRITICAL, Severity.WARNING) if severities[s]]
        states = Counter(action.state for action in self.actions)
        parts += [f"{states[state]} {state.value}" for state in ActionState if states[state]]
        verdict = f"{self.subject}: {self.status.value}"
        if not parts:
            return verdict
        gravest = max(self.findings, key=lambda finding: finding.severity.rank, default=None)
        return f"{verdict} ({', '.join(parts)})" + (f"; {gravest.message}" if gravest else "")

    def as_dict(self) -> dict[str, Any]:
        """Return the envelope, in the order that :data:`ENVELOPE_KEYS` names."""
        return {
            "changed": self.changed,
            "status": self.status.value,
            "findings": [finding.as_dict() for finding in self.findings],
            "actions": [action.as_dict() for action in self.actions],
            "metrics": dict(self.metrics),
            "summary": self.summary,
            "server": dict(self.server),
        }
