# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads connections, saving and replication."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core.errors import AccessDenied
from ..._core.runner import Context
from ..client import RedisClient
from ..info import Info
from ..observations import Clients, Persistence, Replica, Replication

__all__ = ["observe_clients", "observe_persistence", "observe_replication"]


def observe_clients(client: RedisClient, _context: Context) -> Clients:
    """Read connections."""
    info = client.info()
    maximum = info.integer("maxclients")
    if maximum is None:  # before Redis 6.2 only the configuration says it
        maximum = _as_integer(_setting(client, "maxclients"))
    counters = {"run_id": info.text("run_id"), "rejected": info.number("rejected_connections")}
    return Clients(info.integer("connected_clients"), maximum, info.integer("blocked_clients"), counters)


def observe_persistence(client: RedisClient, context: Context) -> Persistence:
    """Read what is saved to disk."""
    info = client.info()
    save, saved_at = _setting(client, "save"), info.number("rdb_last_save_time")
    microseconds = info.number("server_time_usec")
    now = context.clock.now().timestamp() if microseconds is None else microseconds / 1e6
    return Persistence(
        loading=info.flag("loading"),
        loading_eta=info.number("loading_eta_seconds"),
        snapshots=None if save is None else bool(save.strip()),
        changes=info.integer("rdb_changes_since_last_save"),
        save_age=None if saved_at is None else max(0.0, now - saved_at),
        save_status=info.text("rdb_last_bgsave_status"),
        aof=info.flag("aof_enabled"),
        aof_write_status=info.text("aof_last_write_status"),
        aof_rewrite_status=info.text("aof_last_bgrewrite_status"),
    )


def observe_replication(client: RedisClient, _context: Context) -> Replication:
    """Read the server's place among its copies."""
    info = client.info()
    if info.text("role") == "slave":
        return Replication(
            role="slave",
            master=f"{info.text('master_host')}:{info.text('master_port')}",
            link=info.text("master_link_status"),
            down_seconds=info.number("master_link_down_since_seconds"),
            silent_seconds=info.number("master_last_io_seconds_ago"),
            syncing=info.flag("master_sync_in_progress"),
            read_only=info.flag("slave_read_only"),
            replicas=_replicas(info, "slave_repl_offset"),
        )
    return Replication(role=info.text("role"), replicas=_replicas(info, "master_repl_offset"))


def _replicas(info: Info, offset_field: str) -> tuple[Replica, ...]:
    offset = info.number(offset_field)
    return tuple(_replica(record, offset) for _name, record in sorted(info.records("slave").items()))


def _replica(record: Mapping[str, Any], offset: float | None) -> Replica:
    fields = Info(record)
    acknowledged, lag = fields.number("offset"), fields.number("lag")
    known = acknowledged is not None and offset is not None
    return Replica(
        address=f"{record.get('ip')}:{record.get('port')}",
        state=str(record.get("state", "unknown")),
        lag_seconds=None if lag is None or lag < 0 else lag,  # -1: it has not acknowledged anything yet
        lag_bytes=max(0.0, (offset or 0) - (acknowledged or 0)) if known else None,
    )


def _setting(client: RedisClient, name: str) -> str | None:
    """Return a setting of the server, None where it may not be read, as on managed services."""
    try:
        answer = client.ask(f"read the setting {name}", lambda redis: redis.config_get(name))
    except AccessDenied:
        return None
    return str(answer[name]) if name in answer else None


def _as_integer(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None
