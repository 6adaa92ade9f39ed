# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads all indexes of a database, what stands on them, and how they are used: a constant number of queries."""

from __future__ import annotations

from typing import NamedTuple

from ..._core.errors import StoreError
from ..client import PostgresqlClient
from ..errors import LOCK_CODES
from ..observe_shapes import LOCKED
from .observation import Build, ForeignKey, Index, Node, TableUse

__all__ = ["read_builds", "read_foreign_keys", "read_indexes", "read_node", "read_table_use"]

ATTEMPTS = 3

# The functions behind pg_stat_all_indexes: the view adds up joins that are made here anyway. indclass and indoption
# count from 0 and hold the keys only. A name of the form pg_temp_N is a session's own schema.
INDEXES = """
WITH locked AS MATERIALIZED {locked}
SELECT i.indexrelid::bigint AS oid, i.indrelid::bigint AS table_oid, n.nspname::text AS schema,
    t.relname::text AS table, c.relname::text AS name,
    CASE WHEN s.system OR s.locked THEN '' ELSE pg_get_indexdef(i.indexrelid) END AS definition,
    CASE WHEN s.locked THEN c.relpages::bigint * current_setting('block_size')::int
        ELSE pg_relation_size(i.indexrelid) END AS bytes, coalesce(pg_stat_get_numscans(i.indexrelid), 0) AS scans,
    {last_scan} AS last_scan, i.indisvalid AND i.indisready AND i.indislive AS valid, i.indisunique AS unique,
    i.indimmediate AS immediate,
    i.indisprimary AS primary, i.indisexclusion AS exclusion, i.indisreplident AS replica_identity,
    i.indisclustered AS clustered, k.conname::text AS constraint, h.inhparent::bigint AS parent,
    c.relkind = 'I' AS partitioned, s.system, e.objid IS NOT NULL AS extension, c.relpersistence = 't' AS temporary,
    m.amname::text AS method, v.keys[:i.indnkeyatts] AS keys, v.keys[i.indnkeyatts + 1:] AS include,
    array(SELECT unnest(i.indclass::oid[]))::bigint[] AS opclasses,
    array(SELECT unnest(i.indcollation::oid[]))::bigint[] AS collations,
    array(SELECT unnest(i.indoption::int2[]))::int[] AS options,
    CASE WHEN i.indexprs IS NULL OR s.locked THEN '{{}}' ELSE array(SELECT pg_get_indexdef(i.indexrelid, number, false)
        FROM generate_series(1, i.indnkeyatts) AS number) END::text[] AS texts,
    CASE WHEN NOT s.locked THEN pg_get_expr(i.indpred, i.indrelid) END AS predicate,
    {nulls_not_distinct} AS nulls_not_distinct, pg_has_role(t.relowner, 'USAGE') AS owned,
    s.locked
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_am m ON m.oid = c.relam
CROSS JOIN LATERAL (SELECT array(SELECT unnest(i.indkey::int2[]))::int[] AS keys) v
CROSS JOIN LATERAL (SELECT n.nspname IN ('pg_catalog', 'information_schema', 'pg_toast')
    OR n.nspname ~ '^pg_(toast_)?temp_' AS system,
    i.indexrelid IN (SELECT relation FROM locked) OR i.indrelid IN (SELECT relation FROM locked) AS locked) s
LEFT JOIN (SELECT conindid, (array_agg(conname ORDER BY contype = 'f', conname))[1] AS conname FROM pg_constraint
    WHERE conindid <> 0 AND contype IN ('p', 'u', 'x', 'f') GROUP BY 1) k ON k.conindid = i.indexrelid
LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid
LEFT JOIN (SELECT DISTINCT objid FROM pg_depend
    WHERE classid = 'pg_class'::regclass AND deptype = 'e') e ON e.objid IN (i.indexrelid, i.indrelid)
WHERE %(table)s::oid IS NULL OR i.indrelid = %(table)s::oid
ORDER BY 1"""

# A foreign key of a partitioned table stands there once more for each partition, which has indexes of its own. One to
# a partitioned table stands there once more for each partition of that: the same table refers, so the first is enough.
FOREIGN_KEYS = """
SELECT k.oid::bigint AS oid, k.conparentid::bigint AS parent, t.relkind = 'p' AS partitioned,
    k.conname::text AS name, k.conrelid::bigint AS table_oid, n.nspname::text AS schema, t.relname::text AS table,
    k.confrelid::regclass::text AS target, k.conkey::int[] AS keys,
    array(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(number, position)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.position) AS columns,
    greatest(t.reltuples, pg_stat_get_live_tuples(t.oid), 0)::float8 AS rows,
    coalesce(pg_stat_get_tuples_deleted(k.confrelid) + pg_stat_get_tuples_updated(k.confrelid), 0) AS target_changes
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE k.contype = 'f' AND t.relkind IN ('r', 'p')
    AND NOT (k.conparentid <> 0 AND EXISTS (SELECT FROM pg_constraint p
        WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid))
ORDER BY k.oid"""

