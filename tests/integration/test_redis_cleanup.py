# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_cleanup on real servers: what rules take and leave, in check mode, for real, and again."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.cleanup import observe_keys
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.cleanup.remembered import Remembered
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.glob import expression
from tests.integration.health import ids
from tests.integration.postgresql_work import states
from tests.integration.redis_cleanup import clean, raw_keys
from tests.integration.redis_health import writes
from tests.integration.running import run_module
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect

DAY = 86400
ANALYTICS = {"name": "analytics", "pattern": "analytics:*", "when": ["no_ttl"], "action": "unlink"}
SESSIONS = {
    "name": "sessions",
    "pattern": "sess:*",
    "when": ["field_age"],
    "field": "lastActivity",
    "older_than": "30d",
    "action": "unlink",
}
RESPONSES = {"name": "responses", "pattern": "response:*", "action": "expire", "ttl": "300"}

ODD = [
    b"with space", b"new\nline", b'quo"te\'s', b"\xff\xfe\x00\r\n", "äöü✓".encode(), b"g*[l]ob?\\", b"x" * 10_000,
    b"$5\r\nPING", b"{tag}", b"%s", b"",
]  # fmt: skip


def fill(endpoint: Endpoint) -> None:
    """Keys of every kind: old and young, with and without TTL, as hash and as JSON."""
    now = time.time()
    with connect(endpoint) as client, client.pipeline(transaction=False) as pipeline:
        for number in range(500):
            pipeline.set(f"analytics:{number}", "x", ex=None if number % 2 else 1000)
            pipeline.set(f"response:{number}", "x", ex=None if number % 2 else 1000)
            at = now - (40 if number % 2 else 20) * DAY
            pipeline.set(f"sess:json:{number}", json.dumps({"lastActivity": int(at * 1000), "cart": "x" * 50}))
            pipeline.hset(f"sess:hash:{number}", mapping={"lastActivity": time.strftime("%FT%TZ", time.gmtime(at))})
        pipeline.set("sess:text", "no json")
        pipeline.hset("sess:empty", "other", "x")
        pipeline.rpush("sess:list", "x")
        pipeline.set("other", "x")
        pipeline.execute()


def left(endpoint: Endpoint, pattern: str) -> set[str]:
    with connect(endpoint) as client:
        return set(client.scan_iter(pattern, count=1000))


def test_check_mode_a_real_run_and_a_second_run(fresh_redis: Endpoint) -> None:
    fill(fresh_redis)
    before, written = raw_keys(fresh_redis), writes(fresh_redis)
    planned = clean(fresh_redis, ANALYTICS, SESSIONS, RESPONSES, check=True)
    assert (raw_keys(fresh_redis), writes(fresh_redis)) == (before, written), "check mode wrote something"
    done = clean(fresh_redis, ANALYTICS, SESSIONS, RESPONSES)
    plan = [[action[key] for key in ("kind", "subject", "reason", "statement")] for action in done["actions"]]
    assert plan == [
        [action[key] for key in ("kind", "subject", "reason", "statement")] for action in planned["actions"]
    ]
    assert states(planned) == [(kind, subject, "planned") for kind, subject, _state in states(done)]
    assert {state for _kind, _subject, state in states(done)} == {"done"}
    assert planned["changed"]
    assert done["changed"]
    assert [action["detail"].partition(" ")[0] for action in done["actions"]] == ["250", "500", "250"]
    odd, even = range(1, 500, 2), range(0, 500, 2)
    assert left(fresh_redis, "analytics:*") == {f"analytics:{number}" for number in even}
    assert left(fresh_redis, "sess:*") == {
        *(f"sess:{kind}:{number}" for kind in ("json", "hash") for number in even),
        "sess:text",
        "sess:empty",
        "sess:list",
    }
    with connect(fresh_redis) as client:
        assert all(210_000 < client.pttl(f"response:{number}") <= 330_000 for number in odd)
        assert all(900 < client.ttl(f"response:{number}") <= 1000 for number in even), "a TTL that stood was changed"
        assert client.ttl("other") == -1
    again = clean(fresh_redis, ANALYTICS, SESSIONS, RESPONSES)
    assert not again["changed"]
    assert not again["actions"]


def test_more_names_than_are_remembered_are_looked_for_again(
    fresh_redis: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observe_keys, "Remembered", lambda: Remembered(most_bytes=1000))
    fill(fresh_redis)
    done = clean(fresh_redis, ANALYTICS, SESSIONS, RESPONSES)
    assert [action["detail"].partition(" ")[0] for action in done["actions"]] == ["250", "500", "250"]
    assert len(left(fresh_redis, "analytics:*")) == 250
    assert not clean(fresh_redis, ANALYTICS, SESSIONS, RESPONSES)["changed"]


