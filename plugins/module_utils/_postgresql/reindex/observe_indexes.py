# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads indexes, their columns' statistics, who is at work on them, and their density."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..._core.deadline import Deadline
from ..._core.errors import StoreError
from ..bloat import Density
from ..client import PostgresqlClient
from ..observe_shapes import LOCKED
from ..relation import Relation
from ..statement import Statement
from .observation import Index, Named, Number, Oid

__all__ = [
    "is_there",
    "measure",
    "observe_busy",
    "observe_indexes",
    "observe_prepared",
    "observe_size",
    "observe_tables",
]

FIRST_USER_OID = 16384
"""Oids below are given when a cluster is made: the system catalogue's. Source: src/include/access/transam.h."""

# A table's invalid indexes are read with their siblings, of which one may be what a leftover is left over from.
INDEXES = """
WITH locked AS MATERIALIZED {locked}
SELECT i.indexrelid::bigint AS oid, i.indrelid::bigint AS table_oid, n.nspname::text AS schema,
    c.relname::text AS name, coalesce(mn.nspname || '.' || m.relname, tn.nspname || '.' || t.relname)::text AS "table",
    am.amname::text AS method, i.bytes::bigint AS bytes, c.reltablespace::bigint AS tablespace,
    c.reltuples::float8 AS rows,
    (100.0 * pg_stat_get_mod_since_analyze(t.oid) / greatest(t.reltuples, 1))::float8 AS changed_percent,
    coalesce((SELECT option_value::int FROM pg_options_to_table(c.reloptions) WHERE option_name = 'fillfactor'),
        90) AS fillfactor,
    i.indisvalid AND i.indisready AND i.indislive AS usable, i.indisexclusion AS excludes,
    i.indrelid < %(first)s AS system, n.nspname = 'pg_toast' AS toast, c.relpersistence = 't' AS temporary,
    has_schema_privilege(n.oid, 'USAGE') AND (pg_has_role(c.relowner, 'USAGE') OR {maintain}) AS may_rebuild,
    has_schema_privilege(n.oid, 'USAGE') AND (pg_has_role(c.relowner, 'USAGE') OR pg_has_role(n.nspowner, 'USAGE'))
        AS may_drop,
    hashtextextended(concat_ws('|', am.amname, i.indkey, i.indclass, i.indcollation, i.indoption, i.indisunique,
        i.indnkeyatts, pg_get_expr(i.indexprs, i.indrelid), pg_get_expr(i.indpred, i.indrelid)), 0)::text AS shape,
    CASE WHEN NOT i.indisvalid THEN pg_get_indexdef(i.indexrelid) END AS definition
FROM (
    SELECT i.*, coalesce(pg_relation_size(i.indexrelid), 0) AS bytes FROM pg_index i
    WHERE {scope} AND (i.indrelid >= %(first)s OR i.indexrelid = ANY(%(chosen)s::oid[]))
        AND i.indexrelid NOT IN (SELECT relation FROM locked) AND i.indrelid NOT IN (SELECT relation FROM locked)
    OFFSET 0
) i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_am am ON am.oid = c.relam JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_namespace tn ON tn.oid = t.relnamespace
    LEFT JOIN pg_class m ON n.nspname = 'pg_toast' AND m.reltoastrelid = t.oid
    LEFT JOIN pg_namespace mn ON mn.oid = m.relnamespace
WHERE c.relkind = 'i' AND (i.indexrelid = ANY(%(chosen)s::oid[]) OR (c.relpersistence <> 't' AND (
    i.bytes >= %(least)s OR EXISTS (SELECT FROM pg_index x WHERE x.indrelid = i.indrelid
        AND NOT (x.indisvalid AND x.indisready AND x.indislive)))))
ORDER BY i.bytes, n.nspname, c.relname"""

NONE_LOCKED = "(SELECT 0::oid AS relation WHERE false)"

# The indexes of partitioned tables have no pages: their parts' are meant. A table brings its TOAST table.
PARTS = """
SELECT DISTINCT found.oid::bigint AS oid
FROM unnest(%(oids)s::oid[]) AS wanted(oid) LEFT JOIN LATERAL pg_partition_tree(wanted.oid) AS part ON true
    JOIN pg_class c ON c.oid = coalesce(part.relid, wanted.oid)
    CROSS JOIN LATERAL unnest(ARRAY[c.oid, c.reltoastrelid]) AS found(oid)
WHERE found.oid <> 0"""

TABLES_OF = "SELECT DISTINCT indrelid::bigint AS oid FROM pg_index WHERE indexrelid = ANY(%(oids)s::oid[])"

# Whoever builds an index concurrently holds this lock on its table from before the index is in the catalogue until it
# is valid. Locks are visible to every user, while progress reports of others' builds are not.
BUSY = """
SELECT DISTINCT relation::bigint AS oid FROM pg_locks
WHERE locktype = 'relation' AND granted AND pid IS DISTINCT FROM pg_backend_pid()
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
        'AccessExclusiveLock')"""

UNUSABLE = """
SELECT indexrelid::bigint AS oid FROM pg_index
WHERE indexrelid = ANY(%(oids)s::oid[]) AND NOT (indisvalid AND indisready AND indislive)"""

