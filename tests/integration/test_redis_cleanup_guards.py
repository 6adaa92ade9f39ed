# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_cleanup beside others who use the keys, without rights, on a replica and a cluster, killed, and out of time."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import AccessDenied, StoreUnreachable
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.nodes import ReplicaServer
from tests.contract.catalogue import documentation
from tests.integration.health import ids
from tests.integration.postgresql_work import states
from tests.integration.redis_cleanup import clean, raw_keys, start
from tests.integration.redis_health import relay
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect

DAY = 86400
SESSIONS = {
    "name": "sessions",
    "pattern": "sess:*",
    "when": ["field_age"],
    "field": "lastActivity",
    "older_than": "30d",
    "action": "unlink",
}
CACHE = {"name": "cache", "pattern": "cache:*", "action": "unlink"}
NO_TTL = {**CACHE, "when": ["no_ttl"]}
IDLE = {**CACHE, "when": ["idle"], "older_than": "2d"}
EXPIRE = {"name": "cache", "pattern": "cache:*", "action": "expire", "ttl": "1h"}

Restricted = Callable[..., Endpoint]


@pytest.fixture
def restricted(fresh_redis: Endpoint) -> Iterator[Restricted]:
    """A function that makes a user with these commands and returns the endpoint of it."""

    def make(*commands: str) -> Endpoint:
        with connect(fresh_redis) as client:
            client.acl_setuser("cleaner", enabled=True, passwords=["+secret-of-cleaner"], keys=["*"], commands=commands)
        return replace(fresh_redis, user="cleaner", password="secret-of-cleaner")

    yield make
    with connect(fresh_redis) as client:
        client.acl_deluser("cleaner")


def session(days: float) -> str:
    """A session that was used so many days ago."""
    return json.dumps({"lastActivity": time.time() - days * DAY})


def sessions(endpoint: Endpoint, number: int = 50) -> None:
    """Old sessions, half of them as hashes."""
    with connect(endpoint) as client:
        for each in range(number):
            if each % 2:
                client.set(f"sess:{each}", session(40))
            else:
                client.hset(f"sess:{each}", "lastActivity", str(time.time() - 40 * DAY))


@pytest.mark.parametrize("kind", ["json", "hash"])
@pytest.mark.parametrize("scripts", [True, False])
def test_a_session_that_is_used_meanwhile_stays(restricted: Restricted, scripts: bool, kind: str) -> None:
    endpoint = restricted("+@all") if scripts else restricted("+@all", "-@scripting")
    sessions(endpoint)
    touched = "sess:1" if kind == "json" else "sess:2"

    def use() -> None:
        with connect(endpoint) as client:
            if kind == "json":
                client.set(touched, session(0))
            else:
                client.hset(touched, "lastActivity", str(time.time()))

    # What is about to be sent is the removal: the keys have been read and judged.
    with relay(endpoint, b"sha1hex" if scripts else b"MULTI", use) as port:
        result = clean(replace(endpoint, port=port), SESSIONS)
    assert raw_keys(endpoint) == {touched.encode()}
    assert states(result) == [("unlink", "sessions", "done")]
    assert ("a script" if scripts else "transactions") in result["actions"][0]["detail"]
    assert result["server"]["scripts"] is scripts
    if scripts:
        assert "1 were touched meanwhile and stay" in result["actions"][0]["detail"]


@pytest.mark.parametrize("rule", [NO_TTL, IDLE], ids=["no_ttl", "idle"])
@pytest.mark.parametrize("scripts", [True, False])
def test_a_key_that_gets_a_ttl_or_is_written_meanwhile_stays(
    restricted: Restricted, scripts: bool, rule: dict[str, Any]
) -> None:
    endpoint = restricted("+@all") if scripts else restricted("+@all", "-@scripting")
    with connect(endpoint, decode_responses=False) as client:
        client.set("model", "x")
        for each in range(20):
            client.restore(f"cache:{each}", 0, client.dump("model"), idletime=3 * DAY)
        client.delete("model")

    def use() -> None:
        with connect(endpoint) as client:
            client.set("cache:7", "new", ex=1000)

    with relay(endpoint, b"sha1hex" if scripts else b"MULTI", use) as port:
        clean(replace(endpoint, port=port), rule)
    assert raw_keys(endpoint) == {b"cache:7"}


