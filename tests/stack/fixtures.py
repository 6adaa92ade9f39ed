# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""pytest fixtures: real stores, started when a test first asks for them and ended with the test run.

Each pytest process (and so each xdist worker) has stacks of its own, one for each store, so that a test of one store
does not start the others. What a killed run leaves behind is ended by the next one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.stack import npm
from tests.stack.application.queues.plan import QueuePlan, plans
from tests.stack.application.queues.run import Counts, fill_with_npm, fill_with_python
from tests.stack.application.settings import Settings
from tests.stack.endpoint import Endpoint
from tests.stack.places import CACHE
from tests.stack.servers import mongodb as mongodb_server
from tests.stack.servers import postgresql as postgresql_server
from tests.stack.servers import redis as redis_server
from tests.stack.servers.base import HOST, free_port
from tests.stack.servers.postgresql_standby import add_standby, wait_replayed
from tests.stack.stack import Stack, sweep
from tests.stack.state import exclusive

RUNS = CACHE / "stack"


@pytest.fixture(scope="session")
def stack_place() -> Iterator[Path]:
    """A folder for the stacks of this process; those of dead processes are ended first."""
    RUNS.mkdir(parents=True, exist_ok=True)
    with exclusive(RUNS, ".sweep.lock"):
        sweep(RUNS)
    yield RUNS
    for folder in RUNS.glob(f"run-{os.getpid()}-*"):
        Stack(folder).down()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def make_stack(stack_place: Path) -> Callable[..., Stack]:
    """A function that makes a :class:`Stack` in a new folder; it is down until `up` and ends with the run."""

    def make(name: str, *stores: str, mongodb_members: int = 1, auth: bool = True) -> Stack:
        folder = stack_place / f"run-{os.getpid()}-{name}-{secrets.token_hex(3)}"
        return Stack(folder, stores, mongodb_members=mongodb_members, auth=auth, owned=True)

    return make


def _single(make_stack: Callable[..., Stack], name: str, **options: int) -> Iterator[Stack]:
    stack = make_stack(name, name, **options)
    with stack:
        yield stack


