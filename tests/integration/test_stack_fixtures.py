# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fixtures that other tests stand on."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest
import redis.exceptions

from tests.stack.application.queues.run import NPM_LIBRARIES, Counts
from tests.stack.endpoint import Endpoint
from tests.stack.redis_fixtures import NO_SCRIPTS, READ_ONLY
from tests.stack.servers import mongodb as mongodb_server
from tests.stack.servers import postgresql as postgresql_server
from tests.stack.servers import redis as redis_server
from tests.stack.servers.postgresql_standby import add_standby, wait_replayed
from tests.stack.servers.redis_cluster import RedisCluster, wait_copied
from tests.stack.stack import Stack

EXTENSIONS = {"pg_stat_statements", "pgstattuple", "amcheck", "pg_buffercache", "pg_visibility"}
PLANTED_COUNTS = {"active": 3, "completed": 100, "failed": 50, "delayed": 20, "prioritized": 20, "waiting": 30}


def test_versions_and_contrib(each_postgresql_stack: Stack, each_postgresql: Endpoint) -> None:
    (store,) = each_postgresql_stack.options["stores"]
    with postgresql_server.connect(each_postgresql) as session:
        assert store == f"postgresql{session.info.server_version // 10_000}"
        names = session.execute("SELECT name FROM pg_available_extensions").fetchall()
        assert {str(name) for (name,) in names} >= EXTENSIONS
        assert session.execute("SHOW shared_preload_libraries").fetchone() == ("pg_stat_statements",)
    with postgresql_server.connect(each_postgresql.as_monitor()) as session:
        assert session.execute("SELECT pg_has_role('pg_monitor', 'USAGE')").fetchone() == (True,)
        assert session.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)


def test_fresh_postgresql_database_is_empty(fresh_postgresql_database: Endpoint) -> None:
    with postgresql_server.connect(fresh_postgresql_database) as session:
        tables = session.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        assert tables == (0,)
        session.execute("CREATE TABLE left_behind ()")


def test_a_standby_follows_its_primary(fresh_postgresql18_pair: tuple[Endpoint, Endpoint]) -> None:
    primary, standby = fresh_postgresql18_pair
    with postgresql_server.connect(primary) as session:
        session.execute("CREATE TABLE followed AS SELECT 7 AS number")
        names = session.execute("SELECT application_name, state FROM pg_stat_replication").fetchall()
        assert names == [("standby", "streaming")]
    wait_replayed(primary, standby)
    with postgresql_server.connect(standby) as session:
        assert session.execute("SELECT number, pg_is_in_recovery() FROM followed").fetchone() == (7, True)
        assert session.execute("SHOW hot_standby_feedback").fetchone() == ("off",)


def test_a_standby_stops_starts_and_goes(postgresql17_stack: Stack) -> None:
    primary = postgresql17_stack.endpoints["postgresql17"]
    standby = add_standby(postgresql17_stack, "postgresql17", "copy", hot_standby_feedback=True)
    postgresql17_stack.stop("copy")
    with pytest.raises(psycopg.OperationalError):
        postgresql_server.connect(standby, connect_timeout=2)
    postgresql17_stack.start("copy")
    wait_replayed(primary, standby)
    with postgresql_server.connect(standby) as session:
        assert session.execute("SHOW hot_standby_feedback").fetchone() == ("on",)
    postgresql17_stack.remove_member("copy")
    assert [member.name for member in postgresql17_stack.status()] == ["postgresql17"]
    assert list(postgresql17_stack.endpoints) == ["postgresql17"]


def test_fresh_mongodb_database_is_a_replica_set(fresh_mongodb_database: Endpoint) -> None:
    with mongodb_server.connect(fresh_mongodb_database) as client:
        hello = client.admin.command("hello")
        assert (hello["setName"], hello["hosts"]) == ("rs0", [f"127.0.0.1:{fresh_mongodb_database.port}"])
        assert client[fresh_mongodb_database.database].list_collection_names() == []
        client[fresh_mongodb_database.database].left.insert_one({})


def test_mongodb_replica_set_has_three_members(mongodb_replica_set: Endpoint) -> None:
    with mongodb_server.connect(mongodb_replica_set) as client:
        assert len(client.admin.command("replSetGetStatus")["members"]) == 3


