# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_warm beside others who use the keys, without rights, with little memory, on a cluster, killed, out of time."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import AccessDenied, StoreUnreachable
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.nodes import ReplicaServer
from tests.contract.catalogue import documentation
from tests.integration.health import ids
from tests.integration.postgresql_work import states
from tests.integration.redis_cleanup import raw_keys
from tests.integration.redis_health import own_server, relay
from tests.integration.redis_warm import entry, start, warm
from tests.integration.test_redis_cleanup_guards import Running
from tests.integration.test_redis_cluster import one_down
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.redis_fixtures import NO_SCRIPTS
from tests.stack.servers import mongodb as mongodb_server
from tests.stack.servers import postgresql as postgresql_server
from tests.stack.servers.redis import connect
from tests.stack.servers.redis_cluster import RedisCluster

Restricted = Callable[..., Endpoint]
NUMBERS = "SELECT n AS id, repeat('x', 50) AS text FROM generate_series(1, {}) n"


@pytest.fixture
def restricted(fresh_redis: Endpoint, redis_acl: Callable[..., Endpoint]) -> Restricted:
    """A function that makes a user with these rules and returns the endpoint of it."""
    return lambda *rules: redis_acl(fresh_redis, *rules)


def rows(folder: Path, number: int = 50) -> Path:
    """A file of so many rows."""
    path = folder / "rows.jsonl"
    path.write_text("".join(f'{{"id": {each}, "text": "x"}}\n' for each in range(number)), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("value", "nx", "scripts", "word"),
    [
        ("json", True, True, b"SET"),
        ("hash", True, True, b"EVAL"),
        ("hash", True, False, b"MULTI"),
        ("json", False, True, b"EVAL"),
        ("json", False, False, b"MULTI"),
    ],
)
def test_a_key_that_somebody_sets_meanwhile_stays(
    restricted: Restricted, tmp_path: Path, value: str, nx: bool, scripts: bool, word: bytes
) -> None:
    endpoint = restricted("~*", "+@all") if scripts else restricted(*NO_SCRIPTS)
    theirs: list[str] = []

    def use() -> None:
        with connect(endpoint) as client:
            # Once the lock is taken, and the servers were asked whether they run scripts.
            if client.exists("upkeep:lock:redis_warm") and not theirs:
                theirs.append("user:7")
                client.rpush("user:7", "theirs")

    with relay(endpoint, b"PEXPIRE" if word == b"EVAL" else word, use) as port:
        done = warm(replace(endpoint, port=port), entry(None, rows(tmp_path), "user:{id}", value=value, nx=nx))
    assert theirs, "nobody came between"
    assert states(done) == [("warm", "entry 1", "done")]
    assert "1 were there and stay" in done["actions"][0]["detail"]
    with connect(endpoint) as client:
        assert client.lrange("user:7", 0, -1) == ["theirs"]
        assert {client.type(f"user:{number}") for number in range(50) if number != 7} == {
            "hash" if value == "hash" else "string"
        }
        assert all(3000 < client.ttl(f"user:{number}") < 4000 for number in range(50) if number != 7)


def documented(way: str) -> list[str]:
    """The commands that the module's notes ask for. :param way: ``eval`` or ``transactions``, or neither."""
    notes = " ".join(documentation("redis_warm")[0]["notes"])
    always, _for, rest = notes.partition("For O(entries[].value=hash)")
    scripts, _without, transactions = rest.partition("without C(+eval)")
    chosen = {"": "", "eval": scripts, "transactions": transactions.partition(".")[0]}[way]
    plain = re.sub(r"in a cluster also\s+C\([^)]*\)", "", always)
    return " ".join(re.findall(r"C\((\+[^)]*)\)", plain + chosen)).split()


@pytest.mark.parametrize("way", ["", "eval", "transactions"])
def test_the_rights_that_the_documentation_names_are_enough(
    fresh_redis: Endpoint, restricted: Restricted, tmp_path: Path, way: str
) -> None:
    rights = documented(way)
    assert "+exists" in rights
    keys = ("~user:*", "~upkeep:*")
    value = "hash" if way else "json"
    result = warm(restricted("-@all", *rights, *keys), entry(None, rows(tmp_path), "user:{id}", value=value))
    assert states(result) == [("warm", "entry 1", "done")], result
    assert not result["findings"]
    assert len(raw_keys(fresh_redis)) == 50


