# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report keeps for later reports, and what earlier ones say about this one. Pure.

A series holds a small record of each run for the plots. A document holds the findings of the last two runs, so that a
report that is written anew for the same run compares with the run before it and not with itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .._core.finding import Finding
from .._core.memory import Record
from .._core.severity import Severity
from .entries import Entry
from .metrics import plotted

__all__ = ["Comparison", "Past", "compare", "finding_key", "remembered", "run_record"]

UNKNOWN = frozenset(
    ("access_denied", "authentication", "deadline", "error", "host_unreachable", "missing_dependency",
     "task_failed", "timeout", "unreachable")
)  # fmt: skip
"""Conditions under which something was not looked at: then nothing of that result counts as resolved."""

FORGET_AFTER = timedelta(days=30)
"""A finding that no run could look at for this long is forgotten."""

_SEPARATOR = "\x1f"
"""Between the parts of a finding's key: no text of an entry holds it."""


@dataclass(frozen=True)
class Past:
    """What memory holds.

    :param runs: records of earlier runs, oldest first.
    :param last: the findings of the last two runs.
    """

    runs: Sequence[Record] = ()
    last: Record = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """This run against the one before.

    :param at: when that was; None if there is none to compare with.
    :param since: for each finding, by :func:`finding_key`, when it was first there without a break.
    :param new: keys of the findings that were not there before.
    :param resolved: what was there before and is gone, by key.
    """

    at: datetime | None
    since: Mapping[str, str]
    new: frozenset[str]
    resolved: Mapping[str, Finding]


def finding_key(entry: Entry, finding: Finding) -> str:
    """What tells a finding from the others of a run: its result, its id and its subject.

    The server's address in the subject does not count: the result's name stands for it, and a server may move.
    """
    address = str(entry.server.get("address") or "")
    subject = finding.subject.replace(address, "@") if address else finding.subject
    return _SEPARATOR.join((entry.key, finding.id, subject))


def _keyed(entries: Sequence[Entry]) -> dict[str, Finding]:
    return {finding_key(entry, finding): finding for entry in entries for finding in entry.findings}


def _before(past: Past, run_id: str) -> Record:
    """Return the findings of the run before this one: the last, unless that was this very run."""
    before: Record = past.last.get("before", {}) if past.last.get("run_id") == run_id else past.last
    return before


def compare(entries: Sequence[Entry], run_id: str, at: datetime, past: Past) -> Comparison:
    """Compare a run's findings with those of the run before it."""
    before = _before(past, run_id)
    known: Mapping[str, Mapping[str, Any]] = before.get("findings", {})
    present = _keyed(entries)
    looked_at = {
        entry.key
        for entry in entries
        if not any(finding.id.rpartition(".")[2] in UNKNOWN for finding in entry.findings)
    }
    resolved = {}
    for key, old in known.items():
        entry_key, finding_id, subject = key.split(_SEPARATOR)
        if key not in present and entry_key in looked_at:
            resolved[key] = Finding(finding_id, Severity(old["severity"]), subject, old["message"])
    return Comparison(
        at=datetime.fromisoformat(before["at"]) if "at" in before else None,
        since={key: known.get(key, {}).get("since", at.isoformat()) for key in present},
        new=frozenset(key for key in present if key not in known) if "at" in before else frozenset(),
        resolved=resolved,
    )


def remembered(entries: Sequence[Entry], run_id: str, at: datetime, past: Past) -> Record:
    """Return the document for the next run to compare with.

    What was not looked at keeps the findings of the last time that it was, for :data:`FORGET_AFTER`.
    """
    before = _before(past, run_id)
    comparison = compare(entries, run_id, at, past)
    findings = {
        key: {
            "severity": found.severity.value,
            "message": found.message[:200],
            "since": comparison.since[key],
            "seen": at.isoformat(),
        }
        for key, found in _keyed(entries).items()
    }
    for key, old in before.get("findings", {}).items():
        if key not in comparison.resolved and at - datetime.fromisoformat(old["seen"]) < FORGET_AFTER:
            findings.setdefault(key, old)
    return {
        "run_id": run_id,
        "at": at.isoformat(),
        "findings": findings,
        "before": {name: before[name] for name in ("run_id", "at", "findings") if name in before},
    }


def run_record(entries: Sequence[Entry], run_id: str, at: datetime, status: Severity) -> Record:
    """Return the small record of a run that later plots are made of."""
    return {
        "run_id": run_id,
        "at": at.isoformat(),
        "status": status.value,
        "entries": {
            entry.key: {
                "status": entry.status.value,
                "metrics": {name: float(f"{entry.metrics[name]:.6g}") for name in plotted(entry.kind, entry.metrics)},
            }
            for entry in entries
        },
    }
