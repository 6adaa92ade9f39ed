# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failed jobs that are moved to the dead letters or removed: what the letters hold, and which jobs stay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.wire import raw
from tests.integration.queue_cleanup import clean, jobs_of, make, may_run_scripts, states
from tests.integration.queue_questions import LIBRARIES, add, drain, fail, unlock
from tests.integration.redis_health import writes
from tests.stack.application.queues.run import ask_npm
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect
from tests.stack.servers.redis_cluster import RedisCluster

BOTH_WAYS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "transactions"])
MOVE: dict[str, Any] = {"retry": {}, "dead_letter": "dead"}
REMOVE: dict[str, Any] = {"retry": {"otherwise": "remove"}}


@pytest.fixture
def client(fresh_redis8: Endpoint) -> Iterator[redis.Redis]:
    with connect(fresh_redis8) as opened:
        yield opened
        opened.execute_command("ACL", "SETUSER", fresh_redis8.user or "default", "+@all")


def letters_of(client: redis.Redis) -> dict[str, dict[str, Any]]:
    """What the dead letters hold, by id, the first one that was written first."""
    waiting = reversed(client.lrange("bull:dead:wait", 0, -1))
    return {id_: json.loads(client.hget(f"bull:dead:{id_}", "data")) for id_ in waiting}


@LIBRARIES
@BOTH_WAYS
def test_the_library_reads_the_letters_and_puts_them_back(
    client: redis.Redis, fresh_redis8: Endpoint, library: str, version: str, scripts: bool
) -> None:
    asks = [add("q", "j1", priority=2), fail("q", "no such customer"), add("q", "j2", lifo=True), fail("q", "gone")]
    asks += [add("q", "j3"), fail("q"), {"ask": "counts", "queue": "q"}]
    ask_npm(fresh_redis8, library, version, *asks)
    unlock(client)
    client.rpush("bull:q:j1:logs", "first line", "second line")
    client.hset("bull:q:j3", "atm" if version[0] in "56" else "attemptsMade", 3)
    ended = {id_: int(client.zscore("bull:q:failed", id_) or 0) for id_ in ("j1", "j2", "j3")}
    may_run_scripts(client, fresh_redis8, scripts)
    before = writes(fresh_redis8)
    planned = clean(fresh_redis8, check=True, **MOVE)
    assert writes(fresh_redis8) == before
    assert states(planned) == {("dead_letter", "q failed", "planned")}
    (action,) = planned["actions"]
    assert action["reason"] == ("jobs that are not tried again: 2 failed for another reason, 1 tried 3 times or more")
    done = clean(fresh_redis8, **MOVE)
    assert states(done) == {("dead_letter", "q failed", "done")}
    assert done["actions"][0]["detail"].startswith("3 moved to the dead letters; ")
    assert not clean(fresh_redis8, **MOVE)["changed"]
    assert client.keys("bull:q:j*") == []
    may_run_scripts(client, fresh_redis8, True)
    jobs, own, counts = ask_npm(
        *(fresh_redis8, library, version),
        {"ask": "jobs", "queue": "dead", "state": "waiting"},
        {"ask": "counts", "queue": "q"},
        {"ask": "counts", "queue": "dead"},
    )
    assert (counts["waiting"], sum(counts.values()), sum(own.values())) == (3, 3, 0)
    assert [job["id"] for job in jobs] == [f"q.{id_}.{ended[id_]}" for id_ in ("j1", "j2", "j3")]
    first = jobs[0]["data"]
    assert (first["opts"].pop("priority"), first["opts"].pop("jobId")) == (2, "j1")
    stack = first.pop("stacktrace")
    assert len(stack) == 1
    assert stack[0].startswith("Error: no such customer")
    assert {**first, "opts": {}} == {
        "source": "q",
        "id": "j1",
        "name": "call",
        "data": {"n": "j1"},
        "opts": {},
        "failedReason": "no such customer",
        "attemptsMade": 1,
        "finishedOn": ended["j1"],
        "why": "its reason is none of those to try again",
    }
    assert jobs[2]["data"]["why"] == "it was tried 3 times, and max_attempts is 3"
    assert [job["name"] for job in jobs] == ["call"] * 3
    assert jobs[0]["logs"] == ["first line", "second line"]
    back, order, counts = ask_npm(
        *(fresh_redis8, library, version),
        {"ask": "putback", "queue": "dead"},
        drain("q", 3),
        {"ask": "counts", "queue": "dead"},
    )
    assert sorted(back) == sorted(order) == sorted(job["id"] for job in jobs)
    assert order[0] == jobs[1]["id"] or library == "bull", "the one that goes first"
    assert not any(counts.values())


