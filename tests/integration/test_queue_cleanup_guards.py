# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""queue_cleanup beside others at work, without rights, on a replica and a cluster, killed, and with odd names."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import redis

import tests.benchmarks
from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import StoreError
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import run
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup import act_clean_transaction
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.task import QueueCleanup
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.observe_jobs import Found
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.nodes import ReplicaServer
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.wire import raw
from tests.integration.health import context
from tests.integration.queue_cleanup import (
    DEFAULTS,
    Ticking,
    clean,
    jobs_of,
    make,
    may_run_scripts,
    states,
)
from tests.integration.queue_rights import documented
from tests.integration.redis_health import writes
from tests.integration.running import run_module
from tests.integration.waiting import until
from tests.stack.application.queues.plan import QueuePlan
from tests.stack.application.queues.run import ask_npm
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect

Fill = Callable[..., tuple[Endpoint, dict[str, dict[str, int]]]]

AGES = {"completed_older_than": "1d", "failed_older_than": "1d"}

SLOWLY = """
import json, sys
import tests.benchmarks
from tests.integration.queue_cleanup import clean
from tests.stack.endpoint import Endpoint
endpoint, options = json.load(sys.stdin)
clean(Endpoint(**endpoint), **options)
"""


@pytest.fixture
def client(fresh_redis8: Endpoint) -> Iterator[redis.Redis]:
    with connect(fresh_redis8) as opened:
        yield opened
        opened.execute_command("ACL", "SETUSER", fresh_redis8.user or "default", "+@all")


def start(endpoint: Endpoint, **options: Any) -> subprocess.Popen[str]:
    """Run the task in a process of its own."""
    root = Path(str(tests.benchmarks.__file__)).parents[2]
    process = subprocess.Popen([sys.executable, "-c", SLOWLY], stdin=subprocess.PIPE, text=True, cwd=root)
    if process.stdin is None:
        raise RuntimeError("the process has no standard input")
    process.stdin.write(json.dumps([asdict(endpoint), options]))
    process.stdin.close()
    return process


def consistent(client: redis.Redis, queue: str, state: str) -> bool:
    """Whether every id of a state has its job, and every job is in the state."""
    ids = set(jobs_of(client, queue, state))
    return {f"bull:{queue}:{id_}" for id_ in ids} == set(client.keys(f"bull:{queue}:j*"))


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "transactions"])
def test_killed_half_way_no_job_is_half_gone_and_the_next_run_goes_on(
    client: redis.Redis, fresh_redis8: Endpoint, scripts: bool
) -> None:
    number = 20_000
    make(client, "q", "completed", *(f"j{at}" for at in range(number)))
    make(client, "q", "failed", "keep", ended=client.time()[0] * 1000)
    may_run_scripts(client, fresh_redis8, scripts)
    process = start(fresh_redis8, completed_older_than="1d", failed_older_than="1d", batch_size=5, ghosts=False)
    try:
        until(lambda: len(jobs_of(client, "q", "completed")) < number)
    finally:
        process.kill()
        process.wait()
    left = len(jobs_of(client, "q", "completed"))
    assert 0 < left < number
    assert consistent(client, "q", "completed")
    locked = clean(fresh_redis8, **AGES)
    assert states(locked) == {("clean", "q completed", "skipped")}
    assert [finding["id"] for finding in locked["findings"]] == ["queue.locked"]
    client.delete("upkeep:lock:queue_cleanup:bull:q")  # it would expire by itself within a minute
    assert states(clean(fresh_redis8, **AGES)) == {("clean", "q completed", "done")}
    assert client.keys("bull:q:j*") == []
    assert jobs_of(client, "q", "failed") == ["keep"]
    assert client.keys("upkeep:*") == []


def test_a_job_that_is_tried_again_between_look_and_removal_is_not_lost(
    client: redis.Redis, fresh_redis8: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(client, "q", "failed", "retried", "stays-failed")
    may_run_scripts(client, fresh_redis8, False)
    look_at, times = act_clean_transaction.look_at, 0

    def while_somebody_retries(*arguments: Any) -> list[Found]:
        nonlocal times
        found, times = look_at(*arguments), times + 1
        if times == 1:
            pipeline = client.pipeline()
            pipeline.zrem("bull:q:failed", "retried").hdel("bull:q:retried", "finishedOn").lpush(
                "bull:q:wait", "retried"
            )
            pipeline.execute()
        return found

    monkeypatch.setattr(act_clean_transaction, "look_at", while_somebody_retries)
    result = clean(fresh_redis8, **AGES)
    assert times == 2
    assert result["actions"][0]["detail"].startswith("1 removed")
    assert (client.lrange("bull:q:wait", 0, -1), jobs_of(client, "q", "failed")) == (["retried"], [])
    assert client.exists("bull:q:retried")


def test_jobs_that_others_change_all_the_time_are_left_and_that_is_said(
    client: redis.Redis, fresh_redis8: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(client, "q", "failed", "busy")
    may_run_scripts(client, fresh_redis8, False)
    look_at = act_clean_transaction.look_at

    def beside_others(*arguments: Any) -> list[Found]:
        client.hincrby("bull:q:busy", "progress", 1)
        return look_at(*arguments)

    monkeypatch.setattr(act_clean_transaction, "look_at", beside_others)
    result = clean(fresh_redis8, **AGES)
    assert states(result) == {("clean", "q failed", "failed")}
    assert "changed the same jobs meanwhile" in result["actions"][0]["detail"]
    assert not result["changed"]
    assert jobs_of(client, "q", "failed") == ["busy"]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "transactions"])
