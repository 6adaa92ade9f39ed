# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Retries and dead letters beside others at work, with few rights, out of time, and as Ansible runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis
import yaml

from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import run
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup import (
    act_dispose,
    act_dispose_transaction,
    act_failed,
    act_retry,
    act_retry_transaction,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.task import QueueCleanup
from ansible_collections.dataops.upkeep.plugins.modules import queue_cleanup as module
from tests.integration.health import context
from tests.integration.queue_cleanup import (
    DEFAULTS,
    RETRY,
    Ticking,
    clean,
    jobs_of,
    make,
    may_run_scripts,
    states,
)
from tests.integration.queue_rights import documented
from tests.integration.running import run_module
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect

BOTH_WAYS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "transactions"])
FATES: dict[str, Any] = {"retry": {}, "dead_letter": "dead"}
KNOWN = "connect ECONNREFUSED"


@pytest.fixture
def client(fresh_redis8: Endpoint) -> Iterator[redis.Redis]:
    with connect(fresh_redis8) as opened:
        yield opened
        opened.execute_command("ACL", "SETUSER", fresh_redis8.user or "default", "+@all")


CHANGES: dict[str, Callable[[redis.Redis, str], Any]] = {
    "tried-again": lambda client, id_: client.zrem("bull:q:failed", id_),
    "failed-anew": lambda client, id_: client.hset(f"bull:q:{id_}", "finishedOn", "1700000999999"),
    "other-reason": lambda client, id_: client.hset(f"bull:q:{id_}", "failedReason", "something else"),
    "one-try-more": lambda client, id_: client.hset(f"bull:q:{id_}", "atm", "2"),
    "removed": lambda client, id_: client.delete(f"bull:q:{id_}"),
    "locked": lambda client, id_: client.set(f"bull:q:{id_}:lock", "somebody"),
}
"""What somebody else may do to a job between our look and our change."""


@BOTH_WAYS
@pytest.mark.parametrize("reason", [KNOWN, "no such customer"], ids=["retry", "dead_letter"])
def test_a_job_that_somebody_touched_meanwhile_is_left(
    client: redis.Redis, fresh_redis8: Endpoint, monkeypatch: pytest.MonkeyPatch, scripts: bool, reason: str
) -> None:
    make(client, "q", "failed", "untouched", *CHANGES, failedReason=reason)
    may_run_scripts(client, fresh_redis8, scripts)
    page_of, pages = act_failed.page_of, 0

    def while_others_work(*arguments: Any) -> Any:
        nonlocal pages
        found, pages = page_of(*arguments), pages + 1
        if pages == 1:
            for id_, change in CHANGES.items():
                change(client, id_)
        return found

    monkeypatch.setattr(act_failed, "page_of", while_others_work)
    result = clean(fresh_redis8, ghosts=False, **FATES)
    (action,) = result["actions"]
    assert action["detail"].partition("; ")[0].partition(", ")[2] == (
        "5 left, for somebody else changed them meanwhile, 1 left, for somebody has locked them"
    )
    assert jobs_of(client, "q", "failed") == [id_ for id_ in CHANGES if id_ != "tried-again"]
    went = client.lrange("bull:q:wait", 0, -1) + client.lrange("bull:dead:wait", 0, -1)
    assert went == (["untouched"] if reason == KNOWN else ["q.untouched.1700000000000"])