ODD = {
    "plain": {"data": '{"n": 12345678901234567890, "e": [], "o": {}}'},
    "no-json": {"data": "{broken", "stacktrace": "not json"},
    "number": {"data": "5"},
    "empty": {"data": ""},
    'quo"te\\': {"failedReason": 'a "quoted"\nreason\t\x07 ünï→'},
    "repeat:s:1600000000000": {"rjk": "s"},
    "attempts": {"atm": "many"},
    "deep": {"data": "[" * 2000 + "]" * 2000},
    "unfinished": {"finishedOn": "soon"},
    "zeros": {"finishedOn": "0017", "atm": "007"},
    "hex": {"finishedOn": "0x17", "atm": "1e3"},
    "long": {"finishedOn": "9" * 40, "atm": "٣"},
}


def test_scripts_and_transactions_write_the_same_letters(client: redis.Redis, fresh_redis8: Endpoint) -> None:
    written = []
    for scripts in (True, False):
        client.flushall()
        for number, (id_, fields) in enumerate(ODD.items()):
            make(client, "q:x", "failed", id_, ended=1_700_000_000_000 + number, **fields)
        may_run_scripts(client, fresh_redis8, scripts)
        assert clean(fresh_redis8, **MOVE)["actions"][0]["state"] == "done"
        hashes = {id_: client.hgetall(f"bull:dead:{id_}") for id_ in client.lrange("bull:dead:wait", 0, -1)}
        assert len(hashes) == len(ODD)
        for fields in hashes.values():
            assert int(fields.pop("timestamp")) > 1_700_000_000_000
            fields["data"] = json.loads(fields["data"])
        other = {"meta": client.hgetall("bull:dead:meta"), "id": client.get("bull:dead:id")}
        events = [fields for _id, fields in client.xrange("bull:dead:events")]
        written.append((hashes, other, events, sorted(client.keys())))
    assert written[0] == written[1]
    letters = {letter["data"]["id"]: letter["data"] for letter in written[0][0].values()}
    assert letters["plain"]["data"] == {"n": 12345678901234567890, "e": [], "o": {}}
    assert (letters["no-json"]["data"], letters["no-json"]["stacktrace"]) == ("{broken", "not json")
    assert (letters["number"]["data"], letters["empty"]["data"]) == (5, None)
    assert (letters["zeros"]["attemptsMade"], letters["zeros"]["finishedOn"]) == (7, 17)
    assert (letters["attempts"]["attemptsMade"], letters["unfinished"]["finishedOn"]) == (0, None)


@BOTH_WAYS
def test_names_of_any_bytes(client: redis.Redis, fresh_redis8: Endpoint, scripts: bool) -> None:
    names = ["with space", "new\nline", "b*[ra]ck?et", "quo'te\"s", "ünï→", "x" * 10_000, "raw\udcff\udcfe", "a:b:c"]
    for name in names:
        make(client, name, "failed", *names)
        make(client, name, "failed", "again", failedReason="ETIMEDOUT")
    may_run_scripts(client, fresh_redis8, scripts)
    result = clean(fresh_redis8, **MOVE)
    json.dumps(result).encode("utf-8")
    assert {action["state"] for action in result["actions"]} == {"done"}
    assert len(result["actions"]) == 2 * len(names)
    assert client.llen("bull:dead:wait") == len(names) ** 2
    for name in names:
        base = raw(f"bull:{name}:")
        assert (client.zcard(base + b"failed"), client.llen(base + b"wait")) == (0, 1)
    assert not clean(fresh_redis8, **MOVE)["changed"]


