# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes a report as Markdown, for mails, tickets and chats. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .._core.action import Action
from .._core.finding import Finding
from .document import Report
from .entries import Entry
from .page import LONGEST_TEXT, ordered
from .past import finding_key
from .shelf import MARKER

__all__ = ["as_markdown"]

_SPECIAL = re.compile(r"([\\`*_\[\]#|~>])")
"""What Markdown takes for markup inside a line; a text never begins a line."""
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Characters that turn the direction of what follows them; Markdown has nothing to hold them in bounds."""


def as_markdown(report: Report) -> str:
    """Write the report: verdict, what is new and resolved, and each result with its findings and actions."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    comparison = report.comparison
    yield f"<!-- {MARKER}{report.run_id} -->"
    yield f"# {_plain(report.title)}"
    yield ""
    yield f"**{report.verdict}.** {report.sentence} {report.at.strftime('%Y-%m-%d %H:%M')} UTC."
    if comparison.resolved and comparison.at:
        yield ""
        yield f"Resolved since {comparison.at.strftime('%Y-%m-%d %H:%M')}:"
        yield ""
        yield from (f"- {_plain(finding.message)}" for finding in comparison.resolved.values())
    for entry in ordered(report.entries):
        yield from _entry(report, entry)


def _entry(report: Report, entry: Entry) -> Iterator[str]:
    host = f" on {_plain(entry.host)}" if entry.host else ""
    yield ""
    yield f"## {_plain(entry.name)} ({_plain(entry.kind_title)}{host}): {entry.status.value}"
    if entry.findings:
        yield ""
    for finding in entry.findings:
        yield from _finding(finding, finding_key(entry, finding) in report.comparison.new)
    if entry.actions:
        yield ""
        yield "Actions:"
        yield ""
        yield from (_action(action) for action in entry.actions)
    if not entry.findings and not entry.actions:
        yield ""
        yield _plain(entry.summary)


def _finding(finding: Finding, new: bool) -> Iterator[str]:
    yield f"- **{finding.severity.value}**{' (new)' if new else ''} {_plain(finding.message)}"
    if finding.remedy:
        yield f"  - What to do: {_plain(finding.remedy)}"


def _action(action: Action) -> str:
    detail = f" ({_plain(action.detail)})" if action.detail else ""
    return f"- {action.state.value}: {_plain(action.kind)} {_plain(action.subject)}: {_plain(action.reason)}{detail}"


def _plain(text: str) -> str:
    """Return a text in one line that Markdown shows as it is."""
    line = _TURNS.sub("\ufffd", " ".join(text[:LONGEST_TEXT].split()))
    return _SPECIAL.sub(r"\\\1", line.replace("&", "&amp;").replace("<", "&lt;"))