@pytest.mark.parametrize("reason", [KNOWN, "no such customer"], ids=["retry", "dead_letter"])
def test_a_transaction_that_somebody_comes_in_between_begins_anew(
    client: redis.Redis, fresh_redis8: Endpoint, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    make(client, "q", "failed", "one", "two", failedReason=reason)
    may_run_scripts(client, fresh_redis8, False)
    times = 0
    for part in (act_retry_transaction, act_dispose_transaction):
        as_they_were = part.as_they_were

        def while_somebody_retries(*arguments: Any, look: Callable[..., Any] = as_they_were) -> Any:
            nonlocal times
            found, times = look(*arguments), times + 1
            if times == 1:
                pipeline = client.pipeline()
                pipeline.zrem("bull:q:failed", "one").hdel("bull:q:one", "finishedOn").lpush("bull:q:wait", "one")
                pipeline.execute()
            return found

        monkeypatch.setattr(part, "as_they_were", while_somebody_retries)
    result = clean(fresh_redis8, **FATES)
    assert times == 2
    assert result["actions"][0]["detail"].startswith("1 ")
    assert client.lrange("bull:q:wait", 0, -1) == (["two", "one"] if reason == KNOWN else ["one"])
    assert client.llen("bull:dead:wait") == (0 if reason == KNOWN else 1)
    assert jobs_of(client, "q", "failed") == []
    assert client.exists("bull:q:one")


@BOTH_WAYS
def test_a_job_that_fails_again_meanwhile_is_the_next_runs(
    client: redis.Redis, fresh_redis8: Endpoint, monkeypatch: pytest.MonkeyPatch, scripts: bool
) -> None:
    make(client, "q", "failed", *(f"j{at}" for at in range(10)), failedReason=KNOWN)
    may_run_scripts(client, fresh_redis8, scripts)
    name = "run_script" if scripts else "retry_in_transaction"
    put_back = getattr(act_retry, name)

    def while_a_worker_fails(*arguments: Any) -> Any:
        done = put_back(*arguments)
        for id_ in client.lrange("bull:q:wait", 0, -1):
            client.lrem("bull:q:wait", 0, id_)
            client.hset(f"bull:q:{id_}", mapping={"failedReason": KNOWN, "finishedOn": 1_700_000_500_000})
            client.zadd("bull:q:failed", {id_: 1_700_000_500_000})
        return done

    monkeypatch.setattr(act_retry, name, while_a_worker_fails)
    result = clean(fresh_redis8, batch_size=2, **FATES)
    assert result["actions"][0]["detail"].startswith("10 wait again; ")
    assert len(jobs_of(client, "q", "failed")) == 10


@BOTH_WAYS
@pytest.mark.parametrize("reason", [KNOWN, "no such customer"], ids=["retry", "dead_letter"])
def test_out_of_time_the_next_run_goes_on(
    client: redis.Redis, fresh_redis8: Endpoint, scripts: bool, reason: str
) -> None:
    make(client, "q", "failed", *(f"j{at}" for at in range(200)), failedReason=reason)
    may_run_scripts(client, fresh_redis8, scripts)
    params = {**DEFAULTS, "batch_size": 5, "retry": RETRY, "dead_letter": "dead"}
    known = context({**fresh_redis8.options(), **params})
    short = replace(known, deadline=Deadline(150, Clock(monotonic=Ticking())))
    result = run(QueueCleanup(short), short, check_mode=False).as_dict()
    (action,) = result["actions"]
    assert (action["state"], "the deadline is over" in action["detail"]) == ("done", True)
    left, went = len(jobs_of(client, "q", "failed")), client.llen("bull:q:wait") + client.llen("bull:dead:wait")
    assert 0 < left < 200
    assert left + went == 200
    client.delete("upkeep:lock:queue_cleanup:bull:q")  # no time is left to give it back; it expires by itself
    assert clean(fresh_redis8, **FATES)["changed"]
    assert client.llen("bull:q:wait") + client.llen("bull:dead:wait") == 200


KEYS = ("~bull:*", "~upkeep:lock:*", "-@all")


@pytest.mark.parametrize("way", ["+eval", "+@transaction"])
@pytest.mark.parametrize("library", ["bull", "bullmq"])
def test_the_rights_that_the_documentation_names_are_enough(
    client: redis.Redis, fresh_redis8: Endpoint, redis_acl: Callable[..., Endpoint], way: str, library: str
) -> None:
    make(client, "q", "failed", "one", priority="2", failedReason=KNOWN)
    make(client, "q", "failed", "two")
    client.rpush("bull:q:two:logs", "a line")
    if library == "bull":
        client.delete("bull:q:meta")
        for id_ in ("one", "two"):
            client.hset(f"bull:q:{id_}", "attemptsMade", client.hdel(f"bull:q:{id_}", "atm"))
        client.set("bull:q:id", "2")
    user = redis_acl(fresh_redis8, *KEYS, *(right for right in documented() if right != "+eval"), way)
    result = clean(user, queues=["q"], **FATES)
    assert states(result) == {("retry", "q failed", "done"), ("dead_letter", "q failed", "done")}
    assert result["server"]["queues"]["q"]["flavour"] == {"bull": "bull", "bullmq": "bullmq6"}[library]
    assert result["server"]["scripts"] is (way == "+eval")
    assert client.zscore(f"bull:q:{'priority' if library == 'bull' else 'prioritized'}", "one")
    assert client.lrange("bull:dead:q.two.1700000000000:logs", 0, -1) == ["a line"]


LACKING = ["hset", "lpush", "zrem", "hdel", "unlink", "hincrby", "zadd", "incr"]


@pytest.mark.parametrize("way", ["+eval", "+@transaction"])
@pytest.mark.parametrize("lacking", LACKING)
def test_who_lacks_a_right_loses_no_job(
    client: redis.Redis, fresh_redis8: Endpoint, redis_acl: Callable[..., Endpoint], way: str, lacking: str
) -> None:
    make(client, "q", "failed", "again", "urgent", failedReason=KNOWN)
    client.hset("bull:q:urgent", "priority", 3)
    make(client, "q", "failed", "dead", ended=1_700_000_100_000)
    rights = [right for right in documented() if right != "+eval"]
    user = redis_acl(fresh_redis8, *KEYS, *rights, way, f"-{lacking}")
    result = clean(user, queues=["q"], retry={"reset_attempts": True}, dead_letter="dead")
    client.delete("upkeep:lock:queue_cleanup:bull:q")  # who may not UNLINK cannot give it back
    homes = [
        *jobs_of(client, "q", "failed"),
        *client.lrange("bull:q:wait", 0, -1),
        *jobs_of(client, "q", "prioritized"),
    ]
    letters = client.lrange("bull:dead:wait", 0, -1)
    assert sorted([*homes, *(letter.split(".")[1] for letter in letters)]) == ["again", "dead", "urgent"], result
    for id_ in homes:
        assert client.exists(f"bull:q:{id_}")
    assert client.keys("bull:dead:q.*") == [f"bull:dead:{letter}" for letter in letters]
    clean(fresh_redis8, queues=["q"], **FATES)
    assert (jobs_of(client, "q", "failed"), client.lrange("bull:q:wait", 0, -1)) == ([], ["again"])
    assert jobs_of(client, "q", "prioritized") == ["urgent"]
    assert client.lrange("bull:dead:wait", 0, -1) == ["q.dead.1700000100000"]


@pytest.mark.parametrize("way", ["+eval", "+@transaction"])
def test_what_was_done_before_an_error_is_said(
    client: redis.Redis,
    fresh_redis8: Endpoint,
    redis_acl: Callable[..., Endpoint],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    make(client, "q", "failed", *(f"j{at}" for at in range(300)))
    rights = [right for right in documented() if right != "+eval"]
    user = redis_acl(fresh_redis8, *KEYS, *rights, way)
    name = "run_script" if way == "+eval" else "dispose_in_transaction"
    move = getattr(act_dispose, name)

    def until_the_right_is_gone(*arguments: Any) -> Any:
        done = move(*arguments)
        client.execute_command("ACL", "SETUSER", user.user, "-hset")
        return done

    monkeypatch.setattr(act_dispose, name, until_the_right_is_gone)
    result = clean(user, queues=["q"], **FATES)
    (action,) = result["actions"]
    assert (action["state"], result["changed"], result["status"]) == ("failed", True, "critical")
    assert action["detail"].startswith("100 moved to the dead letters, then: ")
    assert "hset" in action["detail"].lower()
    assert (client.llen("bull:dead:wait"), len(jobs_of(client, "q", "failed"))) == (100, 200)


def test_on_redis_6_2_too(redis62: Endpoint) -> None:
    with connect(redis62) as client:
        client.flushall()
        make(client, "q", "failed", "one", failedReason=KNOWN)
        make(client, "q", "failed", "two", data="{broken", priority="3", failedReason="ETIMEDOUT")
        make(client, "q", "failed", "three", ended=1_700_000_100_000)
        assert {state for _kind, _subject, state in states(clean(redis62, **FATES))} == {"done"}
        assert client.lrange("bull:q:wait", 0, -1) == ["one"]
        assert jobs_of(client, "q", "prioritized") == ["two"]
        assert client.lrange("bull:dead:wait", 0, -1) == ["q.three.1700000100000"]
        assert [fields["event"] for _id, fields in client.xrange("bull:q:events")] == ["waiting"] * 2
        client.flushall()


def test_the_examples(client: redis.Redis, fresh_redis8: Endpoint) -> None:
    """As they are written, but for the addresses."""
    tasks = [task["dataops.upkeep.queue_cleanup"] for task in yaml.safe_load(module.EXAMPLES) if "register" in task]
    (named,) = tasks
    for queue in named["queues"]:
        make(client, queue, "completed", "old")
        make(client, queue, "failed", "again", failedReason="connect ETIMEDOUT", ended=client.time()[0] * 1000 - 5000)
        make(client, queue, "failed", "dead", failedReason="no such customer", ended=client.time()[0] * 1000 - 4000)
    named = {key: value for key, value in named.items() if not key.startswith("login_")}
    params = {**fresh_redis8.options(), **named}
    planned = run_module("queue_cleanup", params, check=True)
    assert (planned["outcome"], planned["changed"]) == ("ok", True)
    wanted = {
        (kind, f"{queue} {state}", "done")
        for queue in named["queues"]
        for kind, state in (("clean", "completed"), ("retry", "failed"), ("dead_letter", "failed"))
    }
    assert states(run_module("queue_cleanup", params)) == wanted
    assert client.llen(f"bull:{named['dead_letter']}:wait") == 2
    assert not run_module("queue_cleanup", params)["changed"]
    wrong = run_module("queue_cleanup", {**params, "retry": {"reasons": ["("]}})
    assert (wrong["outcome"], "retry.reasons" in wrong["msg"]) == ("failed", True)
