# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resolves the names that a user gives in the catalogue, before any of them reaches a statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .._core.errors import InvalidInput
from .client import PostgresqlClient
from .identifier import quoted, split_name

__all__ = ["Relation", "resolve_relations"]

TABLES = ("r", "p", "m")
"""Kinds of pg_class.relkind: tables, partitioned tables, materialized views."""
INDEXES = ("i", "I")
"""Kinds of pg_class.relkind: indexes, indexes of partitioned tables."""

NAMED_KINDS = {
    "r": "a table",
    "p": "a partitioned table",
    "m": "a materialized view",
    "v": "a view",
    "f": "a foreign table",
    "S": "a sequence",
    "c": "a type",
    "i": "an index",
    "I": "an index",
}
"""Kinds of pg_class.relkind, for people."""

RESOLVE = """
SELECT wanted.position::int AS position, c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name,
    c.relkind::text AS kind, c.relname = wanted.name AS exact
FROM unnest(%(schemas)s::text[], %(names)s::text[]) WITH ORDINALITY AS wanted(schema, name, position)
JOIN pg_class c ON c.relname = wanted.name OR lower(c.relname) = lower(wanted.name)
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind::text = ANY(%(kinds)s) AND CASE WHEN wanted.schema IS NULL
    THEN n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
    ELSE n.nspname = wanted.schema END
ORDER BY 1, 3, 4"""


class Relation(NamedTuple):
    """A table or index as the catalogue knows it. :param kind: pg_class.relkind."""

    oid: int
    schema: str
    name: str
    kind: str

    @property
    def label(self) -> str:
        """Schema and name, for people."""
        return f"{self.schema}.{self.name}"

    @property
    def parts(self) -> tuple[str, str]:
        """Schema and name, for a statement."""
        return self.schema, self.name


class _Match(NamedTuple):
    position: int
    oid: int
    schema: str
    name: str
    kind: str
    exact: bool


def resolve_relations(
    client: PostgresqlClient, option: str, names: Sequence[str], kinds: Sequence[str] = TABLES
) -> list[Relation]:
    """Find every name in the catalogue. A name without schema is looked for in all schemas but the system's.

    :param option: the option's name, for errors.
    :param kinds: which kinds of relation are meant: :data:`TABLES` or :data:`INDEXES`.
    :return: the relations, in the order of the names.
    :raises InvalidInput: a name is none, is unknown, or is found in several schemas.
    """
    parts = [split_name(name, option) for name in names]
    if not parts:
        return []
    values = {
        "schemas": [part[0] if len(part) == 2 else None for part in parts],
        "names": [part[-1] for part in parts],
        "kinds": list(kinds),
    }
    found = client.rows("look up names in the catalogue", RESOLVE, _Match, values)
    return [
        _choose(client, option, name, [match for match in found if match.position == position], kinds)
        for position, name in enumerate(names, 1)
    ]


def _choose(
    client: PostgresqlClient, option: str, name: str, matches: Sequence[_Match], kinds: Sequence[str]
) -> Relation:
    exact = [match for match in matches if match.exact]
    if len(exact) == 1:
        (match,) = exact
        return Relation(match.oid, match.schema, match.name, match.kind)
    what, one = ("index", "an index") if "i" in kinds else ("table", "a table")
    if exact:
        schemas = ", ".join(quoted(match.schema, match.name) for match in exact)
        raise InvalidInput(option, f"there are several of the name {name!r}", f"Name its schema: {schemas}.")
    alike = ", ".join(quoted(match.schema, match.name) for match in matches)
    remedy = f"There is {alike}: write it so." if alike else f"Check its name and schema, and login_db: {one} is meant."
    if not alike and (other := _other_kind(client, option, name)):
        raise InvalidInput(option, f"{name!r} is {other}", f"Name {one} here.")
    raise InvalidInput(option, f"there is no {what} {name!r} in the database {client.server.database}", remedy)


def _other_kind(client: PostgresqlClient, option: str, name: str) -> str:
    """Return what bears a name that no relation of the kinds meant does; empty: nothing."""
    *schema, last = split_name(name, option)
    values = {"schemas": [schema[0] if schema else None], "names": [last], "kinds": list(NAMED_KINDS)}
    found = client.rows("look up a name in the catalogue", RESOLVE, _Match, values)
    return next((NAMED_KINDS[match.kind] for match in found if match.exact), "")
