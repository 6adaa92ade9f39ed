# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""queue_cleanup and queue_health_info on queues in which anybody wrote anything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from tests.integration.health import ids
from tests.integration.queue_cleanup import clean, jobs_of, make, may_run_scripts, states
from tests.integration.queue_questions import LIBRARIES, add, fail, unlock
from tests.integration.redis_health import Health
from tests.stack.application.queues.run import ask_npm
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect

BOTH_WAYS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "transactions"])
WORK: dict[str, Any] = {"completed_older_than": "1d", "failed_older_than": "1d", "retry": {}, "dead_letter": "dead"}
LATER = 1_800_000_000_000
Change = Callable[[redis.Redis], object]


@pytest.fixture
def client(fresh_redis8: Endpoint) -> Iterator[redis.Redis]:
    with connect(fresh_redis8) as opened:
        yield opened
        opened.execute_command("ACL", "SETUSER", fresh_redis8.user or "default", "+@all")


STATES: dict[str, Change] = {
    "failed": lambda client: client.zadd("bull:q:failed", {"other": LATER}),
    "completed": lambda client: client.zadd("bull:q:completed", {"other": LATER}),
    "delayed": lambda client: client.zadd("bull:q:delayed", {"other": LATER * 4096}),
    "prioritized": lambda client: client.zadd("bull:q:prioritized", {"other": 2**33}),
    "wait": lambda client: client.rpush("bull:q:wait", "other"),
    "active": lambda client: client.rpush("bull:q:active", "other"),
}


@pytest.mark.parametrize("state", STATES)
def test_a_key_that_is_no_job_is_told_and_the_others_are_looked_after(
    client: redis.Redis, fresh_redis8: Endpoint, state: str
) -> None:
    make(client, "q", "failed", "again", failedReason="ETIMEDOUT")
    make(client, "q", "failed", "dead", ended=1_700_000_000_100)
    make(client, "q", "completed", "old")
    client.rpush("bull:q:other", "a list")
    STATES[state](client)
    health = Health(fresh_redis8).queues()
    assert ids(health)["queue.foreign"] == "warning"
    assert "queue.error" not in ids(health)
    assert all("(other)" in finding["message"] for finding in health["findings"] if finding["id"] == "queue.foreign")
    planned = clean(fresh_redis8, check=True, **WORK)
    done = clean(fresh_redis8, **WORK)
    expected = {("retry", "q failed"), ("dead_letter", "q failed"), ("clean", "q completed")}
    assert states(planned) == {(*action, "planned") for action in expected}
    assert states(done) == {(*action, "done") for action in expected}
    assert ids(done) == ids(planned) == {"queue.foreign": "warning"}
    assert client.lrange("bull:q:other", 0, -1) == ["a list"]
    assert not clean(fresh_redis8, **WORK)["changed"]


def written(name: str, value: str) -> Change:
    return lambda client: client.hset("bull:q:one", name, value)


DAMAGES: dict[str, Change] = {
    "begun": lambda client: (written("processedOn", "soon")(client), client.rpush("bull:q:active", "one")),
    "begun-never": lambda client: (written("processedOn", "nan")(client), client.rpush("bull:q:active", "one")),
    "delayed": lambda client: (written("timestamp", "soon")(client), client.zadd("bull:q:delayed", {"one": 1})),
    "ended": lambda client: client.zadd("bull:q:completed", {"one": "-inf"}),
    "scheduler": lambda client: client.zadd("bull:q:repeat", {"one": "-inf"}),
    "urgent": lambda client: client.zadd("bull:q:prioritized", {"one": "inf"}),
    "deep": lambda client: (written("opts", "[" * 5000)(client), client.rpush("bull:q:wait", "one")),
    "keep": written("opts", '{"removeOnComplete": {"count": "x", "age": []}, "removeOnFail": {"count": 1e999}}'),
    "keep-nan": written("opts", '{"removeOnComplete": NaN, "removeOnFail": -Infinity}'),
    "attempts": written("atm", "9" * 5000),
    "tried": written("upkeepTried", "9" * 5000),
    "priority": written("priority", "nan"),
    "huge-priority": written("priority", "1e300"),
    "priority-option": written("opts", '{"priority": NaN, "lifo": "yes"}'),
    "deep-opts": written("opts", "[" * 5000),
    "concurrency": lambda client: client.hset("bull:q:meta", "concurrency", "many"),
    "events": lambda client: client.hset("bull:q:meta", "opts.maxLenEvents", "9" * 5000),
    "parent": lambda client: (
        client.hset("bull:q:one", "parentKey", "bull:up:1"),
        client.hset("bull:up:1", "name", "up"),
        client.set("bull:up:1:dependencies", "a string"),
        client.set("bull:up:1:failed", "a string"),
    ),
}


