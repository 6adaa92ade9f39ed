# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of a table before anything is decided about its rows. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from ..locked import LockedTable
from ..server import Server
from .rule import Rule

__all__ = [
    "Archive",
    "Column",
    "Count",
    "Index",
    "Leaf",
    "Observation",
    "Reference",
    "Subject",
    "TableFacts",
    "Trigger",
]


class TableFacts(NamedTuple):
    """A table as the catalogue has it.

    :param kind: pg_class.relkind: r, p (partitioned), f (foreign), m.
    :param access: the table's access method; empty where it has none, such as a partitioned table's.
    :param inherited: whether other tables inherit from it in the old way.
    :param rows: the planner's estimate; below zero: never counted.
    :param secured: whether row security hides rows from this user.
    """

    oid: int
    schema: str
    name: str
    kind: str
    access: str
    owner: str
    inherited: bool
    rows: float
    pages: int
    secured: bool
    may_select: bool
    may_insert: bool
    may_delete: bool
    may_update: bool

    @property
    def parts(self) -> tuple[str, str]:
        """Schema and name."""
        return self.schema, self.name

    @property
    def label(self) -> str:
        """Schema and name, for people."""
        return f"{self.schema}.{self.name}"


class Column(NamedTuple):
    """A column that is not dropped.

    :param type: as ``format_type`` writes it, with its schema unless it is the system's.
    :param collation: schema and name, empty if it is the type's own.
    :param generated: empty, ``s`` (stored) or ``v`` (virtual).
    :param identity: empty, ``a`` (always) or ``d`` (by default).
    """

    table: int
    name: str
    type: str
    category: str
    collation: tuple[str, ...] | list[str]
    required: bool
    generated: str
    identity: str
    defaulted: bool


class Index(NamedTuple):
    """A valid btree index without predicate over plain columns.

    :param key: whether it is unique at once over columns that are never null: then it names a row.
    """

    table: int
    columns: tuple[str, ...] | list[str]
    primary: bool
    key: bool
    unique: bool


class Reference(NamedTuple):
    """A foreign key of another table that points here.

    :param on_delete: a (no action), r (restrict), c (cascade), n (set null), d (set default).
    """

    table: int
    name: str
    schema: str
    child: str
    columns: tuple[str, ...] | list[str]
    referred: tuple[str, ...] | list[str]
    on_delete: str
    on_update: str

    @property
    def label(self) -> str:
        """The referring table, for people."""
        return f"{self.schema}.{self.child}"


class Trigger(NamedTuple):
    """A user's trigger that will fire. :param fires_on: some of delete, update, insert."""

    table: int
    name: str
    each_row: bool
    fires_on: tuple[str, ...] | list[str]


class Leaf(NamedTuple):
    """A table that itself holds rows: the table, or a partition.

    :param pages: its size when it was looked at.
    """

    oid: int
    schema: str
    name: str
    kind: str
    access: str
    pages: int
    rows: float
    may_select: bool
    may_delete: bool
    may_update: bool

    @property
    def parts(self) -> tuple[str, str]:
        """Schema and name."""
        return self.schema, self.name

    @property
    def label(self) -> str:
        """Schema and name, for people."""
        return f"{self.schema}.{self.name}"


class Count(NamedTuple):
    """How many rows a rule is about. :param exact: whether they were counted, not estimated."""

    rows: int
    exact: bool


@dataclass(frozen=True)
class Archive:
    """The archive table of a rule, of the same database or another one.

    :param name: schema and name, whether it exists or not.
    :param facts: None: it does not exist.
    :param readers: roles that may read the source, in the form that GRANT takes.
    :param may_create: whether the user may make it.
    :param may_give: whether the user may make the source's owner its owner.
    :param source_columns: the source's columns as another database can have them; empty: as they are.
    """

    name: tuple[str, str]
    facts: TableFacts | None
    columns: tuple[Column, ...] = ()
    indexes: tuple[Index, ...] = ()
    readers: tuple[str, ...] = ()
    may_create: bool = True
    may_give: bool = False
    source_columns: tuple[Column, ...] = ()


@dataclass(frozen=True)
class Subject:
    """A rule and the table that it is about.

    :param leaves: the tables that hold its rows, those that cannot hold old ones aside.
    :param before: the moment that rows have to be older than; None: of every age.
    :param count: None: it was not counted, as the rule cannot be carried out.
    :param referred: the foreign keys by which other tables refer to rows that the rule is about.
    :param more: what an action of its own kind observed in addition: partitions, another database, files.
    """

    rule: Rule
    facts: TableFacts
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...] = ()
    references: tuple[Reference, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    leaves: tuple[Leaf, ...] = ()
    before: datetime | None = None
    count: Count | None = None
    referred: tuple[str, ...] = ()
    archive: Archive | None = None
    more: dict[str, Any] = field(default_factory=dict)

    def column(self, name: str) -> Column | None:
        """The column of this name, if there is one."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def key(self) -> Index | None:
        """The columns that name a row: the primary key, or the shortest of the other keys."""
        keys = [index for index in self.indexes if index.key]
        return min(keys, key=lambda index: (not index.primary, len(index.columns)), default=None)


@dataclass(frozen=True)
class Observation:
    """All rules with their tables, and the server.

    :param search_path: what a session of this user has by default.
    :param locked: rules whose table somebody has locked for himself alone, so that nothing could be read of it.
    """

    server: Server
    subjects: tuple[Subject, ...]
    search_path: str = "pg_catalog"
    locked: tuple[tuple[Rule, LockedTable], ...] = ()
