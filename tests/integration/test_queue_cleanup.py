# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""queue_cleanup on queues that the real libraries made, which then say themselves what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis

from tests.integration.queue_cleanup import clean, jobs_of, make, may_run_scripts, states
from tests.integration.redis_health import writes
from tests.stack.application.queues.plan import QUEUES
from tests.stack.application.queues.run import NPM_LIBRARIES, ask_npm
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect

Fill = Callable[..., tuple[Endpoint, dict[str, dict[str, int]]]]

DAY, WEEK = 86_400_000, 7 * 86_400_000
BULLMQ = [("bullmq", version) for library, version in NPM_LIBRARIES if library == "bullmq"]


@pytest.fixture
def client(fresh_redis8: Endpoint) -> Iterator[redis.Redis]:
    with connect(fresh_redis8) as opened:
        yield opened
        opened.execute_command("ACL", "SETUSER", fresh_redis8.user or "default", "+@all")


BOTH_WAYS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "transactions"])


def ended_before(client: redis.Redis, queue: str, state: str, milliseconds: int) -> set[str]:
    """Ids of the jobs of a state that ended so long ago."""
    seconds, micro = client.time()
    now = seconds * 1000 + micro // 1000
    return set(client.zrangebyscore(f"bull:{queue}:{state}", "-inf", now - milliseconds))


def unlock_finished(client: redis.Redis) -> None:
    """Remove the locks that Bull leaves for half a minute when a job is ended by hand and not by a worker."""
    for queue in QUEUES:
        for state in ("completed", "failed"):
            for id_ in client.zrange(f"bull:{queue}:{state}", 0, -1):
                client.delete(f"bull:{queue}:{id_}:lock")


@pytest.mark.parametrize(("library", "version"), NPM_LIBRARIES)
@BOTH_WAYS
def test_old_jobs_go_with_all_their_keys(
    npm_queue: Fill, client: redis.Redis, library: str, version: str, scripts: bool
) -> None:
    endpoint, counts = npm_queue(library, version)
    wanted = {"completed_older_than": "24h", "failed_older_than": "7d"}
    old = {
        (queue, state): ended_before(client, queue, state, age)
        for queue in QUEUES
        for state, age in (("completed", DAY), ("failed", WEEK))
    }
    assert all(old.values())
    unlock_finished(client)
    for (queue, _state), ids in old.items():
        client.rpush(f"bull:{queue}:{min(ids)}:logs", "a line")
    may_run_scripts(client, endpoint, scripts)
    before = writes(endpoint)
    planned = clean(endpoint, check=True, **wanted)
    assert writes(endpoint) == before
    assert states(planned) == {("clean", f"{queue} {state}", "planned") for queue, state in old}
    assert planned["server"]["scripts"] is scripts
    keys = set(client.keys())
    done = clean(endpoint, **wanted)
    assert states(done) == {("clean", f"{queue} {state}", "done") for queue, state in old}
    assert [action["reason"] for action in done["actions"]] == [action["reason"] for action in planned["actions"]]
    assert done["changed"]
    gone = {f"bull:{queue}:{id_}" for (queue, _state), ids in old.items() for id_ in ids}
    assert keys - set(client.keys()) == gone | {f"bull:{q}:{min(ids)}:logs" for (q, _state), ids in old.items()}
    again = clean(endpoint, **wanted)
    assert (again["changed"], again["actions"]) == (False, [])
    may_run_scripts(client, endpoint, True)
    for queue in QUEUES:
        (now,) = ask_npm(endpoint, library, version, {"ask": "counts", "queue": queue})
        expected = dict(counts[queue])
        for state in ("completed", "failed"):
            expected[state] -= len(old[queue, state])
        assert now == expected
        cleaned = [fields for _id, fields in client.xrange(f"bull:{queue}:events") if fields["event"] == "cleaned"]
        numbers = [str(len(old[queue, state])) for state in ("completed", "failed")]
        assert [fields["count"] for fields in cleaned] == ([] if library == "bull" else numbers)


@BOTH_WAYS
@pytest.mark.parametrize(("library", "version"), BULLMQ)
def test_a_failed_child_whose_parent_waits_for_it_is_kept(
    client: redis.Redis, fresh_redis8: Endpoint, library: str, version: str, scripts: bool
) -> None:
    flow = {
        "name": "parent",
        "queueName": "parents",
        "children": [{"name": "child", "queueName": "children"}, {"name": "child", "queueName": "children"}],
    }
    family, broken, done = ask_npm(
        fresh_redis8,
        library,
        version,
        {"ask": "flow", "flow": flow},
        {"ask": "end", "queue": "children", "fail": True},
        {"ask": "end", "queue": "children"},
    )
    may_run_scripts(client, fresh_redis8, scripts)
    wanted: dict[str, Any] = {"completed_older_than": "1h", "failed_older_than": "1h", "ahead": timedelta(days=1)}
    result = clean(fresh_redis8, **wanted)
    assert states(result) == {("clean", "children completed", "done")}
    assert client.exists(f"bull:children:{broken}", f"bull:parents:{family['parent']}") == 2
    assert not client.exists(f"bull:children:{done}")
    assert result["metrics"]['queue_kept_jobs{queue="children",state="failed"}'] == 1
    assert not clean(fresh_redis8, **wanted)["changed"]
    may_run_scripts(client, fresh_redis8, True)
    questions = [{"ask": "states", "queue": "parents", "ids": [family["parent"]]}]
    assert ask_npm(fresh_redis8, library, version, *questions) == [{family["parent"]: "waiting-children"}]
    client.delete(f"bull:parents:{family['parent']}")
    assert states(clean(fresh_redis8, queues=["children"], **wanted)) == {("clean", "children failed", "done")}
    assert not client.exists(f"bull:children:{broken}")