@BOTH_WAYS
@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_no_number_stops_nothing(
    client: redis.Redis, fresh_redis8: Endpoint, damage: str, scripts: bool
) -> None:
    make(client, "q", "failed", "first", failedReason="ETIMEDOUT")
    make(client, "q", "failed", "one", ended=1_700_000_000_100, failedReason="ETIMEDOUT")
    DAMAGES[damage](client)
    health = Health(fresh_redis8).queues()
    json.dumps(health, allow_nan=False)
    assert "queue.error" not in ids(health)
    may_run_scripts(client, fresh_redis8, scripts)
    result = clean(fresh_redis8, ghosts=False, retry={})
    json.dumps(result, allow_nan=False)
    assert {action["state"] for action in result["actions"]} == {"done"}
    # More attempts than can be counted are none.
    assert jobs_of(client, "q", "failed") == []
    assert "first" in client.lrange("bull:q:wait", 0, -1)
    assert "queue.error" not in ids(Health(fresh_redis8).queues())


NO_JSON = [
    '{"n": NaN}',
    "Infinity",
    '{"n": 0x17}',
    "[01]",
    '{"n": -Infinity}',
    '"a\nb"',
    '["\\"\x01"]',
    "{broken",
    "nan",
    '"\x1f"',
]
JSON = ['{"n": 1.50, "s": "NaN 0x17 01"}', '[\n1,\n"\\n"\n]', "-0.0", "1e5", '"\x7f\u2028"', "12345678901234567890"]


@LIBRARIES
@BOTH_WAYS
def test_the_library_reads_letters_of_jobs_that_it_could_not_read(
    client: redis.Redis, fresh_redis8: Endpoint, library: str, version: str, scripts: bool
) -> None:
    ask_npm(fresh_redis8, library, version, add("q", "j0"), fail("q", "gone"))
    unlock(client)
    sample = client.hgetall("bull:q:j0")
    for at, data in enumerate([*NO_JSON, *JSON], start=1):
        client.hset(f"bull:q:j{at}", mapping={**sample, "data": data})
        client.zadd("bull:q:failed", {f"j{at}": 1_700_000_000_000 + at})
    may_run_scripts(client, fresh_redis8, scripts)
    clean(fresh_redis8, queues=["q"], retry={}, dead_letter="dead")
    may_run_scripts(client, fresh_redis8, True)
    (letters,) = ask_npm(fresh_redis8, library, version, {"ask": "jobs", "queue": "dead", "state": "waiting"})
    data = {letter["data"]["id"]: letter["data"]["data"] for letter in letters}
    assert [data[f"j{at}"] for at in range(1, 1 + len(NO_JSON))] == NO_JSON
    assert [data[f"j{at + len(NO_JSON)}"] for at in range(1, 1 + len(JSON))] == [
        {"n": 1.5, "s": "NaN 0x17 01"},
        [1, "\n"],
        0,
        100000,
        "\x7f\u2028",
        12345678901234567000,
    ]


def test_letters_are_reported_and_not_judged(client: redis.Redis, fresh_redis8: Endpoint) -> None:
    make(client, "q", "failed", "one", "two")
    clean(fresh_redis8, retry={}, dead_letter="dead")
    health = Health(fresh_redis8)
    result = health.queues(oldest_waiting_seconds={"warning": 0}, waiting={"warning": 0})
    assert ids(result) == {}
    assert result["metrics"]['queue_dead_letters{queue="dead"}'] == 2
    assert ids(health.queues(dead_letters={"warning": 1})) == {"queue.dead_letters": "warning"}
    make(client, "dead", "completed", "job")
    client.lpush("bull:dead:wait", "job")
    assert set(ids(health.queues(waiting={"warning": 0}))) >= {"queue.waiting", "queue.no_workers"}, "a job among them"


@BOTH_WAYS
def test_failed_jobs_that_cannot_be_moved_are_not_cleaned(
    client: redis.Redis, fresh_redis8: Endpoint, scripts: bool
) -> None:
    make(client, "q", "failed", "again", failedReason="ETIMEDOUT", priority="1")
    make(client, "q", "failed", "kept", ended=1_700_000_000_100)
    client.set("bull:q:pc", "no counter")
    may_run_scripts(client, fresh_redis8, scripts)
    for version in ("7.0.0", "6.7.0"):
        client.hset("bull:q:meta", "version", f"bullmq:{version}")
        result = clean(fresh_redis8, failed_older_than="1d", retry={})
        assert jobs_of(client, "q", "failed")[-1:] == ["kept"]
        assert "q failed" not in {subject for _kind, subject, state in states(result) if state == "done"}
    assert states(result) == {("retry", "q failed", "failed"), ("clean", "q failed", "skipped")}
