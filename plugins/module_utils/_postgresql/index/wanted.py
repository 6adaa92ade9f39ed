# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A declared index against the catalogue: what it is about there, and which index is the same. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from ..identifier import MOST_BYTES, quoted
from ..relation import Relation
from ..statement import Statement
from .declared import Declared
from .observation import Index

__all__ = ["Attribute", "Classes", "Part", "Wanted", "create_statement", "part_name", "same_shape"]


class Attribute(NamedTuple):
    """A column of a table. :param collation: its own; 0: none."""

    table_oid: int
    name: str
    number: int
    collation: int


class Classes(NamedTuple):
    """Operator classes and collations that the catalogue knows, by oid.

    :param opclasses: each with schema, name, and whether it is its type's default.
    :param collations: each with schema and name.
    """

    opclasses: Mapping[int, tuple[str, str, bool]]
    collations: Mapping[int, tuple[str, str]]


class Part(NamedTuple):
    """A table that the index is made on: the declared one, or a partition of it.

    :param parent: oid of the table of which it is a partition; None: it is the declared one.
    :param columns: its columns by name; a partition may number them otherwise.
    :param name: what the index is called there.
    :param owned: whether our user may change it.
    """

    table: Relation
    parent: int | None
    columns: Mapping[str, Attribute]
    name: str
    owned: bool

    @property
    def partitioned(self) -> bool:
        """Whether it has partitions itself."""
        return self.table.kind == "p"


class Wanted(NamedTuple):
    """A declared index with what was found of it.

    :param parts: the declared table, then its partitions from the top down.
    :param named: oid of the index of its name in the table's schema; None: there is none.
    :param taken: what else has its name: ``table``, ``view`` and so on; empty: nothing.
    :param same: oids of all indexes of its parts that are as declared, valid or not.
    :param locked: whether somebody has one of the tables for himself alone, so that nothing could be compared.
    """

    declared: Declared
    parts: tuple[Part, ...]
    named: int | None
    taken: str
    same: frozenset[int]
    locked: bool = False


def part_name(name: str, table: Relation) -> str:
    """Return the name of a partition's index; one that would be too long ends in a digest of all of it."""
    whole = f"{name}_{table.name}"
    if len(whole.encode()) <= MOST_BYTES:
        return whole
    digest = hashlib.sha256(f"{whole} {table.schema}".encode()).hexdigest()[:8]
    return whole.encode()[: MOST_BYTES - 9].decode(errors="ignore") + f"_{digest}"


def create_statement(declared: Declared, part: Part) -> Statement:
    """Return what makes the index on one table; on a partitioned one it is a frame without entries."""
    include = ", ".join(quoted(column) for column in declared.include)
    options = [
        f" INCLUDE ({include})" if include else "",
        " NULLS NOT DISTINCT" if declared.nulls_not_distinct else "",
        f" WHERE {declared.where}" if declared.where else "",
    ]
    return Statement(
        "CREATE {unique}INDEX {how}{index} ON {only}{table} USING {method} ({columns}){options}",
        {"index": (part.name,), "table": part.table.parts, "method": (declared.method,)},
        parts={
            "unique": "UNIQUE " if declared.unique else "",
            "how": "" if part.partitioned else "CONCURRENTLY ",
            "only": "ONLY " if part.partitioned else "",
            "columns": ", ".join(column.sql for column in declared.columns),
            "options": "".join(options),
        },
    )


def same_shape(declared: Declared, part: Part, index: Index, classes: Classes) -> bool:
    """Whether an index is as declared in all but its expressions and its condition, which the server compares.

    A collation of an expression is compared only where it is declared: its own is known to the server alone.
    """
    keys = [part.columns[column.name].number if column.name is not None else 0 for column in declared.columns]
    return (
        index.table_oid == part.table.oid
        and index.method == declared.method
        and index.unique == declared.unique
        and index.nulls_not_distinct == declared.nulls_not_distinct
        and index.immediate
        and not index.exclusion
        and list(index.keys) == keys
        and list(index.include) == [part.columns[name].number for name in declared.include]
        and (index.predicate is None) == (declared.where is None)
        and all(_same_key(declared, part, index, classes, position) for position in range(len(keys)))
    )


def _same_key(declared: Declared, part: Part, index: Index, classes: Classes, position: int) -> bool:
    column = declared.columns[position]
    if index.options[position] != (column.option if index.method == "btree" else 0):
        return False
    schema, name, default = classes.opclasses[index.opclasses[position]]
    if column.opclass and column.opclass not in ((name,), (schema, name)):
        return False
    if not column.opclass and not default:
        return False
    collation = index.collations[position]
    if column.collation:
        return collation in classes.collations and column.collation in (
            classes.collations[collation][1:],
            classes.collations[collation],
        )
    return column.name is None or collation == 0 or collation == part.columns[column.name].collation
