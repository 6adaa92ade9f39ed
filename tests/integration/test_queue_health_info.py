# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""queue_health_info on queues that the real libraries made, with their own counts to compare with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import redis

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from tests.integration.health import ids
from tests.integration.redis_health import Health, relay, writes
from tests.integration.running import run_module
from tests.stack.application.queues.plan import QUEUES, QueuePlan, plans
from tests.stack.application.queues.run import NPM_LIBRARIES
from tests.stack.application.settings import Settings
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect
from tests.stack.stack import Stack

Fill = Callable[..., tuple[Endpoint, dict[str, dict[str, int]]]]

OURS = {"wait": "waiting"}
"""PyPI's bullmq names this state otherwise than npm's does."""
PLANTED = {
    "queue.oldest_waiting": "warning",
    "queue.oldest_active": "warning",
    "queue.stalled": "warning",
    "queue.paused": "warning",
    "queue.failure_rate": "critical",
    "queue.no_workers": "warning",
}


def by_state(result: dict[str, Any], queue: str) -> dict[str, int]:
    """Jobs by state out of the metrics."""
    start = f'queue_jobs{{queue="{queue}",state="'
    return {name[len(start) : -2]: value for name, value in result["metrics"].items() if name.startswith(start)}


def assert_counts(result: dict[str, Any], counts: dict[str, dict[str, int]]) -> None:
    """Every count that the library knows equals ours, and what it does not know is empty."""
    for queue, theirs in counts.items():
        ours = by_state(result, queue)
        known = {OURS.get(state, state): number for state, number in theirs.items()}
        assert {state: ours[state] for state in known} == known
        assert not any(number for state, number in ours.items() if state not in known)


@pytest.mark.parametrize(("library", "version"), NPM_LIBRARIES)
def test_the_libraries_of_npm(npm_queue: Fill, library: str, version: str, tmp_path: Path) -> None:
    endpoint, counts = npm_queue(library, version)
    before = writes(endpoint)
    result = Health(endpoint, tmp_path).queues()
    assert writes(endpoint) == before
    assert_counts(result, counts)
    found = ids(result)
    # npm's workers stamp jobs with the clock of the moment, so ages of active jobs depend on the library.
    assert {**found, "queue.oldest_active": "warning"} == PLANTED
    major = version.split(".", maxsplit=1)[0]
    for queue in QUEUES:
        told = result["server"]["queues"][queue]
        assert told["flavour"] == ("bull" if library == "bull" else f"bullmq{major}")
        assert told["version"] == (None if library == "bull" else version)
    stalled = [finding for finding in result["findings"] if finding["id"] == "queue.stalled"]
    assert [(finding["value"], finding["subject"].rpartition(" ")[2]) for finding in stalled] == [(3, "customer-calls")]


@pytest.mark.parametrize(("library", "version"), NPM_LIBRARIES)
def test_clean_queues_of_npm(npm_queue: Fill, library: str, version: str) -> None:
    endpoint, counts = npm_queue(library, version, planted=False)
    result = Health(endpoint).queues(queues=QUEUES)
    assert_counts(result, counts)
    assert ids(result) == {}


def test_the_library_of_pypi_which_states_no_version(python_queue: Fill) -> None:
    endpoint, counts = python_queue()
    result = Health(endpoint).queues()
    assert_counts(result, counts)
    assert ids(result) == PLANTED
    flavours = {name: told["flavour"] for name, told in result["server"]["queues"].items()}
    assert flavours["customer-calls"] == "bullmq5+"
    assert flavours["notifications"] in ("bullmq5", "bullmq6")


@pytest.mark.parametrize(("library", "version"), [("bull", "4.16.5"), ("bullmq", "5.81.5")])
def test_on_redis_6_2_too(npm_queue: Fill, redis62: Endpoint, library: str, version: str) -> None:
    with connect(redis62) as client:
        client.flushall()
    endpoint, counts = npm_queue(library, version, endpoint=redis62)
    result = Health(endpoint).queues()
    assert_counts(result, counts)
    assert {**ids(result), "queue.oldest_active": "warning"} == PLANTED
    with connect(redis62) as client:
        client.flushall()


@pytest.fixture
def filled(python_queue: Fill) -> Endpoint:
    """The planted queues, of BullMQ."""
    return python_queue()[0]


@pytest.fixture
def client(fresh_redis8: Endpoint) -> Iterator[redis.Redis]:
    with connect(fresh_redis8) as opened:
        yield opened


