# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which index serves a foreign key. Pure."""

from __future__ import annotations

from ..identifier import quoted
from .observation import ForeignKey, Index

__all__ = ["supports"]


def supports(index: Index, foreign_key: ForeignKey) -> bool:
    """Whether the server finds the rows that refer to one row of the other table by this index.

    It has to begin with the foreign key's columns, in whatever order, and hold every row that refers to something.
    """
    if index.table_oid != foreign_key.table_oid or not index.valid or index.method not in ("btree", "hash"):
        return False
    columns = set(foreign_key.keys)
    if set(index.keys[: len(columns)]) != columns:
        return False
    if index.locked:
        return True  # whether it has a condition cannot be seen just now
    return index.predicate is None or index.predicate in {
        f"({name} IS NOT NULL)" for column in foreign_key.columns for name in (column, quoted(column))
    }
