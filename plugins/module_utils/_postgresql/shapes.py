# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables and indexes with what their sizes follow from: the rows of the queries in ``observe_shapes``. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

from .bloat import IndexColumn, IndexShape
from .table_bloat import TableColumn, TableShape

__all__ = ["ShapedIndex", "ShapedTable"]


class ShapedTable(NamedTuple):
    """A table, or a TOAST table with its owner.

    :param pages: when rows were counted; ``bytes`` is now.
    :param readable: whether the user may see the statistics of its columns.
    """

    oid: int
    schema: str
    name: str
    toast: bool
    owner_oid: int | None
    owner_schema: str | None
    owner_name: str | None
    rows: float
    pages: int
    bytes: int
    fillfactor: float
    changed: int
    readable: bool
    columns: list[list[Any]] | None

    @property
    def label(self) -> str:
        """Schema and name, of a TOAST table its owner's."""
        return f"{self.owner_schema}.{self.owner_name}" if self.toast else f"{self.schema}.{self.name}"

    @property
    def shape(self) -> TableShape:
        """What its size should follow from."""
        columns = [TableColumn(*column) for column in self.columns or ()]
        return TableShape(self.rows, self.fillfactor, columns, _percent(self.changed, self.rows))


class ShapedIndex(NamedTuple):
    """An index. :param table_rows: its table's rows, of which ``changed`` changed since the last analyze."""

    oid: int
    schema: str
    name: str
    table: str
    toast: bool
    method: str
    rows: float
    pages: int
    bytes: int
    fillfactor: float
    joins_equal: bool
    table_rows: float
    changed: int
    columns: list[list[Any]] | None

    @property
    def label(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"

    @property
    def shape(self) -> IndexShape:
        """What its size should follow from, if it is a btree."""
        columns = [IndexColumn(*column) for column in self.columns or ()]
        changed = _percent(self.changed, self.table_rows)
        return IndexShape(self.rows, self.fillfactor, self.joins_equal, columns, changed)


def _percent(changed: int, rows: float) -> float:
    return 100 * changed / rows if rows > 0 else 0.0
