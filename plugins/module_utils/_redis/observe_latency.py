# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the slow log and the latency monitor."""

from __future__ import annotations

import re
from typing import Any

from .._core.errors import AccessDenied
from .._core.runner import Context
from .client import RedisClient
from .observations import LatencyEvent, SlowCommand, SlowLog

__all__ = ["command_name", "observe_latency", "observe_slow_log"]

ENTRIES = 128
"""As many as the server keeps by default (slowlog-max-len)."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,31}")


def observe_slow_log(client: RedisClient, _context: Context) -> SlowLog:
    """Read the newest entries."""
    entries = client.ask("read the slow log", lambda redis: redis.slowlog_get(ENTRIES))
    return SlowLog(_run_id(client), tuple(_slow_command(entry) for entry in entries))


def observe_latency(client: RedisClient, _context: Context) -> list[LatencyEvent]:
    """Read the last spike of each kind; none where the monitor is off."""
    rows = client.ask("read the latency monitor", lambda redis: redis.execute_command("LATENCY LATEST"))
    return [LatencyEvent(_text(row[0]), float(row[1]), float(row[2])) for row in rows]


def command_name(command: Any) -> str:
    """Return the first word of a command if it looks like a command's name, for all else is the application's data."""
    words = _text(command).split(" ", 1)
    return words[0].upper() if _NAME.fullmatch(words[0]) else "UNKNOWN"


def _slow_command(entry: dict[str, Any]) -> SlowCommand:
    return SlowCommand(
        int(entry["id"]), float(entry["start_time"]), entry["duration"] / 1000, command_name(entry["command"])
    )


def _run_id(client: RedisClient) -> str | None:
    """Return the start of the server, None for a user who may read the slow log and not INFO."""
    try:
        return client.info().text("run_id")
    except AccessDenied:
        return None


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
