# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was read of a Redis server. Pure data, so that decisions need nothing that does I/O.

Named tuples and no dataclasses: those are made by generated code, half a millisecond each at every start of a module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .._core.errors import StoreError

__all__ = [
    "Cache",
    "Clients",
    "Cluster",
    "Database",
    "LatencyEvent",
    "Memory",
    "Persistence",
    "Ping",
    "Replica",
    "Replication",
    "Server",
    "SlowCommand",
    "SlowLog",
]


class Ping(NamedTuple):
    """How fast the server answers.

    :param milliseconds: median of the round trips, None if it refused.
    :param refusal: why it refused: it loads its data, or lost its master.
    """

    milliseconds: float | None
    refusal: StoreError | None = None


class Server(NamedTuple):
    """What runs and since when.

    :param product: ``redis``, ``valkey``, ``dragonfly``.
    :param run_id: changes at each start.
    :param uptime: seconds.
    """

    product: str
    version: str | None
    run_id: str | None
    uptime: float | None


class Cluster(NamedTuple):
    """The cluster as this node sees it.

    :param state: ``ok`` or ``fail``.
    :param slots_failed: slots that nobody serves.
    :param slots_assigned: of 16384.
    """

    state: str
    slots_assigned: int
    slots_failed: int


class Memory(NamedTuple):
    """Memory in use; sizes in bytes, None where the server does not say.

    :param used: what ``maxmemory`` is compared with: without buffers of replicas and of the append-only file.
    :param maximum: ``maxmemory``; None if there is no limit.
    :param system: memory of the machine.
    :param policy: what is evicted when ``maximum`` is reached.
    :param frag_ratio: of the allocator, not of the process.
    :param counters: ``run_id`` and refused writes since the start.
    """

    used: int | None
    resident: int | None
    peak: int | None
    maximum: int | None
    system: int | None
    policy: str | None
    frag_ratio: float | None
    frag_bytes: int | None
    counters: Mapping[str, Any]


class Cache(NamedTuple):
    """How the cache serves.

    :param counters: ``run_id`` and hits, misses, evicted and expired keys since the start.
    """

    counters: Mapping[str, Any]


class Database(NamedTuple):
    """One numbered database.

    :param keys: how many there are.
    :param expires: how many of them have a TTL.
    """

    name: str
    keys: int
    expires: int


class Clients(NamedTuple):
    """Connections.

    :param connected: in use now.
    :param maximum: ``maxclients``.
    :param blocked: waiting in a blocking command, as queue workers do.
    :param counters: ``run_id`` and rejected connections since the start.
    """

    connected: int | None
    maximum: int | None
    blocked: int | None
    counters: Mapping[str, Any]


class Persistence(NamedTuple):
    """What is saved to disk.

    :param loading: whether the server reads its data from disk right now.
    :param loading_eta: seconds until that is done.
    :param snapshots: whether snapshots are configured; None if that may not be read.
    :param changes: writes since the last snapshot.
    :param save_age: seconds since the last snapshot, or since the start if there was none.
    :param save_status: of the last snapshot: ``ok`` or ``err``.
    :param aof: whether the append-only file is on; likewise the two states of it.
    """

    loading: bool
    loading_eta: float | None
    snapshots: bool | None
    changes: int | None
    save_age: float | None
    save_status: str | None
    aof: bool
    aof_write_status: str | None
    aof_rewrite_status: str | None


class Replica(NamedTuple):
    """A replica as its master sees it.

    :param state: ``online`` when it follows.
    :param lag_seconds: since it last acknowledged.
    :param lag_bytes: of the replication stream that it has not acknowledged.
    """

    address: str
    state: str
    lag_seconds: float | None
    lag_bytes: float | None


class Replication(NamedTuple):
    """The server's place among its copies.

    :param role: ``master`` or ``slave``.
    :param replicas: those that follow it.
    :param master: address of its master, if it is a replica; likewise the rest.
    :param link: ``up`` or ``down``.
    :param down_seconds: how long the link has been down.
    :param silent_seconds: since the master was last heard.
    :param syncing: whether it takes over the whole data right now.
    """

    role: str | None
    replicas: Sequence[Replica] = ()
    master: str | None = None
    link: str | None = None
    down_seconds: float | None = None
    silent_seconds: float | None = None
    syncing: bool = False
    read_only: bool | None = None


class SlowCommand(NamedTuple):
    """An entry of the slow log. Arguments are data of the application and are not kept.

    :param number: the entry's id; it grows by one from entry to entry.
    :param at: when it ran, in seconds since 1970, by the server's clock.
    """

    number: int
    at: float
    milliseconds: float
    name: str


class SlowLog(NamedTuple):
    """The slow log's newest entries, newest first.

    :param run_id: the start of the server from which entries are counted.
    """

    run_id: str | None
    commands: Sequence[SlowCommand]


class LatencyEvent(NamedTuple):
    """The last spike of one kind.

    :param at: when it was, in seconds since 1970, by the server's clock.
    """

    name: str
    at: float
    milliseconds: float
