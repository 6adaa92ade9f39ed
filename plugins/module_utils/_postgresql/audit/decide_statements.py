# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which statements cost too much, since the last run if there was one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.counters import grown
from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.result import metric_name
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..._core.units import format_duration
from ..literals import redacted
from ..rights import hidden
from .observation_statements import MOST_STATEMENTS, Recorded, Statements
from .worst import rest

__all__ = ["decide_statements", "remember_statements"]

MOST_FINDINGS = 10
"""Statements named for each kind of finding, the costliest first; the others are counted."""

MOST_METRICS = 10

FEWEST_BLOCKS = 100_000
"""Blocks (800 MB) asked for; below that the share of hits says more about the start of a cache than about a query."""

LEAST_SECONDS = 600.0
"""A shorter time is taken for so long: what is busy for a moment after a reset, as an import, is no load."""

COUNTERS = ("calls", "milliseconds", "hit", "read", "temporary")

_SET_UP = "Run the module postgresql_slow_log, which sets pg_stat_statements up and says what needs a restart."
UNAVAILABLE = {
    "absent": ("the extension pg_stat_statements is not in the database", _SET_UP),
    "not_loaded": ("the server has not loaded the library pg_stat_statements", _SET_UP),
    "not_tracking": ("it is switched off, by pg_stat_statements.track or compute_query_id", _SET_UP),
}


@dataclass
class _Cost:
    """What a statement has cost, all users together. :param since_last: whether since the last run, or all its life."""

    id: int
    text: str
    toplevel: bool = False
    since_last: bool = True
    calls: int = 0
    milliseconds: float = 0
    hit: int = 0
    read: int = 0
    temporary: int = 0

    @property
    def mean(self) -> float:
        """Milliseconds a call."""
        return self.milliseconds / max(1, self.calls)


def remember_statements(seen: Statements, _situation: Situation) -> Mapping[str, Any]:
    """Keep the counters of the statements that were read, which are bounded in number; no text."""
    return {
        "evicted": seen.evicted,
        "reset": seen.reset,
        "complete": len(seen.rows) < MOST_STATEMENTS,
        "counters": {_key(row): _counters(row, seen) for row in seen.rows if row.id is not None},
    }


def _key(row: Recorded) -> str:
    return f"{row.id}/{row.user}/{int(row.toplevel)}"


def _counters(row: Recorded, seen: Statements) -> dict[str, Any]:
    """Return a statement's counters with the moment they began, which a reset or an eviction changes."""
    values = {name: getattr(row, name) for name in COUNTERS}
    return {**values, "milliseconds": round(row.milliseconds), "since": row.since or seen.reset}


def decide_statements(seen: Statements, situation: Situation) -> Decision:
    """Judge each statement, and how complete the list of them is."""
    reason = _unavailable(seen)
    if reason:
        return Decision([_not_recorded(reason, seen, situation)])
    costs = sorted(_costs(seen, situation).values(), key=lambda cost: -cost.milliseconds)
    decision = Decision(_evictions(seen, situation), metrics=_metrics(costs))
    total = sum(cost.milliseconds for cost in costs if cost.toplevel)
    by_kind: dict[str, list[Finding]] = {}
    for cost in costs:
        for finding in _judge(cost, total, seen, situation):
            by_kind.setdefault(finding.id, []).append(finding)
    for findings in by_kind.values():
        decision.findings += findings[:MOST_FINDINGS]
        decision.findings += rest(findings[MOST_FINDINGS:], "statements", seen.server, situation)
    unseen = sum(row.id is None for row in seen.rows)
    if unseen:
        what = f"{unseen} of the {len(seen.rows)} recorded statements: other users' statements are hidden"
        decision.findings.append(hidden(situation, "queries", seen.server.user, what))
    return decision


def _unavailable(seen: Statements) -> str | None:
    """Return why nothing is recorded."""
    recording = seen.recording
    if not recording.loaded:
        return "not_loaded"
    if recording.view is None:
        return "absent"
    return "not_tracking" if recording.tracks == "none" or recording.computes == "off" else None


def _not_recorded(reason: str, seen: Statements, situation: Situation) -> Finding:
    what, remedy = UNAVAILABLE[reason]
    subject = f"{situation.subject} database {seen.server.database}"
    message = f"{subject}: no statements are recorded: {what}"
    return Finding("postgresql.statements_not_recorded", Severity.WARNING, subject, message, reason, None, remedy)