def test_out_of_time_the_next_run_goes_on(client: redis.Redis, fresh_redis8: Endpoint, scripts: bool) -> None:
    make(client, "q", "completed", *(f"j{at}" for at in range(1000)))
    make(client, "q", "failed", "old")
    may_run_scripts(client, fresh_redis8, scripts)
    known = context({**fresh_redis8.options(), **DEFAULTS, **AGES, "batch_size": 10})
    short = replace(known, deadline=Deadline(150, Clock(monotonic=Ticking())))
    result = run(QueueCleanup(short), short, check_mode=False).as_dict()
    assert states(result) == {("clean", "q completed", "done"), ("clean", "q failed", "skipped")}
    assert all("the deadline is over" in action["detail"] for action in result["actions"])
    left = len(jobs_of(client, "q", "completed"))
    assert 0 < left < 1000
    assert consistent(client, "q", "completed")
    client.delete("upkeep:lock:queue_cleanup:bull:q")  # no time is left to give it back; it expires by itself
    assert clean(fresh_redis8, **AGES)["changed"]
    assert (jobs_of(client, "q", "completed"), jobs_of(client, "q", "failed")) == ([], [])


def test_on_redis_6_2_too(redis62: Endpoint) -> None:
    with connect(redis62) as client:
        client.flushall()
        make(client, "q", "completed", *(f"j{at}" for at in range(50)))
        make(client, "q", "failed", "orphan")
        client.zadd("bull:q:failed", {"ghost": 1})
        client.zrem("bull:q:failed", "orphan")
        client.hset("bull:q:meta", "opts.maxLenEvents", 100)
        for number in range(1000):
            client.xadd("bull:q:events", {"event": "added", "jobId": number})
        assert len(states(clean(redis62, check=True, orphans=True, **AGES))) == 4
        assert {state for _kind, _subject, state in states(clean(redis62, orphans=True, **AGES))} == {"done"}
        assert sorted(client.keys()) == ["bull:q:events", "bull:q:meta"]
        assert client.xlen("bull:q:events") < 300
        assert not clean(redis62, orphans=True, **AGES)["changed"]
        client.flushall()


@pytest.mark.parametrize(("library", "version"), [("bull", "4.16.5"), ("bullmq", "6.7.0")])
def test_beside_a_real_worker_every_job_is_done_once(
    npm_queue: Fill, client: redis.Redis, library: str, version: str
) -> None:
    jobs = 400
    plan = QueuePlan("busy", waiting=[{"job": "call", "data": {}, "age": 7200}] * jobs)
    endpoint, _counts = npm_queue(library, version, queues=[plan])
    wanted = client.lrange("bull:busy:wait", 0, -1)
    with ThreadPoolExecutor() as pool:
        drained = pool.submit(ask_npm, endpoint, library, version, {"ask": "drain", "queue": "busy"})
        cleaned = 0
        while not drained.done():
            options = {"completed_older_than": "0.05s", "orphans": True, "orphans_older_than": "1s"}
            cleaned += len(clean(endpoint, **options)["actions"])
    (order,) = drained.result()
    assert sorted(order) == sorted(wanted), "each was done once and none was lost"
    assert cleaned
    clean(endpoint, completed_older_than="0.001s")
    (counts,) = ask_npm(endpoint, library, version, {"ask": "counts", "queue": "busy"})
    assert not any(counts.values()), counts
    assert client.keys("bull:busy:[0-9]*") == []


def test_names_of_any_bytes(client: redis.Redis, fresh_redis8: Endpoint) -> None:
    names = ["with space", "new\nline", "b*[ra]ck?et", "quo'te\"s", "ünï→", "x" * 10_000, "raw\udcff\udcfe", "a:b:c"]
    for name in names:
        make(client, name, "completed", *names)
    before = writes(fresh_redis8)
    planned = clean(fresh_redis8, check=True, **AGES)
    json.dumps(planned).encode("utf-8")
    assert writes(fresh_redis8) == before
    result = clean(fresh_redis8, **AGES)
    assert {action["state"] for action in result["actions"]} == {"done"}
    assert len(result["actions"]) == len(names)
    assert client.dbsize() == len(names) * len(("events", "meta"))
    assert not clean(fresh_redis8, **AGES)["changed"]


@pytest.mark.parametrize("prefix", ["{app}", "b*ll", "two:parts", "\udcff"])
def test_any_prefix(client: redis.Redis, fresh_redis8: Endpoint, prefix: str) -> None:
    make(client, "q", "completed", "one", prefix=prefix)
    make(client, "q", "completed", "one")
    assert states(clean(fresh_redis8, prefix=prefix, **AGES)) == {("clean", "q completed", "done")}
    assert client.exists("bull:q:one")
    assert not client.exists(raw(f"{prefix}:q:one"))


