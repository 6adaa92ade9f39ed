# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who the server is, how fast it answers, and its statistics: read once, used by many checks."""

from __future__ import annotations

from typing import Any

from ..._core.runner import Context
from ..client import Client
from .observation import Oplog, Server, Status
from .reading import read_hello, read_status

__all__ = ["MONITOR", "identify", "observe_latency", "observe_oplog", "observe_server", "observe_status"]

MONITOR = "clusterMonitor"
"""The role with which every check can be made."""


def identify(client: Client) -> dict[str, Any]:
    """Return what the result says of the server; keep the rest for the checks."""
    server = observe_server(client)
    told: dict[str, Any] = {"version": server.version, "role": _role(server)}
    if server.host:
        told["member"] = server.host
    if server.replica_set:
        told["replica_set"] = server.replica_set
    return told


def _role(server: Server) -> str:
    if server.router:
        return "router"
    if not server.replica_set:
        return "unconfigured" if server.expects_replica_set else "standalone"
    return "primary" if server.primary else "member"


def observe_server(client: Client, _context: Context | None = None) -> Server:
    """Read hello and buildInfo, once."""
    if "server" not in client.notes:
        build = client.command("read the server's version", {"buildInfo": 1})
        hello = client.command("read the server's part in the replica set", {"hello": 1})
        client.notes["server"] = read_hello(hello, str(build.get("version", "")))
    server: Server = client.notes["server"]
    return server


def observe_latency(client: Client, context: Context) -> float:
    """Return how many seconds a ping takes on the open connection."""
    started = context.clock.monotonic()
    client.command("ping the server", {"ping": 1})
    return context.clock.monotonic() - started


def observe_status(client: Client, _context: Context | None = None) -> Status | None:
    """Read serverStatus, once.

    :return: None if an earlier check failed on it already: it has said so, for all that need it.
    """
    if "status" not in client.notes:
        client.notes["status"] = None
        tried = "read the server's statistics"
        answer = client.command(tried, {"serverStatus": 1, "oplog": 1}, needs=MONITOR)
        client.notes["status"] = read_status(answer, observe_server(client))
    status: Status | None = client.notes["status"]
    return status


def observe_oplog(client: Client, _context: Context) -> Oplog | None:
    """Read how far back the oplog reaches, and how full it is; None where there is none."""
    status = observe_status(client)
    if status is None or status.oplog_seconds is None:
        return None
    stages = [{"$collStats": {"storageStats": {}}}, {"$project": {"storageStats.size": 1, "storageStats.maxSize": 1}}]
    command = {"aggregate": "oplog.rs", "pipeline": stages, "cursor": {}}
    answer = client.command("read the size of the oplog", command, "local", needs=MONITOR)
    stats = (answer["cursor"]["firstBatch"] or [{}])[0].get("storageStats", {})
    return Oplog(status.oplog_seconds, stats.get("size"), stats.get("maxSize"))
