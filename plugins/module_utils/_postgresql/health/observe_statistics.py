# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the server's counters, the age of its transaction ids, the archiver and the sizes of its databases."""

from __future__ import annotations

from typing import NamedTuple

from ..._core.runner import Context
from ..client import PostgresqlClient
from ..observe_horizon import observe_ages, observe_holders
from .observation import Archiver, Archiving, Database, Size, Wraparound

__all__ = ["observe_archiving", "observe_databases", "observe_sizes", "observe_wraparound"]

DATABASES = """
SELECT coalesce(datname, '')::text AS database, blks_hit AS hit, blks_read AS read, deadlocks,
    temp_files AS temporary_files, temp_bytes AS temporary_bytes, coalesce(checksum_failures, 0) AS checksum_failures,
    extract(epoch FROM stats_reset)::float8 AS reset
FROM pg_stat_database"""

ARCHIVER = """
SELECT archived_count AS archived, failed_count AS failed,
    extract(epoch FROM last_archived_time)::float8 AS last_archived,
    extract(epoch FROM last_failed_time)::float8 AS last_failed,
    last_failed_wal AS last_failed_file, extract(epoch FROM stats_reset)::float8 AS reset,
    has_function_privilege('pg_ls_archive_statusdir()', 'EXECUTE') AS may_list
FROM pg_stat_archiver"""

WAITING = "SELECT count(*) AS files FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"

SIZES = """
SELECT datname::text AS database,
    CASE WHEN %(sees_all)s OR has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) END AS bytes
FROM pg_database WHERE NOT datistemplate ORDER BY 1"""


class _Count(NamedTuple):
    files: int


def observe_databases(client: PostgresqlClient, _context: Context) -> tuple[Database, ...]:
    """Read the counters of every database, whichever is connected to."""
    return tuple(client.rows("read the databases' statistics", DATABASES, Database))


def observe_archiving(client: PostgresqlClient, _context: Context) -> Archiving:
    """Read how the archiver fares and, where archiving is on, how many files wait for it."""
    archiver = client.row("read the archiver", ARCHIVER, Archiver)
    waiting = None
    if archiver.may_list and client.server.settings.get("archive_mode") != "off":
        waiting = client.row("count the WAL files to archive", WAITING, _Count).files
    return Archiving(client.server, archiver, waiting)


def observe_wraparound(client: PostgresqlClient, _context: Context) -> Wraparound:
    """Read the age of every database's transaction ids, and what holds them."""
    holders = observe_holders(client, 1)
    return Wraparound(client.server, observe_ages(client), holders[0] if holders else None)


def observe_sizes(client: PostgresqlClient, _context: Context) -> tuple[Size, ...]:
    """Read the size of every database; the server adds up its files, it reads none of them."""
    return tuple(client.rows("read the databases' sizes", SIZES, Size, {"sees_all": client.server.sees_all}))
