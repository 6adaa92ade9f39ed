# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads how old the oldest transaction ids are, and what holds them."""

from __future__ import annotations

from .client import PostgresqlClient
from .horizon import DatabaseAge, Holder

__all__ = ["observe_ages", "observe_holders"]

AGES = """
SELECT datname::text AS database, age(datfrozenxid)::bigint AS transactions, mxid_age(datminmxid)::bigint AS multixacts
FROM pg_database"""

# A session that has written holds its own id, with a snapshot or without. One that vacuums holds nothing back.
HOLDERS = """
SELECT CASE backend_type WHEN 'walsender' THEN 'standby' ELSE 'session' END AS kind,
    format('pid %%s (%%s)', pid, concat_ws(', ', usename, nullif(application_name, ''))) AS name,
    datname::text AS database, greatest(age(backend_xmin), age(backend_xid))::bigint AS age,
    extract(epoch FROM xact_start)::float8 AS since, pid
FROM pg_stat_activity
WHERE coalesce(backend_xmin, backend_xid) IS NOT NULL AND pid <> pg_backend_pid()
    AND pid NOT IN (SELECT pid FROM pg_stat_progress_vacuum)
UNION ALL
SELECT 'prepared transaction', gid, database::text, age(transaction)::bigint, extract(epoch FROM prepared)::float8, NULL
FROM pg_prepared_xacts
UNION ALL
SELECT kind, slot_name::text, database::text, age::bigint, {inactive_since}, active_pid
FROM pg_replication_slots, LATERAL (VALUES ('replication slot', age(xmin)), ('logical slot', age(catalog_xmin)))
    AS held (kind, age)
WHERE age IS NOT NULL"""

ALL = """
SELECT kind, name, database, age, extract(epoch FROM clock_timestamp())::float8 - since AS seconds, pid
FROM ({holders}) AS holder ORDER BY age DESC LIMIT %(most)s"""

# What decides how far vacuum may go in one database. Sessions elsewhere do not count, nor does catalog_xmin, which is
# about the catalogue. Source: ComputeXidHorizons() in src/backend/storage/ipc/procarray.c.
# Of standbys and slots nobody records since when they hold what they hold: if that is newer than the last checkpoint,
# then not since before it.
HERE = """
WITH newest AS MATERIALIZED (
    SELECT age(split_part(next_xid, ':', 2)::xid) AS age, extract(epoch FROM checkpoint_time)::float8 + 1 AS since
    FROM pg_control_checkpoint()
)
SELECT kind, name, database, age, extract(epoch FROM clock_timestamp())::float8 - since AS seconds, pid,
    coalesce(since, (SELECT since FROM newest WHERE holder.age <= newest.age)) AS since
FROM ({holders}) AS holder
WHERE kind IN ('standby', 'replication slot')
    OR kind IN ('session', 'prepared transaction') AND database = current_database()
ORDER BY age DESC LIMIT %(most)s"""


def observe_ages(client: PostgresqlClient) -> tuple[DatabaseAge, ...]:
    """Read the age of every database's oldest ids."""
    return tuple(client.rows("read the age of the transaction ids", AGES, DatabaseAge))


def observe_holders(client: PostgresqlClient, most: int, here: bool = False) -> tuple[Holder, ...]:
    """Read what holds row versions, the furthest back first, and no more than ``most``.

    :param here: what holds those of this database's tables only, with the moment that it may do so since; otherwise
        of any database, and of the system catalogs.
    """
    inactive = "extract(epoch FROM inactive_since)::float8" if client.server.major >= 17 else "NULL::float8"
    parts = {"holders": HOLDERS.format(inactive_since=inactive)}
    tried = "read what holds old row versions"
    return tuple(client.rows(tried, HERE if here else ALL, Holder, {"most": most}, parts))
