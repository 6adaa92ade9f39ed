# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes one shape of the results that a report is given, whatever is missing or odd in them. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._core.action import Action, ActionState
from .._core.finding import Finding
from .._core.redact import Redactor
from .._core.result import Metrics
from .._core.severity import Severity, worst

__all__ = ["Entry", "gather"]

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_TITLES = {
    "postgresql": "PostgreSQL", "mongodb": "MongoDB", "redis": "Redis", "queue": "Queues", "http": "HTTP",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One result: what was looked at or worked on, and how it stands.

    :param kind: the subject, such as ``redis``.
    :param name: what the user calls it.
    :param host: the inventory host that it belongs to, empty if unknown.
    :param server: what answered: ``address``, ``version`` and more.
    :param changed: whether anything was changed, or in check mode would be.
    """

    kind: str
    name: str
    host: str
    status: Severity
    summary: str
    findings: tuple[Finding, ...] = ()
    actions: tuple[Action, ...] = ()
    metrics: Metrics = field(default_factory=dict)
    server: Mapping[str, Any] = field(default_factory=dict)
    changed: bool = False

    @property
    def key(self) -> str:
        """What tells it from the other results of a run, and finds it again in the runs before."""
        return f"{self.kind}/{self.name}@{self.host}"

    @property
    def kind_title(self) -> str:
        """The subject for people."""
        return _TITLES.get(self.kind, self.kind.replace("_", " ").capitalize())

    def as_dict(self) -> dict[str, Any]:
        """Return the entry as the JSON report carries it: the envelope, and what it is about."""
        return {
            "subject": self.kind,
            "name": self.name,
            "host": self.host,
            "changed": self.changed,
            "status": self.status.value,
            "summary": self.summary,
            "findings": [finding.as_dict() for finding in self.findings],
            "actions": [action.as_dict() for action in self.actions],
            "metrics": dict(self.metrics),
            "server": dict(self.server),
        }


def gather(results: Sequence[Mapping[str, Any]], redactor: Redactor) -> list[Entry]:
    """Return the results as entries, without secrets, each with a key of its own. Skipped tasks are left out."""
    entries: list[Entry] = []
    keys: set[str] = set()
    for result in results:
        if result.get("skipped"):
            continue
        entry = _entry(_printable(redactor.value(result)))
        name, number = entry.name, 1
        while entry.key in keys:
            number += 1
            entry = Entry(**{**entry.__dict__, "name": f"{name} {number}"})
        keys.add(entry.key)
        entries.append(entry)
    return entries


def _entry(result: Mapping[str, Any]) -> Entry:
    server = result.get("server") if isinstance(result.get("server"), dict) else {}
    kind = _text(result.get("subject") or (server or {}).get("kind")) or "task"
    name = _text(result.get("name")) or _text((server or {}).get("address")) or kind
    findings = [_finding(found, kind, name) for found in _dicts(result.get("findings"))]
    actions = [_action(action) for action in _dicts(result.get("actions"))]
    trouble = _trouble(result, kind, name)
    if trouble and not findings:
        findings = [trouble]
    severities = [finding.severity for finding in findings if finding]
    if any(action.state is ActionState.FAILED for action in actions):
        severities.append(Severity.CRITICAL)
    if result.get("status") in [severity.value for severity in Severity]:
        severities.append(Severity(result["status"]))
    status = worst(severities)
    return Entry(
        kind=kind,
        name=name,
        host=_text(result.get("host")),
        status=status,
        summary=_text(result.get("summary")) or _text(result.get("msg")) or f"{name}: {status.value}",
        findings=tuple(sorted((found for found in findings if found), key=lambda found: -found.severity.rank)),
        actions=tuple(actions),
        metrics=_metrics(result.get("metrics")),
        server=dict(server or {}),
        changed=result.get("changed") is True,
    )


def _trouble(result: Mapping[str, Any], kind: str, name: str) -> Finding | None:
    """Return the finding for a task that ended without an envelope: nothing said is not in order."""
    if result.get("unreachable"):
        condition, why = "host_unreachable", "the host that should do it cannot be reached"
        remedy = "Check the connection to the host."
    elif result.get("failed") or "status" not in result:
        condition, why = "task_failed", "the task ended without a result"
        remedy = "Run it again with -vvv and read what it says."
    else:
        return None
    text = _text(result.get("msg")).strip()
    message = f"{name}: {why}" + (f": {text}" if text else "")
    return Finding(f"upkeep.{condition}", Severity.CRITICAL, name or kind, message, remedy=remedy)


def _finding(found: Mapping[str, Any], kind: str, name: str) -> Finding | None:
    """Return a finding; a severity that nobody knows is a warning, and ``ok`` is none."""
    given = _text(found.get("severity"))
    severity = Severity(given) if given in [known.value for known in Severity] else Severity.WARNING
    if severity is Severity.OK:
        return None
    finding_id = _text(found.get("id")) or f"{kind}.unnamed"
    return Finding(
        id=finding_id,
        severity=severity,
        subject=_text(found.get("subject")) or name,
        message=_text(found.get("message")) or finding_id,
        value=_scalar(found.get("value")),
        threshold=_scalar(found.get("threshold")),
        remedy=_text(found.get("remedy")),
    )


def _action(action: Mapping[str, Any]) -> Action:
    given = _text(action.get("state"))
    seconds = action.get("seconds")
    return Action(
        kind=_text(action.get("kind")) or "change",
        subject=_text(action.get("subject")),
        reason=_text(action.get("reason")),
        statement=_text(action.get("statement")),
        state=ActionState(given) if given in [known.value for known in ActionState] else ActionState.FAILED,
        detail=_text(action.get("detail")),
        seconds=seconds if _is_number(seconds) else None,
        undo=_text(action.get("undo")),
    )


def _metrics(metrics: Any) -> Metrics:
    return {name: value for name, value in metrics.items() if _is_number(value)} if isinstance(metrics, dict) else {}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)


def _scalar(value: Any) -> str | int | float | bool | None:
    return value if value is None or isinstance(value, (str, int, float, bool)) else _text(value)


def _printable(value: Any) -> Any:
    """Return a value whose texts hold no control characters and no half characters."""
    if isinstance(value, str):
        return _UNPRINTABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_printable(key): _printable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_printable(inner) for inner in value]
    return value
