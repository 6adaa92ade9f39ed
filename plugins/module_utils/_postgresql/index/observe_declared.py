# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resolves declared indexes in the catalogue, and lets the server say which existing ones are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..._core.errors import InvalidInput, StoreError
from ..client import PostgresqlClient
from ..errors import LOCK_CODES
from ..relation import Relation, resolve_relations
from .declared import Declared
from .explain import explained
from .observation import Index
from .wanted import Attribute, Classes, Part, Wanted, part_name, same_shape

__all__ = ["observe_declared"]

PARTS = """
SELECT wanted.root::bigint AS root, t.relid::oid::bigint AS oid, nullif(t.parentrelid::oid, 0)::bigint AS parent,
    n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind, t.level,
    pg_has_role(c.relowner, 'USAGE') AS owned
FROM unnest(%(roots)s::oid[]) AS wanted(root)
CROSS JOIN LATERAL (SELECT wanted.root::regclass AS relid, NULL::regclass AS parentrelid, 0 AS level
    UNION SELECT relid, parentrelid, level FROM pg_partition_tree(wanted.root) WHERE level > 0) t
JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY 1, 7, 4, 5"""

ATTRIBUTES = """
SELECT attrelid::bigint AS table_oid, attname::text AS name, attnum::int AS number, attcollation::bigint AS collation
FROM pg_attribute WHERE attrelid = ANY(%(tables)s::oid[]) AND attnum > 0 AND NOT attisdropped"""

OPCLASSES = """
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.opcname::text AS name, c.opcdefault AS is_default,
    m.amname::text AS method
FROM pg_opclass c JOIN pg_namespace n ON n.oid = c.opcnamespace JOIN pg_am m ON m.oid = c.opcmethod"""

COLLATIONS = """
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.collname::text AS name
FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
WHERE c.collname = ANY(%(names)s::text[]) AND c.collencoding IN (-1, pg_char_to_encoding(getdatabaseencoding()))"""

TAKEN = """
SELECT n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = ANY(%(names)s::text[]) AND c.relkind NOT IN ('i', 'I')"""

KINDS = {"r": "table", "p": "table", "v": "view", "m": "materialized view", "S": "sequence", "f": "foreign table"}


class _Part(NamedTuple):
    root: int
    oid: int
    parent: int | None
    schema: str
    name: str
    kind: str
    level: int
    owned: bool


class _Opclass(NamedTuple):
    oid: int
    schema: str
    name: str
    is_default: bool
    method: str


class _Named(NamedTuple):
    oid: int
    schema: str
    name: str


class _Taken(NamedTuple):
    schema: str
    name: str
    kind: str


def observe_declared(
    client: PostgresqlClient, declared: Sequence[Declared], indexes: Sequence[Index]
) -> tuple[Wanted, ...]:
    """Resolve every declared index.

    :param indexes: all indexes of the database.
    :raises InvalidInput: a table, column, method, operator class, collation or expression is unknown or wrong.
    """
    if not declared:
        return ()
    tables = [resolve_relations(client, f"{each.option}.table", [each.table])[0] for each in declared]
    _check_once(declared, tables)
    parts = _parts(client, declared, tables)
    opclasses = client.rows("read the operator classes", OPCLASSES, _Opclass)
    classes = _classes(client, declared, opclasses)
    names = [each.name for each in declared]
    taken = client.rows("look up the names of indexes", TAKEN, _Taken, {"names": names})
    wanted = []
    for each, table in zip(declared, tables, strict=True):
        own = parts[each.option]
        _check(client, each, own[0], opclasses, classes)
        locked = _locked(own, indexes)
        same: frozenset[int] = frozenset()
        try:
            if each.present and not locked:
                same = _same(client, each, own, indexes, classes)
        except StoreError as error:
            if error.code not in LOCK_CODES:
                raise
            locked = True
        kinds = [KINDS.get(row.kind, "type") for row in taken if (row.schema, row.name) == (table.schema, each.name)]
        named = [index.oid for index in indexes if (index.schema, index.name) == (table.schema, each.name)]
        wanted.append(Wanted(each, own, named[0] if named else None, kinds[0] if kinds else "", same, locked))
    return tuple(wanted)


def _check_once(declared: Sequence[Declared], tables: Sequence[Relation]) -> None:
    """Check that no index is declared twice, its table once with and once without its schema."""
    seen: dict[tuple[str, str], str] = {}
    for each, table in zip(declared, tables, strict=True):
        earlier = seen.setdefault((table.schema, each.name), each.option)
        if earlier != each.option:
            why = f"it declares {table.schema}.{each.name} once more, as {earlier} does"
            raise InvalidInput(each.option, why, "Declare it once.")


def _locked(parts: Sequence[Part], indexes: Sequence[Index]) -> bool:
    tables = {part.table.oid for part in parts}
    return any(index.locked for index in indexes if index.table_oid in tables)