def test_jitter_spreads_what_expires(fresh_redis: Endpoint) -> None:
    with connect(fresh_redis) as client:
        for number in range(300):
            client.set(f"response:{number}", "x")
        clean(fresh_redis, {**RESPONSES, "ttl": "1d"})
        lives = [int(client.ttl(f"response:{number}")) for number in range(300)]  # type: ignore[arg-type]
    assert min(lives) >= 0.9 * DAY - 60
    assert max(lives) <= 1.1 * DAY
    assert len(set(lives)) > 250


def test_names_of_any_bytes_are_removed_and_no_others(fresh_redis: Endpoint) -> None:
    with connect(fresh_redis, decode_responses=False) as client:
        for name in ODD:
            client.set(b"cache:" + name, b"x")
            client.set(b"kept:cache:" + name, b"x")
    done = clean(fresh_redis, {"pattern": "cache:*", "when": ["no_ttl"], "action": "unlink"})
    assert done["actions"][0]["state"] == "done"
    assert raw_keys(fresh_redis) == {b"kept:cache:" + name for name in ODD}
    clean(fresh_redis, {"pattern": "kept:*", "action": "expire", "ttl": "1h"})
    with connect(fresh_redis, decode_responses=False) as client:
        assert all(client.ttl(b"kept:cache:" + name) > 0 for name in ODD)
    clean(fresh_redis, {"pattern": "kept:*", "action": "unlink"})
    assert not raw_keys(fresh_redis)


def test_a_pattern_that_is_no_text_is_taken_by_its_bytes(fresh_redis: Endpoint) -> None:
    with connect(fresh_redis, decode_responses=False) as client:
        client.mset({b"\xff\xfea:1": b"x", b"\xff\xfda:1": b"x"})
    done = clean(fresh_redis, {"pattern": b"\xff\xfea:*".decode("utf-8", "surrogateescape"), "action": "unlink"})
    assert r"\xff\xfea:*" in done["actions"][0]["reason"]
    assert len(raw_keys(fresh_redis)) == 1


@pytest.mark.parametrize(
    "pattern",
    [
        "a*",
        "a?c",
        "a[bc]d",
        "a[^bc]d",
        "a[b-d]*",
        "a[d-b]",
        r"a\*",
        "a[bc",
        r"a[\]]",
        "*",
        "[]a]*",
        "a[^]*",
        "a[b-]",
        "\\",
    ],
)
def test_our_reading_of_patterns_is_the_servers(fresh_redis8: Endpoint, pattern: str) -> None:
    names = {b"a", b"ab", b"abc", b"abd", b"aed", b"a*", b"a]", b"ac", b"a-", b"ab]", b"\\", b"a\n", b"]a]x", b"axyz"}
    with connect(fresh_redis8, decode_responses=False) as client:
        client.mset(dict.fromkeys(names, b"x"))
        taken = set(client.scan_iter(pattern.encode(), count=1000))
    assert {name for name in names if expression(pattern.encode()).match(name)} == taken


def test_keys_of_queues_are_never_touched(fresh_redis: Endpoint) -> None:
    with connect(fresh_redis) as client:
        client.rpush("bull:mail:wait", "1")
        client.hset("bull:mail:meta", "opts.maxLenEvents", 10000)
        for number in range(100):
            client.hset(f"bull:mail:{number}", "name", "x")
            client.set(f"bull:mail:{number}:lock", "x")
            client.set(f"bullet:{number}", "x")
        client.set("upkeep:lock:other", "x")
    done = clean(fresh_redis, {"pattern": "*", "all_keys": True, "action": "unlink"})
    assert left(fresh_redis, "bullet:*") == set()
    assert len(left(fresh_redis, "bull:mail:*")) == 202
    assert left(fresh_redis, "upkeep:*") == {"upkeep:lock:other"}
    assert "203 are protected" in done["actions"][0]["reason"]
    again = clean(fresh_redis, {"pattern": "bull:mail:*", "action": "unlink"})
    assert ids(again) == {"redis.keys_protected": "warning"}
    assert "bull:mail" in again["findings"][0]["message"]
    assert not again["changed"]


def test_protected_patterns_and_the_most_changes_are_kept(fresh_redis: Endpoint) -> None:
    with connect(fresh_redis) as client:
        client.mset({f"user:{number}": "x" for number in range(300)})
        client.mset({f"user:admin:{number}": "x" for number in range(10)})
    rule = {"pattern": "user:*", "action": "unlink"}
    first = clean(fresh_redis, rule, protect=["user:admin:*"], max_changes=120)
    assert "max_changes" in first["actions"][0]["detail"]
    assert len(raw_keys(fresh_redis)) == 190
    clean(fresh_redis, rule, protect=["user:admin:*"])
    assert len(left(fresh_redis, "user:admin:*")) == len(raw_keys(fresh_redis)) == 10


