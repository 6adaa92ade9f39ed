# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""pytest fixtures: Redis servers that belong together, and users with fewer rights."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import redis

from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect
from tests.stack.servers.redis_cluster import RedisCluster, add_cluster, add_replica, wait_copied
from tests.stack.stack import Stack

NO_SCRIPTS = ("~*", "&*", "+@all", "-@scripting")
READ_ONLY = ("~*", "&*", "-@all", "+@read", "+@connection", "+info", "+config|get", "+role", "+time", "+acl|whoami")
LIMITED = "upkeep_limited"
LIMITED_PASSWORD = "secret-of-the-limited"


@pytest.fixture
def redis_acl() -> Iterator[Callable[..., Endpoint]]:
    """A function that makes a user with fewer rights and returns its endpoint.

    Takes an endpoint of an administrator and the rules of ``ACL SETUSER``, such as :data:`NO_SCRIPTS`,
    :data:`READ_ONLY`, or ``"+@all", "~*", "(...)"``; and `beside`, endpoints of more servers (nodes of a cluster,
    replicas) that get the same user. A second call gives the user other rights.
    """
    servers: list[Endpoint] = []

    def make(endpoint: Endpoint, *rules: str, beside: tuple[Endpoint, ...] = ()) -> Endpoint:
        for server in (endpoint, *beside):
            with connect(server) as client:
                client.execute_command("ACL", "SETUSER", LIMITED, "reset", "on", f">{LIMITED_PASSWORD}", *rules)
            servers.append(server)
        return replace(endpoint, user=LIMITED, password=LIMITED_PASSWORD)

    yield make
    for server in dict.fromkeys(servers):
        with contextlib.suppress(redis.ConnectionError), connect(server) as client:
            client.execute_command("ACL", "DELUSER", LIMITED)


@pytest.fixture(scope="session")
def redis_pair(make_stack: Callable[..., Stack]) -> Iterator[tuple[Endpoint, Endpoint]]:
    """A primary and its replica, both Redis 8, as the default user; the data stays from test to test."""
    with make_stack("redis8-pair", "redis8") as stack:
        yield stack.endpoints["redis8"], add_replica(stack, "redis8", "replica")


@pytest.fixture
def redis_replica(redis_pair: tuple[Endpoint, Endpoint]) -> tuple[Endpoint, Endpoint]:
    """An empty primary and its replica, both Redis 8, as the default user; `wait_copied` waits for what is written."""
    primary, replica = redis_pair
    with connect(primary) as client:
        client.flushall()
    wait_copied(primary, replica)
    return redis_pair


@pytest.fixture(scope="session")
def redis_cluster_stack(make_stack: Callable[..., Stack]) -> Iterator[RedisCluster]:
    """Three primaries of Redis 8; the data stays from test to test."""
    with make_stack("redis8-cluster") as stack:
        yield add_cluster(stack, "redis8")


@pytest.fixture(scope="session")
def redis62_cluster_stack(make_stack: Callable[..., Stack]) -> Iterator[RedisCluster]:
    """Three primaries of Redis 6.2; the data stays from test to test."""
    with make_stack("redis62-cluster") as stack:
        yield add_cluster(stack, "redis62")


@pytest.fixture
def redis_cluster(redis_cluster_stack: RedisCluster) -> RedisCluster:
    """An empty cluster of three primaries of Redis 8, every node up, as the default user."""
    return _emptied(redis_cluster_stack)


@pytest.fixture(params=["redis62", "redis8"])
def each_redis_cluster(request: pytest.FixtureRequest) -> RedisCluster:
    """An empty cluster of three primaries, once of each version."""
    name = "redis_cluster_stack" if request.param == "redis8" else "redis62_cluster_stack"
    return _emptied(request.getfixturevalue(name))


def _emptied(cluster: RedisCluster) -> RedisCluster:
    cluster.wait_ready()
    with cluster.clients() as clients:
        for client in clients:
            client.flushall()
            client.config_resetstat()
            client.slowlog_reset()
    return cluster