TABLE_USE = """
WITH locked AS MATERIALIZED {locked}
SELECT s.relid::bigint AS oid, s.schemaname::text AS schema, s.relname::text AS table, s.n_live_tup AS rows,
    pg_relation_size(s.relid) AS bytes, s.seq_scan AS sequential_scans, s.seq_tup_read AS sequential_rows,
    coalesce(s.idx_scan, 0) AS index_scans
FROM pg_stat_user_tables s
WHERE s.n_live_tup >= %(rows)s AND s.seq_scan > 0 AND s.schemaname !~ '^pg_'
    AND s.relid NOT IN (SELECT relation FROM locked)
ORDER BY s.seq_tup_read DESC LIMIT 500"""

BUILDS = """
SELECT nullif(index_relid, 0)::bigint AS oid, pid, relid IS NULL AS hidden FROM pg_stat_progress_create_index
WHERE datname = current_database()"""

# A crash throws all statistics away and marks those of the whole cluster as reset at that moment; a reset by hand does
# so for one kind. The oldest of them is therefore no earlier than the last crash. pg_receivewal stores WAL and serves
# no query. A slot without a walsender belongs to a standby that is away.
NODE = """
SELECT pg_postmaster_start_time()::text || ' ' || coalesce(inet_server_addr()::text, '') || ' '
        || current_setting('port') AS identity,
    (SELECT system_identifier::text FROM pg_control_system()) AS system,
    (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline,
    pg_is_in_recovery() AS in_recovery, extract(epoch FROM clock_timestamp())::float8 AS now,
    (SELECT extract(epoch FROM stats_reset)::float8 FROM pg_stat_database
        WHERE datname = current_database()) AS reset,
    extract(epoch FROM least((SELECT stats_reset FROM pg_stat_archiver), (SELECT stats_reset FROM pg_stat_bgwriter),
        (SELECT min(stats_reset) FROM pg_stat_slru)))::float8 AS kept_since,
    current_setting('track_counts')::boolean AS counts,
    (SELECT count(*) FROM pg_stat_replication r LEFT JOIN pg_replication_slots s ON s.active_pid = r.pid
        WHERE coalesce(s.slot_type, 'physical') = 'physical'
        AND coalesce(r.application_name, '') NOT IN ('pg_receivewal', 'pg_basebackup'))
    + (SELECT count(*) FROM pg_replication_slots
        WHERE slot_type = 'physical' AND NOT active AND NOT temporary AND restart_lsn IS NOT NULL) AS receivers"""


class _Node(NamedTuple):
    identity: str
    system: str
    timeline: int
    in_recovery: bool
    now: float
    reset: float | None
    kept_since: float | None
    counts: bool
    receivers: int


def read_indexes(client: PostgresqlClient, table_oid: int | None = None) -> tuple[Index, ...]:
    """Read all indexes of the database that is connected to, or those of one table.

    Size, definition and condition of an index cannot be had without a lock on its table. Where somebody has that for
    himself alone they are left out; who takes it in the midst of our look makes us look again.
    """
    number = client.server.number
    last = "extract(epoch FROM pg_stat_get_lastscan(i.indexrelid))::float8" if number >= 160000 else "NULL::float8"
    distinct = "i.indnullsnotdistinct" if number >= 150000 else "false"
    parts = {"last_scan": last, "nulls_not_distinct": distinct, "locked": LOCKED}
    for _attempt in range(ATTEMPTS - 1):
        try:
            return tuple(client.rows("read the indexes", INDEXES, Index, {"table": table_oid}, parts))
        except StoreError as error:
            if error.code not in LOCK_CODES:
                raise
    return tuple(client.rows("read the indexes", INDEXES, Index, {"table": table_oid}, parts))


def read_foreign_keys(client: PostgresqlClient) -> tuple[ForeignKey, ...]:
    """Read all foreign keys of the database."""
    return tuple(client.rows("read the foreign keys", FOREIGN_KEYS, ForeignKey))


def read_table_use(client: PostgresqlClient, fewest_rows: float) -> tuple[TableUse, ...]:
    """Read how the tables of so many rows or more are read, those first of which most rows were read one by one.

    Those that somebody has locked for himself alone are left out: to ask for their size would be to wait.
    """
    values = {"rows": fewest_rows}
    return tuple(client.rows("read how tables are used", TABLE_USE, TableUse, values, {"locked": LOCKED}))


def read_builds(client: PostgresqlClient) -> tuple[Build, ...]:
    """Read the index builds under way in the database."""
    return tuple(client.rows("read the index builds", BUILDS, Build))


def read_node(client: PostgresqlClient, name: str) -> Node:
    """Read which server it is and since when it counts.

    :param name: its address, for people.
    """
    found = client.row("read since when statistics are kept", NODE, _Node)
    return Node(name, **{**found._asdict(), "kept_since": found.kept_since or found.now})
