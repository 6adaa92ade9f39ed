# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""queue_health_info's deeper checks on queues of the real libraries, beside their real workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import redis

from tests.integration.health import ids
from tests.integration.queue_cleanup import clean
from tests.integration.redis_health import Health
from tests.integration.waiting import until
from tests.stack.application.queues.plan import QueuePlan, plans
from tests.stack.application.queues.run import NPM_LIBRARIES, ask_npm
from tests.stack.application.queues.worker import worker
from tests.stack.application.settings import Settings
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect

Fill = Callable[..., tuple[Endpoint, dict[str, dict[str, int]]]]
NEVER = -1
ONE_OF_EACH = NPM_LIBRARIES[1:3] + NPM_LIBRARIES[-1:]
"""Bull, BullMQ with attemptsMade, and BullMQ with short names; the layouts differ in nothing else that is read here."""


def plan(name: str, **jobs: int) -> QueuePlan:
    """A plan of so many jobs of each kind, two hours old."""
    (sample, *_rest) = plans(Settings(now=datetime.now(timezone.utc), planted=False))
    old = {**sample.completed[0], "age": 7200, "reason": "read ECONNRESET", "attempts": 1, "delay": 9000}
    return QueuePlan(name, **{kind: [old] * number for kind, number in jobs.items()})


@pytest.fixture
def client(fresh_redis8: Endpoint) -> Iterator[redis.Redis]:
    with connect(fresh_redis8) as opened:
        yield opened


def metric(result: dict[str, Any], name: str) -> Any:
    """A metric of the one queue."""
    return result["metrics"].get(f'{name}{{queue="calls"}}')


@pytest.mark.parametrize(("library", "version"), ONE_OF_EACH)
def test_who_works_on_a_queue(npm_queue: Fill, library: str, version: str) -> None:
    endpoint, _counts = npm_queue(library, version, queues=[plan("calls", waiting=1)])

    def workers(**params: Any) -> int | None:
        number: int | None = metric(Health(endpoint).queues("workers", **params), "queue_workers")
        return number

    alone = Health(endpoint).queues(oldest_waiting_seconds="off")
    assert (ids(alone), metric(alone, "queue_workers")) == ({"queue.no_workers": "warning"}, 0)
    with worker(endpoint, library, version, "calls"):
        until(lambda: workers() == 1)
        assert ids(Health(endpoint).queues()) == {}
        # A worker of a queue of the same name under another prefix is none of this one.
        with connect(endpoint) as client:
            client.set("other:calls:id", 1)
        assert workers(prefix="other") == 0
    until(lambda: workers() == 0)
    assert ids(Health(endpoint).queues("workers")) == {}, "nothing waits"
    ask_npm(endpoint, library, version, {"ask": "add", "queue": "calls"})
    until(lambda: ids(Health(endpoint).queues("workers")) == {"queue.no_workers": "warning"})


def test_a_lock_that_is_held_tells_of_a_worker_too(npm_queue: Fill) -> None:
    endpoint, _counts = npm_queue("bullmq", "6.7.0", queues=[plan("calls", waiting=3)])
    with worker(endpoint, "bullmq", "6.7.0", "calls", NEVER), connect(endpoint) as client:
        until(lambda: client.llen("bull:calls:active") == 1)
    until(lambda: metric(Health(endpoint).queues("workers"), "queue_workers") == 0)
    assert ids(Health(endpoint).queues("workers")) == {}


def test_a_connection_without_name_may_be_a_worker(npm_queue: Fill, client: redis.Redis) -> None:
    endpoint, _counts = npm_queue("bullmq", "6.7.0", queues=[plan("calls", waiting=1)])
    with connect(endpoint) as other:
        connection = other.connection_pool.get_connection()
        connection.send_command("BZPOPMIN", "bull:calls:marker2", 30)
        until(lambda: any(one["cmd"] == "bzpopmin" for one in client.client_list()))
        result = Health(endpoint).queues("workers")
        assert (ids(result), metric(result, "queue_workers")) == ({}, None)
        connection.disconnect()


@pytest.mark.parametrize(("library", "version"), [("bull", "4.16.5"), ("bullmq", "5.81.5"), ("bullmq", "6.7.0")])
def test_stalled_jobs_that_a_worker_looks_for_are_brought_back(npm_queue: Fill, library: str, version: str) -> None:
    endpoint, _counts = npm_queue(library, version, queues=[plan("calls", stalled=2), plan("other", stalled=1)])
    assert ids(Health(endpoint).queues("active", oldest_active_seconds="off")) == {"queue.stalled": "warning"}
    with worker(endpoint, library, version, "calls"):
        watched = ["calls"]

        def found() -> dict[str, Any]:
            return Health(endpoint).queues("active", queues=watched, oldest_active_seconds="off")

        until(lambda: ids(found()) == {})
        assert ids(Health(endpoint).queues("active", queues=["other"], oldest_active_seconds="off")) != {}


