# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from foreign keys without an index and from tables that are read whole. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.result import Metrics
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..._core.units import format_size
from ..index.decide_missing import FEWEST_SCANS, unserved, use_since
from ..index.observation import ForeignKey, MissingIndexes, Suggestion, TableUse
from .worst import rest

__all__ = ["decide_missing", "remember_use"]

MOST_FINDINGS = 10
"""Foreign keys, and tables, named one by one; the others are counted."""


def decide_missing(seen: MissingIndexes, situation: Situation) -> Decision:
    """Judge every foreign key that no index serves, and every large table that is often read whole."""
    keys = [
        finding
        for key in unserved(seen.foreign_keys, seen.indexes)
        for finding in _foreign_key(key, seen.server.database, situation)
    ]
    tables = [finding for use in seen.tables for finding in _table(use, seen.server.database, situation)]
    saved = [
        finding for each in seen.suggestions or () for finding in _suggestion(each, seen.server.database, situation)
    ]
    findings = [
        *keys[:MOST_FINDINGS],
        *rest(keys[MOST_FINDINGS:], "foreign keys without an index", seen.server, situation),
        *tables[:MOST_FINDINGS],
        *rest(tables[MOST_FINDINGS:], "tables that are often read whole", seen.server, situation),
        *saved[:MOST_FINDINGS],
        *rest(saved[MOST_FINDINGS:], "queries that an index would help", seen.server, situation),
    ]
    metrics: Metrics = {"postgresql_foreign_keys_without_index": len(keys), "postgresql_tables_read_whole": len(tables)}
    return Decision(findings, metrics=metrics)


def remember_use(seen: MissingIndexes, _situation: Situation) -> Mapping[str, Any]:
    """Keep the counters of the tables, so that the next run judges what has happened since."""
    return {
        "tables": {f"{use.oid}": [use.sequential_scans, use.sequential_rows, use.index_scans] for use in seen.tables}
    }


def _foreign_key(key: ForeignKey, database: str, situation: Situation) -> list[Finding]:
    columns = ", ".join(key.columns)
    what = (
        f"no index begins with ({columns}), the columns of the foreign key {key.name} to {key.target}, of which "
        f"{key.target_changes} rows were deleted or updated; rows:"
    )
    subject = f"{situation.subject} table {database}.{key.schema}.{key.table}"
    return situation.thresholds.judge(
        "foreign_key_rows", "postgresql.foreign_key_without_index", subject, round(key.rows), what
    )


def _table(use: TableUse, database: str, situation: Situation) -> list[Finding]:
    """Judge one table: large, and often read whole."""
    since = use_since(use, situation.previous.get("tables", {}))
    if since.sequential_scans < FEWEST_SCANS:
        return []
    if situation.thresholds["sequential_rows"].severity(use.rows) is Severity.OK:
        return []
    percent = 100.0 * since.index_scans / (since.index_scans + since.sequential_scans)
    each = since.sequential_rows // since.sequential_scans
    what = (
        f"{since.sequential_scans} scans read it from the beginning, {each} of its {use.rows} rows each time; scans by "
        "an index"
    )
    subject = f"{situation.subject} table {database}.{use.schema}.{use.table}"
    return situation.thresholds.judge("index_use_percent", "postgresql.missing_index", subject, percent, what)


def _suggestion(found: Suggestion, database: str, situation: Situation) -> list[Finding]:
    """Judge what an index would save a query, as the planner estimates."""
    percent = 100.0 * (found.before - found.after) / found.before if found.before else 0.0
    what = (
        f"its plan costs {found.before:.0f}, and {found.after:.0f} with an index of about {format_size(found.bytes)} "
        f"on {found.table} ({'; '.join(found.definitions)}), so the index would save"
    )
    subject = f"{situation.subject} query {database}.{found.query}"
    return situation.thresholds.judge("index_saving_percent", "postgresql.missing_index", subject, percent, what)
