# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts read out of the server's answers. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .observation import (
    Asserts,
    Cache,
    Cursors,
    DatabaseSize,
    Disk,
    Member,
    Operation,
    ReplicaSet,
    Server,
    Status,
    Storage,
    Tickets,
)

__all__ = ["read_hello", "read_members", "read_operation", "read_status", "read_storage"]

Document = Mapping[str, Any]


def read_hello(hello: Document, version: str) -> Server:
    """Read the answers to hello and buildInfo."""
    process = hello.get("topologyVersion", {}).get("processId")
    return Server(
        version=version,
        host=str(hello.get("me", "")),
        process=None if process is None else str(process),
        replica_set=hello.get("setName"),
        expects_replica_set=bool(hello.get("isreplicaset")) and not hello.get("setName"),
        primary=bool(hello.get("isWritablePrimary", hello.get("ismaster"))),
        router=hello.get("msg") == "isdbgrid",
    )


def read_status(status: Document, server: Server) -> Status:
    """Read the answer to serverStatus, of releases 4.4 to 8."""
    queue = _within(status, "globalLock", "currentQueue")
    connections = status.get("connections", {})
    tickets = _within(status, "queues", "execution") or _within(status, "wiredTiger", "concurrentTransactions")
    lagged = _within(status, "flowControl").get("isLagged")
    resident = _within(status, "mem").get("resident")
    return Status(
        host=str(status.get("host", "")),
        process=server.process or str(status.get("pid", "")),
        uptime=status["uptimeMillis"] / 1000 if "uptimeMillis" in status else float(status.get("uptime", 0)),
        connections=_whole(connections.get("current")),
        connections_available=_whole(connections.get("available")),
        queued_readers=_whole(queue.get("readers")),
        queued_writers=_whole(queue.get("writers")),
        read_tickets=_tickets(tickets.get("read")),
        write_tickets=_tickets(tickets.get("write")),
        majority_lags=None if lagged is None else bool(lagged),
        cache=_cache(_within(status, "wiredTiger", "cache")),
        asserts=_asserts(status.get("asserts")),
        page_faults=_whole(_within(status, "extra_info").get("page_faults")),
        cursors=_cursors(_within(status, "metrics", "cursor")),
        operations={
            name: int(count) for name, count in status.get("opcounters", {}).items() if isinstance(count, (int, float))
        },
        resident_bytes=None if resident is None else int(resident) * 1024**2,
        oplog_seconds=_oplog_seconds(status.get("oplog")),
    )


def read_members(status: Document, config: Document) -> ReplicaSet:
    """Read the answers to replSetGetStatus and replSetGetConfig."""
    configured = {member["host"]: member for member in config.get("members", ())}
    return ReplicaSet(
        name=status.get("set"),
        members=tuple(_member(member, configured.get(member["name"], {})) for member in status.get("members", ())),
        majority=_whole(status.get("majorityVoteCount")),
    )


def read_operation(found: Document) -> Operation:
    """Read one document of $currentOp, as observe_operations projects it."""
    micros = found.get("microsecs_running")
    return Operation(
        opid=str(found.get("opid", "")),
        kind=str(found.get("kind") or "operation"),
        namespace=str(found.get("ns", "")),
        seconds=micros / 1e6 if micros is not None else float(found.get("secs_running", 0)),
        application=str(found.get("appName", "")),
        client=str(found.get("client", "")),
        plan=str(found.get("planSummary", "")),
        waits=bool(found.get("waitingForLock")),
    )


def read_storage(answers: Sequence[Document], own: Collection[str], unmeasured: int = 0) -> Storage:
    """Read the answers to dbStats.

    :param own: databases of the server itself, which are not counted.
    :param unmeasured: databases that were not asked for.
    """
    sizes = tuple(
        DatabaseSize(
            name=str(found["db"]),
            data=int(found.get("dataSize", 0)),
            storage=int(found.get("storageSize", 0)),
            indexes=int(found.get("indexSize", 0)),
            collections=int(found.get("collections", 0)),
        )
        for found in answers
        if found["db"] not in own
    )
    disks = [Disk(int(found["fsUsedSize"]), int(found["fsTotalSize"])) for found in answers if found.get("fsTotalSize")]
    return Storage(sizes, unmeasured, disks[0] if disks else None)


def _within(document: Document, *path: str) -> Document:
    """Return the document inside a document; an empty one if it is not there."""
    for name in path:
        document = document.get(name) or {}
    return document


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _tickets(found: Document | None) -> Tickets | None:
    if not found or "totalTickets" not in found:
        return None
    queued = found.get("queueLength", _within(found, "normalPriority").get("queueLength", 0))
    return Tickets(int(found.get("out", 0)), int(found["totalTickets"]), int(queued))


def _cache(found: Document) -> Cache | None:
    maximum = int(found.get("maximum bytes configured", 0))
    if not maximum:
        return None
    used, dirty = found.get("bytes currently in the cache", 0), found.get("tracked dirty bytes in the cache", 0)
    return Cache(int(used), int(dirty), maximum)


def _asserts(found: Document | None) -> Asserts | None:
    if not found:
        return None
    return Asserts(sum(int(found.get(kind, 0)) for kind in ("regular", "msg", "tripwire")), int(found.get("user", 0)))


def _cursors(found: Document) -> Cursors | None:
    if not found:
        return None
    return Cursors(int(_within(found, "open").get("total", 0)), int(found.get("timedOut", 0)))


def _oplog_seconds(found: Document | None) -> float | None:
    if not found:
        return None
    earliest, latest = found.get("earliestOptime"), found.get("latestOptime")
    if earliest is None or latest is None or not earliest.time:
        return None
    return float(latest.time - earliest.time)


def _member(found: Document, configured: Document) -> Member:
    applied = _within(found, "optime").get("ts")
    moment = float(applied.time) if applied is not None else None
    return Member(
        name=str(found["name"]),
        state=int(found["state"]),
        state_name=str(found.get("stateStr", found["state"])),
        healthy=bool(found.get("health", 0)),
        this=bool(found.get("self")),
        optime=moment or None,
        votes=int(configured.get("votes", 1)),
        delay=float(configured.get("secondaryDelaySecs", configured.get("slaveDelay", 0))),
        message=str(found.get("lastHeartbeatMessage", "")),
    )
