# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an invalid index is, in words: the daily check and the audit say the same. Pure."""

from __future__ import annotations

from .._core.finding import Finding
from .._core.health import Situation
from .._core.severity import Severity
from .identifier import quoted

__all__ = ["invalid_index"]


def invalid_index(schema: str, index: str, table: str, database: str, situation: Situation) -> Finding:
    """Return the finding of an index that costs each write and serves no query."""
    name = f"{schema}.{index}"
    subject = f"{situation.subject} index {database}.{name}"
    left = "_ccnew" in index or "_ccold" in index
    origin = "it is left over from REINDEX CONCURRENTLY" if left else "its build failed or was broken off"
    remedy = f"Run DROP INDEX CONCURRENTLY {quoted(schema, index)}" + (
        "."
        if left
        else " and create it anew with CREATE INDEX CONCURRENTLY; if it is unique, remove duplicate rows first."
    )
    message = f"{subject} on table {table} is invalid: {origin}; it slows writes and helps no query"
    return Finding("postgresql.invalid_index", Severity.WARNING, subject, message, "invalid", "valid", remedy)
