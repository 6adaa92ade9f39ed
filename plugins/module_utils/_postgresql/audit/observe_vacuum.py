# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what vacuum and analyze have left undone, and how old the oldest transaction ids are."""

from __future__ import annotations

from ..._core.runner import Context
from ..client import PostgresqlClient
from ..observe_changes import observe_changes
from ..observe_horizon import observe_ages, observe_holders
from ..observe_shapes import LOCKED
from .observation_vacuum import Ages, Neglected, TableAge, Upkeep

__all__ = ["observe_table_ages", "observe_upkeep"]

MOST_TABLES = 200
MOST_HOLDERS = 50

TABLE_AGES = """
SELECT n.nspname::text AS schema, coalesce(o.relname, c.relname)::text AS name, c.relkind = 't' AS toast,
    c.relpersistence = 't' AS temporary, age(c.relfrozenxid)::bigint AS transactions,
    mxid_age(c.relminmxid)::bigint AS multixacts, coalesce(c.reloptions, o.reloptions, '{}') AS options
FROM pg_class c LEFT JOIN pg_class o ON c.relkind = 't' AND o.reltoastrelid = c.oid
    JOIN pg_namespace n ON n.oid = coalesce(o.relnamespace, c.relnamespace)
WHERE c.relkind IN ('r', 'm', 't') AND c.relfrozenxid <> '0'
ORDER BY greatest(age(c.relfrozenxid)::float8 / %(transactions)s, mxid_age(c.relminmxid)::float8 / %(multixacts)s) DESC
LIMIT %(most)s"""

# Statistics that the user may not see cannot be told from none: then it counts whether rows were ever counted.
NEGLECTED = """
WITH RECURSIVE tree AS (
    SELECT p.oid AS root, i.inhrelid AS below FROM pg_class p JOIN pg_inherits i ON i.inhparent = p.oid
    WHERE p.relkind = 'p' AND NOT p.relispartition
    UNION
    SELECT root, i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = below
), leaves AS (
    SELECT root, sum(greatest(c.reltuples, 0))::float8 AS leaf_rows
    FROM tree JOIN pg_class c ON c.oid = below AND c.relkind = 'r' GROUP BY root
), locked AS MATERIALIZED {locked}, found AS (
    SELECT c.oid, c.relname, c.relnamespace, c.relkind, c.reltuples, c.reloptions, leaf_rows,
        (SELECT option_value FROM pg_options_to_table(c.reloptions) WHERE option_name = 'autovacuum_enabled')
            IN ('false', 'off', 'no', '0') AS disabled,
        pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid)
            AS written,
        coalesce(pg_stat_get_last_analyze_time(c.oid), pg_stat_get_last_autoanalyze_time(c.oid)) IS NULL AS forgotten
    FROM pg_class c LEFT JOIN leaves ON root = c.oid
    WHERE (c.relkind IN ('r', 'm') OR root IS NOT NULL) AND c.relpersistence <> 't'
        AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
), seen AS (
    SELECT *, NOT forgotten OR CASE WHEN has_table_privilege(oid, 'SELECT') THEN EXISTS (
            SELECT FROM pg_stats s WHERE s.schemaname = n.nspname AND s.tablename = relname
                AND s.inherited = (relkind = 'p'))
        ELSE reltuples > 0 END AS analyzed
    FROM found JOIN (SELECT oid AS namespace, nspname FROM pg_namespace) n ON namespace = relnamespace
)
SELECT nspname::text AS schema, relname::text AS name, relkind = 'p' AS partitioned, reltuples::float8 AS rows,
    coalesce(leaf_rows, 0)::float8 AS leaf_rows, analyzed, coalesce(disabled, false) AS disabled,
    pg_stat_get_mod_since_analyze(oid) AS modified, written,
    CASE WHEN relkind = 'p' OR oid IN (SELECT relation FROM locked) THEN 0 ELSE pg_relation_size(oid) END AS bytes,
    coalesce(reloptions, '{{}}') AS options
FROM seen WHERE relkind = 'p' OR disabled OR NOT analyzed
ORDER BY greatest(leaf_rows, written) DESC LIMIT 500"""


def observe_table_ages(client: PostgresqlClient, _context: Context) -> Ages:
    """Read the tables with the oldest ids, TOAST included, every database's age, and all that holds them."""
    server = client.server
    values = {
        "transactions": server.setting("autovacuum_freeze_max_age"),
        "multixacts": server.setting("autovacuum_multixact_freeze_max_age"),
        "most": MOST_TABLES,
    }
    tables = client.rows("read the age of the tables' transaction ids", TABLE_AGES, TableAge, values)
    return Ages(server, tuple(tables), observe_ages(client), observe_holders(client, MOST_HOLDERS))


def observe_upkeep(client: PostgresqlClient, _context: Context) -> Upkeep:
    """Read the most changed tables, TOAST included, and the tables that autovacuum leaves out."""
    neglected = client.rows("read the neglected tables", NEGLECTED, Neglected, parts={"locked": LOCKED})
    return Upkeep(observe_changes(client, toast=True), tuple(neglected))