def _parts(
    client: PostgresqlClient, declared: Sequence[Declared], tables: Sequence[Relation]
) -> dict[str, tuple[Part, ...]]:
    rows = client.rows("read the partitions", PARTS, _Part, {"roots": list({table.oid for table in tables})})
    found = client.rows("read the columns", ATTRIBUTES, Attribute, {"tables": list({row.oid for row in rows})})
    columns: dict[int, dict[str, Attribute]] = {}
    for attribute in found:
        columns.setdefault(attribute.table_oid, {})[attribute.name] = attribute
    parts = {}
    for each, table in zip(declared, tables, strict=True):
        own = []
        for row in (row for row in rows if row.root == table.oid and row.kind in ("r", "p", "m")):
            relation = Relation(row.oid, row.schema, row.name, row.kind)
            name = each.name if row.level == 0 else part_name(each.name, relation)
            own.append(Part(relation, row.parent if row.level else None, columns.get(row.oid, {}), name, row.owned))
        parts[each.option] = tuple(own)
    return parts


def _classes(client: PostgresqlClient, declared: Sequence[Declared], opclasses: Sequence[_Opclass]) -> Classes:
    names = {column.collation[-1] for each in declared for column in each.columns if column.collation}
    collations: list[_Named] = []
    if names:
        collations = client.rows("read the collations", COLLATIONS, _Named, {"names": list(names)})
    return Classes(
        {row.oid: (row.schema, row.name, row.is_default) for row in opclasses},
        {row.oid: (row.schema, row.name) for row in collations},
    )


def _check(
    client: PostgresqlClient, declared: Declared, part: Part, opclasses: Sequence[_Opclass], classes: Classes
) -> None:
    """Check that all that a declared index names exists.

    :raises InvalidInput: it does not.
    """
    if not declared.present:
        return
    used = [column.name for column in declared.columns if column.name is not None]
    for name in (*used, *declared.include):
        if name not in part.columns:
            known = ", ".join(part.columns)
            remedy = f"There are {known}. An expression stands in parentheses."
            raise InvalidInput(f"{declared.option}.columns", f"{part.table.label} has no column {name!r}", remedy)
    methods = {row.method for row in opclasses}
    if declared.method not in methods:
        remedy = f"There are {', '.join(sorted(methods))}."
        raise InvalidInput(f"{declared.option}.method", f"there is no access method {declared.method!r}", remedy)
    known_classes = [((row.name,), (row.schema, row.name)) for row in opclasses if row.method == declared.method]
    for column in declared.columns:
        if column.opclass and not any(column.opclass in forms for forms in known_classes):
            why = f"{declared.method} has no operator class {'.'.join(column.opclass)!r}"
            raise InvalidInput(f"{declared.option}.columns", why, "Check its name, and that its extension is created.")
        if column.collation and not any(
            column.collation in (names[1:], names) for names in classes.collations.values()
        ):
            why = f"there is no collation {'.'.join(column.collation)!r}"
            raise InvalidInput(f"{declared.option}.columns", why, "See pg_collation for those that there are.")
    if declared.nulls_not_distinct and client.server.number < 150000:
        why = f"the server's version is {client.server.version}"
        raise InvalidInput(f"{declared.option}.nulls_not_distinct", why, "It needs PostgreSQL 15 or newer.")


def _same(
    client: PostgresqlClient, declared: Declared, parts: Sequence[Part], indexes: Sequence[Index], classes: Classes
) -> frozenset[int]:
    """Return the indexes that are as declared; expressions and conditions are compared by the server."""
    texts = [column.expression for column in declared.columns if column.expression is not None]
    if declared.where is not None:
        texts.append(declared.where)
    same: set[int] = set()
    for part in parts:
        alike = [index for index in indexes if same_shape(declared, part, index, classes)]
        if texts and (alike or part.parent is None):
            wanted, found = _normalized(client, declared, part, texts, alike)
            alike = [index for index in alike if found[index.oid] == wanted]
        same.update(index.oid for index in alike)
    return frozenset(same)


def _normalized(
    client: PostgresqlClient, declared: Declared, part: Part, texts: Sequence[str], indexes: Sequence[Index]
) -> tuple[list[str], Mapping[int, list[str]]]:
    """Return declared expressions, and those of indexes, as the server writes them after reading them.

    They are put in the list of a SELECT that is planned and not run.

    :raises InvalidInput: the server cannot read a declared one.
    """
    rows = [list(texts), *(_texts_of(index) for index in indexes)]
    columns = ", ".join(f"({text})" for row in rows for text in row)
    try:
        plan = explained(client, f"compare {declared.option}", part.table.parts, columns)
    except StoreError as error:
        if (error.code or "").startswith("42") and error.code != "42501":
            remedy = "Outside pg_catalog, name functions and types with their schema, as public.slug(title)."
            raise InvalidInput(declared.option, f"the server cannot read its SQL: {error.why}", remedy) from error
        raise
    outputs = list(plan["Output"])
    width = len(texts)
    cut = [outputs[start : start + width] for start in range(0, len(outputs), width)]
    return cut[0], {index.oid: row for index, row in zip(indexes, cut[1:], strict=True)}


def _texts_of(index: Index) -> list[str]:
    texts = [text for key, text in zip(index.keys, index.texts, strict=False) if key == 0]
    return texts + ([index.predicate] if index.predicate is not None else [])
