# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module of Redis and of queues on clusters of three primaries: all of them, one down, keys on their way."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import StoreUnreachable
from tests.integration.health import ids
from tests.integration.postgresql_work import states
from tests.integration.queue_cleanup import clean as clean_queues
from tests.integration.queue_cleanup import jobs_of, make
from tests.integration.redis_audit import Audit
from tests.integration.redis_cleanup import clean, raw_keys
from tests.integration.redis_health import Health, relay
from tests.integration.running import run_module
from tests.integration.tls_front import tls_fronts
from tests.integration.waiting import until
from tests.stack.application.certificates import write_certificate
from tests.stack.application.queues.plan import plans
from tests.stack.application.queues.run import fill_with_npm
from tests.stack.application.settings import Settings
from tests.stack.endpoint import Endpoint
from tests.stack.redis_fixtures import NO_SCRIPTS
from tests.stack.servers.redis import connect
from tests.stack.servers.redis_cluster import RedisCluster, add_cluster, add_replica_of_node
from tests.stack.stack import Stack

DAY = 86400
CACHE = {"name": "cache", "pattern": "cache:*", "action": "unlink"}
NO_TTL = {**CACHE, "when": ["no_ttl"]}
AT = {**CACHE, "when": ["field_age"], "field": "at", "older_than": "30d"}
EXPIRE = {"name": "cache", "pattern": "cache:*", "action": "expire", "ttl": "1h"}
OLD = {"completed_older_than": "1d", "failed_older_than": "7d"}
RIGHTS = ("~*", "-@all", "+@read", "+@write", "+@connection", "+info", "+role", "+time", "+eval", "+cluster|slots")
SUBJECTS = tuple(f"{{q{number}}}" for number in range(6))

Users = Callable[..., Endpoint]


def fill(cluster: RedisCluster, keys: int = 150) -> None:
    """Keys of no use on every node, and one that is used."""
    with cluster.client() as client:
        for number in range(keys):
            client.set(f"cache:{number}", json.dumps({"at": time.time() - 40 * DAY}))
        client.set("cache:used", json.dumps({"at": time.time()}), ex=1000)


def left(cluster: RedisCluster) -> set[bytes]:
    """The names of all keys on all nodes."""
    return set().union(*(raw_keys(node) for node in cluster.nodes))


def fill_queues(cluster: RedisCluster) -> None:
    """Six queues on the nodes that their names lead to, each with two old jobs and a young one."""
    with cluster.clients() as clients:
        for name in SUBJECTS:
            home = clients[cluster.number_of(f"bull:{name}:meta")]
            make(home, name, "completed", "one", "two")
            make(home, name, "failed", "young", ended=home.time()[0] * 1000)


@contextmanager
def settings(cluster: RedisCluster, *each: Mapping[str, Any]) -> Iterator[None]:
    """Settings of each node, and as they were before at the end."""
    with cluster.clients() as clients:
        before = [
            {name: client.config_get(name)[name] for name in wanted}
            for client, wanted in zip(clients, each, strict=True)
        ]
        try:
            for client, wanted in zip(clients, each, strict=True):
                for name, value in wanted.items():
                    client.config_set(name, value)
            yield
        finally:
            for client, old in zip(clients, before, strict=True):
                for name, value in old.items():
                    client.config_set(name, value)


@contextmanager
def one_down(cluster: RedisCluster, number: int) -> Iterator[None]:
    """A node that is killed, and up again at the end."""
    cluster.stack.kill(cluster.names[number])
    try:
        yield
    finally:
        cluster.stack.start(cluster.names[number])
        cluster.wait_ready()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no_scripts"])
@pytest.mark.parametrize(
    ("rule", "stays"),
    [
        (CACHE, set()),
        (NO_TTL, {b"cache:used"}),
        ({**CACHE, "types": ["string"]}, set()),
        (AT, {b"cache:used"}),
    ],
    ids=["name", "no_ttl", "types", "field"],
)
def test_every_primary_is_cleaned(
    each_redis_cluster: RedisCluster, redis_acl: Users, rule: dict[str, Any], stays: set[bytes], scripts: bool
) -> None:
    cluster = each_redis_cluster
    fill(cluster)
    endpoint = cluster.nodes[1]
    if not scripts:
        endpoint = redis_acl(endpoint, *NO_SCRIPTS, beside=cluster.nodes)
    planned = clean(endpoint, rule, check=True)
    assert (planned["server"]["nodes"], planned["changed"]) == (3, True)
    assert len(left(cluster)) == 151
    result = clean(endpoint, rule)
    assert states(result) == [("unlink", "cache", "done")], result
    assert left(cluster) == stays
    assert result["server"]["scripts"] is scripts
    assert not clean(cluster.nodes[2], rule)["changed"]