@pytest.mark.parametrize("refused", ["set", "hset", "pexpire"])
@pytest.mark.parametrize("rules", [("~*", "+@all"), NO_SCRIPTS], ids=["scripts", "no_scripts"])
def test_who_may_not_set_is_told_and_nothing_is_lost(
    fresh_redis: Endpoint, restricted: Restricted, tmp_path: Path, rules: tuple[str, ...], refused: str
) -> None:
    endpoint = restricted(*rules, f"-{refused}")
    with connect(fresh_redis) as client:
        client.hset("user:3", "old", "x")
        wanted = entry(None, rows(tmp_path), "user:{id}", value="hash", nx=False)
        assert warm(endpoint, wanted, check=True)["changed"], "to look is allowed"
        result = warm(endpoint, wanted)
        assert states(result) == [("warm", "entry 1", "failed")]
        assert "ACL SETUSER" in result["actions"][0]["detail"]
        assert result["status"] == "critical"
        assert not result["changed"]
        assert client.hget("user:3", "old") == "x"
        client.delete("upkeep:lock:redis_warm")
        assert raw_keys(endpoint) == {b"user:3"}


def test_who_may_not_look_is_refused(restricted: Restricted, tmp_path: Path) -> None:
    endpoint = restricted("~*", "+@all", "-type")
    with pytest.raises(AccessDenied, match="ACL SETUSER"):
        warm(endpoint, entry(None, rows(tmp_path), "user:{id}"))


def test_a_server_that_is_down_is_said(dead_port: tuple[str, int], redis8: Endpoint, tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachable):
        warm(replace(redis8, port=dead_port[1]), entry(None, rows(tmp_path), "user:{id}"))


def test_a_replica_takes_no_changes(fresh_redis8: Endpoint, tmp_path: Path) -> None:
    primary = f"{fresh_redis8.host} {fresh_redis8.port}"
    login = ["--masteruser", str(fresh_redis8.user), "--masterauth", str(fresh_redis8.password)]
    replicating = own_server(tmp_path, "--replicaof", primary, *login)
    with replicating as (replica, _process), pytest.raises(ReplicaServer, match=str(fresh_redis8.port)):
        warm(replica, entry(None, rows(tmp_path), "user:{id}"))


def test_sources_that_are_down_or_refuse_are_findings_and_others_are_warmed(
    fresh_redis8: Endpoint, dead_port: tuple[str, int], postgresql18: Endpoint, mongodb: Endpoint, tmp_path: Path
) -> None:
    secret = "s3cret-of-a-source"
    there, there_too = replace(postgresql18, password=secret), replace(mongodb, password=secret)
    down, down_too = replace(there, port=dead_port[1]), replace(there_too, port=dead_port[1])
    no_operator = {"collection": "x", "filter": {"a": {"$nosuch": "private"}}}
    result = warm(
        fresh_redis8,
        entry(down, NUMBERS.format(5), "a:{id}", name="postgresql down"),
        entry(down_too, {"collection": "x"}, "b:{id}", name="mongodb down"),
        entry(there, NUMBERS.format(5), "c:{id}", name="wrong password"),
        entry(there_too, {"collection": "x"}, "d:{id}", name="wrong password there"),
        entry(postgresql18, "SELECT id FROM nothing_such", "e:{id}", name="no table"),
        entry(postgresql18, "SELECT 'private'::int AS id", "f:{id}", name="no number"),
        entry(postgresql18, "SELECT 'infinity'::timestamptz AS id", "g:{id}", name="no moment"),
        entry(mongodb, no_operator, "h:{id}", name="no operator"),
        entry(None, rows(tmp_path), "right:{id}", name="right"),
    )
    assert states(result) == [("warm", "right", "done")]
    found = {finding["subject"].partition(" ")[2]: finding["id"] for finding in result["findings"]}
    assert found == {
        "postgresql down": "postgresql.unreachable",
        "mongodb down": "mongodb.unreachable",
        "wrong password": "postgresql.authentication",
        "wrong password there": "mongodb.authentication",
        "no table": "postgresql.error",
        "no number": "postgresql.error",
        "no moment": "postgresql.error",
        "no operator": "mongodb.error",
    }
    assert result["status"] == "critical"
    assert secret not in str(result)
    assert "private" not in str(result)
    assert all(finding["remedy"] for finding in result["findings"]), result["findings"]
    assert len(raw_keys(fresh_redis8)) == 50


