# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of several releases and kinds of server."""

from __future__ import annotations

from typing import Any

import pytest
from bson import ObjectId, Timestamp

from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health.observation import (
    Asserts,
    Cache,
    Cursors,
    Tickets,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health.reading import (
    read_hello,
    read_members,
    read_operation,
    read_status,
    read_storage,
)
from tests.unit._mongodb.samples import SERVER

STATUS_6: dict[str, Any] = {
    "host": "vm:27017",
    "pid": 42,
    "uptime": 7.0,
    "uptimeMillis": 7032,
    "connections": {"current": 3, "available": 15997},
    "globalLock": {"currentQueue": {"total": 3, "readers": 1, "writers": 2}},
    "flowControl": {"enabled": True, "isLagged": False},
    "asserts": {"regular": 1, "warning": 9, "msg": 2, "user": 30, "tripwire": 4, "rollovers": 0},
    "extra_info": {"page_faults": 42},
    "mem": {"resident": 134},
    "opcounters": {"insert": 5, "deprecated": {"query": 1}},
    "metrics": {"cursor": {"timedOut": 6, "open": {"total": 7}}},
    "oplog": {"earliestOptime": Timestamp(1000, 1), "latestOptime": Timestamp(4600, 9)},
    "wiredTiger": {
        "concurrentTransactions": {
            "read": {"out": 1, "available": 127, "totalTickets": 128},
            "write": {"out": 2, "available": 126, "totalTickets": 128},
        },
        "cache": {
            "bytes currently in the cache": 912,
            "tracked dirty bytes in the cache": 88,
            "maximum bytes configured": 1000,
        },
    },
}


def test_status_of_release_6() -> None:
    status = read_status(STATUS_6, SERVER)
    assert (status.host, status.process, status.uptime) == ("vm:27017", "p1", 7.032)
    assert (status.connections, status.connections_available) == (3, 15997)
    assert (status.queued_readers, status.queued_writers) == (1, 2)
    assert status.read_tickets == Tickets(1, 128, 0)
    assert status.write_tickets == Tickets(2, 128, 0)
    assert status.majority_lags is False
    assert status.asserts == Asserts(internal=7, user=30)
    assert status.cursors == Cursors(open=7, timed_out=6)
    assert status.cache == Cache(912, 88, 1000)
    assert status.page_faults == 42
    assert status.resident_bytes == 134 * 1024**2
    assert status.operations == {"insert": 5}
    assert status.oplog_seconds == 3600.0


def test_tickets_of_release_8_stand_elsewhere() -> None:
    read = {"out": 5, "totalTickets": 12, "normalPriority": {"queueLength": 3}}
    queues = {"queues": {"execution": {"read": read, "write": {"out": 0, "totalTickets": 12}}}}
    status = read_status({**STATUS_6, "wiredTiger": {"cache": {}}, **queues}, SERVER)
    assert status.read_tickets == Tickets(5, 12, 3)
    assert status.write_tickets == Tickets(0, 12, 0)
    assert status.cache is None


def test_a_router_tells_little_and_that_is_unknown() -> None:
    status = read_status({"host": "r:27017", "pid": 7, "uptime": 5, "connections": {"current": 1}}, SERVER)
    assert status.uptime == 5.0
    assert (status.connections, status.connections_available) == (1, None)
    for unknown in (
        status.queued_readers, status.read_tickets, status.cache, status.asserts, status.page_faults,
        status.cursors, status.majority_lags, status.resident_bytes, status.oplog_seconds,
    ):  # fmt: skip
        assert unknown is None


@pytest.mark.parametrize(
    "oplog",
    [{}, {"latestOptime": Timestamp(5, 1)}, {"earliestOptime": Timestamp(0, 0), "latestOptime": Timestamp(5, 1)}],
)
def test_an_empty_oplog_has_no_window(oplog: dict[str, Any]) -> None:
    assert read_status({**STATUS_6, "oplog": oplog}, SERVER).oplog_seconds is None


def test_without_an_identity_of_the_process_its_number_stands_in() -> None:
    server = read_hello({"ismaster": True}, "4.2.0")
    assert server.process is None
    assert server.primary
    assert read_status(STATUS_6, server).process == "42"


@pytest.mark.parametrize(
    ("hello", "replica_set", "expects", "router"),
    [
        ({"isWritablePrimary": True}, None, False, False),
        ({"setName": "rs0", "me": "a:1"}, "rs0", False, False),
        ({"isreplicaset": True}, None, True, False),
        ({"isWritablePrimary": True, "msg": "isdbgrid"}, None, False, True),
    ],
    ids=["standalone", "member", "member without configuration", "router"],
)
def test_kinds_of_server(hello: dict[str, Any], replica_set: str | None, expects: bool, router: bool) -> None:
    identity = ObjectId()
    server = read_hello({**hello, "topologyVersion": {"processId": identity}}, "8.0.4")
    assert (server.replica_set, server.expects_replica_set, server.router) == (replica_set, expects, router)
    assert server.process == str(identity)


def test_members() -> None:
    status = {
        "set": "rs0",
        "majorityVoteCount": 2,
        "members": [
            {"name": "a:1", "health": 1.0, "state": 1, "stateStr": "PRIMARY", "optime": {"ts": Timestamp(50, 1)}},
            {"name": "b:1", "health": 0.0, "state": 8, "stateStr": "DOWN", "optime": {"ts": Timestamp(0, 0)}},
            {"name": "c:1", "health": 1.0, "state": 7, "stateStr": "ARBITER"},
            {"name": "d:1", "health": 1.0, "state": 2, "stateStr": "SECONDARY", "optime": {"ts": Timestamp(40, 1)}},
        ],
    }
    config = {
        "members": [
            {"host": "a:1", "votes": 1, "secondaryDelaySecs": 0},
            {"host": "d:1", "votes": 0, "secondaryDelaySecs": 4},
        ]
    }
    found = read_members(status, config)
    assert (found.name, found.majority) == ("rs0", 2)
    assert [member.healthy for member in found.members] == [True, False, True, True]
    assert [member.optime for member in found.members] == [50.0, None, None, 40.0]
    assert [member.votes for member in found.members] == [1, 1, 1, 0]
    assert found.lags() == {"d:1": 6.0}


def test_operation() -> None:
    found = read_operation({"opid": 9, "kind": "getmore", "ns": "a.b", "microsecs_running": 2_500_000})
    assert (found.opid, found.kind, found.namespace, found.seconds, found.waits) == ("9", "getmore", "a.b", 2.5, False)
    assert read_operation({"secs_running": 3}).seconds == 3.0


def test_the_servers_own_databases_tell_of_the_volume_only() -> None:
    answers = [{"db": "admin", "dataSize": 9.0, "fsUsedSize": 30.0, "fsTotalSize": 100.0}]
    found = read_storage(answers, own={"admin"})
    assert found.databases == ()
    assert found.disk is not None
    assert (found.disk.used, found.disk.total) == (30, 100)


def test_a_server_that_does_not_tell_of_the_volume() -> None:
    found = read_storage([{"db": "shop", "dataSize": 9.0, "storageSize": 8.0, "indexSize": 7.0}], own=())
    assert found.disk is None
    assert (found.databases[0].data, found.databases[0].storage, found.databases[0].indexes) == (9, 8, 7)