def test_every_primary_gets_ttls(each_redis_cluster: RedisCluster) -> None:
    fill(each_redis_cluster)
    assert states(clean(each_redis_cluster.nodes[0], EXPIRE)) == [("expire", "cache", "done")]
    with each_redis_cluster.client() as client:
        assert all(3000 < client.ttl(f"cache:{number}") < 4200 for number in range(150))
        assert client.ttl("cache:used") <= 1000
    assert not clean(each_redis_cluster.nodes[1], EXPIRE)["changed"]


def test_the_rights_that_are_documented_are_enough(each_redis_cluster: RedisCluster, redis_acl: Users) -> None:
    cluster = each_redis_cluster
    fill(cluster)
    fill_queues(cluster)
    user = redis_acl(cluster.nodes[0], *RIGHTS, "+cluster|myid", beside=cluster.nodes)
    assert states(clean(user, NO_TTL)) == [("unlink", "cache", "done")]
    assert {action[2] for action in states(clean_queues(user, **OLD))} == {"done"}
    assert left(cluster) >= {b"cache:used"}
    partly = redis_acl(cluster.nodes[0], *RIGHTS, "-cluster", beside=cluster.nodes)
    assert ids(clean(partly, NO_TTL)) == {"redis.access_denied": "critical"}, "the other nodes stay unknown"


def test_two_runs_on_a_cluster_exclude_each_other(redis_cluster: RedisCluster) -> None:
    fill(redis_cluster)
    with redis_cluster.client() as client:
        client.set("upkeep:lock:redis_cleanup", "another pid 1 x", ex=60)
        for node in redis_cluster.nodes:
            assert ids(clean(node, NO_TTL)) == {"redis.locked": "warning"}
    assert len(left(redis_cluster)) == 152


def test_every_primary_is_audited(each_redis_cluster: RedisCluster, redis_acl: Users) -> None:
    cluster = each_redis_cluster
    fill(cluster)
    limited = redis_acl(cluster.nodes[0], *NO_SCRIPTS, beside=cluster.nodes)
    for endpoint, scripts in ((cluster.nodes[0], 1), (limited, 0)):
        result = Audit(endpoint).run("keyspace", "policy", options={"policies": []})
        metrics = result["metrics"]
        assert metrics['redis_prefix_keys{prefix="cache:*"}'] == 151
        assert (metrics["redis_audit_nodes"], metrics["redis_audit_scripts"]) == (3, scripts)
        assert result["findings"] == []


def test_shares_of_memory_are_of_the_whole_cluster(redis_cluster: RedisCluster) -> None:
    with redis_cluster.client() as client:
        for number in range(90):
            client.set(f"cache:{number}", "x" * 200_000)
    each = {"maxmemory": 20_000_000, "maxmemory-policy": "noeviction"}
    with settings(redis_cluster, each, each, each):
        thresholds = {"no_ttl_bytes": "1MB", "no_ttl_percent": 50}
        assert ids(Audit(redis_cluster.nodes[0]).run("keyspace", **thresholds)) == {}, "18 MB of 60, not of 20"
        thresholds["no_ttl_percent"] = 25
        assert ids(Audit(redis_cluster.nodes[0]).run("keyspace", **thresholds)) == {"redis.no_ttl": "warning"}