@BOTH_WAYS
def test_what_has_to_stay_stays_and_the_rest_goes_by(
    client: redis.Redis, fresh_redis8: Endpoint, scripts: bool
) -> None:
    make(client, "q", "completed", "plain1", "repeat:s:1700000099000", "repeat:s:1600000000000", rjk="s")
    client.zadd("bull:q:repeat", {"s": 1700000099000})
    client.set("bull:q:locked:lock", "somebody")
    make(client, "q", "completed", "ghost", "other", "plain2", ended=1_700_000_001_000)
    client.delete("bull:q:ghost")
    client.delete("bull:q:other")
    client.rpush("bull:q:other", "a list")
    make(client, "q", "completed", "mine", "theirs", ended=1_700_000_002_000, deid="one")
    make(client, "q", "completed", "locked", ended=1_700_000_003_000)
    client.hset("bull:q:theirs", "deid", "two")
    client.mset(
        {"bull:q:de:one": "mine", "bull:q:dn:one": "{}", "bull:q:de:two": "a younger job", "bull:q:dn:two": "{}"}
    )
    for suffix in ("dependencies", "processed", "failed", "unsuccessful", "logs"):
        client.rpush(f"bull:q:plain2:{suffix}", "whatever it holds, it belongs to the job")
    may_run_scripts(client, fresh_redis8, scripts)
    result = clean(fresh_redis8, completed_older_than="1d", ghosts=False)
    assert jobs_of(client, "q", "completed") == ["repeat:s:1700000099000", "ghost", "other", "locked"]
    (action,) = result["actions"]
    assert action["state"] == "done"
    assert action["detail"].startswith(
        "5 removed, 1 kept, for their scheduler needs them, 1 kept, for somebody has locked them, "
        "1 kept, for their keys are no jobs, 1 without a job left"
    )
    assert client.keys("bull:q:plain*") == [], "every key of a removed job is gone"
    assert set(client.keys("bull:q:d*")) == {"bull:q:de:two", "bull:q:dn:two"}
    assert not clean(fresh_redis8, completed_older_than="1d", ghosts=False)["changed"]
    again = clean(fresh_redis8, completed_older_than="1d")
    assert "1 without a job removed too" in again["actions"][0]["detail"]
    assert jobs_of(client, "q", "completed") == ["repeat:s:1700000099000", "other", "locked"]
    assert not clean(fresh_redis8, completed_older_than="1d")["changed"]


@BOTH_WAYS
def test_the_newest_stay_and_so_does_what_is_above_the_limit(
    client: redis.Redis, fresh_redis8: Endpoint, scripts: bool
) -> None:
    ids = [f"j{number:03}" for number in range(250)]
    make(client, "q", "completed", *ids)
    make(client, "q", "failed", *(f"f{number}" for number in range(10)))
    may_run_scripts(client, fresh_redis8, scripts)
    wanted = {"completed_older_than": "1d", "failed_older_than": "1d", "keep_last": 3, "batch_size": 7}
    first = clean(fresh_redis8, max_changes=100, **wanted)
    assert jobs_of(client, "q", "completed") == ids[100:]
    assert states(first) == {("clean", "q completed", "done"), ("clean", "q failed", "skipped")}
    assert "max_changes" in first["actions"][1]["detail"]
    second = clean(fresh_redis8, max_changes=149, **wanted)
    assert states(second) == {("clean", "q completed", "done"), ("clean", "q failed", "done")}
    assert jobs_of(client, "q", "completed") == ids[247:]
    assert jobs_of(client, "q", "failed") == [f"f{number}" for number in range(2, 10)]
    third = clean(fresh_redis8, **wanted)
    assert states(third) == {("clean", "q failed", "done")}
    assert jobs_of(client, "q", "failed") == ["f7", "f8", "f9"]
    assert not clean(fresh_redis8, **wanted)["changed"]


