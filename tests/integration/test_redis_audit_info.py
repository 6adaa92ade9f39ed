# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_audit_info as Ansible runs it, and its one pass over the keys, against real servers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from tests.integration.health import ids
from tests.integration.redis_audit import Audit
from tests.integration.redis_health import own_server, relay, writes
from tests.integration.running import run_module
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect
from tests.stack.servers.redis_cluster import wait_copied

DAY = 86_400
ODD = [
    b"with space", b"new\nline", b"quo'te\"", b"\xff\xfe\x00binary", "äöü:straße".encode(), b"g*[l]ob?:\\x",
    b"long:" + b"x" * 10_000, b"", b":", b"{tag}:1",
]  # fmt: skip


def metric(result: dict[str, Any], name: str, **labels: str) -> float | None:
    """One metric of the result."""
    inner = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    value: float | None = result["metrics"].get(f"{name}{{{inner}}}" if labels else name)
    return value


@contextlib.contextmanager
def user(endpoint: Endpoint, *rules: str) -> Iterator[Endpoint]:
    """A user with these rights."""
    with connect(endpoint) as client:
        client.execute_command("ACL", "SETUSER", "some", "on", ">some-pass", "~*", *rules)
        yield replace(endpoint, user="some", password="some-pass")
        client.execute_command("ACL", "DELUSER", "some")


def without_scripts(endpoint: Endpoint) -> contextlib.AbstractContextManager[Endpoint]:
    """A user who may do all but run scripts."""
    return user(endpoint, "+@all", "-@scripting")


def fill(endpoint: Endpoint) -> None:
    """Keys of every type, with and without TTL, some large."""
    with connect(endpoint, decode_responses=False) as client:
        for number in range(300):
            client.set(f"user:{number}:profile", b"x" * 100, ex=3000 if number % 3 else None)
        for number in range(50):
            client.hset(f"sess:{number:016x}", mapping={"a": 1})
            client.expire(f"sess:{number:016x}", 20 * DAY)
        client.hset("cart:all", mapping={f"field{number}": number for number in range(25_000)})
        client.rpush("mail:out", *range(5000))
        client.sadd("tags", *range(600))
        client.zadd("scores:week", {f"member{number}": number for number in range(700)})
        client.xadd("stream:a", {"x": b"y" * 2000})
        client.set("blob:last", b"x" * 1_500_000)


def test_check_mode_then_a_run_then_another(fresh_redis: Endpoint, tmp_path: Path) -> None:
    fill(fresh_redis)
    before = writes(fresh_redis)
    state = tmp_path / "state"
    params = fresh_redis.options(state=str(state), policies=[{"pattern": "user:*", "max_ttl": "5min"}])
    planned = run_module("redis_audit_info", params, check=True)
    assert not state.exists()
    first = run_module("redis_audit_info", params)
    second = run_module("redis_audit_info", params)
    for result in (planned, first, second):
        assert result["outcome"] == "ok", result
        assert result["changed"] is False
        assert ids(result) == {
            "redis.big_key": "warning", "redis.ttl_missing": "warning", "redis.ttl_too_long": "warning"
        }  # fmt: skip
    assert writes(fresh_redis) == before
    assert [(one["id"], one["value"]) for one in first["findings"]] == [
        (one["id"], one["value"]) for one in second["findings"]
    ]