def test_queues_are_found_and_cleaned_wherever_they_are(each_redis_cluster: RedisCluster, redis_acl: Users) -> None:
    cluster = each_redis_cluster
    fill_queues(cluster)
    assert len({cluster.number_of(f"bull:{name}:meta") for name in SUBJECTS}) == 3
    for node in cluster.nodes:
        result = Health(node).queues("counts")
        assert (set(result["server"]["queues"]), result["findings"]) == (set(SUBJECTS), [])
        assert result["metrics"]['queue_jobs{queue="{q0}",state="completed"}'] == 2
        named = Health(node).queues("counts", queues=[SUBJECTS[0], "{nowhere}"])
        assert set(named["server"]["queues"]) == {SUBJECTS[0]}
        assert ids(named) == {"queue.missing": "warning"}
    result = clean_queues(cluster.nodes[1], **OLD)
    assert {tuple(state) for state in states(result)} == {("clean", f"{name} completed", "done") for name in SUBJECTS}
    with cluster.clients() as clients:
        for name in SUBJECTS:
            home = clients[cluster.number_of(f"bull:{name}:meta")]
            assert jobs_of(home, name, "failed") == ["young"]
            assert not home.exists(f"bull:{name}:one", f"bull:{name}:completed")
    limited = redis_acl(cluster.nodes[2], *NO_SCRIPTS, beside=cluster.nodes)
    assert not clean_queues(limited, **OLD)["changed"]
    fill_queues(cluster)
    assert {state[2] for state in states(clean_queues(limited, **OLD))} == {"done"}


def test_a_queue_of_the_real_library(redis_cluster: RedisCluster) -> None:
    (plan, *_others) = plans(Settings(now=datetime.now(timezone.utc), planted=True))
    name = "{customer-calls}"
    home = redis_cluster.nodes[redis_cluster.number_of(f"bull:{name}:meta")]
    counts = fill_with_npm(home, [replace(plan, name=name)], "bullmq", "6.7.0")[name]
    other = next(node for node in redis_cluster.nodes if node != home)
    metrics = Health(other).queues("counts")["metrics"]
    for state, number in counts.items():
        if (key := f'queue_jobs{{queue="{name}",state="{state}"}}') in metrics:
            assert metrics[key] == number
    result = clean_queues(other, **OLD)
    assert ("clean", f"{name} completed", "done") in states(result)
    with connect(home) as client:
        assert 0 < len(jobs_of(client, name, "completed")) < counts["completed"]


def test_the_eviction_policy_of_any_node_counts(redis_cluster: RedisCluster) -> None:
    fill_queues(redis_cluster)
    with settings(redis_cluster, {}, {}, {"maxmemory-policy": "allkeys-lru"}):
        result = Health(redis_cluster.nodes[0]).queues("eviction")
        assert ids(result) == {"queue.eviction_policy": "warning"}


def test_one_node_down_keeps_no_other_from_being_cleaned(redis_cluster: RedisCluster, tmp_path: Path) -> None:
    cluster = redis_cluster
    fill(cluster)
    fill_queues(cluster)
    number = next(at for at in (0, 1, 2) if at != cluster.number_of("upkeep:lock:redis_cleanup"))
    endpoint = cluster.nodes[next(at for at in (0, 1, 2) if at != number)]
    there = [name for name in SUBJECTS if cluster.number_of(f"bull:{name}:meta") != number]
    with one_down(cluster, number):
        result = clean(endpoint, NO_TTL)
        assert ids(result) == {"redis.unreachable": "critical"}
        assert f"{cluster.nodes[number].port}, a node of the cluster" in result["findings"][0]["message"]
        assert states(result) == [("unlink", "cache", "done")]
        assert result["server"]["nodes"] == 2
        audit = Audit(endpoint).run("keyspace", "policy", "big_keys")
        assert [finding["id"] for finding in audit["findings"]] == ["redis.unreachable"]
        assert audit["metrics"]["redis_audit_nodes"] == 2
        health = Health(endpoint).queues("counts", "active")
        assert ids(health) == {"queue.unreachable": "warning"}
        assert set(health["server"]["queues"]) == set(there)
        queues = clean_queues(endpoint, **OLD)
        assert ids(queues) == {"queue.unreachable": "warning"}
        assert {tuple(state) for state in states(queues)} == {("clean", f"{name} completed", "done") for name in there}
        with pytest.raises(StoreUnreachable):
            clean(cluster.nodes[number], NO_TTL)
        with settings_of_others(cluster, number, {"cluster-node-timeout": 500}):
            until(lambda: "redis.cluster_slots" in ids(Health(endpoint, tmp_path).redis("cluster")))


@contextmanager
def settings_of_others(cluster: RedisCluster, number: int, wanted: dict[str, Any]) -> Iterator[None]:
    """Settings of all nodes but one."""
    others = [name for name in range(len(cluster.nodes)) if name != number]
    rest = replace(cluster, nodes=tuple(cluster.nodes[at] for at in others))
    with settings(rest, *[wanted] * len(others)):
        yield


