# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads how the server answers and what it is: latency, version, restart, cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.errors import AccessDenied
from .._core.runner import Context
from .client import RedisClient
from .errors import Loading, ReplicaStale
from .info import product
from .observations import Cluster, Ping, Server

__all__ = ["identify", "observe_cluster", "observe_ping", "observe_server"]

PINGS = 5
"""An odd number, whose median is the one in the middle: a delay on the way is no latency of the server."""


def observe_ping(client: RedisClient, context: Context) -> Ping:
    """Measure round trips."""
    milliseconds = []
    try:
        for _attempt in range(PINGS):
            started = context.clock.monotonic()
            client.ask("ping the server", lambda redis: redis.ping())
            milliseconds.append((context.clock.monotonic() - started) * 1000)
    except (Loading, ReplicaStale) as refusal:
        return Ping(None, refusal)
    return Ping(sorted(milliseconds)[PINGS // 2])


def observe_server(client: RedisClient, _context: Context) -> Server:
    """Read version and start."""
    info = client.info()
    name, version = product(info)
    return Server(name, version, info.text("run_id"), info.number("uptime_in_seconds"))


def observe_cluster(client: RedisClient, _context: Context) -> Cluster | None:
    """Ask the node for its cluster; None where there is none."""
    if not client.info().flag("cluster_enabled"):
        return None
    answer = _fields(client.ask("read the cluster's state", lambda redis: redis.execute_command("CLUSTER INFO")))
    return Cluster(
        str(answer.get("cluster_state", "unknown")),
        int(answer.get("cluster_slots_assigned", 0)),
        int(answer.get("cluster_slots_fail", 0)),
    )


def identify(client: RedisClient) -> dict[str, Any]:
    """Return version, mode and role for the envelope.

    A user without the right to INFO still learns the version: HELLO tells it to everybody who is logged in.
    """
    try:
        info = client.info()
    except AccessDenied:
        hello = _pairs(client.ask("ask for the version (HELLO)", lambda redis: redis.execute_command("HELLO")))
        return {"version": hello.get("version"), "mode": hello.get("mode"), "role": hello.get("role")}
    name, version = product(info)
    return {
        "product": name,
        "version": version,
        "mode": info.text("redis_mode") or "standalone",
        "role": info.text("role"),
    }


def _fields(answer: Any) -> Mapping[str, Any]:
    """CLUSTER INFO as a dict, whether the driver took it apart or not."""
    if isinstance(answer, Mapping):
        return answer
    lines = (line.partition(":") for line in str(answer).splitlines() if ":" in line)
    return {name: value for name, _colon, value in lines}


def _pairs(answer: Any) -> Mapping[str, Any]:
    """HELLO's answer as a dict, which it is under RESP3 and a flat list under RESP2."""
    return answer if isinstance(answer, Mapping) else dict(zip(answer[::2], answer[1::2], strict=False))