def test_whatever_a_query_says_it_changes_nothing(
    fresh_redis8: Endpoint, fresh_postgresql18_database: Endpoint
) -> None:
    with postgresql_server.connect(fresh_postgresql18_database) as session:
        session.execute("CREATE TABLE users (id int); INSERT INTO users VALUES (1)")
        session.execute("CREATE FUNCTION spoil() RETURNS int LANGUAGE sql AS 'DELETE FROM users RETURNING id'")
        queries = [
            "SELECT spoil() AS id",
            "WITH gone AS (DELETE FROM users RETURNING id) SELECT id FROM gone",
            "SELECT id FROM users FOR UPDATE",
            "SELECT id INTO others FROM users",
        ]
        result = warm(
            fresh_redis8, *(entry(fresh_postgresql18_database, query, "a:{id}") for query in queries), check=False
        )
        assert not result["actions"]
        assert [finding["severity"] for finding in result["findings"]] == ["critical"] * len(queries)
        assert session.execute("SELECT count(*) FROM users").fetchone() == (1,)
        assert session.execute("SELECT to_regclass('others')").fetchone() == (None,)
    assert not raw_keys(fresh_redis8)


def test_a_query_that_takes_too_long_is_ended(
    fresh_redis8: Endpoint, postgresql18: Endpoint, mongodb: Endpoint
) -> None:
    slow = "SELECT n AS id, pg_sleep(0.01)::text FROM generate_series(1, 10000) n"
    with mongodb_server.connect(mongodb) as client:
        client["warm"]["slow"].insert_many([{"_id": number} for number in range(1000)])
        found = {
            "collection": "slow",
            "database": "warm",
            "filter": {"$where": "sleep(20) || true"},
        }
        result = warm(
            fresh_redis8,
            entry(postgresql18, slow, "a:{id}", timeout="0.3"),
            entry(mongodb, found, "b:{_id}", timeout="0.3"),
        )
        client.drop_database("warm")
    assert ids(result) == {"postgresql.timeout": "critical", "mongodb.timeout": "critical"}
    assert all("raise the entry's timeout" in finding["remedy"] for finding in result["findings"])


def test_a_locked_table_and_a_parameter_are_told_as_such(
    fresh_redis8: Endpoint, fresh_postgresql18_database: Endpoint
) -> None:
    with postgresql_server.connect(fresh_postgresql18_database) as session:
        session.execute("CREATE TABLE users (id int)")
        with session.transaction():
            session.execute("LOCK TABLE users")
            result = warm(
                fresh_redis8,
                entry(fresh_postgresql18_database, "SELECT id FROM users", "a:{id}", name="locked"),
                entry(fresh_postgresql18_database, "SELECT $1 AS id", "b:{id}", name="parameter"),
            )
    locked, parameter = result["findings"]
    assert locked["id"] == "postgresql.timeout"
    assert "another session holds the lock" in locked["message"]
    assert "entry's timeout" not in locked["remedy"]
    assert parameter["id"] == "postgresql.error"
    assert "it has a parameter such as $1" in parameter["message"]


