# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read before tables are vacuumed: one class for the rows of each query, whose columns are its fields. Pure.

Moments are in seconds since 1970 by the server's own clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..autovacuum import Table
from ..horizon import Holder
from ..server import Server

__all__ = ["Facts", "Link", "Now", "Row", "Tables"]


class Row(NamedTuple):
    """A table, partitioned table (kind p), materialized view (m) or TOAST table (t), as the statistics know it.

    :param toast_of: the table that a TOAST table belongs to; None for all others.
    :param rows: the planner's estimate; below zero: never counted.
    :param vacuumed: when it was last vacuumed, by hand or not; None: never, as far as the statistics reach back.
    :param worker: process that is vacuuming or analyzing it.
    :param transactions: age of its oldest transaction id that is not frozen; 0 where it holds none.
    :param multixacts: likewise for multixact ids.
    :param permitted: whether the user may vacuum it.
    :param filled: whether it holds pages though the statistics know nothing of it, as after an upgrade.
    """

    oid: int
    schema: str
    name: str
    kind: str
    toast_of: int | None
    rows: float
    pages: int
    frozen_pages: int | None
    options: tuple[str, ...] | list[str]
    live: int
    dead: int
    modified: int
    inserted: int
    vacuumed: float | None
    analyzed: float | None
    worker: int | None
    transactions: int
    multixacts: int
    indexes: int
    permitted: bool
    filled: bool = False

    @property
    def label(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"

    @property
    def has_rows(self) -> bool:
        """Whether it is known to hold any."""
        return self.live > 0 or self.rows > 0 or self.filled

    def table(self, now: float) -> Table:
        """Return what autovacuum's formula wants to know."""
        return Table(
            schema=self.schema,
            name=self.name,
            rows=self.rows,
            pages=self.pages,
            frozen_pages=self.frozen_pages,
            options=self.options,
            dead=self.dead,
            modified=self.modified,
            inserted=self.inserted,
            vacuum_seconds=None if self.vacuumed is None else now - self.vacuumed,
            analyze_seconds=None if self.analyzed is None else now - self.analyzed,
            running=self.worker is not None,
        )


class Now(NamedTuple):
    """How one table stands at the moment; fields as in :class:`Row`."""

    dead: int
    modified: int
    pages: int
    vacuumed: float | None
    analyzed: float | None
    transactions: int
    multixacts: int
    worker: int | None


class Link(NamedTuple):
    """A partition, or partition of a partition, and a partitioned table above it."""

    root: int
    descendant: int


class Facts(NamedTuple):
    """What else decides.

    :param table_age: vacuum_freeze_table_age; likewise for multixacts.
    :param standbys: how many standbys stream from this server.
    :param connections: how many connections are in use, ours among them.
    """

    table_age: int
    multixact_table_age: int
    block_size: int
    standbys: int
    connections: int


class Tables(NamedTuple):
    """Everything that is decided from.

    :param rows: by oid.
    :param toasts: the TOAST tables among them, by the oid of the table that they belong to.
    :param holders: the one that reaches back furthest comes first.
    """

    server: Server
    facts: Facts
    rows: Mapping[int, Row]
    toasts: Mapping[int, Row]
    links: tuple[Link, ...]
    holders: tuple[Holder, ...]
