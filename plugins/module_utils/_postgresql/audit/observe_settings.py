# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the server's settings, and what shows whether they fit."""

from __future__ import annotations

from ..._core.runner import Context
from ..client import PostgresqlClient
from ..observe_checkpoints import observe_checkpoints
from .decide_settings import NAMES
from .observation_settings import Facts, Setting, Settings

__all__ = ["observe_settings"]

SETTINGS = """
SELECT name, setting AS value, unit, source, pending_restart AS pending FROM pg_settings
WHERE name = ANY (%(names)s) OR name LIKE 'enable\\_%%' OR pending_restart"""

FACTS = """
SELECT (SELECT count(*) FROM pg_roles WHERE rolsuper AND rolcanlogin) AS superusers,
    pg_database_size(current_database()) AS database_bytes,
    (SELECT coalesce(max(relpages), 0)::bigint * current_setting('block_size')::int FROM pg_class
        WHERE relkind IN ('r', 'm', 't')) AS largest_bytes,
    (SELECT coalesce(sum(deadlocks), 0)::bigint FROM pg_stat_database) AS deadlocks,
    (SELECT max(extract(epoch FROM clock_timestamp() - state_change)) FROM pg_stat_activity
        WHERE state LIKE 'idle in transaction%')::float8 AS idle_seconds"""


def observe_settings(client: PostgresqlClient, context: Context) -> Settings:
    """Read the settings that rules ask for, those that wait for a restart, and what they have to fit."""
    rows = client.rows("read the settings", SETTINGS, Setting, {"names": sorted(NAMES)})
    facts = client.row("read what the settings have to fit", FACTS, Facts)
    checkpoints = observe_checkpoints(client)
    accepted = frozenset(name.strip() for name in context.params["accepted_settings"])
    settings = {row.name: row for row in rows}
    return Settings(client.server, settings, facts, checkpoints.timed, checkpoints.requested, accepted)
