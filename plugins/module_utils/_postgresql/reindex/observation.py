# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read before indexes are rebuilt: one class for the rows of each query, whose columns are its fields. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..bloat import Density, IndexShape
from ..locked import LockedTable
from ..server import Server
from ..spaces import Spaces
from .ledger import Entry

__all__ = ["Index", "Indexes", "Named", "Number", "Oid"]


class Index(NamedTuple):
    """An index that can be rebuilt by itself: no index of a partitioned table, whose parts have their own.

    :param table_oid: the table's, or the TOAST table's.
    :param table: the table, for people; for a TOAST index the table that the TOAST belongs to.
    :param method: access method, such as btree.
    :param tablespace: its oid, 0 for the database's own.
    :param rows: entries by the last count; below zero: never counted.
    :param changed_percent: rows of the table changed since it was last analyzed, in percent of all.
    :param fillfactor: percent.
    :param usable: whether it is valid, ready and live.
    :param excludes: whether it belongs to an exclusion constraint.
    :param system: whether it is the system catalogue's.
    :param may_rebuild: whether the user may rebuild it.
    :param may_drop: whether the user may drop it.
    :param shape: a digest of its columns, operator classes, options, expressions and predicate.
    :param definition: the statement that makes it; None for a usable index, of which it is not needed.
    """

    oid: int
    table_oid: int
    schema: str
    name: str
    table: str
    method: str
    bytes: int
    tablespace: int
    rows: float
    changed_percent: float
    fillfactor: int
    usable: bool
    excludes: bool
    system: bool
    toast: bool
    temporary: bool
    may_rebuild: bool
    may_drop: bool
    shape: str
    definition: str | None

    @property
    def label(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"

    @property
    def parts(self) -> tuple[str, str]:
        """Schema and name, for a statement."""
        return self.schema, self.name


class Oid(NamedTuple):
    """The oid of something that is there."""

    oid: int


class Named(NamedTuple):
    """The name of something that is there."""

    name: str


class Number(NamedTuple):
    """A number: a setting, or a size."""

    value: int


class Indexes(NamedTuple):
    """All that a decision is made from.

    :param indexes: every index that may be rebuilt or dropped, and those that tell a leftover from one that is none.
    :param chosen: oids of the indexes that the user named; None: all are meant.
    :param shapes: what the size of a btree index should follow from, by oid.
    :param measured: what was measured, by oid.
    :param busy: oids of tables where a session builds an index, or vacuums, or alters the table.
    :param ledger: what earlier runs remember, by label.
    :param prepared: whether the server takes prepared transactions.
    :param spaces: free disk.
    :param locked: tables that were not looked at.
    """

    server: Server
    indexes: tuple[Index, ...]
    chosen: frozenset[int] | None
    shapes: Mapping[int, IndexShape]
    measured: Mapping[int, Density]
    busy: frozenset[int]
    ledger: Mapping[str, Entry]
    prepared: bool
    spaces: Spaces
    locked: tuple[LockedTable, ...] = ()
