# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what statements have cost, from pg_stat_statements. Its counters are never reset: others read them too."""

from __future__ import annotations

from typing import NamedTuple

from ..._core.runner import Context
from ..client import PostgresqlClient
from .observation_statements import MOST_STATEMENTS, Recorded, Recording, Statements

__all__ = ["observe_statements"]

# A setting of a library that is not loaded is no row of pg_settings, even if the configuration has it.
RECORDING = """
SELECT e.extversion AS version, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS view,
    ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns,
    EXISTS (SELECT FROM pg_class i WHERE i.relnamespace = n.oid AND i.relname = 'pg_stat_statements_info') AS has_info,
    EXISTS (SELECT FROM pg_settings WHERE name = 'pg_stat_statements.max') AS loaded,
    current_setting('pg_stat_statements.track', true) AS tracks, current_setting('compute_query_id', true) AS computes
FROM (VALUES (%(extension)s::text)) AS wanted(extension)
    LEFT JOIN pg_extension e ON e.extname = wanted.extension LEFT JOIN pg_namespace n ON n.oid = e.extnamespace
    LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.extension"""

INFO = "SELECT extract(epoch FROM stats_reset)::float8 AS reset, dealloc AS evicted FROM {info}"

RECORDED = """
SELECT queryid AS id, userid::bigint AS user, {toplevel} AS toplevel, calls, ({milliseconds})::float8 AS milliseconds,
    shared_blks_hit AS hit, shared_blks_read AS read,
    temp_blks_written * current_setting('block_size')::bigint AS temporary,
    {since} AS since, coalesce(left(query, 10000), '(its text is lost)') AS text
FROM {view} WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY milliseconds DESC LIMIT %(most)s"""


class _Info(NamedTuple):
    reset: float | None
    evicted: int


def observe_statements(client: PostgresqlClient, _context: Context) -> Statements:
    """Read the statements of this database, and since when and how completely they are counted."""
    (recording,) = client.rows("look for pg_stat_statements", RECORDING, Recording, {"extension": "pg_stat_statements"})
    if recording.view is None or not recording.loaded:
        return Statements(client.server, recording)
    tried = "read the recorded statements"
    info = _Info(None, 0)
    if recording.has_info:
        (info,) = client.rows(
            tried, INFO, _Info, parts={"info": f"{recording.view.rpartition('.')[0]}.pg_stat_statements_info"}
        )
    rows = client.rows(tried, RECORDED, Recorded, {"most": MOST_STATEMENTS}, _parts(recording, recording.view))
    return Statements(client.server, recording, info.reset, info.evicted if recording.has_info else None, tuple(rows))


def _parts(recording: Recording, view: str) -> dict[str, str]:
    """Return what differs between the extension's versions. Source: its SQL scripts, 1.7 to 1.12."""
    columns = recording.columns
    executing = "total_exec_time" if "total_exec_time" in columns else "total_time"
    planning = " + total_plan_time" if "total_plan_time" in columns else ""
    since = "extract(epoch FROM stats_since)::float8" if "stats_since" in columns else "NULL::float8"
    return {
        "view": view.replace("%", "%%"),
        "milliseconds": executing + planning,
        "toplevel": "toplevel" if "toplevel" in columns else "true",
        "since": since,
    }
