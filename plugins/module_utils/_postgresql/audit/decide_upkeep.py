# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tables wait for vacuum and analyze, and which of them autovacuum never comes to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..._core.units import format_size
from ..autovacuum import need_of
from ..decide_overdue import decide_overdue, remember_overdue
from ..identifier import quoted
from ..server import Server
from .observation_vacuum import Neglected, Upkeep
from .worst import rest

__all__ = ["decide_upkeep", "remember_upkeep"]

MOST_FINDINGS = 10

FEWEST_WRITES = 1000
"""Rows; a table that was hardly ever written to may do without autovacuum."""

SMALLEST_BYTES = 8 * 1024**2
"""A smaller table is read whole in no time, whatever the planner guesses of it."""

FEWEST_ROWS = 1000
"""Rows of a partitioned table below which any plan will do."""


def decide_upkeep(seen: Upkeep, situation: Situation) -> Decision:
    """Judge what is due by autovacuum's formula, and what autovacuum leaves out."""
    decision = decide_overdue(seen.changes, situation)
    server = seen.changes.server
    for kind, judge in (
        ("tables without autovacuum", _disabled),
        ("tables that were never analyzed", _never),
        ("partitioned tables without statistics", _partitioned),
    ):
        found = [finding for table in seen.neglected for finding in judge(table, server, situation)]
        decision.findings += found[:MOST_FINDINGS] + rest(found[MOST_FINDINGS:], kind, server, situation)
    return decision


def remember_upkeep(seen: Upkeep, situation: Situation) -> Mapping[str, Any]:
    """Keep since when each table has been overdue."""
    return remember_overdue(seen.changes, situation)


def _subject(table: Neglected, server: Server, situation: Situation) -> str:
    return f"{situation.subject} table {server.database}.{table.label}"


def _disabled(table: Neglected, server: Server, situation: Situation) -> list[Finding]:
    if not table.disabled or table.written < FEWEST_WRITES:
        return []
    subject = _subject(table, server, situation)
    message = f"{subject}: autovacuum is off for it, and {table.written} rows were written since the statistics began"
    remedy = (
        f"Run ALTER TABLE {quoted(table.schema, table.name)} RESET (autovacuum_enabled), or have it vacuumed otherwise."
    )
    return [
        Finding(
            "postgresql.autovacuum_disabled", Severity.WARNING, subject, message, table.written, FEWEST_WRITES, remedy
        )
    ]


def _never(table: Neglected, server: Server, situation: Situation) -> list[Finding]:
    """Name a table without statistics that autovacuum sees no reason to come to, as after a restore or an upgrade."""
    if table.partitioned or table.analyzed or table.bytes < SMALLEST_BYTES:
        return []
    need = need_of(table.table, server)
    if need.automatic and need.analyze > 1:
        return []
    subject = _subject(table, server, situation)
    size = format_size(table.bytes)
    message = f"{subject}: it has no statistics and {size}, and autovacuum has no reason to analyze it"
    remedy = f"Run ANALYZE {quoted(table.schema, table.name)}."
    return [
        Finding("postgresql.never_analyzed", Severity.WARNING, subject, message, table.bytes, SMALLEST_BYTES, remedy)
    ]


def _partitioned(table: Neglected, server: Server, situation: Situation) -> list[Finding]:
    """Name a partitioned table whose statistics are missing or far from what its partitions hold by now."""
    if not table.partitioned or table.leaf_rows < FEWEST_ROWS:
        return []
    subject = _subject(table, server, situation)
    if not table.analyzed:
        message = f"{subject}: a partitioned table, never analyzed, which autovacuum does not do"
        remedy = f"Run ANALYZE {quoted(table.schema, table.name)} regularly, as the module postgresql_vacuum does."
        return [
            Finding("postgresql.partitions_not_analyzed", Severity.WARNING, subject, message, "never", None, remedy)
        ]
    if server.major < 14:
        return []  # it does not keep the number of rows of a partitioned table
    percent = 100 * abs(table.leaf_rows - table.rows) / max(1.0, table.rows)
    what = f"a partitioned table, analyzed when it had {max(0.0, table.rows):.0f} rows; by now others by"
    return situation.thresholds.judge(
        "partitions_changed_percent", "postgresql.partitions_not_analyzed", subject, percent, what
    )
