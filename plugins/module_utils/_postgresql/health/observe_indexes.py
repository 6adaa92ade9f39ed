# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads invalid indexes of the database that is connected to."""

from __future__ import annotations

from typing import NamedTuple

from ..._core.runner import Context
from ..client import PostgresqlClient
from .observation import Index, Indexes

__all__ = ["observe_indexes"]

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
