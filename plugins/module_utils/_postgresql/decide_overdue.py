# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tables wait too long for vacuum and analyze, by autovacuum's own formula. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._core.finding import Finding
from .._core.health import Situation
from .._core.runner import Decision
from .._core.severity import Severity
from .._core.units import format_duration
from .autovacuum import Need, Table, Tables, need_of
from .server import Server

__all__ = ["MOST_FINDINGS", "decide_overdue", "remember_overdue"]

MOST_FINDINGS = 10
"""Tables named one by one, the most overdue first; the others are counted."""


def decide_overdue(seen: Tables, situation: Situation) -> Decision:
    """Judge every table that changed much: beyond the formula by a factor, and for long or with autovacuum off."""
    decision = Decision()
    needs = {table.label: need_of(table, seen.server) for table in seen.tables}
    overdue = _overdue(seen, situation, needs)
    for kind in ("vacuum", "analyze"):
        late = sorted(overdue[kind], key=lambda table: -getattr(needs[table.label], kind))
        decision.metrics[f"postgresql_{kind}_overdue_tables"] = len(late)
        worst = max((getattr(need, kind) for need in needs.values()), default=0.0)
        decision.metrics[f"postgresql_{kind}_need_ratio"] = round(worst, 2)
        for table in late[:MOST_FINDINGS]:
            decision.findings += _finding(kind, table, needs[table.label], seen.server, situation)
        decision.findings += _rest(kind, late[MOST_FINDINGS:], seen.server, situation)
    return decision


def remember_overdue(seen: Tables, situation: Situation) -> Mapping[str, Any]:
    """Keep since when each table has been seen beyond the factor."""
    needs = {table.label: need_of(table, seen.server) for table in seen.tables}
    return {kind: _since(kind, seen, situation, needs) for kind in ("vacuum", "analyze")}


def _beyond(kind: str, seen: Tables, situation: Situation, needs: Mapping[str, Need]) -> list[Table]:
    threshold = situation.thresholds[f"{kind}_overdue_ratio"]
    return [
        table
        for table in seen.tables
        if threshold.severity(getattr(needs[table.label], kind)) is not Severity.OK and not table.running
    ]


def _since(kind: str, seen: Tables, situation: Situation, needs: Mapping[str, Need]) -> dict[str, float]:
    """Return when each table was first seen beyond the factor, in seconds since 1970 by the server's clock."""
    known = situation.previous.get(kind, {})
    name = seen.server.database
    return {
        f"{name} {table.label}": float(known.get(f"{name} {table.label}", seen.server.now))
        for table in _beyond(kind, seen, situation, needs)
    }


def _overdue(seen: Tables, situation: Situation, needs: Mapping[str, Need]) -> dict[str, list[Table]]:
    """Return the tables that are late: autovacuum will not come, or did not come for long.

    For how long a table has been due is known from earlier runs; without any, it cannot be longer than since it was
    last seen to, nor longer than the server runs.
    """
    limit = situation.thresholds["overdue_seconds"]
    overdue: dict[str, list[Table]] = {}
    for kind in ("vacuum", "analyze"):
        since = _since(kind, seen, situation, needs)
        overdue[kind] = []
        for table in _beyond(kind, seen, situation, needs):
            last = table.vacuum_seconds if kind == "vacuum" else table.analyze_seconds
            seconds = min(seen.server.now - seen.server.started, last if last is not None else float("inf"))
            if situation.previous_at is not None:
                seconds = min(seconds, seen.server.now - since[f"{seen.server.database} {table.label}"])
            if not needs[table.label].automatic or limit.severity(seconds) is not Severity.OK:
                overdue[kind].append(table)
    return overdue


def _finding(kind: str, table: Table, need: Need, server: Server, situation: Situation) -> list[Finding]:
    last = table.vacuum_seconds if kind == "vacuum" else table.analyze_seconds
    ago = f"{format_duration(last)} ago" if last is not None else "never"
    changes = (
        f"{table.dead} dead and {table.inserted} inserted rows"
        if kind == "vacuum"
        else f"{table.modified} changed rows"
    )
    off = "" if need.automatic else ", and autovacuum is off for it"
    what = f"{changes} (of some {max(0.0, table.rows):.0f}), last {kind} {ago}{off}; in multiples of when it is due:"
    return situation.thresholds.judge(
        f"{kind}_overdue_ratio",
        f"postgresql.{kind}_overdue",
        f"{situation.subject} table {server.database}.{table.label}",
        getattr(need, kind),
        what,
    )


def _rest(kind: str, tables: Sequence[Table], server: Server, situation: Situation) -> list[Finding]:
    if not tables:
        return []
    threshold = situation.thresholds[f"{kind}_overdue_ratio"]
    subject = f"{situation.subject} database {server.database}"
    names = ", ".join(table.label for table in tables[:3])
    message = f"{subject}: {len(tables)} more tables are overdue for {kind} ({names}, ...)"
    return [
        Finding(
            f"postgresql.{kind}_overdue",
            Severity.WARNING,
            subject,
            message,
            len(tables),
            threshold.warning,
            threshold.remedy,
        )
    ]