@pytest.fixture
def restricted(client: redis.Redis, fresh_redis8: Endpoint) -> Iterator[Callable[[Sequence[str]], Endpoint]]:
    def make_user(rights: Sequence[str]) -> Endpoint:
        rules = ["resetkeys", "~bull:*", "~upkeep:lock:*", "-@all", *rights]
        client.execute_command("ACL", "SETUSER", "cleaner", "on", ">cleaner-pass", *rules)
        return replace(fresh_redis8, user="cleaner", password="cleaner-pass")

    yield make_user
    client.execute_command("ACL", "DELUSER", "cleaner")


@pytest.mark.parametrize("way", ["+eval", "+@transaction"])
def test_the_rights_that_the_documentation_names_are_enough(
    client: redis.Redis, restricted: Callable[[Sequence[str]], Endpoint], way: str
) -> None:
    make(client, "q", "completed", "one", "two")
    client.zadd("bull:q:failed", {"ghost": 1})
    user = restricted([*(right for right in documented() if right != "+eval"), way])
    result = clean(user, queues=["q"], **AGES)
    assert states(result) == {("clean", "q completed", "done"), ("clean", "q failed", "done")}
    assert result["server"]["scripts"] is (way == "+eval")
    assert (jobs_of(client, "q", "completed"), jobs_of(client, "q", "failed")) == ([], [])


def test_who_may_not_write_is_told_and_nothing_is_half_done(
    client: redis.Redis, restricted: Callable[[Sequence[str]], Endpoint]
) -> None:
    make(client, "q", "completed", "one")
    rights = [right for right in documented() if right != "+@write"]
    for more, said in (([], "SETUSER"), (["+set", "+unlink"], "permission"), (["+set", "+zrem"], "permission")):
        result = clean(restricted([*rights, *more]), queues=["q"], **AGES)
        assert states(result) == {("clean", "q completed", "failed")}
        assert said in result["actions"][0]["detail"]
        assert (result["status"], result["changed"]) == ("critical", False)
        assert (jobs_of(client, "q", "completed"), client.exists("bull:q:one")) == (["one"], 1)
        client.delete("upkeep:lock:queue_cleanup:bull:q")


def test_who_may_see_one_queue_cleans_one(client: redis.Redis, fresh_redis8: Endpoint) -> None:
    make(client, "mine", "completed", "one")
    make(client, "theirs", "completed", "one")
    rules = ["resetkeys", "~bull:mine:*", "~upkeep:lock:*", "+@all"]
    client.execute_command("ACL", "SETUSER", "cleaner", "on", ">cleaner-pass", *rules)
    result = clean(replace(fresh_redis8, user="cleaner", password="cleaner-pass"), queues=["mine", "theirs"], **AGES)
    client.execute_command("ACL", "DELUSER", "cleaner")
    assert states(result) == {("clean", "mine completed", "done")}
    assert [finding["id"] for finding in result["findings"]] == ["queue.access_denied"]
    assert client.exists("bull:theirs:one")


def test_a_queue_that_is_not_there_is_said(client: redis.Redis, fresh_redis8: Endpoint) -> None:
    make(client, "q", "completed", "one")
    result = clean(fresh_redis8, queues=["q", "gone"], **AGES)
    (missing,) = result["findings"]
    assert (missing["id"], missing["subject"].rpartition(" ")[2]) == ("queue.missing", "gone")
    assert "PostgreSQL" in missing["remedy"]
    assert states(result) == {("clean", "q completed", "done")}


def test_a_server_that_is_down_is_said(dead_port: tuple[str, int], fresh_redis8: Endpoint) -> None:
    with pytest.raises(StoreError, match="Could not connect"):
        clean(replace(fresh_redis8, host=dead_port[0], port=dead_port[1]), **AGES)


def test_a_replica_takes_no_changes(redis_replica: tuple[Endpoint, Endpoint]) -> None:
    primary, replica = redis_replica
    with pytest.raises(ReplicaServer, match=str(primary.port)):
        clean(replica, **AGES)


def test_as_ansible_runs_it(client: redis.Redis, fresh_redis8: Endpoint) -> None:
    make(client, "q", "completed", "one", "two")
    params = {**fresh_redis8.options(), "queues": ["q"], "completed_older_than": "24h", "failed_older_than": "7d"}
    planned = run_module("queue_cleanup", params, check=True)
    assert (planned["outcome"], planned["changed"]) == ("ok", True)
    assert client.zcard("bull:q:completed") == 2
    done = run_module("queue_cleanup", params)
    assert states(done) == {("clean", "q completed", "done")}
    assert not run_module("queue_cleanup", params)["changed"]
    wrong = run_module("queue_cleanup", {**params, "completed_older_than": "24"})
    assert wrong["outcome"] == "failed"
    assert "completed_older_than" in wrong["msg"]