def test_a_node_that_goes_down_while_keys_are_removed(redis_cluster: RedisCluster) -> None:
    cluster = redis_cluster
    fill(cluster)
    home = cluster.number_of("upkeep:lock:redis_cleanup")
    victim = next(at for at in (0, 1, 2) if at not in (home, 0)) if home != 1 else 2
    first = next(at for at in (0, 1, 2) if at != victim)
    down: list[int] = []

    def kill() -> None:
        if not down:
            down.append(victim)
            cluster.stack.kill(cluster.names[victim])

    try:
        with relay(cluster.nodes[first], b"upkeep:lock", kill) as port:
            result = clean(replace(cluster.nodes[first], port=port), NO_TTL)
        assert down
        assert states(result) == [("unlink", "cache", "failed")]
        assert result["changed"]
        for number, node in enumerate(cluster.nodes):
            if number != victim:
                assert not {key for key in raw_keys(node) if key != b"cache:used"}, number
    finally:
        cluster.stack.start(cluster.names[victim])
        cluster.wait_ready()


class Move:
    """A slot on its way from one node to another."""

    def __init__(self, cluster: RedisCluster, key: str) -> None:
        self.cluster = cluster
        self.source = cluster.number_of(key)
        self.target = (self.source + 1) % 3
        with connect(cluster.nodes[0]) as client:
            self.slot = int(client.execute_command("CLUSTER KEYSLOT", key))
            self.names = [str(node) for node in (self._name(number) for number in range(3))]

    def _name(self, number: int) -> str:
        with connect(self.cluster.nodes[number]) as client:
            name = client.execute_command("CLUSTER MYID")
        return name.decode() if isinstance(name, bytes) else str(name)

    def begin(self) -> None:
        """Tell both nodes."""
        with self.cluster.clients() as clients:
            clients[self.target].cluster("SETSLOT", self.slot, "IMPORTING", self.names[self.source])
            clients[self.source].cluster("SETSLOT", self.slot, "MIGRATING", self.names[self.target])

    def send(self, most: int) -> None:
        """Move keys."""
        source, target = self.cluster.nodes[self.source], self.cluster.nodes[self.target]
        with connect(source) as client:
            keys = client.execute_command("CLUSTER GETKEYSINSLOT", self.slot, most)
            login = ("AUTH2", target.user, target.password)
            if keys:
                client.execute_command("MIGRATE", target.host, target.port, "", 0, 5000, *login, "KEYS", *keys)

    def end(self) -> None:
        """Give the slot to its new node."""
        self.send(1000)
        with self.cluster.clients() as clients:
            for number in (self.target, self.source, 3 - self.source - self.target):
                clients[number].cluster("SETSLOT", self.slot, "NODE", self.names[self.target])

    def back(self) -> None:
        """As it was at the beginning, without any keys."""
        with self.cluster.clients() as clients:
            for client in clients:
                client.flushall()
            for number in (self.source, self.target, 3 - self.source - self.target):
                clients[number].cluster("SETSLOT", self.slot, "STABLE")
                clients[number].cluster("SETSLOT", self.slot, "NODE", self.names[self.source])
        self.cluster.wait_ready()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no_scripts"])
@pytest.mark.parametrize("rule", [CACHE, NO_TTL, AT, EXPIRE], ids=["name", "no_ttl", "field", "expire"])
def test_a_slot_on_its_way(redis_cluster: RedisCluster, redis_acl: Users, rule: dict[str, Any], scripts: bool) -> None:
    cluster = redis_cluster
    fill(cluster, 60)
    move = Move(cluster, "cache:{moving}")
    with cluster.client() as client:
        for number in range(20):
            client.set(f"cache:{{moving}}:{number}", json.dumps({"at": time.time() - 40 * DAY}))
    endpoint = cluster.nodes[0] if scripts else redis_acl(cluster.nodes[0], *NO_SCRIPTS, beside=cluster.nodes)
    try:
        move.begin()
        move.send(8)
        result = clean(endpoint, rule)
        assert states(result) == [(rule["action"], "cache", "done")], result["actions"]
        assert result["findings"] == []
        moving = {key for key in left(cluster) if b"{moving}" in key}
        if rule["action"] == "unlink":
            assert len(moving) == 8, "those that are between two nodes are left for the next run"
            assert left(cluster) - moving <= {b"cache:used"}
        move.end()
        assert states(clean(endpoint, rule)) == [(rule["action"], "cache", "done")]
        assert not clean(endpoint, rule)["changed"]
        if rule["action"] == "unlink":
            assert left(cluster) <= {b"cache:used"}
        else:
            with connect(cluster.nodes[move.target]) as client:
                assert all(client.ttl(f"cache:{{moving}}:{number}") > 0 for number in range(20))
    finally:
        move.back()


