# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the server itself, its connections and its sessions."""

from __future__ import annotations

from typing import NamedTuple

from ..._core.runner import Context
from ..client import PostgresqlClient
from .observation import Availability, Connections, Group, Limit, Prepared, Session, Sessions, Waiter

__all__ = ["observe_availability", "observe_connections", "observe_sessions"]

GROUPS = """
SELECT datname::text AS database, usename::text AS "user", state, backend_type AS kind, count(*) AS sessions
FROM pg_stat_activity GROUP BY 1, 2, 3, 4"""

LIMITS = """
SELECT 'role' AS kind, rolname::text AS name, rolconnlimit AS connections
FROM pg_roles WHERE rolconnlimit > 0 AND rolcanlogin AND NOT rolsuper
UNION ALL
SELECT 'database', datname::text, datconnlimit FROM pg_database WHERE datconnlimit > 0"""

SESSIONS = """
SELECT pid, datname::text AS database, usename::text AS "user", application_name AS application, state,
    coalesce(wait_event_type = 'Lock', false) AS waits,
    extract(epoch FROM clock_timestamp() - xact_start)::float8 AS transaction_seconds,
    coalesce(extract(epoch FROM clock_timestamp() - state_change), 0)::float8 AS state_seconds
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
ORDER BY waits DESC, xact_start LIMIT 500"""

WAITERS = """
SELECT pid, extract(epoch FROM clock_timestamp() - min({since}))::float8 AS seconds, pg_blocking_pids(pid) AS blockers
FROM pg_locks WHERE NOT granted AND pid = ANY(%(pids)s) GROUP BY pid"""

MOST_WAITERS = 20
"""For so many is it asked who blocks them: each question holds up the server's lock table for a moment."""

PREPARED = """
SELECT gid, database::text AS database, extract(epoch FROM clock_timestamp() - prepared)::float8 AS seconds
FROM pg_prepared_xacts ORDER BY prepared LIMIT 100"""


class _One(NamedTuple):
    one: int


def observe_availability(client: PostgresqlClient, context: Context) -> Availability:
    """Ask for an answer and measure how long it takes."""
    started = context.clock.monotonic()
    client.row("measure the latency", "SELECT 1 AS one", _One)
    latency = (context.clock.monotonic() - started) * 1000
    return Availability(client.server, latency, context.params.get("expected_role") or "any")


def observe_connections(client: PostgresqlClient, _context: Context) -> Connections:
    """Read how many sessions there are, in groups, and which limits they have."""
    groups = client.rows("count the connections", GROUPS, Group)
    limits = client.rows("read the connection limits", LIMITS, Limit)
    return Connections(client.server, tuple(groups), tuple(limits))


def observe_sessions(client: PostgresqlClient, _context: Context) -> Sessions:
    """Read open transactions, who waits for whom, and prepared transactions."""
    sessions = client.rows("read the sessions", SESSIONS, Session)
    waiting = [session.pid for session in sessions if session.waits][:MOST_WAITERS]
    waiters: list[Waiter] = []
    if waiting:
        since = {"since": "waitstart" if client.server.major >= 14 else "NULL::timestamptz"}
        waiters = client.rows("read who waits for whom", WAITERS, Waiter, {"pids": waiting}, since)
    prepared = client.rows("read the prepared transactions", PREPARED, Prepared)
    return Sessions(client.server, tuple(sessions), tuple(waiters), tuple(prepared))