@pytest.mark.parametrize(("library", "version"), ONE_OF_EACH)
def test_ids_without_a_job(npm_queue: Fill, client: redis.Redis, library: str, version: str) -> None:
    queues = [plan("calls", failed=4, completed=3, waiting=3, delayed=1)]
    endpoint, _counts = npm_queue(library, version, queues=queues)
    none = Health(endpoint).queues("ghosts")
    assert (ids(none), metric(none, "queue_ghosts")) == ({}, 0)
    for state in ("failed", "completed"):
        client.delete(*(f"bull:calls:{job}" for job in client.zrange(f"bull:calls:{state}", 0, 1)))
    client.delete(f"bull:calls:{client.lindex('bull:calls:wait', -1)}")
    result = Health(endpoint).queues("ghosts")
    assert (ids(result), metric(result, "queue_ghosts")) == ({"queue.ghosts": "warning"}, 5)
    assert "failed" in result["findings"][0]["message"]
    assert clean(endpoint, check=True)["metrics"]['queue_ghosts{queue="calls"}'] == 5
    clean(endpoint)
    assert ids(Health(endpoint).queues("ghosts")) == {}


@pytest.mark.parametrize(("library", "version"), ONE_OF_EACH)
def test_jobs_in_no_state(npm_queue: Fill, client: redis.Redis, library: str, version: str) -> None:
    queues = [plan("calls", failed=4, completed=2, waiting=3, delayed=1), plan("more", completed=2)]
    endpoint, _counts = npm_queue(library, version, queues=queues)
    assert "orphans" not in Health(endpoint).queues()["metrics"]
    for key in ("failed", "delayed"):
        client.delete(f"bull:calls:{key}")
    health = Health(endpoint)
    # The delayed job was made at this moment: too young to be told from one that is on its way.
    assert metric(health.queues("orphans"), "queue_orphans") <= 4
    health.ahead = timedelta(hours=2)
    client.delete("no:key", *client.keys("bull:calls:*:lock"))  # what ended a job of Bull still holds it
    client.set("bull:calls:stranger", "of another program")
    unknown = health.queues("orphans", queues=["calls"])
    assert (ids(unknown), metric(unknown, "queue_orphans")) == ({"queue.orphans_unknown": "warning"}, None)
    client.delete("bull:calls:stranger")
    result = health.queues("orphans")
    assert (ids(result), metric(result, "queue_orphans")) == ({"queue.orphans": "warning"}, 5)
    assert result["metrics"]['queue_orphans{queue="more"}'] == 0
    assert metric(health.queues("orphans", queues=["calls"]), "queue_orphans") == 5


def test_a_search_for_which_there_is_no_time(npm_queue: Fill, client: redis.Redis) -> None:
    endpoint, _counts = npm_queue("bullmq", "6.7.0", queues=[plan("calls", completed=1)])
    client.mset({f"other:{number}": 1 for number in range(5000)})
    health = Health(endpoint)
    health.search_time = "0s"
    assert ids(health.queues("orphans")) == {"queue.search_incomplete": "warning"}


@pytest.mark.parametrize(("library", "version"), [("bull", "4.16.5"), ("bullmq", "6.7.0")])
def test_a_busy_queue_has_neither_ghosts_nor_orphans(npm_queue: Fill, library: str, version: str) -> None:
    endpoint, _counts = npm_queue(library, version, queues=[plan("calls")])
    adding = {"ask": "add", "queue": "calls", "options": {"removeOnComplete": True, "removeOnFail": True}}
    ask_npm(endpoint, library, version, *[adding] * 1)
    with connect(endpoint) as client, worker(endpoint, library, version, "calls"):
        health = Health(endpoint)
        health.ahead = timedelta(hours=2)  # so that every job is old enough to be an orphan
        done = 0
        for _turn in range(4):
            ask_npm(endpoint, library, version, *[adding] * 150)
            result = health.queues("ghosts", "orphans", "counts", queues=["calls"])
            assert ids(result) == {}, result["findings"]
            done += 150
        until(lambda: client.llen("bull:calls:wait") == 0)


