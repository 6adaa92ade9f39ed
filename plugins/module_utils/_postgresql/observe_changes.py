# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the tables that changed most since they were vacuumed or analyzed."""

from __future__ import annotations

from .autovacuum import Table, Tables
from .client import PostgresqlClient

__all__ = ["observe_changes"]

FEWEST_CHANGES = 1000
"""Tables with fewer changes are not looked at: whatever the ratio, a vacuum of theirs takes no time."""

# The functions behind pg_stat_all_tables: the view itself adds up all indexes of all tables first.
# A TOAST table without options of its own has its owner's, and is never analyzed.
TABLES = """
SELECT coalesce(w.nspname, n.nspname)::text AS schema, coalesce(o.relname || ' (TOAST)', c.relname)::text AS name,
    c.reltuples::float8 AS rows, c.relpages AS pages, {frozen_pages} AS frozen_pages,
    coalesce(c.reloptions, o.reloptions, '{{}}') AS options, dead, modified, inserted,
    extract(epoch FROM clock_timestamp() - greatest(pg_stat_get_last_vacuum_time(c.oid),
        pg_stat_get_last_autovacuum_time(c.oid)))::float8 AS vacuum_seconds,
    extract(epoch FROM clock_timestamp() - greatest(pg_stat_get_last_analyze_time(c.oid),
        pg_stat_get_last_autoanalyze_time(c.oid)))::float8 AS analyze_seconds,
    EXISTS (SELECT FROM pg_stat_progress_vacuum p WHERE p.relid = c.oid AND p.datname = current_database()) AS running
FROM (
    SELECT oid, pg_stat_get_dead_tuples(oid) AS dead, pg_stat_get_ins_since_vacuum(oid) AS inserted,
        CASE relkind WHEN 't' THEN 0 ELSE pg_stat_get_mod_since_analyze(oid) END AS modified
    FROM pg_class WHERE relkind IN ({kinds}) AND relpersistence <> 't' OFFSET 0
) s JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_class o ON c.relkind = 't' AND o.reltoastrelid = c.oid
    LEFT JOIN pg_namespace w ON w.oid = o.relnamespace
WHERE greatest(dead, modified, inserted) >= %(fewest)s
ORDER BY greatest(dead, modified, inserted) DESC LIMIT 500"""


def observe_changes(client: PostgresqlClient, toast: bool) -> Tables:
    """Read the tables with the most changes in the database that is connected to.

    :param toast: whether TOAST tables are among them.
    """
    frozen = "c.relallfrozen" if client.server.major >= 18 else "NULL::int"
    parts = {"frozen_pages": frozen, "kinds": "'r', 'm', 't'" if toast else "'r', 'm'"}
    rows = client.rows("read the tables' statistics", TABLES, Table, {"fewest": FEWEST_CHANGES}, parts)
    return Tables(client.server, tuple(rows))
