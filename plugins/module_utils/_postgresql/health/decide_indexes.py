# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from invalid indexes. Pure."""

from __future__ import annotations

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.runner import Decision
from ..._core.severity import Severity
from .observation import Index, Indexes
from ..rights import hidden

__all__ = ["decide_indexes"]


def decide_indexes(seen: Indexes, situation: Situation) -> Decision:
    """Report every index that costs each write and serves no query.

    Where builds of other users are hidden, none can be told from an index that is just being made.
    """
    if seen.invalid and seen.hidden_builds:
        what = f"{seen.hidden_builds} index builds, so {len(seen.invalid)} invalid indexes may be theirs"
        return Decision([hidden(situation, "indexes", seen.server.user, what)])
    findings = [_finding(index, seen.server.database, situation) for index in seen.invalid]
    return Decision(findings, metrics={"postgresql_invalid_indexes_total": len(seen.invalid)})


def _finding(index: Index, database: str, situation: Situation) -> Finding:
    name = f"{index.schema}.{index.name}"
    subject = f"{situation.subject} index {database}.{name}"
    left = "_ccnew" in index.name or "_ccold" in index.name
    origin = "it is left over from REINDEX CONCURRENTLY" if left else "its build failed or was broken off"
    remedy = f"Run DROP INDEX CONCURRENTLY {name}" + (
        "."
        if left
        else " and create it anew with CREATE INDEX CONCURRENTLY; if it is unique, remove duplicate rows first."
    )
    message = f"{subject} on table {index.table} is invalid: {origin}; it slows writes and helps no query"
    return Finding("postgresql.invalid_index", Severity.WARNING, subject, message, "invalid", "valid", remedy)
