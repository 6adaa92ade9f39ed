# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers whose keys make up the whole: one alone, or every primary of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from .._core.connection import Connection
from .._core.deadline import Deadline
from .._core.errors import StoreError
from .client import RedisClient, connect

__all__ = ["ReplicaServer", "primaries", "refuse_replica"]


class ReplicaServer(StoreError):
    """The server is a replica, which takes no changes."""

    condition = "replica"


def refuse_replica(client: RedisClient, job: str, label: str) -> None:
    """Go on if the server takes changes.

    :raises ReplicaServer: it is a replica.
    """
    role = client.ask("ask for the server's role (ROLE)", lambda redis: redis.execute_command("ROLE"))
    if _text(role[0]) != "master":
        master = f"{_text(role[1])}:{role[2]}" if len(role) > 2 else "its master"
        raise ReplicaServer(
            f"begin the {job}", f"the server at {label} is a replica", f"Point the task at its master, {master}."
        )


@contextmanager
def primaries(client: RedisClient, connection: Connection, deadline: Deadline) -> Iterator[list[RedisClient]]:
    """Connect to every primary of the cluster that a server belongs to; to no other where there is none.

    :param client: the connection that stands already; it is used for its own node.
    :raises StoreError: a node cannot be reached.
    """
    if not client.info().flag("cluster_enabled"):
        yield [client]
        return
    slots = client.ask("read the cluster's nodes (CLUSTER SLOTS)", lambda redis: redis.execute_command("CLUSTER SLOTS"))
    mine = _text(client.ask("ask for the node's name", lambda redis: redis.execute_command("CLUSTER MYID")))
    with ExitStack() as stack:
        found: list[RedisClient] = []
        for name, host, port in _masters(slots):
            if name == mine:
                found.append(client)
            else:
                found.append(stack.enter_context(connect(connection, deadline, (host or _own_host(client), port))))
        yield found


def _masters(slots: Any) -> Sequence[tuple[str, str, int]]:
    """Name, host and port of each primary in CLUSTER SLOTS, once each, whether the driver took it apart or not."""
    masters: dict[str, tuple[str, str, int]] = {}
    entries = slots.values() if isinstance(slots, dict) else slots
    for entry in entries:
        if isinstance(entry, dict):
            host, port = entry["primary"][0], entry["primary"][1]
            name = entry["primary"][2] if len(entry["primary"]) > 2 else f"{host}:{port}"
        else:
            host, port, name = entry[2][0], entry[2][1], entry[2][2]
        masters.setdefault(_text(name), (_text(name), _text(host), int(port)))
    return list(masters.values())


def _own_host(client: RedisClient) -> str:
    """The host that we connected to: a node that does not know its own address leaves it empty."""
    options = client.ask("look at the connection", lambda redis: redis.connection_pool.connection_kwargs)
    return str(options.get("host") or "localhost")


def _text(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value or "")
