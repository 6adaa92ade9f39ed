# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every finding of redis_health_info, provoked on a real server, seen, and gone when the condition is."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.integration.health import ids
from tests.integration.redis_health import Health, answers, own_server
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect
from tests.stack.stack import Stack

BUSY = "local x = 0 for i = 1, tonumber(ARGV[1]) do x = x + i % 7 end return x"


@pytest.fixture
def health(fresh_redis: Endpoint, tmp_path: Path) -> Health:
    """Runs on either version, without the finding of the old one's age."""
    return Health(fresh_redis, tmp_path / "state")


@pytest.fixture
def client(fresh_redis: Endpoint) -> Iterator[redis.Redis]:
    with connect(fresh_redis) as opened:
        yield opened


def fill(client: redis.Redis, count: int = 2000) -> None:
    """About two megabytes of keys."""
    pipeline = client.pipeline(transaction=False)
    for number in range(count):
        pipeline.set(f"filler:{number}", "x" * 1000)
    pipeline.execute()


def used(client: redis.Redis) -> int:
    return int(client.info("memory")["used_memory"])


def test_latency_beyond_its_limit(health: Health) -> None:
    result = health.redis("ping", latency_milliseconds={"warning": 0, "critical": "off"})
    assert ids(result) == {"redis.latency": "warning"}
    assert result["findings"][0]["value"] >= 0
    assert ids(health.redis("ping")) == {}


def test_memory_near_its_limit_and_beyond(health: Health, client: redis.Redis) -> None:
    fill(client)
    client.config_set("maxmemory", round(used(client) / 0.9))
    assert ids(health.redis("memory")) == {"redis.memory": "warning"}
    client.config_set("maxmemory", used(client))
    for number in range(2):  # the first still fits or is refused, the second cannot fit
        with contextlib.suppress(redis.exceptions.ResponseError):
            client.set(f"one more:{number}", "x" * 500_000)
    result = health.redis("memory")
    assert ids(result) == {"redis.memory": "critical", "redis.out_of_memory": "warning"}
    client.config_set("maxmemory", 256 * 2**20)
    assert ids(health.redis("memory")) == {}


def test_memory_without_a_limit_is_compared_with_the_machine(health: Health, client: redis.Redis) -> None:
    client.config_set("maxmemory", 0)
    fill(client, 20_000)
    result = health.redis("memory", system_memory_percent={"warning": 0, "critical": "off"})
    assert ids(result) == {"redis.system_memory": "warning"}
    assert ids(health.redis("memory")) == {}


def test_fragmentation(health: Health, client: redis.Redis) -> None:
    fill(client)
    for number in range(2000):
        if number % 8:
            client.unlink(f"filler:{number}")
    until(lambda: client.info("memory").get("lazyfree_pending_objects") == 0)
    limits = {"fragmentation_bytes": 1, "fragmentation_ratio": 1.0}
    assert ids(health.redis("memory", **limits)) == {"redis.fragmentation": "warning"}
    assert ids(health.redis("memory", fragmentation_ratio=1.0)) == {}


def test_evictions(health: Health, client: redis.Redis) -> None:
    assert ids(health.redis("cache")) == {}
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("maxmemory", used(client) + 500_000)
    fill(client)
    result = health.redis("cache")
    assert ids(result) == {"redis.evictions": "warning"}
    assert 0 < result["metrics"]["redis_evicted_keys"] <= client.info("stats")["evicted_keys"]
    client.config_set("maxmemory", 256 * 2**20)
    health.redis("cache")
    assert ids(health.redis("cache")) == {}


def test_hit_rate_between_two_runs(health: Health, client: redis.Redis) -> None:
    assert "redis_hit_rate_percent" not in health.redis("cache")["metrics"]
    assert "redis_hit_rate_percent" not in health.redis("cache")["metrics"]
    client.set("known", 1)
    pipeline = client.pipeline(transaction=False)
    for number in range(1000):
        pipeline.get("known" if number % 4 == 0 else "unknown")
    pipeline.execute()
    result = health.redis("cache")
    assert result["metrics"]["redis_hit_rate_percent"] == 25
    assert ids(result) == {"redis.hit_rate": "warning"}
    client.config_resetstat()
    client.get("known")
    result = health.redis("cache")
    assert (ids(result), result["metrics"]["redis_hit_rate_percent"]) == ({}, 100)


def test_expired_keys_are_counted(health: Health, client: redis.Redis) -> None:
    health.redis("cache")
    client.set("brief", 1, px=1)
    until(lambda: client.get("brief") is None)
    assert health.redis("cache")["metrics"]["redis_expired_keys"] == 1


def test_keys_without_ttl(health: Health, client: redis.Redis) -> None:
    client.set("lasting", 1)
    client.set("brief", 1, ex=100)
    metrics = health.redis("keyspace")["metrics"]
    assert metrics['redis_keys{db="db0"}'] == 2
    assert metrics["redis_keys_without_ttl_percent"] == 50


def save(client: redis.Redis) -> None:
    client.bgsave()
    until(lambda: client.info("persistence")["rdb_bgsave_in_progress"] == 0)


