# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One report as a value, and as JSON. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .._core.memory import Record
from .._core.severity import Severity, worst
from .entries import Entry
from .past import Comparison, Past, compare, finding_key
from .shelf import MARKER

__all__ = ["Report", "as_json", "make_report", "run_id_of"]

_VERDICTS = {
    Severity.OK: "All in order",
    Severity.WARNING: "Needs attention",
    Severity.CRITICAL: "Critical",
}


@dataclass(frozen=True)
class Report:
    """All that a report says.

    :param at: its moment, in UTC.
    :param entries: the results, in the order given.
    :param runs: small records of the runs before, oldest first.
    """

    title: str
    application: str
    cadence: str
    run_id: str
    at: datetime
    entries: Sequence[Entry]
    comparison: Comparison
    runs: Sequence[Record] = field(default_factory=tuple)

    @property
    def status(self) -> Severity:
        """The gravest result; a report on nothing is a warning, for nobody looked."""
        return worst(entry.status for entry in self.entries) if self.entries else Severity.WARNING

    @property
    def verdict(self) -> str:
        """The status in words."""
        return _VERDICTS[self.status] if self.entries else "Nothing was checked"

    def count(self, severity: Severity) -> int:
        """How many findings have a severity."""
        return sum(finding.severity is severity for entry in self.entries for finding in entry.findings)

    @property
    def sentence(self) -> str:
        """The verdict's numbers in one sentence."""
        if not self.entries:
            return "No result was handed to this report."
        counts = {severity.value: self.count(severity) for severity in (Severity.CRITICAL, Severity.WARNING)}
        parts = [f"{count} {name}" for name, count in counts.items() if count]
        found = " and ".join(parts) or "No"
        return f"{found} finding{'' if sum(counts.values()) == 1 else 's'} in {_counted(len(self.entries), 'result')}."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def run_id_of(entries: Sequence[Entry], *parts: str) -> str:
    """Return the id of a run that was given none: a digest of its results and of ``parts``."""
    content = json.dumps([[entry.as_dict() for entry in entries], *parts], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def make_report(
    title: str, application: str, cadence: str, run_id: str, at: datetime, entries: Sequence[Entry], past: Past
) -> Report:
    """Put a report together."""
    return Report(
        title=title or f"{application}: {cadence} report",
        application=application,
        cadence=cadence,
        run_id=run_id,
        at=at,
        entries=entries,
        comparison=compare(entries, run_id, at, past),
        runs=[run for run in past.runs if run.get("run_id") != run_id],
    )


def as_json(report: Report) -> str:
    """Write the report as JSON, for programs: the results as they came, and what is new and resolved."""
    return json.dumps(_document(report), indent=1, ensure_ascii=False) + "\n"


def _document(report: Report) -> dict[str, Any]:
    comparison = report.comparison
    new = [
        {"result": entry.key, **finding.as_dict()}
        for entry in report.entries
        for finding in entry.findings
        if finding_key(entry, finding) in comparison.new
    ]
    return {
        "format": "dataops.upkeep report 1",
        "marker": f"{MARKER}{report.run_id}",
        "run_id": report.run_id,
        "title": report.title,
        "application": report.application,
        "cadence": report.cadence,
        "at": report.at.isoformat(),
        "status": report.status.value,
        "summary": f"{report.verdict}. {report.sentence}",
        "compared_with": comparison.at.isoformat() if comparison.at else None,
        "new": new,
        "resolved": [finding.as_dict() for finding in comparison.resolved.values()],
        "results": [entry.as_dict() for entry in report.entries],
    }
