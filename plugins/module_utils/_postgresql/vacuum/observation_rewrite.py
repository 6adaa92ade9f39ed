# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read before tables are rewritten: one class for the rows of each query. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..horizon import Holder
from ..locked import LockedTable
from ..server import Server
from ..shapes import ShapedTable
from ..spaces import Spaces

__all__ = ["Leftover", "Measured", "Repack", "Rewrites", "Sized"]


class Sized(NamedTuple):
    """A table whose size is known.

    :param bytes: of the table, its TOAST table, all indexes.
    :param dead: rows that wait for vacuum.
    :param keyed: whether it has a primary key, or a unique one of columns that are never null.
    :param tablespace: its oid; 0 is the database's own.
    :param permitted: whether the user may rewrite it.
    :param filenode: number of its file, another one after each rewrite.
    """

    oid: int
    schema: str
    name: str
    bytes: int
    dead: int
    keyed: bool
    tablespace: int
    permitted: bool
    filenode: int

    @property
    def label(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"


class Measured(NamedTuple):
    """What pgstattuple_approx says of a table or TOAST table, in bytes."""

    oid: int
    bytes: int
    free_bytes: int
    dead_bytes: int


class Repack(NamedTuple):
    """The extension pg_repack in the database and the program on this host, both by version; None: absent.

    :param superuser: whether the session's user is one.
    """

    extension: str | None
    superuser: bool
    program: str | None = None
    path: str = ""


class Leftover(NamedTuple):
    """What pg_repack made for one table.

    :param table_oid: the table's.
    :param schema: likewise its names; None if it is gone.
    :param busy: whether a pg_repack is at work on it.
    :param permitted: whether the user may remove it.
    """

    table_oid: int
    schema: str | None
    name: str | None
    log: bool
    copy: bool
    type: bool
    trigger: bool
    busy: bool
    permitted: bool


class Rewrites(NamedTuple):
    """Everything that is decided from.

    :param shapes: what the size of tables and TOAST tables should follow from.
    :param measured: by oid.
    :param sized: by oid, of tables only.
    :param locked: tables that were not looked at.
    """

    server: Server
    shapes: tuple[ShapedTable, ...]
    measured: Mapping[int, Measured]
    sized: Mapping[int, Sized]
    repack: Repack
    leftovers: tuple[Leftover, ...]
    spaces: Spaces
    holders: tuple[Holder, ...]
    locked: tuple[LockedTable, ...] = ()