@pytest.mark.parametrize("scripts", [True, False])
def test_what_the_pass_counts(fresh_redis: Endpoint, scripts: bool) -> None:
    fill(fresh_redis)
    with contextlib.nullcontext(fresh_redis) if scripts else without_scripts(fresh_redis) as endpoint:
        result = Audit(endpoint).run("keyspace", "big_keys")
    with connect(fresh_redis) as client:
        assert metric(result, "redis_audit_keys") == client.dbsize()
        size = client.memory_usage("cart:all", samples=5)
        used = sum(int(client.memory_usage(f"user:{number}:profile") or 0) for number in range(300))
    assert metric(result, "redis_audit_scripts") == int(scripts)
    assert metric(result, "redis_audit_complete") == 1
    assert metric(result, "redis_audit_keys_seen") == metric(result, "redis_audit_keys")
    assert metric(result, "redis_prefix_keys", prefix="user:*:profile") == 300
    assert metric(result, "redis_prefix_keys_without_ttl", prefix="user:*:profile") == 100
    assert metric(result, "redis_prefix_bytes", prefix="user:*:profile") == used
    assert metric(result, "redis_prefix_keys_by_ttl", prefix="user:*:profile", up_to_seconds="3600") == 200
    assert metric(result, "redis_prefix_keys_by_ttl", prefix="sess:*", up_to_seconds=str(30 * DAY)) == 50
    assert metric(result, "redis_key_elements", key="cart:all", type="hash") == 25_000
    assert metric(result, "redis_key_elements", key="mail:out", type="list") == 5000
    assert metric(result, "redis_key_elements", key="scores:week", type="zset") == 700
    assert metric(result, "redis_key_elements", key="stream:a", type="stream") == 1
    found = metric(result, "redis_key_bytes", key="cart:all", type="hash")
    assert found is not None
    assert size is not None
    assert found == pytest.approx(float(size), rel=0.5), "an estimate from five fields each time"
    assert metric(result, "redis_keys_by_encoding", type="hash", encoding="hashtable") == 1
    assert [finding["subject"].split()[-1] for finding in result["findings"]] == ["cart:all", "blob:last"] or [
        finding["subject"].split()[-1] for finding in result["findings"]
    ] == ["blob:last", "cart:all"]


@pytest.mark.parametrize("scripts", [True, False])
def test_keys_of_any_name(fresh_redis: Endpoint, scripts: bool) -> None:
    with connect(fresh_redis, decode_responses=False) as client:
        for name in ODD:
            client.rpush(name, *range(1500))
    with contextlib.nullcontext(fresh_redis) if scripts else without_scripts(fresh_redis) as endpoint:
        result = Audit(endpoint).run("keyspace", "big_keys", key_elements=1000)
    assert metric(result, "redis_audit_keys_seen") == len(ODD)
    assert len(result["findings"]) == len(ODD)
    for text in [finding["message"] for finding in result["findings"]] + list(result["metrics"]):
        assert text.isprintable(), text
        assert len(text) < 400
    text = "\n".join(result["metrics"])
    text.encode()  # no lone surrogate, which JSON could not carry


@pytest.mark.parametrize("scripts", [True, False])
def test_the_pass_is_no_use_of_the_keys_and_sees_what_nobody_uses(fresh_redis: Endpoint, scripts: bool) -> None:
    with connect(fresh_redis, decode_responses=False) as client:
        for number in range(60):
            client.rpush(f"old:{number}", "x" * (5000 if number % 2 else 20))
            value = client.dump(f"old:{number}")
            client.restore(f"old:{number}", 0, value, replace=True, idletime=40 * DAY)
            client.set(f"new:{number}", "x" * 20)
    limits: dict[str, Any] = {"idle_bytes": "1kB", "idle_percent": 0.001, "no_ttl_percent": "off"}
    with contextlib.nullcontext(fresh_redis) if scripts else without_scripts(fresh_redis) as endpoint:
        for _time in range(2):
            result = Audit(endpoint).run("keyspace", **limits)
            found = [(one["id"], one["subject"].split()[-1]) for one in result["findings"]]
            assert found == [("redis.idle", "old:*")]
            assert metric(result, "redis_prefix_idle_keys", prefix="old:*") == 60
            assert metric(result, "redis_prefix_idle_keys", prefix="new:*") == 0
        assert Audit(endpoint).run("keyspace", options={"idle_after": "200d"}, **limits)["findings"] == []


def test_a_server_that_counts_how_often_a_key_is_used_says_no_idle_time(fresh_redis8: Endpoint) -> None:
    fill(fresh_redis8)
    with connect(fresh_redis8) as client:
        client.config_set("maxmemory-policy", "allkeys-lfu")
    for scripts in (True, False):
        with contextlib.nullcontext(fresh_redis8) if scripts else without_scripts(fresh_redis8) as endpoint:
            result = Audit(endpoint).run("keyspace", no_ttl_bytes="1kB", no_ttl_percent=0.001)
        assert metric(result, "redis_prefix_keys", prefix="sess:*") == 50
        assert metric(result, "redis_prefix_idle_keys", prefix="sess:*") is None
        assert result["findings"] == [], "any key may be evicted here"