@BOTH_WAYS
def test_what_somebody_needs_stays(client: redis.Redis, fresh_redis8: Endpoint, scripts: bool) -> None:
    make(client, "q", "failed", "plain", "locked", "repeat:s:1700000099000", "other", "ghost", "child", "parent")
    client.set("bull:q:locked:lock", "somebody")
    client.hset("bull:q:repeat:s:1700000099000", "rjk", "s")
    client.zadd("bull:q:repeat", {"s": 1700000099000})
    client.hset("bull:q:child", "parentKey", "bull:up:1")
    client.hset("bull:up:1", "name", "up")
    client.sadd("bull:up:1:dependencies", "bull:q:child")
    client.sadd("bull:q:parent:dependencies", "bull:elsewhere:1")
    client.delete("bull:q:ghost", "bull:q:other")
    client.rpush("bull:q:other", "a list")
    stay = ["locked", "repeat:s:1700000099000", "other", "ghost", "child", "parent"]
    for options in (MOVE, REMOVE):
        may_run_scripts(client, fresh_redis8, scripts)
        result = clean(fresh_redis8, queues=["q"], ghosts=False, **options)
        kept = {
            name.partition("why=")[2]: count
            for name, count in result["metrics"].items()
            if name.startswith('queue_failed_jobs{outcome="keep"')
        }
        names = ("locked", "scheduled", "awaited", "children", "ghosts", "foreign")
        assert kept == {f'"{name}"}}': 1 for name in names}
        assert jobs_of(client, "q", "failed") == stay
    assert list(letters_of(client)) == ["q.plain.1700000000000"]


@BOTH_WAYS
def test_jobs_are_removed_with_all_their_keys(client: redis.Redis, fresh_redis8: Endpoint, scripts: bool) -> None:
    make(client, "q", "failed", "mine", "theirs", deid="one")
    make(client, "q", "failed", "later", failedReason="ETIMEDOUT", ended=1_700_000_001_000)
    client.hset("bull:q:theirs", "deid", "two")
    client.mset({"bull:q:de:one": "mine", "bull:q:dn:one": "{}", "bull:q:de:two": "younger", "bull:q:dn:two": "{}"})
    client.rpush("bull:q:mine:logs", "a line")
    client.hset("bull:q:mine:processed", "a", "b")
    may_run_scripts(client, fresh_redis8, scripts)
    assert states(clean(fresh_redis8, max_changes=2, **REMOVE)) == {
        ("retry", "q failed", "done"),
        ("remove_failed", "q failed", "done"),
    }
    assert jobs_of(client, "q", "failed") == ["theirs"]
    assert client.lrange("bull:q:wait", 0, -1) == ["later"]
    assert client.keys("bull:q:mine*") == []
    assert set(client.keys("bull:q:d*")) == {"bull:q:de:two", "bull:q:dn:two"}
    assert states(clean(fresh_redis8, **REMOVE)) == {("remove_failed", "q failed", "done")}
    assert jobs_of(client, "q", "failed") == []
    assert not clean(fresh_redis8, **REMOVE)["changed"]


@BOTH_WAYS
def test_a_letter_is_written_once_and_overwrites_nothing(
    client: redis.Redis, fresh_redis8: Endpoint, scripts: bool
) -> None:
    make(client, "q", "failed", "one", "two", failedReason="the first time")
    may_run_scripts(client, fresh_redis8, scripts)
    clean(fresh_redis8, **MOVE)
    letters = letters_of(client)
    make(client, "q", "failed", "one", "two", failedReason="a second one of the same moment, as from a backup")
    client.hset("bull:dead:q.two.1700000000001", "upkeepOf", "something else")
    result = clean(fresh_redis8, **MOVE)
    assert result["actions"][0]["detail"].startswith(
        "1 moved to the dead letters, 1 left, for the dead letter queue has another job by that id"
    )
    assert letters_of(client) == letters
    assert jobs_of(client, "q", "failed") == ["two"]
    make(client, "q", "failed", "one", ended=1_700_000_000_001)
    clean(fresh_redis8, **MOVE)
    assert list(letters_of(client)) == [*letters, "q.one.1700000000001"], "another failure is another letter"


@BOTH_WAYS
def test_the_dead_letters_are_left_alone(client: redis.Redis, fresh_redis8: Endpoint, scripts: bool) -> None:
    make(client, "dead", "failed", "old", failedReason="ECONNRESET")
    make(client, "dead", "completed", "old2")
    make(client, "q", "failed", "one")
    may_run_scripts(client, fresh_redis8, scripts)
    result = clean(fresh_redis8, failed_older_than="1d", completed_older_than="1d", **MOVE)
    assert {subject for _kind, subject, _state in states(result)} == {"q failed"}
    assert (jobs_of(client, "dead", "failed"), jobs_of(client, "dead", "completed")) == (["old"], ["old2"])
    with pytest.raises(InvalidInput, match="dead_letter"):
        clean(fresh_redis8, queues=["q", "dead"], **MOVE)


