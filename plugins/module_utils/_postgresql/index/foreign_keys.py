# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which index serves a foreign key, whole or in part. Pure."""

from __future__ import annotations

from ..identifier import quoted
from .observation import ForeignKey, Index

__all__ = ["helps", "supports"]


def supports(index: Index, foreign_key: ForeignKey) -> bool:
    """Whether the server finds the rows that refer to one row of the other table by this index.

    It has to begin with the foreign key's columns, in whatever order, and hold every row that refers to something.
    """
    if index.table_oid != foreign_key.table_oid or not index.valid or index.method not in ("btree", "hash"):
        return False
    columns = set(foreign_key.keys)
    return set(index.keys[: len(columns)]) == columns and _holds_all(index, foreign_key)


def helps(index: Index, foreign_key: ForeignKey) -> bool:
    """Whether the server finds at least fewer rows by this index than in the whole table.

    A btree has to begin with one of the foreign key's columns; methods without an order need to have one.
    """
    if index.table_oid != foreign_key.table_oid or not index.valid:
        return False
    first = index.keys[:1] if index.method in ("btree", "hash") else index.keys
    return not set(first).isdisjoint(foreign_key.keys) and _holds_all(index, foreign_key)


def _holds_all(index: Index, foreign_key: ForeignKey) -> bool:
    """Whether the index holds every row that refers to something."""
    if index.locked:
        return True  # whether it has a condition cannot be seen just now
    return index.predicate is None or index.predicate in {
        f"({name} IS NOT NULL)" for column in foreign_key.columns for name in (column, quoted(column))
    }