def test_what_never_expires(fresh_redis: Endpoint) -> None:
    fill(fresh_redis)
    limits: dict[str, Any] = {"no_ttl_bytes": "10kB", "no_ttl_percent": 0.001}
    subjects = {finding["subject"].split()[-1] for finding in Audit(fresh_redis).run("keyspace", **limits)["findings"]}
    assert subjects == {"blob:*", "cart:*", "mail:*", "tags", "scores:*", "user:*:profile"}
    rules = [{"pattern": "cart:*"}, {"pattern": "user:*", "ttl": "required"}, {"pattern": "[bmst]*", "ttl": "optional"}]
    result = Audit(fresh_redis).run("keyspace", "policy", options={"policies": rules}, **limits)
    assert [(one["id"], one["value"]) for one in result["findings"]] == [("redis.ttl_missing", 100)]
    assert Audit(fresh_redis).run("keyspace")["findings"] == [], "little of little is nothing"


def test_a_sample_stands_for_all(fresh_redis8: Endpoint) -> None:
    with connect(fresh_redis8) as client, client.pipeline(transaction=False) as pipeline:
        for number in range(25_000):
            pipeline.set(f"page:{number}", "x", ex=None if number % 4 == 0 else 900)
            if number % 1000 == 999:
                pipeline.execute()
    for scripts in (True, False):
        with contextlib.nullcontext(fresh_redis8) if scripts else without_scripts(fresh_redis8) as endpoint:
            options = {"sample": 5000, "policies": [{"pattern": "page:*", "max_ttl": 300}]}
            result = Audit(endpoint).run("keyspace", "policy", options=options)
        seen = metric(result, "redis_audit_keys_seen")
        assert seen is not None
        assert 5000 <= seen < 7000
        assert metric(result, "redis_audit_complete") == 0
        assert metric(result, "redis_prefix_keys", prefix="page:*") == pytest.approx(25_000, rel=0.01)
        assert metric(result, "redis_prefix_keys_without_ttl", prefix="page:*") == pytest.approx(6250, rel=0.2)
        assert metric(result, "redis_policy_keys_too_long", pattern="page:*") == pytest.approx(18_750, rel=0.1)
        assert all("from a sample of" in finding["message"] for finding in result["findings"])


def test_no_time_for_all_keys(fresh_redis8: Endpoint) -> None:
    fill(fresh_redis8)
    result = Audit(fresh_redis8).run("keyspace", options={"scan_seconds": "0.000001"})
    assert metric(result, "redis_audit_complete") == 0
    assert (metric(result, "redis_audit_keys_seen") or 0) > 0, "one page at least"


@pytest.mark.parametrize(
    ("library", "version", "queue"), [("bullmq", "5", "bull:notifications:*"), ("bull", "4", "bull:notifications:*")]
)
def test_queues_are_known_and_their_keys_are_no_waste(npm_queue: Any, library: str, version: str, queue: str) -> None:
    endpoint, _counts = npm_queue(library, version)
    result = Audit(endpoint).run(no_ttl_bytes=0, no_ttl_percent=0, key_elements=1)
    assert (metric(result, "redis_audit_queues") or 0) >= 2
    assert not [finding for finding in result["findings"] if finding["id"] in ("redis.no_ttl", "redis.big_key")]
    assert (metric(result, "redis_prefix_keys", prefix=queue) or 0) > 1
    settings = {
        one["subject"].split()[-1]: one["severity"] for one in result["findings"] if one["id"] == "redis.setting"
    }
    assert settings == {"appendonly": "warning"}, "a crash loses jobs"
    with connect(endpoint) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    result = Audit(endpoint).run("keyspace", "settings")
    settings = {
        one["subject"].split()[-1]: one["severity"] for one in result["findings"] if one["id"] == "redis.setting"
    }
    assert settings["maxmemory-policy"] == "critical"


def test_slow_commands_that_grow_with_the_data(fresh_redis8: Endpoint, tmp_path: Path) -> None:
    with connect(fresh_redis8) as client:
        client.config_set("slowlog-log-slower-than", 0)
        client.keys("secret-pattern*")
        client.get("harmless")
        client.config_set("slowlog-log-slower-than", 10_000)
    audit = Audit(fresh_redis8, tmp_path / "state")
    result = audit.run("slow_log")
    assert [(one["id"], one["subject"].split()[-1]) for one in result["findings"]] == [("redis.costly_command", "KEYS")]
    assert metric(result, "redis_slow_command_count", command="KEYS") == 1
    assert metric(result, "redis_slow_command_count", command="GET") == 1
    assert "secret-pattern" not in str(result)
    assert audit.run("slow_log")["findings"] == [], "it has been said"