def test_killed_half_way_the_next_run_finishes(fresh_redis: Endpoint, postgresql18: Endpoint) -> None:
    wanted = entry(postgresql18, NUMBERS.format(20_000), "user:{id}")
    with connect(fresh_redis) as client:
        process = start(fresh_redis, wanted, rate=10_000)
        try:
            until(lambda: int(client.dbsize()) > 2000)
        finally:
            process.kill()
            process.communicate()
        half = int(client.dbsize())
        assert half < 20_000, "it was killed too late to tell"
        beside = warm(fresh_redis, wanted)
        assert ids(beside) == {"redis.locked": "warning"}
        assert states(beside) == [("warm", "entry 1", "skipped")]
        assert client.pttl("upkeep:lock:redis_warm") <= 60_000, "the lock ends by itself"
        client.delete("upkeep:lock:redis_warm")
        done = warm(fresh_redis, wanted)
        assert done["actions"][0]["detail"].startswith(f"{20_000 - half + 1} keys")
        assert client.dbsize() == 20_000
        assert all(client.ttl(f"user:{number}") > 3000 for number in range(1, 20_001, 97))
    assert not warm(fresh_redis, wanted)["changed"]


class Sleeping:
    """A clock that stands still but while somebody sleeps."""

    def __init__(self) -> None:
        self.at = 0.0

    def clock(self) -> Clock:
        def sleep(seconds: float) -> None:
            self.at += seconds

        return Clock(monotonic=lambda: self.at, sleep=sleep)


def test_the_rate_is_kept(fresh_redis8: Endpoint, tmp_path: Path) -> None:
    sleeping = Sleeping()
    done = warm(fresh_redis8, entry(None, rows(tmp_path, 1000), "user:{id}"), rate=100.0, clock=sleeping.clock())
    assert states(done) == [("warm", "entry 1", "done")]
    assert 9.5 <= sleeping.at <= 10
    assert int(re.findall(r"in (\d+) pages", done["actions"][0]["detail"])[0]) >= 100, "ten keys at once at most"


def test_a_rate_that_the_deadline_cuts_short_goes_on_the_next_time(fresh_redis8: Endpoint, tmp_path: Path) -> None:
    wanted = entry(None, rows(tmp_path, 1000), "user:{id}")
    done = warm(fresh_redis8, wanted, rate=100.0, deadline=5, clock=Sleeping().clock())
    assert "ended early: the deadline is near; the next run goes on" in done["actions"][0]["detail"]
    assert 400 < len(raw_keys(fresh_redis8)) < 600
    warm(fresh_redis8, wanted)
    assert len(raw_keys(fresh_redis8)) == 1000


def test_what_cannot_be_counted_in_time_is_warmed_uncounted(fresh_redis8: Endpoint, tmp_path: Path) -> None:
    wanted = entry(None, rows(tmp_path, 10_000), "user:{id}")
    looking = Running()
    warm(fresh_redis8, wanted, check=True, clock=Clock(monotonic=looking))
    clock = Clock(monotonic=Running())
    result = warm(fresh_redis8, wanted, deadline=looking.at, clock=clock)
    assert result["actions"][0]["reason"].startswith("at least ")
    assert "more rows than could be counted" in result["actions"][0]["reason"]
    assert 1 < len(raw_keys(fresh_redis8)) <= 10_000
    with connect(fresh_redis8) as client:
        client.delete("upkeep:lock:redis_warm")  # on this clock there may be no time left to give it back
    warm(fresh_redis8, wanted)
    assert len(raw_keys(fresh_redis8)) == 10_000


@pytest.mark.parametrize("policy", ["noeviction", "allkeys-lru"])
def test_memory_is_not_filled_to_the_brim(fresh_redis8: Endpoint, tmp_path: Path, policy: str) -> None:
    with connect(fresh_redis8) as client:
        used = int(client.info("memory")["used_memory"])
        client.config_set("maxmemory-policy", policy)
        client.config_set("maxmemory", used + 6_000_000)
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(f'{{"id": {each}, "text": "{"x" * 1000}"}}\n' for each in range(10_000)))
        wanted = entry(None, path, "user:{id}")
        percent = round(100 * (used + 3_000_000) / (used + 6_000_000), 1)
        done = warm(fresh_redis8, wanted, max_memory_percent=percent)
        assert "memory is" in done["actions"][0]["detail"]
        assert "% full; the next run goes on" in done["actions"][0]["detail"]
        assert ids(done) == {"redis.warm_memory": "warning"}
        assert client.info("memory")["used_memory"] < used + 6_000_000
        assert 500 < int(client.dbsize()) < 4500
        assert client.info("stats")["evicted_keys"] == 0
        keys = raw_keys(fresh_redis8)
        full = warm(fresh_redis8, wanted, max_memory_percent=percent)
        assert states(full) == [("warm", "entry 1", "skipped")]
        assert ids(full) == {"redis.warm_memory": "warning"}
        assert raw_keys(fresh_redis8) == keys