BY_NAME = """
SELECT c.oid::bigint AS oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind = 'i'"""

SIZE = """
SELECT pg_relation_size(c.oid) AS value FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind = 'i'"""

METER = """
SELECT n.nspname::text AS name FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname = 'pgstatindex' AND p.proargtypes[0] = 'regclass'::regtype
WHERE e.extname = 'pgstattuple' AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')"""

MEASURE = """
SELECT (index_size / current_setting('block_size')::int)::int AS pages, leaf_pages::int AS leaf_pages,
    internal_pages::int AS inner_pages, nullif(avg_leaf_density, 'NaN')::float8 AS leaf_density
FROM {function}({oid}::oid::regclass)"""

PREPARED = "SELECT current_setting('max_prepared_transactions')::int AS value"


def observe_tables(
    client: PostgresqlClient, indexes: Sequence[Relation], tables: Sequence[Relation]
) -> tuple[frozenset[int] | None, list[int] | None]:
    """Return the oids of the indexes that are meant, and of the tables that work is about; None: all.

    Partitioned ones are followed to their parts.
    """
    chosen = frozenset(_parts(client, [index.oid for index in indexes])) if indexes else None
    if chosen is None:
        return None, _parts(client, [table.oid for table in tables]) if tables else None
    rows = client.rows("read the indexes' tables", TABLES_OF, Oid, {"oids": sorted(chosen)})
    return chosen, [row.oid for row in rows]


def _parts(client: PostgresqlClient, oids: list[int]) -> list[int]:
    return [row.oid for row in client.rows("read the partitions", PARTS, Oid, {"oids": oids})]


def observe_indexes(
    client: PostgresqlClient,
    chosen: Iterable[int] | None,
    tables: Sequence[int] | None,
    least: int,
    locked: bool = False,
) -> tuple[Index, ...]:
    """Read the indexes of at least so many bytes, all of a table that has an invalid one, and those chosen.

    :param tables: oids of the tables that are meant; None: all.
    :param locked: whether to look at those, too, that somebody has locked for himself alone: that is to wait for him.
    """
    parts = {
        "locked": NONE_LOCKED if locked else LOCKED,
        "maintain": "has_table_privilege(t.oid, 'MAINTAIN')" if client.server.major >= 17 else "false",
        "scope": "true" if tables is None else "i.indrelid = ANY(%(tables)s::oid[])",
    }
    values = {
        "chosen": sorted(chosen or ()),
        "tables": list(tables or ()),
        "least": least,
        "first": FIRST_USER_OID,
    }
    return tuple(client.rows("read the indexes", INDEXES, Index, values, parts))


def observe_busy(client: PostgresqlClient, indexes: Sequence[Index]) -> tuple[tuple[Index, ...], frozenset[int]]:
    """Read in which tables somebody is at work, and return it with the indexes, less those that it was about.

    Invalid indexes are looked at once more afterwards: one that was being built at first is either still being built
    when the locks are read, or is no longer invalid.
    """
    unusable = [index.oid for index in indexes if not index.usable]
    if not unusable:
        return tuple(indexes), frozenset()
    busy = frozenset(row.oid for row in client.rows("read the locks", BUSY, Oid))
    rows = client.rows("read the invalid indexes again", UNUSABLE, Oid, {"oids": unusable})
    done = set(unusable) - {row.oid for row in rows}
    return tuple(index for index in indexes if index.oid not in done), busy


def is_there(client: PostgresqlClient, index: Index) -> bool:
    """Say whether an index still is the one of its name: a rebuild would have given it another oid."""
    values = {"schema": index.schema, "name": index.name}
    return Oid(index.oid) in client.rows(f"look for the index {index.label}", BY_NAME, Oid, values)


def observe_size(client: PostgresqlClient, index: Index) -> int | None:
    """Return the bytes of the index that has the name of this one now; None: there is none."""
    values = {"schema": index.schema, "name": index.name}
    rows = client.rows(f"read the size of the index {index.label}", SIZE, Number, values)
    return rows[0].value if rows else None


def observe_prepared(client: PostgresqlClient) -> bool:
    """Say whether the server takes prepared transactions, where it matters: before version 13.5."""
    return client.server.number < 130005 and client.row("read a setting", PREPARED, Number).value > 0


def measure(
    client: PostgresqlClient, indexes: Iterable[Index], seconds: float, deadline: Deadline
) -> dict[int, Density]:
    """Measure indexes by reading them, where pgstattuple is installed and the user may use it; none otherwise.

    :param seconds: how long all of it may take. What is not reached, is locked or gone, is left to
        estimates.
    """
    meters = client.rows("look for pgstattuple", METER, Named)
    measured: dict[int, Density] = {}
    until = deadline.remaining - seconds
    for index in indexes if meters else ():
        left = deadline.remaining - until
        if left <= 0:
            break
        statement = Statement(MEASURE, {"function": (meters[0].name, "pgstatindex")}, {"oid": index.oid})
        try:
            measured[index.oid] = client.fetch(f"measure the index {index.label}", statement, Density, left)[0]
        except StoreError:
            if client.lost:
                raise
    return measured
