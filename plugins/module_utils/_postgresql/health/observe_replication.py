# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads replication, in both directions."""

from __future__ import annotations

from ..._core.runner import Context
from ..client import PostgresqlClient
from .observation import Receiver, Replication, Slot, Standby

__all__ = ["observe_replication"]

# What this server has of WAL: written by itself, or received, or (from an archive) replayed.
WAL_END = """
CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
    ELSE pg_current_wal_lsn() END"""

STANDBYS = """
SELECT application_name AS name, host(client_addr) AS address, state, sync_state AS synchronous,
    pg_wal_lsn_diff({wal_end}, replay_lsn)::float8 AS lag_bytes,
    extract(epoch FROM replay_lag)::float8 AS lag_seconds
FROM pg_stat_replication
WHERE state IS DISTINCT FROM 'backup' AND application_name !~ '^pg_[0-9]+_sync_' LIMIT 200"""

SLOTS = """
SELECT slot_name::text AS name, slot_type AS kind, active, temporary, wal_status AS status,
    pg_wal_lsn_diff({wal_end}, restart_lsn)::float8 AS retained_bytes,
    extract(epoch FROM clock_timestamp() - {inactive_since})::float8 AS inactive_seconds, {synced} AS synced
FROM pg_replication_slots LIMIT 200"""

RECEIVER = """
SELECT pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::float8 AS lag_bytes,
    extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 AS lag_seconds,
    pg_is_wal_replay_paused() AS paused,
    (SELECT setting <> '' FROM pg_settings WHERE name = 'primary_conninfo') AS configured,
    CASE WHEN pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
        THEN EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') END AS streaming"""


def observe_replication(client: PostgresqlClient, _context: Context) -> Replication:
    """Read who receives WAL from here, which slots keep WAL, and how far a standby itself is."""
    server = client.server
    standbys = client.rows("read the standbys", STANDBYS, Standby, parts={"wal_end": WAL_END})
    newer = server.major >= 17
    parts = {
        "wal_end": WAL_END,
        "inactive_since": "inactive_since" if newer else "NULL::timestamptz",
        "synced": "synced" if newer else "false",
    }
    slots = client.rows("read the replication slots", SLOTS, Slot, parts=parts)
    receiver = client.row("read the state of replay", RECEIVER, Receiver) if server.in_recovery else None
    return Replication(server, tuple(standbys), tuple(slots), receiver)
