# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The indexes that a user declares: understood, before anything is looked up. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..._core.errors import InvalidInput
from ..condition import enclosed
from ..identifier import quoted, split_name

__all__ = ["Column", "Declared", "parse_declared"]

_ORDER = re.compile(
    r"(?P<key>.*?)(?:\s+(?P<order>asc|desc))?(?:\s+nulls\s+(?P<nulls>first|last))?", re.IGNORECASE | re.DOTALL
)
_KEYS = ("name", "expression", "opclass", "collation", "order", "nulls")
DESCENDING, NULLS_FIRST = 1, 2
"""Bits of pg_index.indoption."""


class Column(NamedTuple):
    """One key of an index.

    :param name: a column; None: an expression.
    :param expression: SQL in parentheses that it cannot leave; None: a column.
    :param opclass: operator class, its parts; empty: the default one. Likewise ``collation``.
    :param option: its order as pg_index.indoption has it.
    """

    name: str | None
    expression: str | None
    opclass: tuple[str, ...]
    collation: tuple[str, ...]
    option: int

    @property
    def sql(self) -> str:
        """The key as CREATE INDEX has it."""
        text = quoted(self.name) if self.name is not None else str(self.expression)
        if self.collation:
            text += f" COLLATE {quoted(*self.collation)}"
        if self.opclass:
            text += f" {quoted(*self.opclass)}"
        if self.option & DESCENDING:
            text += " DESC"
        if bool(self.option & NULLS_FIRST) != bool(self.option & DESCENDING):
            text += " NULLS FIRST" if self.option & NULLS_FIRST else " NULLS LAST"
        return text


class Declared(NamedTuple):
    """An index as it should be, or should not be.

    :param option: where it was declared, for errors.
    :param table: its table, as the user wrote it.
    :param where: SQL in parentheses that it cannot leave; None: all rows.
    :param present: whether it should exist.
    """

    option: str
    name: str
    table: str
    columns: tuple[Column, ...]
    include: tuple[str, ...]
    unique: bool
    method: str
    where: str | None
    nulls_not_distinct: bool
    present: bool


def parse_declared(given: Sequence[Mapping[str, Any]]) -> list[Declared]:
    """Understand the option ``indexes``.

    :raises InvalidInput: an entry cannot be understood, or two are about the same index.
    """
    declared = [_index(entry, f"indexes[{number}]") for number, entry in enumerate(given, 1)]
    seen: dict[tuple[str, ...], str] = {}
    for index in declared:
        key = (*split_name(index.table, f"{index.option}.table")[:-1], index.name)
        if key in seen:
            raise InvalidInput(
                index.option, f"it declares {index.name} once more, as {seen[key]} does", "Declare it once."
            )
        seen[key] = index.option
    return declared


def _index(entry: Mapping[str, Any], option: str) -> Declared:
    (name,) = split_name(entry["name"], f"{option}.name", most_parts=1)
    split_name(entry["table"], f"{option}.table")
    present = entry.get("state", "present") == "present"
    columns = entry.get("columns") or []
    if present and not columns:
        raise InvalidInput(f"{option}.columns", "there is none", "Name the columns of the index.")
    where = entry.get("where")
    return Declared(
        option,
        name,
        entry["table"],
        tuple(_column(column, f"{option}.columns") for column in columns),
        tuple(split_name(column, f"{option}.include", most_parts=1)[0] for column in entry.get("include") or ()),
        bool(entry.get("unique")),
        split_name(entry.get("method") or "btree", f"{option}.method", most_parts=1)[0],
        None if where is None else enclosed(where, f"{option}.where"),
        bool(entry.get("nulls_not_distinct")),
        present,
    )


def _column(given: Any, option: str) -> Column:
    """Understand one key: a text such as ``created_at desc`` or ``(lower(email))``, or a dict."""
    if isinstance(given, str):
        match = _ORDER.fullmatch(given.strip())
        parts = match.groupdict() if match else {}
        key = (parts.get("key") or "").strip()
        named = {"expression": key[1:-1]} if key.startswith("(") and key.endswith(")") else {"name": key}
        return _column({**named, "order": parts.get("order"), "nulls": parts.get("nulls")}, option)
    if not isinstance(given, Mapping):
        raise InvalidInput(option, f"{given!r} is no column", "Give a column's name, (an expression), or a dict.")
    unknown = sorted(set(given) - set(_KEYS))
    if unknown:
        raise InvalidInput(option, f"it does not know {', '.join(map(str, unknown))}", f"There are {', '.join(_KEYS)}.")
    name, expression = given.get("name"), given.get("expression")
    if (name is None) == (expression is None):
        raise InvalidInput(option, "a key is either a column or an expression", "Give name, or expression.")
    order, nulls = str(given.get("order") or "asc").lower(), given.get("nulls")
    if order not in ("asc", "desc") or str(nulls or "last").lower() not in ("first", "last"):
        raise InvalidInput(option, "its order cannot be understood", "Give order: asc or desc; nulls: first or last.")
    descending = order == "desc"
    first = descending if nulls is None else str(nulls).lower() == "first"
    return Column(
        None if name is None else split_name(str(name), option, most_parts=1)[0],
        None if expression is None else enclosed(str(expression), option),
        split_name(str(given["opclass"]), option) if given.get("opclass") else (),
        split_name(str(given["collation"]), option) if given.get("collation") else (),
        DESCENDING * descending | NULLS_FIRST * first,
    )