@pytest.mark.parametrize("turn", [1, 2])
def test_fresh_redis_forgets_data_and_settings(fresh_redis: Endpoint, turn: int) -> None:
    with redis_server.connect(fresh_redis) as client:
        assert client.dbsize() == 0
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.slowlog_len() == 0
        client.set("left", "behind")
        client.config_set("maxmemory-policy", "allkeys-lru")


def test_redis_monitor_reads_and_does_not_write(fresh_redis: Endpoint) -> None:
    with redis_server.connect(fresh_redis) as client:
        client.set("key", "value")
    with redis_server.connect(fresh_redis.as_monitor()) as client:
        assert client.get("key") == "value"
        assert client.info()["redis_version"]
        assert client.config_get("maxmemory")
        assert client.slowlog_get() == []
        for forbidden in (lambda: client.set("key", "other"), client.flushall, lambda: client.config_set("dir", "/")):
            with pytest.raises(redis.exceptions.NoPermissionError):
                forbidden()


def test_redis_keeps_a_rewritten_configuration(fresh_redis: Endpoint) -> None:
    with redis_server.connect(fresh_redis) as client:
        assert client.config_rewrite()


def test_hanging_socket_takes_and_never_answers(hanging_socket: tuple[str, int]) -> None:
    with socket.create_connection(hanging_socket, timeout=5) as client:
        client.sendall(b"PING\r\n")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_dead_port_refuses(dead_port: tuple[str, int]) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(dead_port, timeout=5)


@pytest.mark.parametrize(("library", "version"), NPM_LIBRARIES)
def test_npm_queues_hold_the_plan(
    npm_queue: Callable[..., tuple[Endpoint, Counts]], library: str, version: str
) -> None:
    endpoint, counts = npm_queue(library, version)
    calls = counts["customer-calls"]
    if library == "bull":  # its prioritized jobs wait with the others
        assert calls["waiting"] == PLANTED_COUNTS["waiting"] + PLANTED_COUNTS["prioritized"]
    for state in set(PLANTED_COUNTS) & set(calls) - {"waiting"}:
        assert calls[state] == PLANTED_COUNTS[state]
    with redis_server.connect(endpoint) as client:
        active = client.lrange("bull:customer-calls:active", 0, -1)
        assert len(active) == 3
        assert not client.exists(*[f"bull:customer-calls:{job}:lock" for job in active]), (
            "stalled: their locks are gone"
        )


def test_python_queue_is_clean_on_demand(python_queue: Callable[..., tuple[Endpoint, Counts]]) -> None:
    _queue, counts = python_queue(planted=False)
    assert {state: count for state, count in counts["customer-calls"].items() if count} == {"completed": 20}


def test_a_redis_replica_follows_its_primary(redis_replica: tuple[Endpoint, Endpoint]) -> None:
    primary, replica = redis_replica
    with redis_server.connect(primary) as source, redis_server.connect(replica) as copy:
        assert copy.dbsize() == 0
        source.set("followed", "7")
        wait_copied(primary, replica)
        assert copy.get("followed") == "7"
        with pytest.raises(redis.exceptions.ReadOnlyError):
            copy.set("own", "1")


def test_a_redis_cluster_shares_the_slots(each_redis_cluster: RedisCluster) -> None:
    cluster = each_redis_cluster
    with cluster.client() as client, cluster.clients() as nodes:
        assert [node.dbsize() for node in nodes] == [0, 0, 0]
        for number in range(30):
            client.set(f"key:{number}", "x")
            assert nodes[cluster.number_of(f"key:{number}")].get(f"key:{number}") == "x"
        assert all(node.dbsize() for node in nodes)


def test_redis_users_with_fewer_rights(
    redis_acl: Callable[..., Endpoint], fresh_redis: Endpoint, redis_cluster: RedisCluster
) -> None:
    first, *others = redis_cluster.nodes
    for endpoint, beside in ((fresh_redis, ()), (first, tuple(others))):
        limited = redis_acl(endpoint, *NO_SCRIPTS, beside=beside)
        for server in (limited, *(replace(limited, port=other.port) for other in beside)):
            with redis_server.connect(server) as client, pytest.raises(redis.exceptions.NoPermissionError):
                client.eval("return 1", 0)
    with redis_server.connect(redis_acl(fresh_redis, *READ_ONLY)) as client:
        assert client.get("some") is None
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.set("some", "value")