@contextlib.contextmanager
def waiting(endpoint: Endpoint) -> Iterator[None]:
    """A client that waits for an element, as a worker does."""
    with connect(endpoint) as waiter, connect(endpoint) as ender:
        thread = threading.Thread(target=lambda: waiter.blpop(["awaited"], timeout=15))
        thread.start()
        until(lambda: ender.info("clients")["blocked_clients"] == 1)
        yield
        ender.rpush("awaited", 1)
        thread.join()


def test_blocked_clients(fresh_redis: Endpoint, health: Health) -> None:
    with waiting(fresh_redis):
        assert ids(health.redis("clients", blocked_clients=0)) == {"redis.blocked_clients": "warning"}
    assert ids(health.redis("clients", blocked_clients=0)) == {}


def test_connections_up_to_the_limit_and_beyond(fresh_redis: Endpoint, health: Health, client: redis.Redis) -> None:
    health.redis("clients")
    client.config_set("maxclients", 20)
    settled, held = 2, []  # the fixture's connection and this one
    address = (fresh_redis.host, fresh_redis.port)
    with contextlib.ExitStack() as opened:
        until(lambda: client.info("clients")["connected_clients"] == settled)

        def hold(number: int) -> None:
            held.extend(opened.enter_context(socket.create_connection(address)) for _connection in range(number))
            until(lambda: client.info("clients")["connected_clients"] == settled + len(held))

        hold(17 - settled)
        result = health.redis("clients")
        assert ids(result) == {"redis.clients": "warning"}
        assert result["metrics"]["redis_clients_percent"] == 90
        hold(2)
        assert ids(health.redis("clients")) == {"redis.clients": "critical"}
        hold(1)
        assert ids(health.redis()) == {"redis.max_clients": "critical"}
    until(lambda: client.info("clients")["connected_clients"] == settled)
    result = health.redis("clients")
    assert ids(result) == {"redis.rejected_connections": "warning"}
    assert result["metrics"]["redis_rejected_connections"] == 1
    assert ids(health.redis("clients")) == {}


def test_a_save_that_fails_and_one_that_is_late(fresh_redis: Endpoint, health: Health, client: redis.Redis) -> None:
    folder = Path(client.config_get("dir")["dir"])
    client.config_set("stop-writes-on-bgsave-error", "no")
    client.set("changed", 1)
    assert ids(health.redis("persistence", save_age_seconds="0s")) == {"redis.save_overdue": "warning"}
    folder.chmod(0o500)  # the server, which does not run as root, can make no file
    save(client)
    folder.chmod(0o700)
    assert ids(health.redis("persistence")) == {"redis.rdb_failed": "critical"}
    save(client)
    assert ids(health.redis("persistence", save_age_seconds="0s")) == {}
    client.set("changed", 2)
    client.config_set("save", "")
    result = health.redis("persistence", save_age_seconds="0s")
    assert (ids(result), result["metrics"]["redis_snapshots_enabled"]) == ({}, 0)


def test_slow_commands_are_counted_once_and_their_arguments_stay_secret(health: Health, client: redis.Redis) -> None:
    assert ids(health.redis("slow_log")) == {}
    client.config_set("slowlog-log-slower-than", 0)
    for _number in range(20):
        client.set("customer:17", "private-words")
    client.config_set("slowlog-log-slower-than", 10_000)
    result = health.redis("slow_log")
    assert ids(result) == {"redis.slow_commands": "warning"}
    assert result["metrics"]["redis_slow_commands"] >= 20
    assert "SET" in result["findings"][0]["message"]
    assert "private" not in str(result)
    assert "customer" not in str(result)
    assert ids(health.redis("slow_log")) == {}


def test_one_very_slow_command_and_its_spike(health: Health, client: redis.Redis) -> None:
    client.config_set("latency-monitor-threshold", 1)
    rounds = 1_000_000
    while not {"redis.slow_command", "redis.latency_event"} <= set(ids(health.redis("slow_log", "latency"))):
        assert rounds < 10**9
        rounds *= 3
        client.eval(BUSY, 0, str(rounds))
    assert ids(health.redis("slow_log", "latency")) == {}


def test_a_restart(make_stack: Callable[..., Stack], tmp_path: Path) -> None:
    with make_stack("restart", "redis8") as stack:
        health = Health(stack.endpoints["redis8"], tmp_path)
        assert ids(health.redis()) == {}
        stack.kill("redis8")
        stack.start("redis8")
        result = health.redis()
        assert ids(result) == {"redis.restarted": "warning"}
        assert result["metrics"]["redis_restarted"] == 1
        assert ids(health.redis()) == {}


