# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the tables of the rules from the catalogue: a constant number of queries, whatever the number of rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..client import PostgresqlClient
from .observation import Column, Index, Leaf, Reference, TableFacts, Trigger

__all__ = ["Catalogue", "read_catalogue", "read_leaves", "read_search_path"]

FACTS = """
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
    coalesce(am.amname, '')::text AS access, pg_get_userbyid(c.relowner)::text AS owner,
    c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid) AS inherited,
    c.reltuples::float8 AS rows, c.relpages AS pages, row_security_active(c.oid) AS secured,
    has_table_privilege(c.oid, 'SELECT') AS may_select, has_table_privilege(c.oid, 'INSERT') AS may_insert,
    has_table_privilege(c.oid, 'DELETE') AS may_delete,
    has_table_privilege(c.oid, 'UPDATE') OR has_any_column_privilege(c.oid, 'UPDATE') AS may_update
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_am am ON am.oid = c.relam
WHERE c.oid = ANY (%(oids)s::oid[])"""

COLUMNS = """
SELECT a.attrelid::bigint AS table, a.attname::text AS name, format_type(a.atttypid, a.atttypmod)::text AS type,
    t.typcategory::text AS category,
    CASE WHEN a.attcollation <> t.typcollation THEN ARRAY[cn.nspname::text, co.collname::text] ELSE '{}' END
        AS collation,
    a.attnotnull AS required, a.attgenerated::text AS generated, a.attidentity::text AS identity,
    a.atthasdef OR a.attidentity <> '' AS defaulted
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
WHERE a.attrelid = ANY (%(oids)s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum"""

# Indexes over expressions have a 0 in indkey, for which there is no column.
INDEXES = """
SELECT i.indrelid::bigint AS table, k.columns, i.indisprimary AS primary,
    i.indisunique AND i.indimmediate AND k.required AS key, i.indisunique AS unique
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am am ON am.oid = x.relam
CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY n) AS columns, bool_and(a.attnotnull) AS required
    FROM generate_series(0, i.indnkeyatts - 1) AS n
    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n] AND a.attnum > 0) AS k
WHERE i.indrelid = ANY (%(oids)s::oid[]) AND i.indisvalid AND i.indislive AND am.amname = 'btree'
    AND i.indpred IS NULL AND i.indexprs IS NULL
ORDER BY i.indrelid, i.indexrelid"""

# The copies of a foreign key that partitions have are left out: conparentid names the original.
REFERENCES = """
SELECT f.confrelid::bigint AS table, f.conname::text AS name, n.nspname::text AS schema, c.relname::text AS child,
    (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(f.conkey) WITH ORDINALITY AS k(attnum, n)
        JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum) AS columns,
    (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(f.confkey) WITH ORDINALITY AS k(attnum, n)
        JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum) AS referred,
    f.confdeltype::text AS on_delete, f.confupdtype::text AS on_update
FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE f.contype = 'f' AND f.conparentid = 0 AND f.confrelid = ANY (%(oids)s::oid[])
ORDER BY 1, 3, 4, 2"""

# The bits of tgtype: 1 each row, 4 insert, 8 delete, 16 update. Source: src/include/catalog/pg_trigger.h.
TRIGGERS = """
SELECT tgrelid::bigint AS table, tgname::text AS name, tgtype & 1 = 1 AS each_row,
    array_remove(ARRAY[CASE WHEN tgtype & 8 = 8 THEN 'delete' END, CASE WHEN tgtype & 16 = 16 THEN 'update' END,
        CASE WHEN tgtype & 4 = 4 THEN 'insert' END], NULL) AS fires_on
FROM pg_trigger WHERE tgrelid = ANY (%(oids)s::oid[]) AND NOT tgisinternal AND tgenabled IN ('O', 'A')
ORDER BY 1, 2"""

LEAVES = """
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
    coalesce(am.amname, '')::text AS access, c.relpages AS pages, c.reltuples::float8 AS rows,
    has_table_privilege(c.oid, 'SELECT') AS may_select, has_table_privilege(c.oid, 'DELETE') AS may_delete,
    has_table_privilege(c.oid, 'UPDATE') OR has_any_column_privilege(c.oid, 'UPDATE') AS may_update
FROM pg_partition_tree(%(oid)s::oid::regclass) t JOIN pg_class c ON c.oid = t.relid
    JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_am am ON am.oid = c.relam
WHERE t.isleaf ORDER BY t.level, n.nspname, c.relname"""

# What a session of this user would have if ours did not set another one.
SEARCH_PATH = """
SELECT coalesce((
    SELECT split_part(setting, '=', 2) FROM pg_db_role_setting CROSS JOIN unnest(setconfig) AS setting
    WHERE setting LIKE 'search_path=%%' AND setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = session_user))
        AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    ORDER BY setrole <> 0 DESC, setdatabase <> 0 DESC LIMIT 1),
    (SELECT boot_val FROM pg_settings WHERE name = 'search_path'))::text AS path WHERE %(all)s"""


class Catalogue(NamedTuple):
    """What the catalogue has of several tables, by their oids."""

    facts: dict[int, TableFacts]
    columns: dict[int, tuple[Column, ...]]
    indexes: dict[int, tuple[Index, ...]]
    references: dict[int, tuple[Reference, ...]]
    triggers: dict[int, tuple[Trigger, ...]]


class _Path(NamedTuple):
    path: str


def read_catalogue(client: PostgresqlClient, oids: Sequence[int]) -> Catalogue:
    """Read everything about some tables."""
    values = {"oids": list(oids)}
    columns = client.rows("read the tables' columns", COLUMNS, Column, values)
    indexes = client.rows("read the tables' indexes", INDEXES, Index, values)
    references = client.rows("read the foreign keys", REFERENCES, Reference, values)
    triggers = client.rows("read the triggers", TRIGGERS, Trigger, values)
    return Catalogue(
        {found.oid: found for found in client.rows("read the tables", FACTS, TableFacts, values)},
        {oid: tuple(found for found in columns if found.table == oid) for oid in oids},
        {oid: tuple(found for found in indexes if found.table == oid) for oid in oids},
        {oid: tuple(found for found in references if found.table == oid) for oid in oids},
        {oid: tuple(found for found in triggers if found.table == oid) for oid in oids},
    )


def read_leaves(client: PostgresqlClient, table: TableFacts) -> tuple[Leaf, ...]:
    """Read which tables hold the rows of a table: itself, or its partitions."""
    if table.kind != "p":
        rights = table.may_select, table.may_delete, table.may_update
        return (
            Leaf(
                *(table.oid, table.schema, table.name, table.kind, table.access, table.pages, table.rows),
                *rights,
            ),
        )
    return tuple(client.rows("read the partitions", LEAVES, Leaf, {"oid": table.oid}))


def read_search_path(client: PostgresqlClient) -> str:
    """Read the search_path that this user's sessions have, which triggers and a rule's condition rely on."""
    return client.row("read the search path", SEARCH_PATH, _Path, {"all": True}).path