@pytest.mark.parametrize("rule", [CACHE, NO_TTL, AT], ids=["name", "no_ttl", "field"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no_scripts"])
def test_a_slot_that_goes_between_look_and_removal(
    redis_cluster: RedisCluster, redis_acl: Users, rule: dict[str, Any], scripts: bool
) -> None:
    cluster = redis_cluster
    fill(cluster, 60)
    move = Move(cluster, "cache:{moving}")
    with cluster.client() as client:
        for number in range(20):
            client.set(f"cache:{{moving}}:{number}", json.dumps({"at": time.time() - 40 * DAY}))
    node = cluster.nodes[move.source]
    endpoint = node if scripts else redis_acl(node, *NO_SCRIPTS, beside=cluster.nodes)
    done: list[bool] = []

    def go() -> None:
        if not done:
            done.append(True)
            move.begin()
            move.end()

    try:
        # What is about to be sent is the removal: the keys have been read and judged.
        with relay(endpoint, b"UNLINK" if rule is CACHE else b"sha1hex" if scripts else b"WATCH", go) as port:
            result = clean(replace(endpoint, port=port), rule)
        assert done
        assert states(result) == [("unlink", "cache", "done")], result["actions"]
        assert "on their way to another node" in result["actions"][0]["detail"]
        assert clean(endpoint, rule)["changed"]
        assert left(cluster) <= {b"cache:used"}
    finally:
        move.back()


def test_a_queue_on_its_way_is_left_alone(redis_cluster: RedisCluster) -> None:
    cluster = redis_cluster
    fill_queues(cluster)
    move = Move(cluster, f"bull:{SUBJECTS[0]}:meta")
    try:
        move.begin()
        move.send(2)
        before = {key for key in left(cluster) if SUBJECTS[0].encode() in key}
        result = clean_queues(cluster.nodes[0], **OLD)
        assert ids(result) == {"queue.cluster_resharding": "warning"}
        assert "resharded" in result["findings"][0]["remedy"]
        assert {state[1] for state in states(result)} == {f"{name} completed" for name in SUBJECTS[1:]}
        assert {key for key in left(cluster) if SUBJECTS[0].encode() in key} == before
        assert ids(Health(cluster.nodes[0]).queues("counts")) == {"queue.cluster_resharding": "warning"}
        move.end()
        result = clean_queues(cluster.nodes[0], **OLD)
        assert states(result) == [("clean", f"{SUBJECTS[0]} completed", "done")]
    finally:
        move.back()


def test_tls_and_login_are_kept_for_every_node(redis_cluster: RedisCluster, tmp_path: Path) -> None:
    cluster = redis_cluster
    fill(cluster)
    fill_queues(cluster)
    certificate = write_certificate(tmp_path / "front.pem")
    with tls_fronts(cluster.nodes, certificate) as ports:
        announced = [{"cluster-announce-port": port} for port in ports]
        with settings(cluster, *announced):
            tls = {"tls": True, "ca_cert": str(certificate)}
            front = replace(cluster.nodes[0], port=ports[0])
            until(lambda: announced_to(cluster, 0) == set(ports))
            assert states(clean(front, NO_TTL, **tls)) == [("unlink", "cache", "done")]
            assert left(cluster) >= {b"cache:used"}
            params = {**front.options(connect_timeout="2s"), **tls}
            audit = run_module("redis_audit_info", {**params, "checks": ["keyspace"]})
            assert (audit["metrics"]["redis_audit_nodes"], audit["findings"]) == (3, [])
            assert {state[2] for state in states(clean_queues(front, **OLD, **tls))} == {"done"}
            named = [{"cluster-announce-hostname": "localhost", "cluster-preferred-endpoint-type": "hostname"}] * 3
            with settings(cluster, *named):
                until(lambda: hosts_told(cluster, 0) == {"localhost"})
                assert not clean(front, NO_TTL, **tls)["changed"]
            untrusted = clean(front, NO_TTL, check=True, tls=True, ca_cert=None, validate_certs=False)
            assert untrusted["server"]["nodes"] == 3
    until(lambda: announced_to(cluster, 0) == {node.port for node in cluster.nodes})


def announced_to(cluster: RedisCluster, number: int) -> set[int]:
    """The ports of the primaries, as one of them tells."""
    return {port for _host, port in _told(cluster, number)}


def hosts_told(cluster: RedisCluster, number: int) -> set[str]:
    """The hosts of the primaries, as one of them tells."""
    return {host for host, _port in _told(cluster, number)}


def _told(cluster: RedisCluster, number: int) -> list[tuple[str, int]]:
    with connect(cluster.nodes[number]) as client:
        return [(str(entry[2][0]), int(entry[2][1])) for entry in client.cluster("SLOTS")]


@pytest.mark.parametrize(
    "setting",
    [{"cluster-preferred-endpoint-type": "unknown-endpoint"}, {"cluster-preferred-endpoint-type": "hostname"}],
    ids=["unknown", "no_name"],
)
def test_nodes_that_do_not_say_where_they_are(redis_cluster: RedisCluster, setting: dict[str, Any]) -> None:
    fill(redis_cluster, 30)
    with settings(redis_cluster, setting, setting, setting):
        result = clean(redis_cluster.nodes[0], CACHE)
    assert (result["server"]["nodes"], result["findings"], left(redis_cluster)) == (3, [], set())


def test_a_node_that_says_a_wrong_address(redis_cluster: RedisCluster) -> None:
    fill(redis_cluster, 30)
    try:
        with settings(redis_cluster, {}, {"cluster-announce-ip": "192.0.2.1"}, {}):
            until(lambda: "192.0.2.1" in hosts_told(redis_cluster, 0))
            (finding,) = clean(redis_cluster.nodes[0], CACHE, connect_timeout="1s")["findings"]
            assert finding["id"] in ("redis.unreachable", "redis.timeout")
            assert "192.0.2.1" in finding["message"]
    finally:
        until(lambda: hosts_told(redis_cluster, 0) == {redis_cluster.nodes[0].host})


def test_a_cluster_by_the_socket_of_a_node(redis_cluster: RedisCluster) -> None:
    fill(redis_cluster, 30)
    by_socket = replace(redis_cluster.nodes[0], host=redis_cluster.socket_of(0))
    result = clean(by_socket, CACHE)
    assert (result["server"]["nodes"], left(redis_cluster)) == (3, set())


def test_a_replica_of_a_cluster_leads_to_the_primaries(make_stack: Callable[..., Stack]) -> None:
    with make_stack("replicated") as stack:
        cluster = add_cluster(stack, "redis8")
        replica = add_replica_of_node(cluster, 1)
        fill(cluster, 30)
        fill_queues(cluster)
        result = clean(replica, NO_TTL)
        assert (result["server"]["nodes"], states(result)) == (3, [("unlink", "cache", "done")])
        assert {state[2] for state in states(clean_queues(replica, **OLD))} == {"done"}
        assert Audit(replica).run("keyspace")["metrics"]["redis_audit_nodes"] == 3
        assert Health(replica).redis("cluster")["findings"] == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no_scripts"])
def test_an_audit_while_a_slot_is_on_its_way(redis_cluster: RedisCluster, redis_acl: Users, scripts: bool) -> None:
    cluster = redis_cluster
    fill(cluster, 60)
    move = Move(cluster, "cache:{moving}")
    with cluster.client() as client:
        for number in range(20):
            client.set(f"cache:{{moving}}:{number}", "x")
    endpoint = cluster.nodes[0] if scripts else redis_acl(cluster.nodes[0], *NO_SCRIPTS, beside=cluster.nodes)
    try:
        move.begin()
        move.send(8)
        result = Audit(endpoint).run("keyspace", "big_keys")
        assert result["findings"] == []
        assert 73 <= result["metrics"]["redis_audit_keys_seen"] <= 81, "those that are between two nodes may be missing"
    finally:
        move.back()
