# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module that changes a Redis server relies on, against real servers."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.action import Action, ActionState
from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.connection import Connection
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import LockHeld, StoreError
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Decision, run
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.client import DEFAULTS, RedisClient
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.client import connect as connect_task
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.lock import RENEW_SECONDS, RunLock
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.scan import pages
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.stall import Pace
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.wire import packed
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.work import RedisWork
from tests.integration.health import context
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect


class Fill(RedisWork[int]):
    """Pushes onto the list ``marks`` until it has two entries."""

    job = "fill"

    def read(self, client: RedisClient) -> int:
        return int(client.ask("count", lambda redis: redis.llen("marks")))

    def decide(self, observation: int) -> Decision:
        return Decision(actions=[Action("push", "marks", f"it has {observation}")] * (2 - observation))

    def carry_out(self, client: RedisClient, action: Action) -> Action:
        self.keep_lock()
        client.ask("push", lambda redis: redis.rpush("marks", "x"))
        return action.became(ActionState.DONE)


def do(task: type[RedisWork[Any]], endpoint: Endpoint, check: bool = False) -> dict[str, Any]:
    task_context = context(endpoint.options(connect_timeout="5s"))
    return run(task(task_context), task_context, check).as_dict()


def marks(endpoint: Endpoint) -> int:
    with connect(endpoint) as client:
        return int(client.llen("marks"))  # type: ignore[arg-type]


def test_check_mode_changes_nothing_and_a_second_run_does_nothing(fresh_redis: Endpoint) -> None:
    endpoint = fresh_redis
    planned = do(Fill, endpoint, check=True)
    with connect(endpoint) as client:
        assert client.dbsize() == 0
    done = do(Fill, endpoint)
    assert [action["kind"] for action in planned["actions"]] == [action["kind"] for action in done["actions"]]
    assert done["changed"]
    with connect(endpoint) as client:
        assert client.keys() == ["marks"], "the lock is given back"
    assert not do(Fill, endpoint)["changed"]


def test_a_second_run_at_the_same_time_is_skipped_and_says_who_is_at_work(fresh_redis: Endpoint) -> None:
    inner: list[dict[str, Any]] = []

    class Outer(Fill):
        def carry_out(self, client: RedisClient, action: Action) -> Action:
            inner.append(do(Fill, fresh_redis))
            return super().carry_out(client, action)

    outer = do(Outer, fresh_redis)
    assert [action["state"] for action in outer["actions"]] == ["done", "done"]
    assert [action["state"] for action in inner[0]["actions"]] == ["skipped", "skipped"]
    assert [finding["id"] for finding in inner[0]["findings"]] == ["redis.locked"]
    assert "pid" in inner[0]["findings"][0]["message"]
    assert marks(fresh_redis) == 2


class Ticks:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_a_lock_that_was_lost_is_noticed_and_the_other_runs_lock_is_left(fresh_redis: Endpoint) -> None:
    ticks = Ticks()
    task_context = context(fresh_redis.options())
    target = Connection.of(task_context, DEFAULTS)
    with connect_task(target, Deadline(60)) as client, connect(fresh_redis) as other:
        lock = RunLock(client, Clock(monotonic=ticks), "fill")
        lock.take()
        with pytest.raises(LockHeld):
            RunLock(client, Clock(), "fill").take()
        other.pexpire("upkeep:lock:fill", 30_000)
        ticks.at += RENEW_SECONDS
        lock.keep()
        assert int(other.pttl("upkeep:lock:fill")) > 30_000, "it was renewed"  # type: ignore[arg-type]
        other.set("upkeep:lock:fill", "somebody else")
        ticks.at += RENEW_SECONDS
        with pytest.raises(StoreError, match="expired or was removed"):
            lock.keep()
        lock.give_back()
        assert other.get("upkeep:lock:fill") == "somebody else"


def test_a_lock_about_to_expire_is_left_to_that_for_another_run_may_have_it_next(fresh_redis: Endpoint) -> None:
    ticks = Ticks()
    target = Connection.of(context(fresh_redis.options()), DEFAULTS)
    with connect_task(target, Deadline(60)) as client, connect(fresh_redis) as other:
        lock = RunLock(client, Clock(monotonic=ticks), "fill")
        lock.take()
        other.pexpire("upkeep:lock:fill", 4000)
        ticks.at += RENEW_SECONDS
        with pytest.raises(StoreError, match="expired or was removed"):
            lock.keep()
        lock.give_back()
        assert other.exists("upkeep:lock:fill")


def test_every_key_is_seen_whatever_its_name_is(fresh_redis: Endpoint) -> None:
    names = {b"plain", b"with space", b"new\nline", b"\xff\xfe\x00", "äöü".encode(), b"g*[l]ob?", b"x" * 10_000}
    names |= {b"many:%d" % number for number in range(3000)}
    with connect(fresh_redis) as client:
        for name in names:
            client.set(name, 1)
    target = Connection.of(context(fresh_redis.options()), DEFAULTS)
    with connect_task(target, Deadline(60)) as client:
        pace = Pace(Clock())
        seen = [key for page in pages(client, pace) for key in page]
        assert set(seen) == names
        assert {key for page in pages(client, pace, b"many:*") for key in page} == {n for n in names if b"many" in n}
        assert pace.longest > 0


def test_one_commands_error_is_its_own_reply(fresh_redis: Endpoint) -> None:
    target = Connection.of(context(fresh_redis.options()), DEFAULTS)
    with connect_task(target, Deadline(60)) as client:
        commands = [("SET", "a", "1"), ("LPUSH", "a", "x"), ("GET", "a")]
        first, wrong, last = client.exchange("try", packed(commands), 3)
        assert (first, last) == (b"OK", b"1")
        assert isinstance(wrong, Exception)
        assert "wrong kind" in str(client.explain("push", wrong))
        assert client.ask("ping", lambda redis: redis.ping()), "the connection goes on"
