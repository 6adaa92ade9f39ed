# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what the sizes of tables and btree indexes should follow from, for all of them in one query each.

Relations that somebody has locked for himself alone, or waits to, are left out: to ask for their size would be to wait.
"""

from __future__ import annotations

from .bloat import BLOCK
from .client import PostgresqlClient
from .shapes import ShapedIndex, ShapedTable

__all__ = ["LOCKED", "observe_index_shapes", "observe_table_shapes"]

LOCKED = """(SELECT relation FROM pg_locks WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"""
"""Relations of this database whose size cannot be asked for without waiting, as a subquery."""

MOST = 5000
"""Relations looked at, the largest first."""

_ALIGNMENT = "CASE a.attalign WHEN 'd' THEN 8 WHEN 'i' THEN 4 WHEN 's' THEN 2 ELSE 1 END"
_FILLFACTOR = "(SELECT option_value::int FROM pg_options_to_table(c.reloptions) WHERE option_name = 'fillfactor')"

# A TOAST table has no statistics: its rows hold up to 1996 bytes, and are as many as the last vacuum counted.
TABLES = """
WITH locked AS MATERIALIZED {locked}, chosen AS MATERIALIZED (
    SELECT c.oid FROM pg_class c
    WHERE c.relkind IN ('r', 'm', 't') AND c.relpersistence <> 't' AND (c.relpages >= %(least)s OR c.reltuples < 0)
        AND c.oid NOT IN (SELECT relation FROM locked)
    ORDER BY c.relpages DESC LIMIT %(most)s
)
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind = 't' AS toast,
    o.oid::bigint AS owner_oid, (SELECT nspname FROM pg_namespace WHERE oid = o.relnamespace)::text AS owner_schema,
    o.relname::text AS owner_name, c.reltuples::float8 AS rows, c.relpages AS pages,
    pg_relation_size(c.oid) AS bytes, coalesce({fillfactor}, 100)::float8 AS fillfactor,
    CASE WHEN c.relkind <> 't' THEN pg_stat_get_mod_since_analyze(c.oid) ELSE 0 END AS changed,
    c.relkind = 't' OR has_table_privilege(c.oid, 'SELECT') AS readable,
    CASE c.relkind WHEN 't' THEN '[[4, 0, 4, 4], [4, 0, 4, 4], [2000, 0, 2000, 4]]'::json ELSE (
        SELECT json_agg(json_build_array(s.avg_width, CASE WHEN a.attisdropped THEN 1 ELSE coalesce(s.null_frac, 0) END,
            a.attlen, {alignment}) ORDER BY a.attnum)
        FROM pg_attribute a LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname
            AND s.attname = a.attname AND NOT s.inherited
        WHERE a.attrelid = c.oid AND a.attnum > 0
    ) END AS columns
FROM chosen JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_class o ON c.relkind = 't' AND o.reltoastrelid = c.oid
ORDER BY bytes DESC"""

# An index of all rows has as many entries as its table, also where only the table was counted, as with TOAST.
# Statistics are of a column of the table, or of an expression: of the index. One look-up for each of both, for the view
# of statistics is read whole for any other condition.
# Equal keys are put together if each operator class says that what is equal is the same (support function 4).
INDEXES = """
WITH locked AS MATERIALIZED {locked}, chosen AS MATERIALIZED (
    SELECT c.oid FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
    WHERE c.relkind = 'i' AND c.relpersistence <> 't' AND c.relpages >= %(least)s
        AND i.indisvalid AND i.indisready AND i.indislive
        AND c.oid NOT IN (SELECT relation FROM locked) AND i.indrelid NOT IN (SELECT relation FROM locked)
    ORDER BY c.relpages DESC LIMIT %(most)s
)
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name, t.relname::text AS table,
    t.relkind = 't' AS toast, m.amname::text AS method,
    CASE WHEN i.indpred IS NULL THEN greatest(c.reltuples, t.reltuples) ELSE c.reltuples END::float8 AS rows,
    c.relpages AS pages, pg_relation_size(c.oid) AS bytes, coalesce({fillfactor}, 90)::float8 AS fillfactor,
    NOT i.indisunique AND i.indnatts = i.indnkeyatts AND 'deduplicate_items=off' <> ALL (coalesce(c.reloptions, '{{}}'))
        AND NOT EXISTS (SELECT FROM unnest(i.indclass) AS used JOIN pg_opclass k ON k.oid = used
            WHERE NOT EXISTS (SELECT FROM pg_amproc p WHERE p.amprocfamily = k.opcfamily AND p.amprocnum = 4
                AND p.amproclefttype = k.opcintype AND p.amprocrighttype = k.opcintype)) AS joins_equal,
    t.reltuples::float8 AS table_rows,
    CASE WHEN t.relkind <> 't' THEN pg_stat_get_mod_since_analyze(t.oid) ELSE 0 END AS changed,
    (SELECT json_agg(json_build_array(
            coalesce(s.avg_width, x.avg_width, CASE WHEN a.attlen > 0 THEN a.attlen END),
            coalesce(s.null_frac, x.null_frac, 0), coalesce(s.n_distinct, x.n_distinct),
            a.attlen, {alignment}, a.attlen = -2) ORDER BY a.attnum)
        FROM pg_attribute a
            LEFT JOIN pg_attribute b ON b.attrelid = t.oid AND b.attnum = i.indkey[a.attnum - 1] AND b.attnum > 0
            LEFT JOIN LATERAL (SELECT avg_width, null_frac, n_distinct FROM pg_stats v
                WHERE v.schemaname = n.nspname AND v.tablename = t.relname AND v.attname = b.attname
                    AND NOT v.inherited) AS s ON true
            LEFT JOIN LATERAL (SELECT avg_width, null_frac, n_distinct FROM pg_stats v
                WHERE v.schemaname = n.nspname AND v.tablename = c.relname AND v.attname = a.attname
                    AND NOT v.inherited) AS x ON i.indkey[a.attnum - 1] = 0
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND m.amname = 'btree') AS columns
FROM chosen JOIN pg_class c USING (oid) JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am m ON m.oid = c.relam
ORDER BY bytes DESC"""


def observe_table_shapes(client: PostgresqlClient, least_pages: int) -> tuple[ShapedTable, ...]:
    """Read tables and TOAST tables of so many pages, the largest first."""
    parts = {"locked": LOCKED, "fillfactor": _FILLFACTOR, "alignment": _ALIGNMENT}
    values = {"least": least_pages, "most": MOST}
    found = client.rows("read what tables' sizes follow from", TABLES, ShapedTable, values, parts)
    # How large a table is that was never counted is known only now.
    return tuple(table for table in found if table.bytes >= least_pages * BLOCK)


def observe_index_shapes(client: PostgresqlClient, least_pages: int) -> tuple[ShapedIndex, ...]:
    """Read usable indexes of so many pages, the largest first; only btrees have columns."""
    parts = {"locked": LOCKED, "fillfactor": _FILLFACTOR, "alignment": _ALIGNMENT}
    values = {"least": least_pages, "most": MOST}
    return tuple(client.rows("read what indexes' sizes follow from", INDEXES, ShapedIndex, values, parts))