@pytest.mark.parametrize("scripts", [True, False])
def test_a_key_that_gets_another_name_meanwhile_stays(restricted: Restricted, scripts: bool) -> None:
    endpoint = restricted("+@all") if scripts else restricted("+@all", "-@scripting")
    with connect(endpoint) as client:
        client.mset({f"cache:{number}": "x" for number in range(20)})

    def use() -> None:
        with connect(endpoint) as client:
            if client.exists("cache:7"):
                client.rename("cache:7", "kept:7")

    with relay(endpoint, b"sha1hex" if scripts else b"MULTI", use) as port:
        done = clean(replace(endpoint, port=port), NO_TTL)
    assert raw_keys(endpoint) == {b"kept:7"}
    assert done["actions"][0]["detail"].startswith("19 keys")


@pytest.mark.parametrize("rule", [CACHE, NO_TTL, EXPIRE])
def test_a_server_whose_memory_is_full_is_cleaned_all_the_same(fresh_redis8: Endpoint, rule: dict[str, Any]) -> None:
    with connect(fresh_redis8) as client:
        client.mset({f"cache:{number}": "x" for number in range(300)})
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1")
        try:
            result = clean(fresh_redis8, rule)
        finally:
            client.config_set("maxmemory", "0")
        assert states(result) == [(rule["action"], "cache", "done")]
        assert "without the lock" in result["actions"][0]["detail"]
        assert not [key for key in client.scan_iter("cache:*") if client.ttl(key) == -1]
    assert not clean(fresh_redis8, rule)["changed"]


@pytest.mark.parametrize("rule", [CACHE, NO_TTL, EXPIRE, {**EXPIRE, "types": ["string"]}])
def test_every_rule_works_without_scripts(restricted: Restricted, rule: dict[str, Any]) -> None:
    endpoint = restricted("+@all", "-@scripting")
    with connect(endpoint) as client:
        client.mset({f"cache:{number}": "x" for number in range(500)})
        result = clean(endpoint, rule)
        assert states(result) == [(rule["action"], "cache", "done")]
        assert result["actions"][0]["detail"].startswith("500 keys")
        if rule["action"] == "expire":
            assert all(3200 < client.ttl(f"cache:{number}") < 4000 for number in range(500))
        else:
            assert client.dbsize() == 0
    assert not clean(endpoint, rule)["changed"]


def documented() -> list[str]:
    """The commands that the module's notes ask for, those for the memory and the cluster aside."""
    notes = " ".join(documentation("redis_cleanup")[0]["notes"])
    always, _for, rest = notes.partition("for V(field_age) also ")
    field = rest.partition(",")[0]
    return " ".join(re.findall(r"C\(([^)]*)\)", always + field)).split()


@pytest.mark.parametrize("ways", [["+eval"], ["+watch", "+unwatch", "+multi", "+exec"]], ids=["eval", "transactions"])
def test_the_rights_that_the_documentation_names_are_enough(
    fresh_redis: Endpoint, restricted: Restricted, ways: list[str]
) -> None:
    rights = documented()
    assert "+scan" in rights
    assert "+hget" in rights
    sessions(fresh_redis)
    result = clean(restricted("-@all", *rights, *ways), SESSIONS, {**NO_TTL, "pattern": "other:*"})
    assert states(result) == [("unlink", "sessions", "done")], result
    assert not raw_keys(fresh_redis)


