# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads tables and indexes of the database that is connected to."""

from __future__ import annotations

from typing import NamedTuple

from ..._core.runner import Context
from ..autovacuum import Table
from ..client import PostgresqlClient
from .observation import Index, Indexes, Tables

__all__ = ["FEWEST_CHANGES", "observe_indexes", "observe_tables"]

FEWEST_CHANGES = 1000
"""Tables with fewer changes are not looked at: whatever the ratio, a vacuum of theirs takes no time."""

# The functions behind pg_stat_all_tables: the view itself adds up all indexes of all tables first.
TABLES = """
SELECT n.nspname::text AS schema, c.relname::text AS name, c.reltuples::float8 AS rows, c.relpages AS pages,
    {frozen_pages} AS frozen_pages, coalesce(c.reloptions, '{{}}') AS options, dead, modified, inserted,
    extract(epoch FROM clock_timestamp() - greatest(pg_stat_get_last_vacuum_time(c.oid),
        pg_stat_get_last_autovacuum_time(c.oid)))::float8 AS vacuum_seconds,
    extract(epoch FROM clock_timestamp() - greatest(pg_stat_get_last_analyze_time(c.oid),
        pg_stat_get_last_autoanalyze_time(c.oid)))::float8 AS analyze_seconds,
    EXISTS (SELECT FROM pg_stat_progress_vacuum p WHERE p.relid = c.oid AND p.datname = current_database()) AS running
FROM (
    SELECT oid, pg_stat_get_dead_tuples(oid) AS dead, pg_stat_get_mod_since_analyze(oid) AS modified,
        pg_stat_get_ins_since_vacuum(oid) AS inserted
    FROM pg_class WHERE relkind IN ('r', 'm') AND relpersistence <> 't' OFFSET 0
) s JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE greatest(dead, modified, inserted) >= %(fewest)s
ORDER BY greatest(dead, modified, inserted) DESC LIMIT 500"""

# Kind I is left out: the index of a partitioned table is invalid until each partition has its own.
INVALID = """
SELECT i.indexrelid AS oid, n.nspname::text AS schema, t.relname::text AS table, c.relname::text AS name
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) AND c.relkind = 'i' AND c.relpersistence <> 't'
ORDER BY 2, 4 LIMIT 200"""

BUILDS = """
SELECT index_relid AS oid, relid IS NULL AS hidden FROM pg_stat_progress_create_index
WHERE datname = current_database()"""


class _Build(NamedTuple):
    oid: int | None
    hidden: bool


def observe_tables(client: PostgresqlClient, _context: Context) -> Tables:
    """Read the tables that changed most since they were vacuumed or analyzed."""
    parts = {"frozen_pages": "c.relallfrozen" if client.server.major >= 18 else "NULL::int"}
    rows = client.rows("read the tables' statistics", TABLES, Table, {"fewest": FEWEST_CHANGES}, parts)
    return Tables(client.server, tuple(rows))


def observe_indexes(client: PostgresqlClient, _context: Context) -> Indexes:
    """Read the invalid indexes that nobody is building.

    They are read twice, with the builds under way between: an index that was being built at first is either still
    being built then, or valid the second time.
    """
    tried = "read the invalid indexes"
    first = client.rows(tried, INVALID, Index)
    if not first:
        return Indexes(client.server, (), 0)
    builds = client.rows("read the index builds", BUILDS, _Build)
    building = {build.oid for build in builds}
    known = {index.oid for index in first} - building
    invalid = [index for index in client.rows(tried, INVALID, Index) if index.oid in known]
    return Indexes(client.server, tuple(invalid), sum(build.hidden for build in builds))
