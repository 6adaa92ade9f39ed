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
    format('pid %%s (%%s, %%s)', pid, usename, application_name) AS name, datname::text AS database,
    greatest(age(backend_xmin), age(backend_xid))::bigint AS age,
    extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds, pid
FROM pg_stat_activity
WHERE coalesce(backend_xmin, backend_xid) IS NOT NULL AND pid <> pg_backend_pid()
    AND pid NOT IN (SELECT pid FROM pg_stat_progress_vacuum)
UNION ALL
SELECT 'prepared transaction', gid, database::text, age(transaction)::bigint,
    extract(epoch FROM clock_timestamp() - prepared)::float8, NULL
FROM pg_prepared_xacts
UNION ALL
SELECT kind, slot_name::text, database::text, age::bigint, {inactive_seconds}, active_pid
FROM pg_replication_slots, LATERAL (VALUES ('replication slot', age(xmin)), ('logical slot', age(catalog_xmin)))
    AS held (kind, age)
WHERE age IS NOT NULL
ORDER BY age DESC LIMIT %(most)s"""


def observe_ages(client: PostgresqlClient) -> tuple[DatabaseAge, ...]:
    """Read the age of every database's oldest ids."""
    return tuple(client.rows("read the age of the transaction ids", AGES, DatabaseAge))


def observe_holders(client: PostgresqlClient, most: int) -> tuple[Holder, ...]:
    """Read what holds row versions in any database, the furthest back first, and no more than ``most``."""
    inactive = "extract(epoch FROM clock_timestamp() - inactive_since)::float8"
    parts = {"inactive_seconds": inactive if client.server.major >= 17 else "NULL::float8"}
    return tuple(client.rows("read what holds old row versions", HOLDERS, Holder, {"most": most}, parts))