def test_a_server_that_has_no_room_is_told_with_what_was_done(fresh_redis8: Endpoint, tmp_path: Path) -> None:
    with connect(fresh_redis8) as client:
        client.config_set("maxmemory", int(client.info("memory")["used_memory"]) + 1_000_000)
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(f'{{"id": {each}, "text": "{"x" * 1000}"}}\n' for each in range(10_000)))
        done = warm(fresh_redis8, entry(None, path, "user:{id}"), max_memory_percent=200.0)
        assert states(done) == [("warm", "entry 1", "failed")]
        assert "Raise maxmemory" in done["actions"][0]["detail"]
        assert done["changed"], "a part was done"
        keys = int(client.dbsize())
        assert re.search(rf"Before that: {keys} keys", done["actions"][0]["detail"])


def test_keys_that_are_evicted_at_once_are_told(fresh_redis8: Endpoint, tmp_path: Path) -> None:
    with connect(fresh_redis8) as client:
        client.config_set("maxmemory-policy", "allkeys-random")
        client.config_set("maxmemory", int(client.info("memory")["used_memory"]) + 300_000)
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(f'{{"id": {each}, "text": "{"x" * 1000}"}}\n' for each in range(5000)))
        done = warm(fresh_redis8, entry(None, path, "user:{id}"), max_memory_percent=500.0)
        assert "redis.warm_lost" in ids(done)


@pytest.mark.parametrize(("value", "nx"), [("json", True), ("hash", True), ("text", False)])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no_scripts"])
def test_every_primary_of_a_cluster_is_warmed(
    redis_cluster: RedisCluster,
    redis_acl: Callable[..., Endpoint],
    tmp_path: Path,
    value: str,
    nx: bool,
    scripts: bool,
) -> None:
    rules = ("~*", "+@all") if scripts else NO_SCRIPTS
    endpoint = redis_acl(redis_cluster.nodes[1], *rules, beside=redis_cluster.nodes)
    wanted = entry(None, rows(tmp_path, 300), "user:{id}", value=value, nx=nx)
    planned = warm(endpoint, wanted, check=True)
    assert planned["server"]["nodes"] == 3
    assert not any(raw_keys(node) for node in redis_cluster.nodes)
    done = warm(endpoint, wanted)
    assert states(done) == [("warm", "entry 1", "done")], done
    assert not done["findings"]
    by_node = [raw_keys(node) for node in redis_cluster.nodes]
    assert all(by_node)
    assert set().union(*by_node) == {b"user:%d" % number for number in range(300)}
    assert warm(endpoint, wanted)["changed"] is not nx
    with redis_cluster.client() as client:
        client.hset("user:meta", "opts.maxLenEvents", "10000")
        client.rpush("user:wait", "1")
    assert ids(warm(endpoint, wanted)) == {"redis.keys_protected": "warning"}


def test_keys_of_a_node_that_is_down_are_told_and_others_are_warmed(
    redis_cluster: RedisCluster, tmp_path: Path
) -> None:
    wanted = entry(None, rows(tmp_path, 300), "user:{id}")
    there = {b"user:%d" % number for number in range(300) if redis_cluster.number_of(f"user:{number}") != 2}
    with one_down(redis_cluster, 2):
        done = warm(redis_cluster.nodes[0], wanted)
        assert ids(done) == {"redis.unreachable": "critical"}
        assert states(done) == [("warm", "entry 1", "done")]
        assert f"{300 - len(there)} are of nodes that cannot be reached" in done["actions"][0]["reason"]
        assert set().union(*(raw_keys(node) for node in redis_cluster.nodes[:2])) == there
    warm(redis_cluster.nodes[0], wanted)
    assert len(set().union(*(raw_keys(node) for node in redis_cluster.nodes))) == 300
