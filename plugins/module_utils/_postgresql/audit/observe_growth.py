# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the sizes of the largest tables."""

from __future__ import annotations

from ..._core.runner import Context
from ..client import PostgresqlClient
from ..observe_locked import observe_locked
from ..observe_shapes import LOCKED
from .observation import Sizes, TableSize
from .observe_bloat import LEAST_PAGES

__all__ = ["observe_growth"]

MOST_TABLES = 200

# Before a size is asked for, tables are left out that are locked, or that have a locked index.
SIZES = """
WITH locked AS MATERIALIZED {locked}, chosen AS MATERIALIZED (
    SELECT c.oid, c.relname, c.relnamespace, c.reltoastrelid FROM pg_class c
    WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
        AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
        AND NOT EXISTS (SELECT FROM locked WHERE relation IN (c.oid, c.reltoastrelid)
            OR relation IN (SELECT indexrelid FROM pg_index WHERE indrelid IN (c.oid, c.reltoastrelid)))
), sizes AS (
    SELECT *, pg_table_size(oid) AS whole, CASE WHEN reltoastrelid > 0 THEN pg_total_relation_size(reltoastrelid)
        ELSE 0 END AS toast, pg_indexes_size(oid) AS indexes FROM chosen
)
SELECT n.nspname::text AS schema, relname::text AS name, whole + indexes AS bytes, whole - toast AS table_bytes,
    toast AS toast_bytes, indexes AS index_bytes, sum(whole + indexes) OVER ()::bigint AS all_bytes
FROM sizes JOIN pg_namespace n ON n.oid = relnamespace
ORDER BY bytes DESC LIMIT %(most)s"""


def observe_growth(client: PostgresqlClient, _context: Context) -> Sizes:
    """Read the largest tables with all that belongs to them; the server adds up its files, it reads none of them."""
    values = {"most": MOST_TABLES}
    rows = client.rows("read the tables' sizes", SIZES, TableSize, values, {"locked": LOCKED})
    return Sizes(client.server, tuple(rows), observe_locked(client, LEAST_PAGES))
