# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""MongoDB from a wheel: a replica set of one or of three."""

from __future__ import annotations

import secrets
import time
from typing import Any, TypeAlias

import pymongo
import pymongo.errors

from tests.stack.endpoint import Endpoint
from tests.stack.errors import StackError
from tests.stack.servers.base import (
    HOST,
    MONITOR,
    SUPERUSER,
    Builder,
    Ready,
    clean_environment,
    free_port,
    start_member,
)
from tests.stack.state import Member

__all__ = ["APPLICATION_DATABASE", "connect", "create", "ready"]

REPLICA_SET = "rs0"
APPLICATION_DATABASE = "delauto"
ELECTION_MILLISECONDS = 2000  # the default of ten seconds would make every test of a lost primary slow
WAIT_SECONDS = 45.0
POLL_SECONDS = 0.05
SELECTION_MILLISECONDS = 500

Client: TypeAlias = pymongo.MongoClient


def create(builder: Builder, members: int = 1) -> tuple[Endpoint, list[Member]]:
    """A new replica set with a primary, a superuser and a user for monitoring."""
    ports: list[int] = []
    while len(ports) < members:
        port = free_port()
        ports += [] if port in ports else [port]
    endpoint = Endpoint(
        kind="mongodb",
        host=HOST,
        port=ports[0],
        user=SUPERUSER if builder.auth else None,
        password=builder.password(),
        database="admin",
        monitor_user=MONITOR if builder.auth else None,
        monitor_password=builder.password(),
        replica_set=REPLICA_SET,
        ports=tuple(ports),
    )
    key = secrets.token_hex(32)
    started = []
    for number, port in enumerate(ports, 1):
        name = builder.name if members == 1 else f"{builder.name}-{number}"
        member = _member(builder, name, port, key)
        start_member(member, ready(endpoint, port), builder.user, builder.save)
        started.append(member)
    _initiate(endpoint)
    if builder.auth:
        _add_users(endpoint)
    _wait_for_members(endpoint)
    return endpoint, started


def _member(builder: Builder, name: str, port: int, key: str) -> Member:
    data = builder.make_folder(name)
    argv = [
        *(str(builder.program), "--dbpath", str(data), "--bind_ip", HOST, "--port", str(port), "--nounixsocket"),
        *("--replSet", REPLICA_SET, "--oplogSize", "128", "--wiredTigerCacheSizeGB", "0.25"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
    ]
    if builder.auth:
        key_file = builder.make_file(builder.folder / f"{name}.key", f"{key}\n")
        argv += ["--keyFile", str(key_file)]
    return Member(
        name=name,
        store=builder.name,
        kind="mongodb",
        argv=argv,
        folder=str(data),
        log=str(builder.folder.parent / f"{name}.log"),
        stop_signal="SIGTERM",
        port=port,
        environment=clean_environment(builder.program),
    )


def ready(endpoint: Endpoint, port: int) -> Ready:
    """Whether the member on this port answers a ping, which needs no login."""

    def check() -> bool:
        try:
            with direct(port, answer_milliseconds=1000) as client:
                client.admin.command("ping")
        except pymongo.errors.PyMongoError:
            return False
        return True

    return check


def direct(port: int, answer_milliseconds: int = 20_000) -> Client:
    """A client of one member, not logged in."""
    return pymongo.MongoClient(
        HOST,
        port,
        directConnection=True,
        serverSelectionTimeoutMS=SELECTION_MILLISECONDS,
        connectTimeoutMS=SELECTION_MILLISECONDS,
        socketTimeoutMS=answer_milliseconds,
    )


def connect(endpoint: Endpoint, **options: Any) -> Client:
    """A client of the whole replica set as the endpoint's user."""
    return pymongo.MongoClient(endpoint.uri, serverSelectionTimeoutMS=10_000, **options)


def _initiate(endpoint: Endpoint) -> None:
    members = [{"_id": number, "host": f"{HOST}:{port}"} for number, port in enumerate(endpoint.ports)]
    members[0]["priority"] = 2
    with direct(endpoint.port) as client:
        client.admin.command(
            "replSetInitiate",
            {
                "_id": REPLICA_SET,
                "members": members,
                "settings": {"electionTimeoutMillis": ELECTION_MILLISECONDS, "heartbeatIntervalMillis": 500},
            },
        )
        end = time.monotonic() + WAIT_SECONDS
        while not client.admin.command("hello")["isWritablePrimary"]:
            if time.monotonic() > end:
                raise StackError(f"no primary in {REPLICA_SET} within {WAIT_SECONDS:.0f} s")
            time.sleep(POLL_SECONDS)


def _add_users(endpoint: Endpoint) -> None:
    with direct(endpoint.port) as client:  # the first user may be made without a login, from this machine only
        client.admin.command("createUser", SUPERUSER, pwd=endpoint.password, roles=["root"])
    with connect(endpoint) as client:
        client.admin.command(
            "createUser",
            MONITOR,
            pwd=endpoint.monitor_password,
            roles=[
                {"role": "clusterMonitor", "db": "admin"},
                {"role": "read", "db": APPLICATION_DATABASE},
                {"role": "read", "db": "local"},  # the oplog's first and last entry
            ],
        )


def _wait_for_members(endpoint: Endpoint) -> None:
    """Until all have taken over the data: only then a set of three stands the loss of one."""
    end = time.monotonic() + WAIT_SECONDS
    with connect(endpoint) as client:
        while True:
            states = [member["stateStr"] for member in client.admin.command("replSetGetStatus")["members"]]
            if all(state in ("PRIMARY", "SECONDARY") for state in states):
                return
            if time.monotonic() > end:
                raise StackError(f"{REPLICA_SET} is not complete within {WAIT_SECONDS:.0f} s: {', '.join(states)}")
            time.sleep(POLL_SECONDS)
