# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads which tables somebody has locked for himself alone: those that :data:`observe_shapes.LOCKED` leaves out."""

from __future__ import annotations

from .client import PostgresqlClient
from .locked import LockedTable

__all__ = ["observe_locked"]

TABLES = """
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name, min(l.pid) AS pid, c.relpages AS pages,
    ARRAY(SELECT indexrelid::bigint FROM pg_index WHERE indrelid = c.oid) AS indexes
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_backend_pid()
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
GROUP BY c.oid, n.nspname, c.relname, c.relpages ORDER BY c.relpages DESC, 2, 3"""


def observe_locked(client: PostgresqlClient, least_pages: int = 0) -> tuple[LockedTable, ...]:
    """Read them, the largest first.

    :param least_pages: leave out those that were smaller when they were counted; one that never was may be of any size.
    """
    locked = client.rows("read which tables are locked", TABLES, LockedTable)
    return tuple(table for table in locked if table.pages >= least_pages or not table.pages)
