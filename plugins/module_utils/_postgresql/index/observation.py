# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read about indexes: one class for the rows of each query, whose columns are its fields. Pure.

Moments are seconds since 1970 by the server's own clock, so a clock that is wrong here does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..server import Server

__all__ = [
    "Build", "ForeignKey", "Index", "IndexUse", "Indexes", "MissingIndexes", "Node", "Policy", "Suggestion", "TableUse",
]  # fmt: skip


class Index(NamedTuple):
    """One index, system indexes too.

    :param oid: the index; ``table_oid`` its table.
    :param definition: pg_get_indexdef; empty for the system's and TOAST's.
    :param scans: scans that this node counted; ``last_scan`` the last of them, None if never or before version 16.
    :param constraint: name of the constraint that stands on it, or of a foreign key that refers to it; None: none.
    :param parent: index of the partitioned table that it is part of; None: none.
    :param partitioned: whether it is the index of a partitioned table, which holds no entries itself.
    :param system: whether its table is the catalogue's, TOAST's or another session's temporary one.
    :param extension: whether it, or its table, belongs to an extension.
    :param keys: attribute numbers of the key columns, 0 for an expression; ``include`` those only carried along.
    :param opclasses: operator classes of the keys; likewise ``collations`` and ``options`` (1 descending, 2 nulls
        first).
    :param texts: the keys as SQL, columns too, if one of them is an expression; else none.
    :param predicate: which rows it is about, as SQL; None: all.
    :param immediate: whether uniqueness is checked at once, not at the end of the transaction.
    :param owned: whether our user may drop it.
    :param locked: whether somebody has the table for himself alone; then definition, texts and predicate are not known.
    """

    oid: int
    table_oid: int
    schema: str
    table: str
    name: str
    definition: str
    bytes: int
    scans: int
    last_scan: float | None
    valid: bool
    unique: bool
    immediate: bool
    primary: bool
    exclusion: bool
    replica_identity: bool
    clustered: bool
    constraint: str | None
    parent: int | None
    partitioned: bool
    system: bool
    extension: bool
    temporary: bool
    method: str
    keys: tuple[int, ...] | list[int]
    include: tuple[int, ...] | list[int]
    opclasses: tuple[int, ...] | list[int]
    collations: tuple[int, ...] | list[int]
    options: tuple[int, ...] | list[int]
    texts: tuple[str, ...] | list[str]
    predicate: str | None
    nulls_not_distinct: bool
    owned: bool
    locked: bool

    @property
    def label(self) -> str:
        """Schema and name, for people."""
        return f"{self.schema}.{self.name}"

    @property
    def protected(self) -> bool:
        """Whether something else than queries needs it."""
        return bool(self.primary or self.exclusion or self.constraint or self.replica_identity or self.clustered)


class ForeignKey(NamedTuple):
    """A foreign key.

    :param parent: that of the partitioned table of which this table is a part; 0: none.
    :param partitioned: whether the table is partitioned, and so has no rows of its own.
    :param table_oid: the table that refers, ``target`` the one it refers to.
    :param keys: attribute numbers of its columns, ``columns`` their names.
    :param rows: rows of the table that refers, as the planner estimates.
    :param target_changes: rows deleted and updated in the other table, each of which makes the server look here.
    """

    oid: int
    parent: int
    partitioned: bool
    name: str
    table_oid: int
    schema: str
    table: str
    target: str
    keys: tuple[int, ...] | list[int]
    columns: tuple[str, ...] | list[str]
    rows: float
    target_changes: int


class TableUse(NamedTuple):
    """How a table is read.

    :param rows: live rows, as the statistics count.
    :param sequential_scans: scans of the whole table; ``sequential_rows`` the rows they read.
    :param index_scans: scans by any of its indexes.
    """

    oid: int
    schema: str
    table: str
    rows: int
    bytes: int
    sequential_scans: int
    sequential_rows: int
    index_scans: int


class Build(NamedTuple):
    """An index build under way. :param oid: the index; None where the user may not see it."""

    oid: int | None
    pid: int
    hidden: bool


class IndexUse(NamedTuple):
    """Scans of an index on a standby. :param last_scan: as :class:`Index`'s."""

    oid: int
    scans: int
    last_scan: float | None


class Node(NamedTuple):
    """One server: the primary, or a standby that serves queries and counts its own scans.

    :param name: its address, for people and for the ledger.
    :param identity: what tells it from every other server: start of the process, address and port.
    :param system: identifier of the cluster, the same on primary and standbys.
    :param timeline: number that a promotion raises.
    :param reset: when the database's statistics were last reset; None: never.
    :param kept_since: since when no crash has thrown all statistics away.
    :param counts: whether it counts scans at all (track_counts).
    :param receivers: standbys that stream from it, or have a slot there and are away just now.
    :param scans: scans by index; empty for the primary, whose scans stand with the indexes.
    :param error: why it could not be read; None: it was.
    """

    name: str
    identity: str = ""
    system: str = ""
    timeline: int = 0
    in_recovery: bool = False
    now: float = 0.0
    reset: float | None = None
    kept_since: float = 0.0
    counts: bool = True
    receivers: int = 0
    scans: Mapping[int, IndexUse] = {}
    error: str | None = None

    @property
    def since(self) -> float:
        """Since when the counters count."""
        return max(self.kept_since, self.reset or 0.0)

    @property
    def epoch(self) -> str:
        """What changes when the counters start anew: after a reset, a crash, a promotion, a restore."""
        return f"{self.system}/{self.timeline}/{self.since:.6f}"


class Policy(NamedTuple):
    """What counts as unused.

    :param seconds: for how long an index must not have been used, and must have been watched.
    :param bytes: an index that is smaller stays: nothing is gained by its end.
    :param scans: most scans that an index may have had, long ago.
    """

    seconds: float = 30 * 86400.0
    bytes: int = 10_000_000
    scans: int = 0


class Indexes(NamedTuple):
    """All indexes of a database, and what decides about them.

    :param builds: index builds under way in this database.
    :param primary: the server that was connected to.
    :param replicas: the standbys that were named.
    :param ledger: what earlier runs saw (see :mod:`.ledger`).
    :param policy: what counts as unused.
    """

    server: Server
    indexes: tuple[Index, ...]
    foreign_keys: tuple[ForeignKey, ...]
    builds: tuple[Build, ...]
    primary: Node
    replicas: tuple[Node, ...] = ()
    ledger: Mapping[str, Any] = {}
    policy: Policy = Policy()


class Suggestion(NamedTuple):
    """What indexes that do not exist would save a declared query, as the planner estimates.

    :param definitions: what makes them, ``bytes`` the size they would have together.
    :param before: cost of the plan now; ``after`` with them.
    """

    query: str
    table: str
    definitions: tuple[str, ...]
    bytes: int
    before: float
    after: float


class MissingIndexes(NamedTuple):
    """The indexes there are, and what would need one. :param suggestions: None: hypopg is not installed."""

    server: Server
    indexes: tuple[Index, ...]
    foreign_keys: tuple[ForeignKey, ...]
    tables: tuple[TableUse, ...]
    suggestions: tuple[Suggestion, ...] | None = None