def test_settings_that_hurt(fresh_redis8: Endpoint) -> None:
    with connect(fresh_redis8) as client:
        client.set("a", 1)
        for name, value in {
            "maxmemory": "0", "save": "", "latency-monitor-threshold": "0", "slowlog-max-len": "0",
            "slowlog-log-slower-than": "-1", "tcp-keepalive": "0", "client-output-buffer-limit": "pubsub 0 0 0",
        }.items():  # fmt: skip
            client.config_set(name, value)
    found = {one["subject"].split()[-1] for one in Audit(fresh_redis8).run("settings")["findings"]}
    assert found == {
        "maxmemory", "save", "latency-monitor-threshold", "slowlog-max-len", "slowlog-log-slower-than",
        "tcp-keepalive", "client-output-buffer-limit",
    }  # fmt: skip
    accepted = Audit(fresh_redis8).run("settings", options={"accepted_settings": sorted(found)})
    assert accepted["findings"] == []


def test_a_server_without_password(tmp_path: Path) -> None:
    with own_server(tmp_path, "--protected-mode", "no") as (endpoint, _process):
        result = Audit(endpoint).run("exposure")
        assert ids(result) == {"redis.no_password": "warning"}, "only this machine reaches it"
        with connect(endpoint) as client:
            client.execute_command("CONFIG", "SET", "bind", "*")
            assert ids(Audit(endpoint).run("exposure")) == {
                "redis.no_password": "critical", "redis.open_address": "warning", "redis.unencrypted": "warning"
            }  # fmt: skip
            client.execute_command("CONFIG", "SET", "protected-mode", "yes")
            assert ids(Audit(endpoint).run("exposure"))["redis.no_password"] == "warning"
            client.execute_command("ACL", "SETUSER", "app", "on", "nopass", "~*", "+@all")
            found = {(one["id"], one["severity"], one["value"]) for one in Audit(endpoint).run("exposure")["findings"]}
            assert ("redis.no_password", "critical", "app") in found, "protected mode guards the default user alone"


def test_a_server_in_order(fresh_redis: Endpoint) -> None:
    fill(fresh_redis)
    result = Audit(fresh_redis).run("settings", "exposure", "slow_log")
    assert result["findings"] == []
    assert metric(result, "redis_users_without_password") == 0
    assert str(fresh_redis.password) not in str(result)


def test_a_replica_is_audited_as_it_is(redis_replica: tuple[Endpoint, Endpoint]) -> None:
    primary, replica = redis_replica
    with connect(primary) as client:
        client.set("user:1", "x")
    wait_copied(primary, replica)
    result = Audit(replica).run("keyspace", "settings")
    assert metric(result, "redis_prefix_keys", prefix="user:*") == 1
    assert metric(result, "redis_audit_scripts") == 1
    subjects = {one["subject"].split()[-1] for one in result["findings"]}
    assert "save" not in subjects, "its master may save for it"


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("policies", [{"pattern": ""}], "policies[0].pattern"),
        ("policies", [{"pattern": "a*"}, {"pattern": "a*"}], "policies[1].pattern"),
        ("policies", [{"pattern": "a*", "max_ttl": "soon"}], "policies[0].max_ttl"),
        ("policies", [{"max_ttl": "5min"}], "pattern"),
        ("idle_after", "long", "idle_after"),
        ("scan_seconds", "-3", "scan_seconds"),
        ("sample", 0, "sample"),
        ("thresholds", {"no_such": 3}, "no_such"),
        ("checks", ["nothing"], "checks"),
    ],
)
def test_wrong_options_are_named(redis8: Endpoint, option: str, value: Any, named: str) -> None:
    result = run_module("redis_audit_info", redis8.options(**{option: value}))
    assert result["outcome"] == "failed"
    assert named in result["msg"]
    assert "Traceback" not in result["output"]


def test_a_store_that_is_down(dead_port: tuple[str, int]) -> None:
    result = run_module("redis_audit_info", {"login_host": dead_port[0], "login_port": dead_port[1]})
    assert (result["outcome"], ids(result)) == ("ok", {"redis.unreachable": "critical"})