def test_check_mode_then_a_run_then_another(filled: Endpoint, tmp_path: Path) -> None:
    state = tmp_path / "state"
    params = {**filled.options(), "queues": list(QUEUES), "state": str(state)}
    before = writes(filled)
    planned = run_module("queue_health_info", params, check=True)
    assert not state.exists()
    first = run_module("queue_health_info", params)
    assert state.is_dir()
    second = run_module("queue_health_info", params)
    for result in (planned, first, second):
        assert (result["outcome"], result["changed"], result["status"]) == ("ok", False, "critical")
        assert ids(result) == PLANTED
    assert writes(filled) == before
    shown = json.dumps([planned, first, second])
    with connect(filled) as client:
        job = client.hgetall(f"bull:customer-calls:{client.lindex('bull:customer-calls:wait', 0)}")
    assert json.loads(job["data"])["phone"] not in shown, "a job's payload was read out"


def test_one_connection_for_all_queues(filled: Endpoint) -> None:
    with connect(filled) as client:
        before = client.info("stats")["total_connections_received"]
        Health(filled).queues()
        assert client.info("stats")["total_connections_received"] == before + 1


def test_a_queue_that_nobody_works_on_from_run_to_run(filled: Endpoint, tmp_path: Path) -> None:
    health = Health(filled, tmp_path)
    limits = {"oldest_waiting_seconds": "off"}
    assert ids(health.queues("backlog", **limits)) == {}
    health.ahead = timedelta(minutes=5)
    assert ids(health.queues("backlog", queues=["notifications"], **limits)) == {}
    health.ahead = timedelta(minutes=11)
    result = health.queues("backlog", **limits)
    assert ids(result) == {"queue.stuck": "critical"}
    assert "customer-calls" in result["findings"][0]["subject"], "the other one is paused"
    with connect(filled) as client:
        client.rpop("bull:customer-calls:wait")
    assert ids(health.queues("backlog", **limits)) == {}


def plan(name: str, **jobs: Any) -> QueuePlan:
    """A plan of jobs of one kind, of which each has an age of some seconds."""
    (sample, *_rest) = plans(Settings(now=datetime.now(timezone.utc), planted=False))
    job = {**sample.completed[0], "age": 5}
    return QueuePlan(name, **{kind: [{**job, **more} for more in wanted] for kind, wanted in jobs.items()})


def test_many_waiting_jobs_and_the_marker_that_is_none(npm_queue: Fill, client: redis.Redis) -> None:
    endpoint, counts = npm_queue("bullmq", "4.18.3", queues=[plan("few", delayed=[{"delay": 3600}])])
    assert client.lrange("bull:few:wait", 0, -1)[-1].startswith("0:")
    result = Health(endpoint).queues()
    assert by_state(result, "few")["waiting"] == 0
    assert_counts(result, counts)
    assert ids(result) == {}
    client.lpush("bull:few:wait", *range(1001))
    result = Health(endpoint).queues()
    assert by_state(result, "few")["waiting"] == 1001
    assert ids(result) == {"queue.waiting": "warning", "queue.ghosts": "warning", "queue.no_workers": "warning"}


def test_delayed_jobs_that_nobody_fetches(npm_queue: Fill, client: redis.Redis) -> None:
    endpoint, _counts = npm_queue("bullmq", "5.81.5", queues=[plan("later", delayed=[{"delay": 60}, {"delay": 9000}])])
    health = Health(endpoint)
    assert ids(health.queues()) == {}
    health.ahead = timedelta(seconds=100)
    assert ids(health.queues("delayed")) == {}
    health.ahead = timedelta(seconds=130)
    result = health.queues("delayed")
    assert (ids(result), result["findings"][0]["value"]) == ({"queue.delayed_overdue": "warning"}, 1)


def test_an_event_stream_that_is_not_trimmed(filled: Endpoint, client: redis.Redis) -> None:
    pipeline = client.pipeline(transaction=False)
    for number in range(20_000):
        pipeline.xadd("bull:customer-calls:events", {"event": "added", "jobId": number})
    pipeline.execute()
    result = Health(filled).queues("events")
    assert ids(result) == {"queue.events": "warning"}
    client.xtrim("bull:customer-calls:events", maxlen=10_000, approximate=False)
    assert ids(Health(filled).queues("events")) == {}