@BOTH_WAYS
@pytest.mark.parametrize("version", ["5.81.5", "6.7.0"])
def test_a_paused_queue_of_letters_takes_them(
    client: redis.Redis, fresh_redis8: Endpoint, scripts: bool, version: str
) -> None:
    make(client, "dead", "completed", "before")
    make(client, "q", "failed", "one")
    client.hset("bull:dead:meta", mapping={"version": f"bullmq:{version}", "paused": "1"})
    may_run_scripts(client, fresh_redis8, scripts)
    clean(fresh_redis8, **MOVE)
    state = "paused" if version == "5.81.5" else "wait"
    assert client.lrange(f"bull:dead:{state}", 0, -1) == ["q.one.1700000000000"]
    assert not client.exists("bull:dead:marker")


@BOTH_WAYS
def test_what_cannot_be_told_is_refused_and_said(client: redis.Redis, fresh_redis8: Endpoint, scripts: bool) -> None:
    make(client, "q", "failed", "again", failedReason="ECONNRESET")
    make(client, "q", "failed", "dead", ended=1_700_000_001_000)
    client.hdel("bull:q:meta", "version")
    client.hset("bull:q:meta", "paused", "1")
    client.hset("bull:dead:17", mapping={"name": "x", "data": "{}", "opts": "{}", "timestamp": 1, "attemptsMade": 1})
    client.rpush("bull:dead:wait", "17")
    client.set("bull:dead:id", "17")
    may_run_scripts(client, fresh_redis8, scripts)
    result = clean(fresh_redis8, queues=["q"], **MOVE)
    assert states(result) == {("retry", "q failed", "skipped"), ("dead_letter", "q failed", "skipped")}
    assert [(one["id"], one["severity"], one["value"]) for one in result["findings"]] == [
        ("queue.retry_refused", "warning", 1),
        ("queue.dead_letter_refused", "warning", 1),
    ]
    assert "whether BullMQ 5 or 6 keeps it" in result["findings"][0]["message"]
    assert "another library keeps the queue of the dead letters (bull)" in result["findings"][1]["message"]
    assert not result["changed"]
    assert jobs_of(client, "q", "failed") == ["again", "dead"]
    client.hdel("bull:q:meta", "paused")
    client.delete("bull:dead:17", "bull:dead:wait", "bull:dead:id")
    result = clean(fresh_redis8, queues=["q"], **MOVE)
    assert states(result) == {("retry", "q failed", "done"), ("dead_letter", "q failed", "done")}


def test_in_a_cluster_letters_need_the_slot_of_their_queue(redis_cluster: RedisCluster) -> None:
    tagged, apart = (redis_cluster.number_of(f"{base}:meta") for base in ("{bull}:q", "bull:{q}"))
    with redis_cluster.clients() as clients:
        make(clients[tagged], "q", "failed", "one", prefix="{bull}")
        result = clean(redis_cluster.nodes[0], prefix="{bull}", **MOVE)
        assert states(result) == {("dead_letter", "q failed", "done")}
        assert clients[tagged].lrange("{bull}:dead:wait", 0, -1) == ["q.one.1700000000000"]
        make(clients[apart], "{q}", "failed", "one")
        result = clean(redis_cluster.nodes[0], **MOVE)
        assert states(result) == {("dead_letter", "{q} failed", "skipped")}
        (finding,) = result["findings"]
        assert finding["id"] == "queue.dead_letter_refused"
        assert "in another slot of the cluster" in finding["message"]
        assert "hash tag" in finding["remedy"]
        assert jobs_of(clients[apart], "{q}", "failed") == ["one"]


def test_the_longest_stall_covers_the_changes(client: redis.Redis, fresh_redis8: Endpoint) -> None:
    make(client, "q", "failed", *(f"j{at}" for at in range(300)), data=json.dumps("x" * 2000))
    result = clean(fresh_redis8, **MOVE)
    (action,) = result["actions"]
    told = float(action["detail"].partition("longest stall ")[2].partition(" ms")[0])
    assert 0 < told <= result["metrics"]["redis_longest_stall_milliseconds"] + 0.05
    assert len(letters_of(client)) == 300
