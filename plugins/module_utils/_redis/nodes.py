# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers whose keys make up the whole: one alone, or every primary of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from .._core.connection import Connection
from .._core.deadline import Deadline
from .._core.errors import AccessDenied, StoreError, StoreTimeout, StoreUnreachable
from .client import RedisClient, connect
from .errors import Loading
from .wire import packed

__all__ = ["ReplicaServer", "primaries", "refuse_replica"]


class ReplicaServer(StoreError):
    """The server is a replica, which takes no changes."""

    condition = "replica"


class _Node(NamedTuple):
    """A primary, as another node knows it. :param host: empty: where the other node was reached."""

    name: str
    host: str
    port: int


def refuse_replica(client: RedisClient, job: str, label: str) -> None:
    """Go on if the server takes changes, or belongs to a cluster, whose primaries it knows.

    :raises ReplicaServer: it is a replica.
    """
    role = client.ask("ask for the server's role (ROLE)", lambda redis: redis.execute_command("ROLE"))
    if _text(role[0]) != "master" and not client.info().flag("cluster_enabled"):
        master = f"{_text(role[1])}:{role[2]}" if len(role) > 2 else "its master"
        raise ReplicaServer(
            f"begin the {job}", f"the server at {label} is a replica", f"Point the task at its master, {master}."
        )


@contextmanager
def primaries(
    client: RedisClient, connection: Connection, deadline: Deadline, missing: list[StoreError] | None = None
) -> Iterator[list[RedisClient]]:
    """Connect to every primary of the cluster that a server belongs to; to no other where there is none.

    :param client: the connection that stands already; it is used for its own node.
    :param missing: gets why primaries are left out, which cannot be reached or not be known; None: that is an error.
    :raises StoreError: a node cannot be reached, or none of them.
    """
    try:
        mine, nodes = _cluster_of(client) if _in_cluster(client, missing is None) else ("", [])
    except AccessDenied as error:
        if missing is None:
            raise
        missing.append(error)
        mine, nodes = "", []
    if not nodes:
        yield [client]
        return
    with ExitStack() as stack:
        found: list[RedisClient] = []
        for node in nodes:
            if node.name == mine:
                found.append(client)
                continue
            address = (node.host or _own_host(client), node.port)
            try:
                found.append(stack.enter_context(connect(connection, deadline, address)))
            except (StoreUnreachable, StoreTimeout, Loading) as error:
                if missing is None:
                    raise
                missing.append(error)
        if missing and not found:
            raise missing[0]
        yield found


def _in_cluster(client: RedisClient, must_know: bool) -> bool:
    """Whether the server belongs to a cluster. :param must_know: else a user who may not ask is told no."""
    try:
        return client.info().flag("cluster_enabled")
    except AccessDenied:
        if must_know:
            raise
        return False


def _cluster_of(client: RedisClient) -> tuple[str, Sequence[_Node]]:
    """Return the name of the node that we are connected to, and every primary once."""
    tried = "read the cluster's nodes (CLUSTER SLOTS, CLUSTER MYID)"
    replies = client.exchange(tried, packed([("CLUSTER", "SLOTS"), ("CLUSTER", "MYID")]), 2)
    for reply in replies:
        if isinstance(reply, Exception):
            raise client.explain(tried, reply)
    slots, mine = replies
    found = {name: _Node(name, host, port) for name, host, port in (_primary(entry[2]) for entry in slots)}
    return _text(mine), list(found.values())


def _primary(entry: Sequence[Any]) -> tuple[str, str, int]:
    """Name, host and port in an entry of CLUSTER SLOTS: host, port, name, and from Redis 7 on more of its addresses.

    The host is missing where clients shall keep to the one that they have, and a question mark where the node is to be
    called by a name that it does not say. Source: https://redis.io/docs/latest/commands/cluster-slots/
    """
    host, more = _text(entry[0]), entry[3] if len(entry) > 3 else ()
    if host == "?":
        pairs = more if isinstance(more, dict) else dict(zip(more[::2], more[1::2], strict=False))
        host = _text(pairs.get(b"ip"))
    return _text(entry[2]), host, int(entry[1])


def _own_host(client: RedisClient) -> str:
    """The host that we connected to: a node that does not know its own address leaves it empty."""
    options = client.ask("look at the connection", lambda redis: redis.connection_pool.connection_kwargs)
    return str(options.get("host") or "localhost")


def _text(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value or "")