def test_the_eviction_policy(filled: Endpoint, client: redis.Redis) -> None:
    client.config_set("maxmemory-policy", "volatile-lru")
    assert ids(Health(filled).queues("eviction")) == {"queue.eviction_policy": "warning"}
    client.config_set("maxmemory-policy", "noeviction")
    assert ids(Health(filled).queues("eviction")) == {}


def test_a_job_with_a_lock_is_not_stalled(filled: Endpoint, client: redis.Redis) -> None:
    for job in client.lrange("bull:customer-calls:active", 0, -1):
        client.set(f"bull:customer-calls:{job}:lock", "worker", px=60_000)
    result = Health(filled).queues("active", oldest_active_seconds="off")
    assert ids(result) == {}
    assert result["metrics"]['queue_stalled_jobs{queue="customer-calls"}'] == 0


def test_a_job_that_is_in_work_for_too_long(filled: Endpoint) -> None:
    health = Health(filled)
    assert "queue.oldest_active" in ids(health.queues("active"))
    assert "queue.oldest_active" not in ids(health.queues("active", oldest_active_seconds="9h"))


def test_the_metrics_of_bullmq_tell_the_rate_where_jobs_are_removed(npm_queue: Fill, client: redis.Redis) -> None:
    reason = {"reason": "read ECONNRESET", "attempts": 1}
    endpoint, _counts = npm_queue("bullmq", "5.81.5", queues=[plan("brief", failed=[reason] * 20)])
    health = Health(endpoint)
    assert ids(health.queues("failures")) == {"queue.failure_rate": "critical"}
    for job in client.zrange("bull:brief:failed", 0, -1):
        client.hset(f"bull:brief:{job}", "opts", json.dumps({"attempts": 1, "removeOnComplete": True}))
    result = health.queues("failures")
    assert ids(result) == {}
    assert 'queue_failure_percent{queue="brief"}' not in result["metrics"]
    moment = int(datetime.now(timezone.utc).timestamp() * 1000)
    client.hset("bull:brief:metrics:completed", mapping={"count": 190, "prevTS": moment, "prevCount": 180})
    client.rpush("bull:brief:metrics:completed:data", 60, 60, 60)
    client.hset("bull:brief:metrics:failed", mapping={"count": 10, "prevTS": moment, "prevCount": 10})
    client.rpush("bull:brief:metrics:failed:data", 5, 5, 0)
    result = health.queues("failures")
    assert result["metrics"]['queue_failure_percent{queue="brief"}'] == 5
    assert ids(result) == {"queue.failure_rate": "warning"}


def test_a_queue_that_is_not_there(filled: Endpoint) -> None:
    result = Health(filled).queues(queues=["customer-calls", "gone"])
    (missing,) = [finding for finding in result["findings"] if finding["id"] == "queue.missing"]
    assert "PostgreSQL" in missing["remedy"]
    assert missing["subject"].endswith(" gone")
    assert list(result["server"]["queues"]) == ["customer-calls"]


def test_no_queue_at_all(fresh_redis8: Endpoint) -> None:
    assert ids(Health(fresh_redis8).queues()) == {"queue.missing": "warning"}
    assert ids(Health(fresh_redis8).queues("paused")) == {"queue.missing": "warning"}


def test_keys_of_other_kinds_are_no_queues_and_hurt_none(filled: Endpoint, client: redis.Redis) -> None:
    client.set("bull:customer-calls:de:id", "17")
    client.set("bull:wrong:wait", "a string")
    client.set("bull:wrong:id", "1")
    client.set(b"bull:\xff\xfe:id", "1")
    result = Health(filled).queues()
    assert sorted(result["server"]["queues"]) == ["\\xff\\xfe", *QUEUES]
    (error,) = [finding for finding in result["findings"] if finding["id"] == "queue.error"]
    assert error["subject"].endswith(" wrong")
    json.dumps(result).encode("utf-8")


def test_a_prefix_with_the_letters_of_a_pattern(client: redis.Redis, fresh_redis8: Endpoint) -> None:
    for prefix in ("{app}", "b*ll", "a[b]c", "x?y"):
        client.lpush(f"{prefix}:mails:wait", 1)
        client.set(f"{prefix}:mails:id", 1)
    client.set("bxll:other:id", 1)
    for prefix in ("{app}", "b*ll", "a[b]c", "x?y"):
        assert list(Health(fresh_redis8).queues(prefix=prefix)["server"]["queues"]) == ["mails"]