def _costs(seen: Statements, situation: Situation) -> dict[int, _Cost]:
    """Return what each statement has cost since the last run.

    A statement that the last run did not remember is new if it remembered all there were; otherwise it is taken for all
    its life, as everything is at the first run.
    """
    former = situation.previous.get("counters")
    complete = situation.previous.get("complete", False)
    costs: dict[int, _Cost] = {}
    for row in seen.rows:
        if row.id is None:
            continue
        now = _counters(row, seen)
        before = None if former is None else former.get(_key(row))
        cost = costs.setdefault(row.id, _Cost(row.id, row.text))
        cost.toplevel |= row.toplevel
        cost.since_last &= before is not None or (former is not None and complete)
        for name in COUNTERS:
            delta = now[name] if before is None else grown(name, now, before, "since")
            setattr(cost, name, getattr(cost, name) + (delta or 0))
    return costs


def _metrics(costs: Sequence[_Cost]) -> dict[str, float | int]:
    metrics: dict[str, float | int] = {
        "postgresql_statements_total": len(costs),
        "postgresql_statement_calls_total": sum(cost.calls for cost in costs),
        "postgresql_statements_seconds": round(sum(cost.milliseconds for cost in costs if cost.toplevel) / 1000, 3),
        "postgresql_statements_temporary_bytes": sum(cost.temporary for cost in costs if cost.toplevel),
    }
    for cost in costs[:MOST_METRICS]:
        name = str(cost.id)
        metrics[metric_name("postgresql_statement_seconds", query_id=name)] = round(cost.milliseconds / 1000, 3)
        metrics[metric_name("postgresql_statement_mean_milliseconds", query_id=name)] = round(cost.mean, 3)
    return metrics


def _judge(cost: _Cost, total: float, seen: Statements, situation: Situation) -> list[Finding]:
    if not cost.calls:
        return []
    subject = f"{situation.subject} statement {seen.server.database}.{cost.id}"
    since, seconds = _period(cost, seen, situation)
    share = 100 * cost.milliseconds / total if total and cost.toplevel else 0
    told = f"{redacted(cost.text)} ({cost.calls} calls {since}, {share:.0f} % of all statements' time)"
    findings = []
    judge = situation.thresholds.judge
    calls = situation.thresholds["statement_calls"].warning or 0
    if cost.calls > calls:
        what = f"a call takes on average, of {told}:"
        findings += judge("statement_mean_milliseconds", "postgresql.slow_statement", subject, cost.mean, what)
    if seconds:
        what = f"of the time one connection is busy with {told}:"
        load = cost.milliseconds / max(LEAST_SECONDS, seconds) / 10
        findings += judge("statement_load_percent", "postgresql.heavy_statement", subject, load, what)
        what = f"written per hour to temporary files by {told}:"
        hourly = cost.temporary / max(1.0, seconds / 3600)
        findings += judge("statement_temporary_bytes", "postgresql.statement_temporary_files", subject, hourly, what)
    blocks = cost.hit + cost.read
    if blocks >= FEWEST_BLOCKS and cost.calls > calls:
        what = f"of {blocks} blocks found in memory by {told}:"
        percent = 100 * cost.hit / blocks
        findings += judge("statement_hit_percent", "postgresql.statement_cache_hit", subject, percent, what)
    return findings


def _period(cost: _Cost, seen: Statements, situation: Situation) -> tuple[str, float | None]:
    """Return the time that a cost is of, in words and in seconds; None: it is not known."""
    if cost.since_last and situation.previous_at:
        seconds = (situation.now - situation.previous_at).total_seconds()
        return f"since the last run {format_duration(seconds)} ago", max(1.0, seconds)
    if seen.reset is None:
        return "since the statistics began", None
    seconds = max(1.0, seen.server.now - seen.reset)
    return f"since the statistics began {format_duration(seconds)} ago", seconds


def _evictions(seen: Statements, situation: Situation) -> list[Finding]:
    """Return the finding that statements were thrown out, since the last run if there was one."""
    evicted = seen.evicted
    if evicted is not None and situation.previous:
        evicted = grown("evicted", {"evicted": evicted, "reset": seen.reset}, situation.previous, "reset")
    what = "the list of statements is incomplete; so often it was full and statements were thrown out of it:"
    subject = f"{situation.subject} database {seen.server.database}"
    return situation.thresholds.judge("statements_evicted", "postgresql.statements_evicted", subject, evicted, what)
