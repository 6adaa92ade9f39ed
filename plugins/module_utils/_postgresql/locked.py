# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables that were not looked at, because somebody has locked them for himself alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .._core.finding import Finding
from .._core.severity import Severity

__all__ = ["LockedTable", "locked_findings"]


class LockedTable(NamedTuple):
    """A table whose size cannot be asked for without waiting.

    :param pid: the process that holds the lock, or waits for it.
    :param pages: how large it was when it was last vacuumed or analyzed.
    :param indexes: oids of its indexes.
    """

    oid: int
    schema: str
    name: str
    pid: int
    pages: int
    indexes: tuple[int, ...] | list[int]


def locked_findings(locked: Sequence[LockedTable], label: str) -> list[Finding]:
    """Return the warning that says which tables are unknown; none if there are none."""
    if not locked:
        return []
    named = ", ".join(f"{table.schema}.{table.name} (process {table.pid})" for table in locked[:5])
    more = f" and {len(locked) - 5} more" if len(locked) > 5 else ""
    message = f"{label}: not looked at, for somebody has locked them altogether: {named}{more}"
    remedy = "Run again when whoever holds the lock is done."
    return [Finding("postgresql.table_locked", Severity.WARNING, label, message, len(locked), 0, remedy)]