def test_who_may_not_remove_is_told_and_nothing_is_half_done(restricted: Restricted) -> None:
    endpoint = restricted("+@all", "-unlink")
    with connect(endpoint) as client:
        client.mset({f"cache:{number}": "x" for number in range(50)})
    assert clean(endpoint, CACHE, check=True)["changed"], "to look is allowed"
    result = clean(endpoint, CACHE)
    assert states(result) == [("unlink", "cache", "failed")]
    assert "ACL SETUSER" in result["actions"][0]["detail"]
    assert result["status"] == "critical"
    assert {key for key in raw_keys(endpoint) if key.startswith(b"cache:")} == {
        b"cache:%d" % each for each in range(50)
    }


def test_who_may_not_remove_in_a_script_is_told_too(restricted: Restricted) -> None:
    endpoint = restricted("+@all", "-unlink")
    with connect(endpoint) as client:
        client.mset({f"cache:{number}": "x" for number in range(50)})
    result = clean(endpoint, NO_TTL)
    assert states(result) == [("unlink", "cache", "failed")]
    assert "ACL SETUSER" in result["actions"][0]["detail"]


def test_who_may_not_look_is_refused(restricted: Restricted) -> None:
    endpoint = restricted("+@all", "-scan")
    with pytest.raises(AccessDenied, match="ACL SETUSER"):
        clean(endpoint, CACHE)


def test_a_server_that_is_down_is_said(dead_port: tuple[str, int], redis8: Endpoint) -> None:
    with pytest.raises(StoreUnreachable):
        clean(replace(redis8, port=dead_port[1]), CACHE)


def test_a_replica_takes_no_changes(redis_replica: tuple[Endpoint, Endpoint]) -> None:
    primary, replica = redis_replica
    with pytest.raises(ReplicaServer, match=str(primary.port)):
        clean(replica, CACHE)


def test_killed_half_way_nothing_else_is_lost_and_the_next_run_goes_on(fresh_redis: Endpoint) -> None:
    with connect(fresh_redis) as client:
        for start_at in range(0, 60_000, 5000):
            client.mset({f"cache:{number}": "x" for number in range(start_at, start_at + 5000)})
        client.mset({f"kept:{number}": "x" for number in range(1000)})
        process = start(fresh_redis, NO_TTL, batch_target_ms=0.05)
        try:
            until(lambda: int(client.dbsize()) < 60_000)  # type: ignore[arg-type]
        finally:
            process.kill()
            process.communicate()
        half = int(client.dbsize())  # type: ignore[arg-type]
        assert half > 1001, "it was killed too late to tell"
        beside = clean(fresh_redis, NO_TTL)
        assert ids(beside) == {"redis.locked": "warning"}
        assert states(beside) == [("unlink", "cache", "skipped")]
        assert client.pttl("upkeep:lock:redis_cleanup") <= 60_000, "the lock ends by itself"
        client.delete("upkeep:lock:redis_cleanup")
        done = clean(fresh_redis, NO_TTL)
        assert done["actions"][0]["detail"].startswith(f"{half - 1001} keys")
        assert client.dbsize() == 1000
        assert not clean(fresh_redis, NO_TTL)["changed"]


class Running:
    """A clock that runs a thousandth of a second further each time that somebody looks at it."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        self.at += 0.001
        return self.at


def test_out_of_time_the_next_run_goes_on(fresh_redis8: Endpoint) -> None:
    with connect(fresh_redis8) as client:
        client.mset({f"cache:{number}": "x" for number in range(50_000)})
        looking = Running()
        clean(fresh_redis8, NO_TTL, check=True, clock=Clock(monotonic=looking))
        result = clean(fresh_redis8, NO_TTL, deadline=looking.at * 1.2, clock=Clock(monotonic=Running()))
        assert "the deadline is near; the next run goes on" in result["actions"][0]["detail"]
        assert 0 < int(client.dbsize()) < 50_000  # type: ignore[arg-type]
        clean(fresh_redis8, NO_TTL)
        assert client.dbsize() == 0