@BOTH_WAYS
def test_ghosts_are_reported_and_removed_from_every_state(npm_queue: Fill, client: redis.Redis, scripts: bool) -> None:
    endpoint, _counts = npm_queue("bullmq", "4.18.3")
    base = "bull:customer-calls"
    client.rpush(f"{base}:wait", "0:0")
    lists = {"wait": client.lindex(f"{base}:wait", 3)}
    sets = {
        state: client.zrange(f"{base}:{state}", 2, 2)[0] for state in ("completed", "failed", "delayed", "prioritized")
    }
    before = {**{s: client.llen(f"{base}:{s}") for s in lists}, **{s: client.zcard(f"{base}:{s}") for s in sets}}
    for id_ in (*lists.values(), *sets.values()):
        client.delete(f"{base}:{id_}")
    client.lpush(f"{base}:wait", lists["wait"])
    may_run_scripts(client, endpoint, scripts)
    planned = clean(endpoint, check=True)
    wanted = {("remove_ghosts", f"customer-calls {state}") for state in (*lists, *sets)}
    assert states(planned) == {(*one, "planned") for one in wanted}
    result = clean(endpoint)
    assert states(result) == {(*one, "done") for one in wanted}
    (finding,) = [finding for finding in result["findings"] if finding["id"] == "queue.ghosts"]
    assert (finding["severity"], finding["value"]) == ("warning", 5)
    for state, id_ in lists.items():
        entries = client.lrange(f"{base}:{state}", 0, -1)
        assert (len(entries), id_ in entries, entries[-1]) == (before[state] - 1, False, "0:0")
    for state in sets:
        assert client.zcard(f"{base}:{state}") == before[state] - 1
    again = clean(endpoint)
    assert (again["changed"], again["findings"]) == (False, [])


def test_orphans_go_if_they_are_old_and_surely_nobodys(client: redis.Redis, fresh_redis8: Endpoint) -> None:
    make(
        client,
        "q",
        "completed",
        "done",
        "old",
        "young",
        "locked",
        "waits",
        "works",
        "pauses",
        "repeat:s:1700000000000",
    )
    make(client, "q:urgent", "completed", "17", "18")
    make(client, "q", "failed", "child", parentKey="bull:q:done")
    client.sadd("bull:q:done:dependencies", "bull:q:child")
    client.zrem("bull:q:completed", "old", "young", "locked", "waits", "works", "pauses", "repeat:s:1700000000000")
    client.zrem("bull:q:failed", "child")
    client.zrem("bull:q:urgent:completed", "17")
    client.hset("bull:q:young", "processedOn", client.time()[0] * 1000)
    client.set("bull:q:locked:lock", "somebody")
    for state, id_ in (("wait", "waits"), ("active", "works"), ("paused", "pauses")):
        client.rpush(f"bull:q:{state}", id_)
    client.rpush("bull:q:old:logs", "a line")
    client.hset("bull:q:half", mapping={"progress": "5"})
    client.hset("bull:q:repeat:s", mapping={"name": "scheduler", "every": "1000"})
    before = set(client.keys())
    assert clean(fresh_redis8)["actions"] == []
    planned = clean(fresh_redis8, check=True, queues=["q"], orphans=True)
    assert set(client.keys()) == before
    assert states(planned) == {("remove_orphans", "q", "planned")}
    result = clean(fresh_redis8, queues=["q"], orphans=True)
    assert states(result) == {("remove_orphans", "q", "done")}
    gone = {"bull:q:old", "bull:q:old:logs", "bull:q:repeat:s:1700000000000"}
    assert before - set(client.keys()) == gone
    again = clean(fresh_redis8, queues=["q"], orphans=True)
    assert not again["changed"]
    both = clean(fresh_redis8, orphans=True)
    assert states(both) == {("remove_orphans", "q:urgent", "done")}


def test_orphans_that_cannot_be_told_for_sure_are_left(client: redis.Redis, fresh_redis8: Endpoint) -> None:
    make(client, "q", "completed", "old")
    client.zrem("bull:q:completed", "old")
    client.zadd("bull:q:groups", {"old": 1})
    result = clean(fresh_redis8, orphans=True)
    assert [finding["id"] for finding in result["findings"]] == ["queue.orphans_unknown"]
    client.delete("bull:q:groups")
    may_run_scripts(client, fresh_redis8, False)
    result = clean(fresh_redis8, orphans=True)
    assert [finding["id"] for finding in result["findings"]] == ["queue.orphans_unknown"]
    assert client.exists("bull:q:old")


def test_a_long_event_stream_is_trimmed(client: redis.Redis, fresh_redis8: Endpoint) -> None:
    make(client, "q", "completed", "one")
    client.hset("bull:q:meta", "opts.maxLenEvents", 1000)
    pipeline = client.pipeline(transaction=False)
    for number in range(25_000):
        pipeline.xadd("bull:q:events", {"event": "added", "jobId": number})
    pipeline.execute()
    assert clean(fresh_redis8, trim_events=False)["actions"] == []
    result = clean(fresh_redis8, batch_size=100)
    assert states(result) == {("trim_events", "q events", "done")}
    assert 1000 <= client.xlen("bull:q:events") < 1200
    assert client.xrevrange("bull:q:events", count=1)[0][1]["jobId"] == "24999", "the newest stay"
    assert clean(fresh_redis8)["actions"] == []
