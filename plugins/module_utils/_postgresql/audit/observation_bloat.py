# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the audit reads of bloat: one class for the rows of each query, whose columns are its fields. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..bloat import Density
from ..locked import LockedTable
from ..server import Server
from ..shapes import ShapedIndex, ShapedTable

__all__ = ["Bloat", "MeasuredIndex", "MeasuredTable", "Tool"]


class Tool(NamedTuple):
    """A function of the extension pgstattuple. :param usable: whether the user may call it."""

    schema: str
    name: str
    usable: bool


class MeasuredTable(NamedTuple):
    """What pgstattuple says of a table. :param exact: whether it was read whole."""

    oid: int
    bytes: int
    free_bytes: int
    dead_bytes: int
    exact: bool


class MeasuredIndex(NamedTuple):
    """What pgstatindex says of a btree. :param leaf_density: in percent; None where there is no leaf."""

    oid: int
    pages: int
    leaf_pages: int
    inner_pages: int
    leaf_density: float | None

    @property
    def density(self) -> Density:
        """The same, without the index."""
        return Density(*self[1:])


class Bloat(NamedTuple):
    """What the sizes of relations should be, and what was measured.

    :param measured: of tables, by oid; ``densities``: of indexes.
    :param installed: whether the database has pgstattuple and the user may call it.
    :param trouble: why measuring did not work; empty: it did, or nothing had to be measured.
    :param locked: tables that were not looked at.
    """

    server: Server
    tables: tuple[ShapedTable, ...]
    indexes: tuple[ShapedIndex, ...]
    measured: Mapping[int, MeasuredTable]
    densities: Mapping[int, Density]
    installed: bool
    trouble: str = ""
    locked: tuple[LockedTable, ...] = ()
