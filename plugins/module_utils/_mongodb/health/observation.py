# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known about a server after it was observed.

A number that a server does not tell (an older release, a mongos, another storage engine) is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = [
    "PRIMARY",
    "SECONDARY",
    "Asserts",
    "Cache",
    "Cursors",
    "DatabaseSize",
    "Disk",
    "Member",
    "Operation",
    "Operations",
    "Oplog",
    "ReplicaSet",
    "Server",
    "Status",
    "Storage",
    "Tickets",
]

PRIMARY, SECONDARY = 1, 2
"""States of a member, as replSetGetStatus numbers them."""


@dataclass(frozen=True)
class Server:
    """Who answered.

    :param process: identity of the server's process; another one after a restart.
    :param host: the name the server gives itself.
    :param replica_set: name of its replica set, None if it has none.
    :param expects_replica_set: it was started as a member of a replica set and has no valid configuration.
    :param router: it is a mongos.
    """

    version: str
    host: str
    process: str | None
    replica_set: str | None
    expects_replica_set: bool
    primary: bool
    router: bool


@dataclass(frozen=True)
class Tickets:
    """How many operations the storage engine works on at once, of how many it may."""

    out: int
    total: int
    queued: int


@dataclass(frozen=True)
class Cache:
    """WiredTiger's cache, in bytes."""

    used: int
    dirty: int
    maximum: int


@dataclass(frozen=True)
class Asserts:
    """Counted since the server started."""

    internal: int
    user: int


@dataclass(frozen=True)
class Cursors:
    """Cursors that are open, and those timed out since the server started."""

    open: int
    timed_out: int


@dataclass(frozen=True)
class Oplog:
    """The operations that a member can still hand to another.

    :param seconds: from the oldest to the newest.
    :param used: bytes in it.
    :param maximum: bytes that it may hold, after which the oldest go.
    """

    seconds: float
    used: int | None
    maximum: int | None


@dataclass(frozen=True)
class Status:
    """What serverStatus tells.

    :param uptime: seconds since the process started.
    :param majority_lags: the server throttles writes, since the majority of members lags (flow control).
    :param operations: counted by kind since the server started.
    """

    host: str
    process: str
    uptime: float
    connections: int | None
    connections_available: int | None
    queued_readers: int | None
    queued_writers: int | None
    read_tickets: Tickets | None
    write_tickets: Tickets | None
    majority_lags: bool | None
    cache: Cache | None
    asserts: Asserts | None
    page_faults: int | None
    cursors: Cursors | None
    operations: Mapping[str, int]
    resident_bytes: int | None
    oplog_seconds: float | None


@dataclass(frozen=True)
class Member:
    """One member of a replica set.

    :param optime: moment of the last operation that it applied, seconds since 1970; None for an arbiter.
    :param votes: how many votes it has.
    :param delay: seconds that it is meant to lag.
    """

    name: str
    state: int
    state_name: str
    healthy: bool
    this: bool
    optime: float | None
    votes: int
    delay: float
    message: str = ""


@dataclass(frozen=True)
class ReplicaSet:
    """A replica set as one member sees it; no members if there is no replica set.

    :param broken: the server should be in a replica set and has no valid configuration.
    """

    name: str | None
    members: tuple[Member, ...] = ()
    majority: int | None = None
    broken: bool = False

    def lags(self) -> dict[str, float]:
        """Return how many seconds each secondary is behind, less what it is meant to be.

        Measured from the primary, or without one from the member that is furthest.
        """
        reachable = [member for member in self.members if member.healthy and member.optime is not None]
        newest = max((member.optime or 0.0 for member in reachable if member.state == PRIMARY), default=None)
        if newest is None:
            newest = max((member.optime or 0.0 for member in reachable), default=0.0)
        return {
            member.name: max(0.0, newest - (member.optime or 0.0) - member.delay)
            for member in reachable
            if member.state == SECONDARY
        }


@dataclass(frozen=True)
class Operation:
    """One operation that runs now. What it looks for is not kept, only where and how."""

    opid: str
    kind: str
    namespace: str
    seconds: float
    application: str
    client: str
    plan: str
    waits: bool


@dataclass(frozen=True)
class Operations:
    """The longest operations of clients, longest first.

    :param locked: the server is locked against writes by fsyncLock.
    """

    longest: tuple[Operation, ...]
    locked: bool


@dataclass(frozen=True)
class DatabaseSize:
    """Sizes of one database in bytes."""

    name: str
    data: int
    storage: int
    indexes: int
    collections: int


@dataclass(frozen=True)
class Disk:
    """The volume that the server keeps its data on, in bytes."""

    used: int
    total: int


@dataclass(frozen=True)
class Storage:
    """Databases that were measured, and how many there were beyond them."""

    databases: tuple[DatabaseSize, ...]
    unmeasured: int
    disk: Disk | None