@pytest.mark.parametrize(
    ("library", "version", "named"), [("bull", "4.16.5", False), ("bullmq", "5.81.5", True), ("bullmq", "6.7.0", True)]
)
def test_jobs_that_come_again(npm_queue: Fill, client: redis.Redis, library: str, version: str, named: bool) -> None:
    endpoint, _counts = npm_queue(library, version, queues=[plan("calls", completed=1)])
    none = Health(endpoint).queues("schedulers")
    assert (ids(none), metric(none, "queue_schedulers")) == ({}, None)
    if named:
        ask_npm(endpoint, library, version, {"ask": "schedule", "queue": "calls", "name": "hourly", "every": 3_600_000})
    else:
        repeat = {"options": {"repeat": {"every": 3_600_000}}}
        ask_npm(endpoint, library, version, {"ask": "add", "queue": "calls", **repeat})
    health = Health(endpoint)
    soon = health.queues("schedulers")
    assert (ids(soon), metric(soon, "queue_schedulers")) == ({}, 1)
    health.ahead = timedelta(hours=2, seconds=10)
    late = health.queues("schedulers")
    assert ids(late) == {"queue.scheduler_late": "warning"}
    assert 3600 < metric(late, "queue_scheduler_late_seconds") <= 7210
    assert metric(late, "queue_dead_schedulers") == 0
    if named:
        client.delete(*client.keys("bull:calls:repeat:scheduler:*"))
        assert ids(health.queues("schedulers")) == {
            "queue.scheduler_late": "warning",
            "queue.dead_scheduler": "warning",
        }


def test_the_rate_that_the_library_counted_itself(npm_queue: Fill) -> None:
    endpoint, _counts = npm_queue("bullmq", "6.7.0", queues=[plan("calls")])
    adding = {"ask": "add", "queue": "calls", "options": {"removeOnComplete": True}}
    ask_npm(endpoint, "bullmq", "6.7.0", *[adding] * 30)
    with connect(endpoint) as client, worker(endpoint, "bullmq", "6.7.0", "calls", metrics=True):
        until(lambda: client.hget("bull:calls:metrics:completed", "count") == "30")
        ask_npm(endpoint, "bullmq", "6.7.0", {"ask": "pause", "queue": "calls"})
        result = Health(endpoint).queues("rates")
        assert metric(result, "queue_completed_jobs_per_minute") == 2
        assert metric(result, "queue_failed_jobs_per_minute") == 0
        assert ids(result) == {}


def test_how_long_the_waiting_jobs_take_at_the_rate_of_now(npm_queue: Fill, client: redis.Redis) -> None:
    now = [{**job, "age": 5} for job in plan("calls", completed=30).completed]
    queues = [replace(plan("calls", waiting=121), completed=now)]
    endpoint, _counts = npm_queue("bull", "3.29.3", queues=queues)
    result = Health(endpoint).queues("rates")
    assert (ids(result), metric(result, "queue_drain_seconds")) == ({"queue.slow_drain": "warning"}, 3630)
    client.rpop("bull:calls:wait")
    assert ids(Health(endpoint).queues("rates")) == {}


def test_since_when_the_oldest_job_of_each_state_is_there(npm_queue: Fill) -> None:
    jobs = {"completed": 2, "failed": 2, "waiting": 2, "delayed": 1}
    endpoint, _counts = npm_queue("bullmq", "5.81.5", queues=[plan("calls", **jobs)])
    flow = {"name": "all", "queueName": "calls", "children": [{"name": "one", "queueName": "calls", "data": {}}]}
    ask_npm(endpoint, "bullmq", "5.81.5", {"ask": "flow", "queue": "calls", "flow": flow})
    health = Health(endpoint)
    health.ahead = timedelta(days=8)
    ages = {
        state: round(seconds / 3600)
        for state in ("waiting", "delayed", "completed", "failed", "waiting-children", "active")
        for name, seconds in health.queues("ages")["metrics"].items()
        if f'state="{state}"' in name
    }
    assert ages == {"waiting": 194, "delayed": 192, "completed": 194, "failed": 194, "waiting-children": 192}
    assert ids(health.queues("ages")) == {"queue.oldest_parent": "warning"}
    limits = {"oldest_completed_seconds": "2d", "oldest_failed_seconds": "9d"}
    assert set(ids(health.queues("ages", **limits))) == {"queue.oldest_parent", "queue.oldest_completed"}


def test_one_odd_key_spoils_one_queue_only(npm_queue: Fill, client: redis.Redis) -> None:
    endpoint, _counts = npm_queue("bullmq", "6.7.0", queues=[plan("calls", completed=1), plan("odd", completed=1)])
    client.set("bull:odd:repeat", "a string")
    result = Health(endpoint).queues("schedulers", "ages", "ghosts")
    assert [(found["id"], found["subject"].rpartition(" ")[2]) for found in result["findings"]] == [
        ("queue.error", "odd")
    ]
    assert metric(result, "queue_ghosts") == 0
    assert 'queue_oldest_job_seconds{queue="calls",state="completed"}' in result["metrics"]