def test_only_the_types_that_are_named(fresh_redis: Endpoint) -> None:
    with connect(fresh_redis) as client:
        client.set("x:string", "1")
        client.rpush("x:list", "1")
        client.hset("x:hash", "a", "1")
    clean(fresh_redis, {"pattern": "x:*", "types": ["hash", "list"], "action": "unlink"})
    assert raw_keys(fresh_redis) == {b"x:string"}


def aged(endpoint: Endpoint, name: str, idle: int) -> None:
    """A key that nobody used for so many seconds."""
    with connect(endpoint, decode_responses=False) as client:
        client.set("model", "x")
        client.restore(name, 0, client.dump("model"), replace=True, idletime=idle)
        client.delete("model")


def test_keys_that_nobody_used(fresh_redis: Endpoint) -> None:
    aged(fresh_redis, "cache:old", 3 * DAY)
    aged(fresh_redis, "cache:young", DAY)
    rule = {"pattern": "cache:*", "when": ["idle"], "older_than": "2d", "action": "unlink"}
    clean(fresh_redis, rule, check=True)
    clean(fresh_redis, rule)
    assert raw_keys(fresh_redis) == {b"cache:young"}
    with connect(fresh_redis) as client:
        assert int(client.object("IDLETIME", "cache:young")) >= DAY, "to look at a key is no use of it"


def test_the_reading_of_a_field_is_no_use_where_the_server_lets_us(fresh_redis8: Endpoint) -> None:
    aged(fresh_redis8, "sess:1", 3 * DAY)
    clean(fresh_redis8, SESSIONS)
    with connect(fresh_redis8) as client:
        assert int(client.object("IDLETIME", "sess:1")) >= 3 * DAY


def test_idle_times_are_unknown_under_lfu_and_that_is_said(fresh_redis: Endpoint) -> None:
    aged(fresh_redis, "cache:old", 3 * DAY)
    with connect(fresh_redis) as client:
        client.config_set("maxmemory-policy", "allkeys-lfu")
    rule = {"name": "idle", "pattern": "cache:*", "when": ["idle"], "older_than": "2d", "action": "unlink"}
    result = clean(fresh_redis, rule)
    assert ids(result) == {"redis.idle_unknown": "warning"}
    assert states(result) == [("unlink", "idle", "skipped")]
    assert raw_keys(fresh_redis) == {b"cache:old"}


def test_a_field_that_is_nowhere_is_reported(fresh_redis8: Endpoint) -> None:
    with connect(fresh_redis8) as client:
        client.set("sess:1", json.dumps({"lastSeen": 1}))
    result = clean(fresh_redis8, SESSIONS)
    assert ids(result) == {"redis.field_unreadable": "warning"}
    assert not result["changed"]


def test_the_rules_of_a_run_see_what_those_before_left(fresh_redis8: Endpoint) -> None:
    with connect(fresh_redis8) as client:
        client.mset({f"a:{number}": "x" for number in range(10)})
    result = clean(fresh_redis8, {"pattern": "a:*", "action": "unlink"}, {"pattern": "a:*", "action": "unlink"})
    assert [state for _kind, _subject, state in states(result)] == ["done", "skipped"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"max_changes": 0}, "max_changes"),
        ({"batch_target_ms": 0.0}, "batch_target_ms"),
        ({"batch_target_ms": float("inf")}, "batch_target_ms"),
        ({"rules": []}, "there are none"),
    ],
)
def test_bad_input_is_refused(redis8: Endpoint, options: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        clean(redis8, **{"rules": [ANALYTICS], **options})


def test_the_module_as_ansible_runs_it(fresh_redis8: Endpoint) -> None:
    fill(fresh_redis8)
    rule = {**ANALYTICS, "when": "no_ttl"}
    planned = run_module("redis_cleanup", fresh_redis8.options(rules=[rule]), check=True)
    assert "[planned] unlink analytics: about 250 of 500" in planned["output"]
    done = run_module("redis_cleanup", fresh_redis8.options(rules=[rule]))
    told = re.match(r"250 keys in \d+ pages by a script; longest stall (\d+)ms", done["actions"][0]["detail"])
    assert told
    assert done["metrics"]["redis_longest_stall_milliseconds"] >= int(told[1]) - 1, "it covers the changes"
    assert not run_module("redis_cleanup", fresh_redis8.options(rules=[rule]))["changed"]
    refused = run_module("redis_cleanup", fresh_redis8.options(rules=[{"pattern": "*", "action": "unlink"}]))
    assert refused["outcome"] == "failed"
    assert "all_keys: true" in refused["msg"]