def test_a_store_that_goes_in_the_middle(tmp_path: Path) -> None:
    with own_server(tmp_path) as (endpoint, process):
        with connect(endpoint) as client:
            client.set("a", 1)
        with relay(endpoint, b"SCAN", process.kill) as port:
            result = Audit(replace(endpoint, port=port)).run()
    assert ids(result)["redis.unreachable"] == "critical"


def test_a_user_who_may_do_nothing(fresh_redis: Endpoint) -> None:
    with user(fresh_redis, "-@all", "+ping") as endpoint:
        result = run_module("redis_audit_info", endpoint.options())
    assert (result["outcome"], ids(result)) == ("ok", {"redis.access_denied": "warning"})
    denied = {finding["subject"].rpartition(" ")[2] for finding in result["findings"]}
    assert denied >= {"keyspace", "policy", "big_keys", "slow_log", "settings", "exposure"}
    assert "some-pass" not in result["output"]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_user_who_may_not_ask_for_sizes_settings_and_users(fresh_redis: Endpoint, scripts: bool) -> None:
    fill(fresh_redis)
    rights = "+info +scan +dbsize +pttl +type +object +ping +slowlog" + (" +eval" if scripts else "")
    with user(fresh_redis, "-@all", *rights.split()) as endpoint:
        result = Audit(endpoint).run(options={"policies": [{"pattern": "user:*", "ttl": "required"}]})
    assert metric(result, "redis_audit_scripts") == int(scripts)
    assert metric(result, "redis_prefix_keys", prefix="user:*:profile") == 300
    assert metric(result, "redis_prefix_bytes", prefix="user:*:profile") is None
    assert ids(result) == {"redis.access_denied": "warning", "redis.ttl_missing": "warning"}
    denied = {one["subject"].rpartition(" ")[2] for one in result["findings"] if one["id"] == "redis.access_denied"}
    assert denied == {"big_keys", "settings", "exposure"}


def test_the_documented_rights_are_enough(fresh_redis: Endpoint) -> None:
    fill(fresh_redis)
    rights = (
        "+ping +info +scan +dbsize +pttl +memory|usage +type +object +llen +hlen +scard +zcard +xlen "
        "+slowlog|get +config|get +acl|users +acl|getuser"
    )
    for more in ("", " +eval"):
        with user(fresh_redis, "-@all", *(rights + more).split()) as endpoint:
            result = Audit(endpoint).run()
        assert metric(result, "redis_audit_scripts") == int(bool(more))
        assert ids(result) == {"redis.big_key": "warning"}


@pytest.mark.parametrize(
    "option",
    [{"idle_after": "0d"}, {"idle_after": "soon"}, {"scan_seconds": "0"}, {"scan_seconds": "-1s"}, {"sample": 0}],
)
def test_options_that_make_no_sense_are_refused(redis8: Endpoint, option: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(option))):
        Audit(redis8).run(options=option)


@pytest.mark.parametrize("scripts", [True, False])
def test_names_with_line_ends_among_many_and_types_that_nobody_expects(fresh_redis8: Endpoint, scripts: bool) -> None:
    names = [b"a\nb", b"a\r\nb", b"$3\r\nabc\r\n", b"", b"\n", b"x" * 10_240, b"\xff\x00\xfe", "\u20ac:\u00e9".encode()]
    with connect(fresh_redis8, decode_responses=False) as client:
        client.mset({b"plain:%d" % number: b"x" for number in range(3000)})
        client.mset(dict.fromkeys(names, b"x"))
        client.execute_command("VADD", "vectors", "VALUES", 3, 1, 2, 3, "one")
        client.pfadd("visitors", *range(1000))
        client.hset("session", mapping={"a": 1, "b": 2})
        client.execute_command("HEXPIRE", "session", 100, "FIELDS", 1, "a")
        whole = client.dbsize()
    with contextlib.nullcontext(fresh_redis8) if scripts else without_scripts(fresh_redis8) as endpoint:
        result = Audit(endpoint).run("keyspace", "big_keys")
    assert metric(result, "redis_audit_scripts") == int(scripts)
    assert metric(result, "redis_audit_keys_seen") == whole
    assert metric(result, "redis_audit_complete") == 1
    assert result["metrics"]['redis_prefix_keys{prefix="plain:*"}'] == 3000
    kinds = {name: count for name, count in result["metrics"].items() if name.startswith("redis_keys_by_encoding")}
    assert sum(kinds.values()) == whole
    assert any("vectorset" in name for name in kinds)
