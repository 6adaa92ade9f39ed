# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several Redis servers that belong together: a replica beside its primary, and a cluster of primaries.

Each is a store of its own in its stack, to be stopped, killed, paused or started by its name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.crc import key_slot

from tests.stack.endpoint import Endpoint
from tests.stack.errors import StackError
from tests.stack.places import server_user
from tests.stack.servers.base import POLL_SECONDS, PORTS, free_port, is_free
from tests.stack.servers.redis import connect, prepare
from tests.stack.stack import Stack
from tests.stack.wheels import fetch

__all__ = ["RedisCluster", "add_cluster", "add_replica", "add_replica_of_node", "wait_copied"]

SLOTS = 16384
BUS = 10_000
"""How far above a node's port its cluster bus listens; before Redis 7.0 that cannot be chosen."""
READY_SECONDS = 60.0
NODE = """
cluster-enabled yes
cluster-node-timeout 5000
cluster-require-full-coverage no
unixsocket redis.sock
masteruser default
masterauth {password}
"""
REPLICA = """
replicaof {host} {port}
masteruser default
masterauth {password}
"""


@dataclass(frozen=True)
class RedisCluster:
    """A cluster of primaries, each with a third of the slots; all have the same users.

    Attributes:
        stack: the stack they live in.
        names: their names there.
        nodes: how to reach each, in the order of their slots.
    """

    stack: Stack
    names: tuple[str, ...]
    nodes: tuple[Endpoint, ...]

    def number_of(self, key: str | bytes) -> int:
        """Which of the nodes has a key's slot from the start."""
        slot = key_slot(key if isinstance(key, bytes) else key.encode())
        return next(number for number, slots in enumerate(_shares(len(self.nodes))) if slot in slots)

    def socket_of(self, number: int) -> str:
        """The Unix socket of a node."""
        (folder,) = [member.folder for member in self.stack.status() if member.name == self.names[number]]
        return f"{folder}/redis.sock"

    @contextmanager
    def clients(self) -> Iterator[list[redis.Redis]]:
        """A client of each node, which follows no redirection."""
        with ExitStack() as stack:
            yield [stack.enter_context(connect(node)) for node in self.nodes]

    @contextmanager
    def client(self) -> Iterator[redis.RedisCluster]:
        """A client of the whole; text in, text out."""
        first = self.nodes[0]
        client = redis.RedisCluster(
            host=first.host, port=first.port, username=first.user, password=first.password, decode_responses=True
        )
        try:
            yield client
        finally:
            client.close()

    def wait_ready(self) -> None:
        """Come back when every node sees all the others and serves.

        Raises:
            StackError: that has not come true within a minute.
        """
        with self.clients() as clients:
            _wait(lambda: all(_serves(client, len(clients)) for client in clients), "the cluster is not complete")


def add_cluster(stack: Stack, program: str, primaries: int = 3) -> RedisCluster:
    """Start a cluster, whose nodes are called ``node-1`` and so on.

    Args:
        stack: a stack that is up.
        program: ``redis8`` or ``redis62``.
        primaries: how many nodes.
    """
    path = fetch(program, server_user())
    names = tuple(f"node-{number}" for number in range(1, primaries + 1))
    nodes: list[Endpoint] = []
    for name in names:
        nodes.append(_add(stack, name, path, NODE, login=nodes[0] if nodes else None, port=_port_with_bus()))
    cluster = RedisCluster(stack, names, tuple(nodes))
    with cluster.clients() as clients:
        for client, slots in zip(clients, _shares(primaries), strict=True):
            client.cluster("ADDSLOTS", *slots)
        for client in clients:  # each of all the others, for word of mouth takes its time
            for node in nodes:
                client.cluster("MEET", node.host, node.port)
    cluster.wait_ready()
    return cluster


def add_replica_of_node(cluster: RedisCluster, number: int) -> Endpoint:
    """Start a replica of a node of a cluster, called ``replica``.

    Args:
        cluster: a cluster that serves.
        number: which of its nodes to follow.
    """
    stack, source = cluster.stack, cluster.nodes[number]
    (origin,) = [member for member in stack.status() if member.name == cluster.names[number]]
    with connect(source) as client:
        client.config_set("repl-diskless-sync-delay", 0)
        name = client.cluster("MYID")
    replica = _add(stack, "replica", Path(origin.argv[0]), NODE, login=source, port=_port_with_bus())
    with connect(replica) as client:
        client.cluster("MEET", source.host, source.port)
        _wait(lambda: len(client.cluster("SLOTS")) == len(cluster.nodes), "the replica does not know the cluster")
        client.cluster("REPLICATE", name)
    wait_copied(source, replica)
    return replica


def add_replica(stack: Stack, primary: str, name: str) -> Endpoint:
    """Start a replica of a Redis of the stack, with the same users.

    Args:
        stack: a stack that is up.
        primary: which of its stores to follow.
        name: the replica's name.
    """
    source = stack.endpoints[primary]
    (origin,) = [member for member in stack.status() if member.name == primary]
    with connect(source) as client:
        client.config_set("repl-diskless-sync-delay", 0)  # else it waits 5 s for more replicas to come
    replica = _add(stack, name, Path(origin.argv[0]), REPLICA, login=source, source=source)
    wait_copied(source, replica)
    return replica


def wait_copied(primary: Endpoint, replica: Endpoint) -> None:
    """Come back when the replica has all that was written to the primary before the call.

    Raises:
        StackError: it has not within a minute.
    """
    with connect(primary) as source, connect(replica) as copy:
        target = int(source.info("replication")["master_repl_offset"])

        def copied() -> bool:
            state = copy.info("replication")
            return state["master_link_status"] == "up" and int(state["slave_repl_offset"]) >= target

        _wait(copied, "the replica has not copied all")


def _add(
    stack: Stack,
    name: str,
    program: Path,
    settings: str,
    *,
    login: Endpoint | None,
    port: int | None = None,
    source: Endpoint | None = None,
) -> Endpoint:
    """Start one more server in a stack. The password of the others is not known before the first is prepared."""
    builder = stack.builder(name, program)
    endpoint, member = prepare(builder, port=port, login=login)
    more = settings.format(password=endpoint.password, **({"host": source.host, "port": source.port} if source else {}))
    with (builder.folder / "redis.conf").open("a", encoding="utf-8") as handle:
        handle.write(more)
    stack.add_member(member, endpoint)
    return endpoint


def _shares(primaries: int) -> list[range]:
    """The slots of each node."""
    return [range(at * SLOTS // primaries, (at + 1) * SLOTS // primaries) for at in range(primaries)]


def _port_with_bus() -> int:
    """A free port whose bus port is free too, and below the kernel's range for outgoing connections."""
    while True:
        port = free_port()
        if port + BUS in PORTS and is_free(port + BUS):
            return port


def _serves(client: redis.Redis, nodes: int) -> bool:
    state = client.cluster("INFO")
    slots = client.cluster("SLOTS")
    return state["cluster_state"] == "ok" and int(state["cluster_known_nodes"]) == nodes and len(slots) == nodes


def _wait(condition: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + READY_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise StackError(f"{otherwise} within {READY_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)
