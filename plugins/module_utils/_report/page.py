# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Renders a report as one self-contained HTML page. Pure, but for the import of Jinja2."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from .._core.action import Action, ActionState
from .._core.dependency import JINJA2
from .._core.finding import Finding
from .._core.severity import Severity
from .document import Report
from .entries import Entry
from .metrics import metric_label, metric_text, plotted
from .past import finding_key
from .shelf import MARKER
from .sparkline import sparkline, strip
from .style import STYLE
from .template import TEMPLATE

__all__ = ["LONGEST_TEXT", "as_html", "ordered"]

LONGEST_TEXT = 2000
"""Longer texts are cut on the page; the JSON report has the whole."""

LISTED_CHANGES = 8
PLOTTED_RUNS = 120
STRIP_RUNS = 30

_TONES = {ActionState.DONE: "ok", ActionState.FAILED: "critical", ActionState.SKIPPED: "warning"}


def as_html(report: Report) -> str:
    """Render the page.

    :raises MissingDependency: Jinja2 is absent or too old.
    """
    jinja2 = JINJA2.load()
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return str(environment.from_string(TEMPLATE).render(_view(report)))


def ordered(entries: Sequence[Entry]) -> list[Entry]:
    """Return the results in the order of the page: the gravest first, else as they were given."""
    return sorted(entries, key=lambda entry: -entry.status.rank)


def _view(report: Report) -> dict[str, Any]:
    """Return what the template shows."""
    comparison = report.comparison
    found = [(entry, finding) for entry in ordered(report.entries) for finding in entry.findings]
    new = [finding for entry, finding in found if finding_key(entry, finding) in comparison.new]
    resolved = list(comparison.resolved.values())
    verdicts = [(run["status"], f"{_moment(run['at'])}: {run['status']}") for run in report.runs[-STRIP_RUNS + 1 :]]
    verdicts.append((report.status.value, f"this run: {report.status.value}"))
    return {
        "marker": f"{MARKER}{report.run_id}",
        "style": STYLE,
        "policy": _policy(),
        "title": _cut(report.title),
        "application": _cut(report.application),
        "cadence": report.cadence,
        "run_id": report.run_id,
        "at": report.at.strftime("%A, %-d %B %Y, %H:%M UTC"),
        "at_iso": report.at.isoformat(),
        "status": report.status.value,
        "verdict": report.verdict,
        "sentence": report.sentence,
        "strip": strip(verdicts, _strip_label(verdicts)) if len(verdicts) > 1 else "",
        "strip_runs": len(verdicts),
        "compared_at": _moment(comparison.at.isoformat()) if comparison.at else None,
        "no_comparison": "There is no earlier report to compare with: this is the first one, or no state is kept.",
        "new": [_finding(finding) for finding in new[:LISTED_CHANGES]],
        "new_more": max(0, len(new) - LISTED_CHANGES),
        "resolved": [_finding(finding) for finding in resolved[:LISTED_CHANGES]],
        "resolved_more": max(0, len(resolved) - LISTED_CHANGES),
        "sections": [_section(report, entry, number) for number, entry in enumerate(ordered(report.entries), 1)],
    }


def _policy() -> str:
    """Return the content security policy: nothing is loaded, no script runs, only our own style counts."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def _strip_label(verdicts: Sequence[tuple[str, str]]) -> str:
    counts = [
        f"{number} {status.value}"
        for status in Severity
        if (number := [kind for kind, _at in verdicts].count(status.value))
    ]
    return f"The last {len(verdicts)} runs, oldest first: {', '.join(counts)}"


def _section(report: Report, entry: Entry, number: int) -> dict[str, Any]:
    """Return one result for the template."""
    gravest = [finding for finding in entry.findings if finding.severity is entry.status]
    server = {name: _cut(str(value)) for name, value in entry.server.items() if isinstance(value, (str, int, float))}
    facts = [server.get("address"), server.get("version") and f"version {server['version']}"]
    facts += [entry.host and f"host {entry.host}", f"{len(entry.actions)} actions" if entry.actions else None]
    return {
        "anchor": f"result-{number}",
        "key": entry.key,
        "name": _cut(entry.name),
        "kind": _cut(entry.kind_title),
        "version": server.get("version") or "",
        "status": entry.status.value,
        "word": entry.status.value if entry.status is not Severity.OK else "in order",
        "short": f"{len(gravest)} {entry.status.value}" if gravest else entry.status.value,
        "facts": [_cut(fact) for fact in facts if fact],
        "findings": [_finding(finding, finding_key(entry, finding), report) for finding in entry.findings],
        "actions": [_action(action) for action in entry.actions],
        "plots": _plots(report, entry),
        "metrics": [
            (metric_label(entry.kind, name), name, metric_text(name, value))
            for name, value in sorted(entry.metrics.items())
        ],
    }


def _finding(finding: Finding, key: str = "", report: Report | None = None) -> dict[str, Any]:
    """Return one finding for the template; with its key, also since when it is there."""
    since = report.comparison.since.get(key) if report else None
    old = report is not None and since is not None and datetime.fromisoformat(since) < report.at
    numbers = [("measured", finding.value), ("limit", finding.threshold)]
    return {
        "severity": finding.severity.value,
        "id": _cut(finding.id),
        "message": _cut(finding.message),
        "remedy": _cut(finding.remedy),
        "numbers": [(name, _value(value)) for name, value in numbers if value is not None],
        "new": bool(report and key in report.comparison.new),
        "since": _moment(since) if old and since else None,
    }


def _action(action: Action) -> dict[str, Any]:
    took = f" ({metric_text('seconds', action.seconds)})" if action.seconds is not None else ""
    return {
        "kind": _cut(action.kind),
        "subject": _cut(action.subject),
        "reason": _cut(action.reason),
        "statement": _cut(action.statement),
        "state": f"{action.state.value}{took}",
        "detail": _cut(action.detail),
        "tone": _TONES.get(action.state, ""),
    }


def _plots(report: Report, entry: Entry) -> list[dict[str, str]]:
    """Draw the chosen metrics of a result over the runs before and this one."""
    plots = []
    for name in plotted(entry.kind, entry.metrics):
        points = [(datetime.fromisoformat(run["at"]).timestamp(), _past_value(run, entry, name)) for run in report.runs]
        points = [*points[-PLOTTED_RUNS:], (report.at.timestamp(), float(entry.metrics[name]))]
        known = [value for _moment, value in points if value is not None]
        label, last = metric_label(entry.kind, name), metric_text(name, entry.metrics[name])
        lowest, highest = metric_text(name, min(known)), metric_text(name, max(known))
        between = (
            f"{lowest} to {highest} in {len(known)} runs" if lowest != highest else f"the same in {len(known)} runs"
        )
        svg = sparkline(points, f"{label}: now {last}, {between}")
        if svg:
            plots.append({"label": _cut(label), "last": last, "range": between, "svg": svg})
    return plots


def _past_value(run: Mapping[str, Any], entry: Entry, name: str) -> float | None:
    value = run.get("entries", {}).get(entry.key, {}).get("metrics", {}).get(name)
    return float(value) if value is not None else None


def _value(value: str | int | float | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return metric_text("", value) if isinstance(value, (int, float)) else _cut(value)


def _cut(text: str) -> str:
    more = len(text) - LONGEST_TEXT
    return text if more <= 0 else f"{text[:LONGEST_TEXT]} ... ({more} more characters in the JSON report)"


def _moment(iso: str) -> str:
    return datetime.fromisoformat(iso).strftime("%-d %B %Y, %H:%M")