@pytest.fixture(scope="session")
def postgresql18_stack(make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """A stack of PostgreSQL 18 alone."""
    yield from _single(make_stack, "postgresql18")


@pytest.fixture(scope="session")
def postgresql17_stack(make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """A stack of PostgreSQL 17 alone."""
    yield from _single(make_stack, "postgresql17")


@pytest.fixture(scope="session")
def mongodb_stack(make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """A stack of a MongoDB replica set of one."""
    yield from _single(make_stack, "mongodb")


@pytest.fixture(scope="session")
def mongodb_replica_set_stack(make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """A stack of a MongoDB replica set of three: members `mongodb-1` (primary at first) to `mongodb-3`."""
    yield from _single(make_stack, "mongodb", mongodb_members=3)


@pytest.fixture(scope="session")
def redis8_stack(make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """A stack of Redis 8 alone."""
    yield from _single(make_stack, "redis8")


@pytest.fixture(scope="session")
def redis62_stack(make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """A stack of Redis 6.2 alone."""
    yield from _single(make_stack, "redis62")


@pytest.fixture(scope="session")
def postgresql18(postgresql18_stack: Stack) -> Endpoint:
    """PostgreSQL 18 as superuser."""
    return postgresql18_stack.endpoints["postgresql18"]


@pytest.fixture(scope="session")
def postgresql17(postgresql17_stack: Stack) -> Endpoint:
    """PostgreSQL 17 as superuser."""
    return postgresql17_stack.endpoints["postgresql17"]


def _pair(make_stack: Callable[..., Stack], version: str) -> Iterator[tuple[Endpoint, Endpoint]]:
    with make_stack(f"{version}-pair", version) as stack:
        yield stack.endpoints[version], add_standby(stack, version, "standby")


@pytest.fixture(scope="session")
def postgresql18_pair(make_stack: Callable[..., Stack]) -> Iterator[tuple[Endpoint, Endpoint]]:
    """A primary and its streaming standby `standby`, both PostgreSQL 18, as superuser."""
    yield from _pair(make_stack, "postgresql18")


@pytest.fixture(scope="session")
def postgresql17_pair(make_stack: Callable[..., Stack]) -> Iterator[tuple[Endpoint, Endpoint]]:
    """A primary and its streaming standby `standby`, both PostgreSQL 17, as superuser."""
    yield from _pair(make_stack, "postgresql17")


@pytest.fixture
def fresh_postgresql18_pair(postgresql18_pair: tuple[Endpoint, Endpoint]) -> Iterator[tuple[Endpoint, Endpoint]]:
    """An empty database on a primary of version 18, and the same on its standby."""
    primary, standby = postgresql18_pair
    for database in _fresh_postgresql(primary):
        wait_replayed(primary, standby)
        yield database, standby.with_database(database.database)


@pytest.fixture(scope="session")
def mongodb(mongodb_stack: Stack) -> Endpoint:
    """MongoDB 6, a replica set of one, as superuser."""
    return mongodb_stack.endpoints["mongodb"]


@pytest.fixture(scope="session")
def mongodb_replica_set(mongodb_replica_set_stack: Stack) -> Endpoint:
    """MongoDB 6, a replica set of three, as superuser."""
    return mongodb_replica_set_stack.endpoints["mongodb"]


@pytest.fixture(scope="session")
def redis8(redis8_stack: Stack) -> Endpoint:
    """Redis 8 as the default user."""
    return redis8_stack.endpoints["redis8"]


@pytest.fixture(scope="session")
def redis62(redis62_stack: Stack) -> Endpoint:
    """Redis 6.2 as the default user."""
    return redis62_stack.endpoints["redis62"]


@pytest.fixture(params=["postgresql17", "postgresql18"])
def fresh_postgresql_database(request: pytest.FixtureRequest) -> Iterator[Endpoint]:
    """An empty database, once on each version; removed after the test, with whoever is still in it."""
    endpoint: Endpoint = request.getfixturevalue(request.param)
    yield from _fresh_postgresql(endpoint)


@pytest.fixture(scope="session", params=[*npm.POSTGRESQL, "postgresql17", "postgresql18"])
def each_postgresql_stack(request: pytest.FixtureRequest, make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """A stack of PostgreSQL alone, in every supported version in turn; of the old ones one runs at a time."""
    if request.param in npm.POSTGRESQL:
        yield from _single(make_stack, request.param)
    else:
        yield request.getfixturevalue(f"{request.param}_stack")


@pytest.fixture(scope="session")
def each_postgresql(each_postgresql_stack: Stack) -> Endpoint:
    """PostgreSQL in every supported version in turn, as superuser."""
    (endpoint,) = each_postgresql_stack.endpoints.values()
    return endpoint


@pytest.fixture
def fresh_each_postgresql_database(each_postgresql: Endpoint) -> Iterator[Endpoint]:
    """An empty database, once on every supported version."""
    yield from _fresh_postgresql(each_postgresql)


@pytest.fixture
def fresh_postgresql18_database(postgresql18: Endpoint) -> Iterator[Endpoint]:
    """An empty database on PostgreSQL 18."""
    yield from _fresh_postgresql(postgresql18)


def _fresh_postgresql(endpoint: Endpoint) -> Iterator[Endpoint]:
    name = sql.Identifier(f"test_{secrets.token_hex(6)}")
    with postgresql_server.connect(endpoint) as session:
        session.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
    yield endpoint.with_database(name.as_string().strip('"'))
    with postgresql_server.connect(endpoint) as session, contextlib.suppress(psycopg.errors.InvalidCatalogName):
        session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def fresh_mongodb_database(mongodb: Endpoint) -> Iterator[Endpoint]:
    """A database that nobody has used, on the replica set of one; dropped after the test."""
    name = f"test_{secrets.token_hex(6)}"
    yield mongodb.with_database(name)
    with mongodb_server.connect(mongodb) as client:
        client.drop_database(name)


@pytest.fixture(params=["redis62", "redis8"])
def fresh_redis(request: pytest.FixtureRequest) -> Iterator[Endpoint]:
    """An empty Redis with its settings and statistics as at the start, once on each version."""
    endpoint: Endpoint = request.getfixturevalue(request.param)
    yield from _fresh_redis(endpoint)


@pytest.fixture
def fresh_redis8(redis8: Endpoint) -> Iterator[Endpoint]:
    """An empty Redis 8 with its settings and statistics as at the start."""
    yield from _fresh_redis(redis8)


def _fresh_redis(endpoint: Endpoint) -> Iterator[Endpoint]:
    with redis_server.connect(endpoint) as client:
        before = client.config_get("*")
        client.flushall()
        client.config_resetstat()
        client.slowlog_reset()
        client.execute_command("LATENCY", "RESET")
        yield endpoint
        changed = {name: value for name, value in client.config_get("*").items() if before[name] != value}
        for name in changed:
            client.config_set(name, before[name])
        client.flushall()


@pytest.fixture
def npm_queue(fresh_redis8: Endpoint) -> Callable[..., tuple[Endpoint, Counts]]:
    """A function that fills the sample's queues with one of `NPM_LIBRARIES`.

    Takes library and version, and `endpoint` (a Redis; default an empty Redis 8), `planted` (default true), or `queues`
    (plans of your own). Returns the endpoint and the library's own counts by queue and state.
    """

    def fill(
        library: str,
        version: str,
        *,
        endpoint: Endpoint | None = None,
        planted: bool = True,
        queues: list[QueuePlan] | None = None,
    ) -> tuple[Endpoint, Counts]:
        server = endpoint or fresh_redis8
        wanted = queues or plans(Settings(now=datetime.now(timezone.utc), planted=planted))
        return server, fill_with_npm(server, wanted, library, version)

    return fill


@pytest.fixture
def python_queue(fresh_redis8: Endpoint) -> Callable[..., tuple[Endpoint, Counts]]:
    """As :func:`npm_queue`, with PyPI's bullmq."""

    def fill(
        *, endpoint: Endpoint | None = None, planted: bool = True, queues: list[QueuePlan] | None = None
    ) -> tuple[Endpoint, Counts]:
        server = endpoint or fresh_redis8
        wanted = queues or plans(Settings(now=datetime.now(timezone.utc), planted=planted))
        return server, fill_with_python(server, wanted)

    return fill


@pytest.fixture
def hanging_socket() -> Iterator[tuple[str, int]]:
    """Host and port of a listener whose connections are taken and never answered."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(64)  # the kernel completes the handshake; nobody ever reads
        yield listener.getsockname()


@pytest.fixture
def dead_port() -> tuple[str, int]:
    """Host and port where nobody listens."""
    return HOST, free_port()
