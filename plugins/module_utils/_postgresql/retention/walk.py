# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ways through a table, piece by piece, up to a bound that is taken once at the start.

Measured (2M of 5M rows): ranges of pages are the quickest and need no key; ranges of a key are as good as they; LIMIT
without a range reads the dead rows again and again. Without a bound the last piece would look at all that was kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..client import PostgresqlClient
from ..identifier import quoted
from ..statement import Statement
from .observation import Leaf
from .piece import Piece
from .predicate import Predicate, sql

__all__ = ["AgeWalk", "KeyWalk", "PageWalk", "Walk", "bound"]

ROWS_PER_PAGE = 100.0
"""Where a table was never counted: as many as small rows are."""


class _Bound(NamedTuple):
    values: list[str] | None


class _Pages(NamedTuple):
    pages: int


class Walk:
    """One way through one table. :param size: in all methods, rows that a piece may touch at most."""

    def __init__(self, leaf: Leaf, predicate: Predicate) -> None:
        self.leaf = leaf
        self.predicate = predicate

    def begin(self, client: PostgresqlClient, limit: float) -> None:
        """Take the bound."""
        raise NotImplementedError

    def next(self, client: PostgresqlClient, size: int, limit: float) -> Piece | None:
        """Return the next piece, None at the end."""
        raise NotImplementedError

    def took(self, rows: int) -> None:
        """Learn how many rows of the last piece were taken."""

    def _piece(self, where: str, parameters: dict[str, Any]) -> Piece:
        return Piece.of(self.leaf.parts, self.predicate, where, parameters)


class PageWalk(Walk):
    """By ranges of pages (TID range scans, from version 14 on): in the table's own order, each page read once."""

    WHERE = "ctid >= %(low)s::tid AND ctid < %(high)s::tid"

    def __init__(self, leaf: Leaf, predicate: Predicate) -> None:
        super().__init__(leaf, predicate)
        counted = leaf.rows > 0 and leaf.pages > 0
        self._rows_per_page = max(1.0, leaf.rows / leaf.pages) if counted else ROWS_PER_PAGE
        self._page = 0
        self._end = 0

    def begin(self, client: PostgresqlClient, limit: float) -> None:
        """Take the table's size."""
        size = Statement(
            "SELECT (pg_relation_size({oid}::oid) / current_setting('block_size')::bigint)::bigint AS pages",
            values={"oid": self.leaf.oid},
        )
        self._end = client.fetch(f"read the size of {self.leaf.label}", size, _Pages, limit)[0].pages

    def next(self, client: PostgresqlClient, size: int, limit: float) -> Piece | None:
        """The next pages, at least one."""
        if self._page >= self._end:
            return None
        low = self._page
        self._page = min(self._end, low + max(1, int(size / self._rows_per_page)))
        return self._piece(self.WHERE, {"low": f"({low},0)", "high": f"({self._page},0)"})


class KeyWalk(Walk):
    """By ranges of a key: where ranges of pages cannot be used.

    :param columns: a key, its columns never null.
    :param types: the columns' types.
    """

    def __init__(self, leaf: Leaf, predicate: Predicate, columns: Sequence[str], types: Sequence[str]) -> None:
        super().__init__(leaf, predicate)
        self._columns = [quoted(column) for column in columns]
        self._types = list(types)
        self._low: list[str] | None = None
        self._last: list[str] | None = None

    def begin(self, client: PostgresqlClient, limit: float) -> None:
        """Take the highest key."""
        self._last = bound(client, self.leaf, self._columns, Predicate("true"), "DESC", 0, limit)

    def next(self, client: PostgresqlClient, size: int, limit: float) -> Piece | None:
        """The next rows in the order of the key: their end is found first."""
        if self._last is None:
            return None
        where, parameters = self._compare("<=", "last", self._last)
        if self._low is not None:
            above, low = self._compare(">", "low", self._low)
            where, parameters = f"{above} AND {where}", {**low, **parameters}
        within = Predicate(where, parameters)
        high = bound(client, self.leaf, self._columns, within, "", max(0, size - 1), limit)
        if high is not None:
            upto, more = self._compare("<=", "last", high)
            where = f"{above} AND {upto}" if self._low is not None else upto
            parameters = {**parameters, **more}
        self._low = high
        if high is None or high == self._last:
            self._last = None
        return self._piece(where, parameters)

    def _compare(self, operator: str, name: str, values: Sequence[str]) -> tuple[str, dict[str, Any]]:
        return compare(self._columns, self._types, operator, name, values)


class AgeWalk(Walk):
    """By ranges of the age column, where it has an index and few rows are old: the others are never looked at.

    :param column: the age column.
    :param type_name: its type.
    """

    def __init__(self, leaf: Leaf, predicate: Predicate, column: str, type_name: str) -> None:
        super().__init__(leaf, predicate)
        self._columns = [quoted(column)]
        self._types = [type_name]
        self._low: list[str] | None = None
        self._operator = ">="
        self._tied = False

    def begin(self, client: PostgresqlClient, limit: float) -> None:
        """The oldest row."""
        self._low = bound(client, self.leaf, self._columns, self.predicate, "", 0, limit)

    def next(self, client: PostgresqlClient, size: int, limit: float) -> Piece | None:
        """The next old rows. Rows of one age that are too many for a piece are taken part by part."""
        if self._low is None:
            return None
        above, low = compare(self._columns, self._types, self._operator, "low", self._low)
        here = self.predicate.joined(above, low)
        high = bound(client, self.leaf, self._columns, here, "", size, limit)
        self._tied = high == self._low
        if self._tied:
            equal, same = compare(self._columns, self._types, "=", "low", self._low)
            return self._piece(equal, same).unlocked(size)
        self._low, self._operator = high, ">="
        if high is None:
            return self._piece(above, low)
        below, upto = compare(self._columns, self._types, "<", "high", high)
        return self._piece(f"{above} AND {below}", {**low, **upto})

    def took(self, rows: int) -> None:
        """Leave rows of one age behind when others hold all that are left of them."""
        if self._tied and not rows:
            self._operator = ">"


def compare(
    columns: Sequence[str], types: Sequence[str], operator: str, name: str, values: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    """Return the comparison of quoted columns with values, as a row where they are several, and its parameters."""
    places = [f"%({name}{number})s::{sql(type_name)}" for number, type_name in enumerate(types)]
    left, right = ", ".join(sql(column) for column in columns), ", ".join(places)
    text = f"{left} {operator} {right}" if len(columns) == 1 else f"({left}) {operator} ({right})"
    return text, {f"{name}{number}": value for number, value in enumerate(values)}


def bound(
    client: PostgresqlClient,
    leaf: Leaf,
    columns: Sequence[str],
    within: Predicate,
    direction: str,
    offset: int,
    limit: float,
) -> list[str] | None:
    """Return the columns, as texts, of the row that comes ``offset`` rows after the first; None if there is none."""
    order = ", ".join(sql(f"{column} {direction}".rstrip()) for column in columns)
    texts = ", ".join(sql(f"{column}::text") for column in columns)
    statement = Statement(
        "SELECT ARRAY[{texts}] AS values FROM {source} WHERE {within} ORDER BY {order} OFFSET {offset} LIMIT 1",
        names={"source": leaf.parts},
        parts={"texts": texts, "within": within.text, "order": order},
        values={"offset": offset},
        parameters=within.parameters,
    )
    found = client.fetch(f"find the next rows of {leaf.label}", statement, _Bound, limit)
    return found[0].values if found else None