def test_replication_from_both_sides(make_stack: Callable[..., Stack], tmp_path: Path) -> None:
    with make_stack("master", "redis8") as first, make_stack("copy", "redis8") as second:
        master, copy = first.endpoints["redis8"], second.endpoints["redis8"]
        over, under = Health(master, tmp_path / "over"), Health(copy, tmp_path / "under")
        with connect(copy) as client:
            client.config_set("masteruser", str(master.user))
            client.config_set("masterauth", str(master.password))
            client.replicaof(master.host, str(master.port))
        until(lambda: under.redis("replication")["metrics"].get("redis_master_link_up") == 1)
        until(lambda: ids(over.redis("replication")) == {} and over.redis()["metrics"]["redis_replicas"] == 1)
        assert ids(under.redis()) == {}
        assert under.redis()["server"]["role"] == "slave"
        assert len([name for name in over.redis()["metrics"] if name.startswith("redis_replica_lag_bytes")]) == 1
        second.pause("redis8")
        until(lambda: ids(over.redis("replication", replica_lag_seconds="0s")) == {"redis.replica_lag": "warning"})
        second.resume("redis8")
        until(lambda: under.redis()["metrics"].get("redis_master_link_up") == 1)
        second.kill("redis8")
        until(lambda: "redis.replica_lost" in ids(over.redis("replication")))
        second.start("redis8")
        with connect(copy) as client:
            client.config_set("masteruser", str(master.user))
            client.config_set("masterauth", "not-the-password")
            client.replicaof(master.host, str(master.port))
        result = under.redis("replication")
        assert ids(result) == {"redis.replication_link": "critical"}
        assert "not-the-password" not in str(result)


def test_a_replica_that_lost_its_master_and_serves_nothing(
    make_stack: Callable[..., Stack], dead_port: tuple[str, int]
) -> None:
    with make_stack("stale", "redis8") as stack:
        health = Health(stack.endpoints["redis8"])
        with connect(stack.endpoints["redis8"]) as client:
            client.config_set("replica-serve-stale-data", "no")
            client.replicaof(dead_port[0], str(dead_port[1]))
        result = health.redis()
        assert ids(result) == {"redis.master_down": "critical", "redis.replication_link": "critical"}


def test_a_cluster_without_its_slots(tmp_path: Path) -> None:
    with own_server(tmp_path, "--cluster-enabled", "yes") as (endpoint, _process):
        result = Health(endpoint).redis()
        assert ids(result) == {"redis.cluster_state": "critical"}
        assert result["server"]["mode"] == "cluster"
        with connect(endpoint) as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        until(lambda: ids(Health(endpoint).redis()) == {})


def test_a_server_that_loads_its_data(tmp_path: Path) -> None:
    with own_server(tmp_path) as own, connect(own[0]) as client:
        fill(client)
        client.save()
    slowly = ("--key-load-delay", "5000", "--loading-process-events-interval-bytes", "1024")
    with own_server(tmp_path, *slowly) as (endpoint, _process):
        assert answers(endpoint)
        result = Health(endpoint).redis()
        assert ids(result)["redis.loading"] == "critical"
        assert result["metrics"]["redis_loading"] == 1
        assert result["metrics"]["redis_up"] == 1


def test_an_append_only_file_that_cannot_be_rewritten(tmp_path: Path) -> None:
    with own_server(tmp_path, "--appendonly", "yes") as own, connect(own[0]) as client:
        endpoint = own[0]
        assert ids(Health(endpoint).redis("persistence")) == {}
        (tmp_path / "appendonlydir/appendonly.aof.2.base.rdb").mkdir()  # the new file cannot be renamed over a folder
        client.bgrewriteaof()
        until(lambda: client.info("persistence")["aof_last_bgrewrite_status"] == "err")
        assert ids(Health(endpoint).redis("persistence")) == {"redis.aof_rewrite_failed": "warning"}


@pytest.mark.parametrize("query", ["", "protocol=3"])
def test_a_unix_socket_and_the_newer_protocol(tmp_path: Path, query: str) -> None:
    path = tmp_path / "redis.sock"
    with own_server(tmp_path, "--unixsocket", str(path)) as (endpoint, process):
        by_path, by_uri = Health(endpoint), Health(endpoint)
        by_path.params = {"login_host": str(path)}
        by_uri.params = {"uri": f"unix://{path}?{query}"}
        by_port = Health(endpoint)
        by_port.params = {"uri": f"redis://{endpoint.host}:{endpoint.port}/3?{query}"}
        wanted = set(Health(endpoint).redis()["metrics"])
        for health in (by_path, by_uri, by_port):
            result = health.redis()
            assert ids(result) == {}
            assert set(result["metrics"]) == wanted
        process.send_signal(signal.SIGTERM)
        process.wait()
        assert ids(by_path.redis()) == {"redis.unreachable": "critical"}


def test_every_documented_finding_is_provoked_somewhere_here() -> None:
    """What only a broken disk would bring is left to the unit tests of the decision."""
    package = Path(__file__).resolve().parents[2] / "plugins/module_utils/_redis"
    source: Any = "".join(path.read_text(encoding="utf-8") for path in package.glob("decide_*.py"))
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_redis_health_*.py"))
    named = {part.split('"', 1)[0] for part in source.split('"redis.')[1:]}
    provoked = {part.split('"', 1)[0] for part in tests.split('"redis.')[1:]}
    assert named - provoked <= {"aof_failed", "replica_lag_bytes", "replica_not_online"}
