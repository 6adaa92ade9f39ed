# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the audit reads: one class for the rows of each query, whose columns are its fields. Pure.

Ages and lengths of time are in seconds by the server's own clock, sizes in bytes.
"""

from __future__ import annotations

from typing import NamedTuple

from ..locked import LockedTable
from ..server import Server

__all__ = ["Sequence", "Sequences", "Sizes", "TableSize"]


class Sequence(NamedTuple):
    """A sequence and the narrowest column that takes its values.

    :param last: its last value; None: not used yet, or the user may not see it.
    :param least: its own least value; ``most`` its own greatest.
    :param step: what it goes up by; below zero: down.
    :param cycles: whether it starts again at its end.
    :param column: ``table.column`` that takes its values; None: none is known.
    :param column_bytes: size of that column's integer type; None: it is no integer.
    :param readable: whether the user may see ``last``.
    """

    schema: str
    name: str
    last: int | None
    least: int
    most: int
    step: int
    cycles: bool
    column: str | None
    column_bytes: int | None
    readable: bool

    @property
    def label(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"


class Sequences(NamedTuple):
    """The database's sequences."""

    server: Server
    sequences: tuple[Sequence, ...]


class TableSize(NamedTuple):
    """A table with all that belongs to it.

    :param bytes: of the table, its TOAST and all indexes.
    :param toast_bytes: of its TOAST table, with that one's index.
    :param all_bytes: of all tables of the database.
    """

    schema: str
    name: str
    bytes: int
    table_bytes: int
    toast_bytes: int
    index_bytes: int
    all_bytes: int

    @property
    def label(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"


class Sizes(NamedTuple):
    """The largest tables, the largest first, and those that were not looked at."""

    server: Server
    tables: tuple[TableSize, ...]
    locked: tuple[LockedTable, ...] = ()
