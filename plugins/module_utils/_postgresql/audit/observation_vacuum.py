# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the audit reads of vacuum, analyze and transaction ids: one class for the rows of each query. Pure."""

from __future__ import annotations

from typing import NamedTuple

from ..autovacuum import Table, Tables
from ..horizon import DatabaseAge, Holder
from ..server import Server

__all__ = ["Ages", "Neglected", "TableAge", "Upkeep"]


class TableAge(NamedTuple):
    """Age of a table's oldest unfrozen ids.

    :param toast: whether it is the table's TOAST table.
    :param temporary: whether it is a temporary table, which only its own session can freeze.
    :param options: its storage parameters.
    """

    schema: str
    name: str
    toast: bool
    temporary: bool
    transactions: int
    multixacts: int
    options: tuple[str, ...] | list[str]

    @property
    def label(self) -> str:
        """Schema and name of the table."""
        return f"{self.schema}.{self.name}"


class Ages(NamedTuple):
    """The oldest ids of this database's tables and of all databases, and all that holds them, the oldest first."""

    server: Server
    tables: tuple[TableAge, ...]
    databases: tuple[DatabaseAge, ...]
    holders: tuple[Holder, ...]


class Neglected(NamedTuple):
    """A table that autovacuum does not look after as it does after others.

    :param change: rows, pages, options and changes, as autovacuum's formula takes them.
    :param partitioned: whether it is the top of a partitioned table; then ``rows`` is what its last analyze counted.
    :param leaf_rows: rows of its partitions.
    :param analyzed: whether it has statistics, or the server remembers that it was analyzed.
    :param disabled: whether autovacuum is switched off for it.
    :param written: rows inserted, updated and deleted since the statistics began.
    :param bytes: 0 where the size cannot be asked for without waiting for a lock.
    """

    schema: str
    name: str
    partitioned: bool
    rows: float
    leaf_rows: float
    analyzed: bool
    disabled: bool
    modified: int
    written: int
    bytes: int
    options: tuple[str, ...] | list[str]

    @property
    def label(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"

    @property
    def table(self) -> Table:
        """The same as autovacuum's formula takes it, as far as analyze goes."""
        return Table(self.schema, self.name, self.rows, 0, None, self.options, 0, self.modified, 0, None, None, False)


class Upkeep(NamedTuple):
    """The most changed tables, and those that autovacuum leaves out."""

    changes: Tables
    neglected: tuple[Neglected, ...]