def test_a_user_who_may_read_one_queue(filled: Endpoint, client: redis.Redis) -> None:
    client.execute_command(
        "ACL", "SETUSER", "part", "on", ">part-pass", "resetkeys", "~bull:customer-calls:*", "-@all", "+@read"
    )
    health = Health(replace(filled, user="part", password="part-pass"))
    result = health.queues(queues=QUEUES)
    denied = {finding["subject"].rpartition(" ")[2] for finding in result["findings"] if "access" in finding["id"]}
    assert denied == {"notifications", "eviction", "workers"}
    assert by_state(result, "customer-calls")["failed"] == 50
    assert "queue.stalled" in ids(result)
    assert result["server"]["version"]


def test_the_monitoring_user_of_the_stack_is_enough(filled: Endpoint) -> None:
    assert ids(Health(filled.as_monitor()).queues()) == PLANTED


def test_a_user_who_may_nothing(filled: Endpoint, client: redis.Redis) -> None:
    client.execute_command("ACL", "SETUSER", "nothing", "on", ">nothing-pass", "resetkeys", "-@all", "+ping")
    result = run_module(
        "queue_health_info", {**filled.options(), "login_user": "nothing", "login_password": "nothing-pass"}
    )
    assert (result["outcome"], ids(result)) == ("ok", {"queue.access_denied": "warning"})
    assert "nothing-pass" not in result["output"]


def test_nobody_listens_or_answers(hanging_socket: tuple[str, int], dead_port: tuple[str, int]) -> None:
    dead = run_module("queue_health_info", {"login_host": dead_port[0], "login_port": dead_port[1]})
    assert (dead["outcome"], ids(dead)) == ("ok", {"queue.unreachable": "critical"})
    silent = {"login_host": hanging_socket[0], "login_port": hanging_socket[1], "connect_timeout": "1s"}
    result = run_module("queue_health_info", silent)
    assert (result["outcome"], ids(result)) == ("ok", {"queue.timeout": "critical"})


def test_a_wrong_password_is_told_and_never_shown(fresh_redis8: Endpoint) -> None:
    params = {**fresh_redis8.options(), "login_password": "wrong-pass"}
    result = run_module("queue_health_info", params, verbosity=3)
    assert (result["outcome"], ids(result)) == ("ok", {"queue.authentication": "critical"})
    assert "wrong-pass" not in result["output"]


def test_a_paused_server(make_stack: Callable[..., Stack]) -> None:
    with make_stack("queues", "redis8") as stack:
        health = Health(stack.endpoints["redis8"])
        health.params["connect_timeout"] = "1s"
        stack.pause("redis8")
        assert ids(health.queues()) == {"queue.timeout": "critical"}
        stack.resume("redis8")
        assert ids(health.queues()) == {"queue.missing": "warning"}


def test_a_server_that_falls_silent_between_two_queues(make_stack: Callable[..., Stack], python_queue: Fill) -> None:
    with make_stack("between", "redis8") as stack:
        endpoint, _counts = python_queue(endpoint=stack.endpoints["redis8"])
        with relay(endpoint, b"bull:notifications:meta", lambda: stack.pause("redis8")) as port:
            health = Health(replace(endpoint, port=port))
            health.params["connect_timeout"] = "1s"
            result = health.queues(queues=QUEUES)
        stack.resume("redis8")
    assert ids(result) == {"queue.timeout": "critical"}


def test_options_that_cannot_be_understood_fail_the_task(dead_port: tuple[str, int]) -> None:
    params = {"login_host": dead_port[0], "login_port": dead_port[1], "failure_window": "5s"}
    result = run_module("queue_health_info", params)
    assert result["outcome"] == "failed"
    assert "failure_window" in result["msg"]


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"window": "soon"}, "failure_window"),
        ({"prefix": ""}, "prefix"),
        ({"queues": [""]}, "queues"),
        ({"waitings": 1}, "waitings"),
        ({"waiting": {"warning": 10, "critical": 5}}, "waiting"),
    ],
)
def test_an_option_that_cannot_be_understood_is_named(
    fresh_redis8: Endpoint, params: dict[str, Any], word: str
) -> None:
    with pytest.raises(InvalidInput, match=word):
        Health(fresh_redis8).queues(**params)


def test_a_search_that_does_not_come_to_its_end(
    filled: Endpoint, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ansible_collections.dataops.upkeep.plugins.module_utils._queues import observe_discovery

    client.mset({f"other:{number}": 1 for number in range(5000)})
    monkeypatch.setattr(observe_discovery, "MOST_KEYS", 1000)
    assert ids(Health(filled).queues("paused"))["queue.discovery_incomplete"] == "warning"
