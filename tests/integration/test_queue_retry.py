# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failed jobs of the real libraries, tried again by us: their workers then do them, in the order that they would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from tests.integration.queue_cleanup import clean, jobs_of, states
from tests.integration.queue_questions import BULLMQ, LIBRARIES, add, drain, fail, flow, unlock
from tests.integration.waiting import until
from tests.stack.application.queues.run import ask_npm
from tests.stack.endpoint import Endpoint
from tests.stack.redis_fixtures import NO_SCRIPTS
from tests.stack.servers.redis import connect

JOBS: dict[str, dict[str, Any]] = {
    "j1": {},
    "j2": {"priority": 3},
    "j3": {"lifo": True},
    "j4": {"priority": 1},
    "j5": {},
    "j6": {"priority": 3},
    "j7": {"priority": 2},
}
"""Jobs of every kind of place in line, by id."""


@pytest.fixture
def client(fresh_redis8: Endpoint) -> Iterator[redis.Redis]:
    with connect(fresh_redis8) as opened:
        yield opened


@pytest.fixture
def ways(fresh_redis8: Endpoint, redis_acl: Callable[..., Endpoint]) -> dict[str, Endpoint]:
    """Logins of ours: one that may run scripts, and one that may not; the libraries' own workers always may."""
    return {"s": fresh_redis8, "t": redis_acl(fresh_redis8, *NO_SCRIPTS)}


@LIBRARIES
def test_the_order_is_that_of_jobs_newly_added(
    client: redis.Redis, fresh_redis8: Endpoint, ways: dict[str, Endpoint], library: str, version: str
) -> None:
    kinds = [f"{way}-{kind}" for way in ways for kind in ("open", "held")]
    asks: list[dict[str, Any]] = []
    for queue in kinds:
        for id_, options in JOBS.items():
            asks += [add(queue, id_, **options), fail(queue)]
        asks += [add(queue, "final"), fail(queue, "no such customer")]
        asks += [{"ask": "pause", "queue": queue}] if queue.endswith("held") else []
    asks += [add("fresh", id_, **options) for id_, options in JOBS.items()]
    ask_npm(fresh_redis8, library, version, *asks)
    unlock(client)
    for way, endpoint in ways.items():
        queues = [queue for queue in kinds if queue.startswith(way)]
        planned = clean(endpoint, queues=queues, retry={}, check=True)
        assert states(planned) == {("retry", f"{queue} failed", "planned") for queue in queues}
        for queue in queues:
            assert planned["metrics"][f'queue_failed_jobs{{outcome="retry",queue="{queue}",why="ECONNREFUSED"}}'] == 7
            assert planned["metrics"][f'queue_failed_jobs{{outcome="keep",queue="{queue}",why="reason"}}'] == 1
        done = clean(endpoint, queues=queues, retry={})
        assert states(done) == {("retry", f"{queue} failed", "done") for queue in queues}
        assert all(action["detail"].startswith("7 wait again; ") for action in done["actions"])
        assert not clean(endpoint, queues=queues, retry={})["changed"]
    expected = ask_npm(fresh_redis8, library, version, {"ask": "drain", "queue": "fresh", "expect": 7, "idle": 100})[0]
    assert sorted(expected) == sorted(JOBS)
    asks = []
    for queue in kinds:
        asks += [{"ask": "states", "queue": queue, "ids": [*JOBS, "final"]}, {"ask": "counts", "queue": queue}]
        asks += [{"ask": "resume", "queue": queue}] if queue.endswith("held") else []
        asks += [{"ask": "drain", "queue": queue, "expect": 7, "idle": 100}, {"ask": "counts", "queue": queue}]
    answers = iter(ask_npm(fresh_redis8, library, version, *asks))
    for queue in kinds:
        state, counts = next(answers), next(answers)
        assert counts["failed"] == 1
        assert sum(counts.values()) == 8
        assert state["final"] == "failed"
        prioritized = [id_ for id_ in JOBS if library == "bullmq" and "priority" in JOBS[id_]]
        held = queue.endswith("held") and version != "6.7.0"
        assert counts["paused" if held else "waiting"] == len(JOBS) - len(prioritized), queue
        for id_ in JOBS:
            assert state[id_] in (["prioritized"] if id_ in prioritized else ["waiting", "paused"]), (queue, id_)
        if queue.endswith("held"):
            next(answers)
        assert next(answers) == expected, queue
        assert next(answers)["completed"] == 7


@LIBRARIES
def test_a_worker_that_waits_for_work_is_woken(
    client: redis.Redis, fresh_redis8: Endpoint, ways: dict[str, Endpoint], library: str, version: str
) -> None:
    asks = [one for way in ways for one in (add("q", way, priority=2), fail("q", f"{way} ECONNRESET"))]
    ask_npm(fresh_redis8, library, version, *asks)
    unlock(client)
    with ThreadPoolExecutor() as pool:
        # Without a sign a worker looks again after five seconds.
        question = {"ask": "drain", "queue": "q", "idle": 2000}
        drained = pool.submit(ask_npm, fresh_redis8, library, version, question)
        until(lambda: client.execute_command("CLIENT", "LIST").count("cmd=b") > 0)
        for way, endpoint in ways.items():
            assert states(clean(endpoint, retry={"reasons": [f"{way} ECONNRESET"]})) == {("retry", "q failed", "done")}
            until(lambda: bool(client.zcard("bull:q:completed")))
            client.zremrangebyrank("bull:q:completed", 0, -1)
    assert drained.result() == [["s", "t"]]


BOTH_WAYS = pytest.mark.parametrize("way", ["s", "t"], ids=["scripts", "transactions"])
FAMILY = [{"ask": "states", "queue": "parents", "ids": ["p"]}, {"ask": "states", "queue": "children", "ids": ["c1"]}]


@BOTH_WAYS
@pytest.mark.parametrize(("library", "version"), BULLMQ)
def test_a_parent_that_waits_is_done_after_its_child(
    fresh_redis8: Endpoint, ways: dict[str, Endpoint], library: str, version: str, way: str
) -> None:
    # From 5 on such a parent goes on without the child once the others are done; until then it takes it back.
    options = {} if version.startswith("4") else {"ignoreDependencyOnFailure": True}
    ask_npm(fresh_redis8, library, version, flow(**options), fail("children"))
    result = clean(ways[way], retry={"reasons": ["."]})
    assert states(result) == {("retry", "children failed", "done")}
    back = "1 wait again, 1 of them back among what their parent waits for; " if options else "1 wait again; "
    assert result["actions"][0]["detail"].startswith(back)
    asks = [*FAMILY, drain("children", 2), drain("parents", 1), *FAMILY]
    answers = ask_npm(fresh_redis8, library, version, *asks)
    assert answers == [
        *({"p": "waiting-children"}, {"c1": "waiting"}),
        *(["c2", "c1"], ["p"]),
        *({"p": "completed"}, {"c1": "completed"}),
    ]


@BOTH_WAYS
@pytest.mark.parametrize(("library", "version"), BULLMQ)
def test_a_parent_that_failed_for_its_child_waits_for_it_again(
    fresh_redis8: Endpoint, ways: dict[str, Endpoint], library: str, version: str, way: str
) -> None:
    endpoint, children = ways[way], {"reasons": ["broken"]}
    parents = {"reasons": ["^child .* failed$"]}
    asks = [flow(failParentOnFailure=True), fail("children", "broken")]
    # From 5 on a worker of its own lets it fail; before, whose queue that is can be told once it has been opened.
    asks += [{"ask": "counts", "queue": "parents"} if version.startswith("4") else drain("parents", 0)]
    ask_npm(fresh_redis8, library, version, *asks)
    blocked = clean(endpoint, queues=["parents"], retry=parents)
    assert blocked["actions"] == []
    assert blocked["metrics"]['queue_failed_jobs{outcome="keep",queue="parents",why="children"}'] == 1
    result = clean(endpoint, retry=children)
    assert states(result) == {("retry", "children failed", "done")}
    assert "1 of them with a parent that fails because of them" in result["actions"][0]["detail"]
    kept = clean(endpoint, queues=["parents"], retry={**children, "otherwise": "remove"})
    assert kept["actions"] == [], "its child has not been done"
    again = clean(endpoint, queues=["parents"], retry=parents)
    assert states(again) == {("retry", "parents failed", "done")}
    asks = [*FAMILY, drain("children", 2), drain("parents", 1), *FAMILY]
    answers = ask_npm(fresh_redis8, library, version, *asks)
    assert answers == [
        *({"p": "waiting-children"}, {"c1": "waiting"}),
        *(["c2", "c1"], ["p"]),
        *({"p": "completed"}, {"c1": "completed"}),
    ]


@BOTH_WAYS
@pytest.mark.parametrize(("library", "version"), [BULLMQ[0], BULLMQ[-1]])
def test_a_parent_that_went_on_or_is_gone_is_left_alone(
    client: redis.Redis, fresh_redis8: Endpoint, ways: dict[str, Endpoint], library: str, version: str, way: str
) -> None:
    ask_npm(
        *(fresh_redis8, library, version),
        *(flow(removeDependencyOnFailure=True), fail("children", "broken"), drain("children", 1), drain("parents", 1)),
    )
    result = clean(ways[way], retry={"reasons": ["broken"]})
    assert "1 wait again, 1 of them with a parent that went on without them" in result["actions"][0]["detail"]
    asks = [drain("children", 1), *FAMILY]
    assert ask_npm(fresh_redis8, library, version, *asks) == [["c1"], {"p": "completed"}, {"c1": "completed"}]
    assert not client.exists("bull:parents:p:dependencies")
    client.flushall()
    ask_npm(fresh_redis8, library, version, flow(), fail("children", "broken"))
    client.delete("bull:parents:p")
    result = clean(ways[way], queues=["children"], retry={"reasons": ["broken"]})
    assert "1 wait again, 1 of them with a parent that is gone" in result["actions"][0]["detail"]
    assert ask_npm(fresh_redis8, library, version, drain("children", 2)) == [["c2", "c1"]]


@BOTH_WAYS
@LIBRARIES
def test_attempts_count_over_all_runs_and_begin_anew_where_that_is_asked_for(
    client: redis.Redis, fresh_redis8: Endpoint, ways: dict[str, Endpoint], library: str, version: str, way: str
) -> None:
    endpoint, wanted = ways[way], {"reasons": ["broken"], "max_attempts": 4}
    twice = {"attempts": 2, "backoff": {"type": "fixed", "delay": 20}}
    work = {**drain("q", 2), "failures": 2}
    (order,) = ask_npm(fresh_redis8, library, version, add("q", "job", **twice), work)[1:]
    assert order == ["job", "job"], "the library tried it twice"
    unlock(client)
    assert states(clean(endpoint, retry=wanted)) == {("retry", "q failed", "done")}
    (order,) = ask_npm(fresh_redis8, library, version, {**drain("q", 1), "failures": 1})
    assert order == ["job"], "its attempts are used up, so it fails for good"
    unlock(client)
    assert states(clean(endpoint, retry={**wanted, "reset_attempts": True})) == {("retry", "q failed", "done")}
    (order,) = ask_npm(fresh_redis8, library, version, {**drain("q", 2), "failures": 2})
    assert order == ["job", "job"], "with all of its attempts and its backoff"
    unlock(client)
    over = clean(endpoint, retry={**wanted, "max_attempts": 5, "reset_attempts": True})
    assert over["metrics"]['queue_failed_jobs{outcome="keep",queue="q",why="attempts"}'] == 1
    assert not over["changed"]
    assert states(clean(endpoint, retry={**wanted, "max_attempts": 6})) == {("retry", "q failed", "done")}
    assert ask_npm(fresh_redis8, library, version, drain("q", 1)) == [["job"]]
    assert jobs_of(client, "q", "completed") == ["job"]


@LIBRARIES
def test_a_repeated_job_is_not_doubled(fresh_redis8: Endpoint, library: str, version: str) -> None:
    asks = [
        {"ask": "add", "queue": "q", "name": "report", "options": {"repeat": {"every": 3_600_000}}},
        {"ask": "promote", "queue": "q"},
    ]
    if version == "6.7.0":
        asks = [{"ask": "schedule", "queue": "q", "name": "report", "every": 3_600_000}]
    asks += [{**drain("q", 1), "failures": 1}, {"ask": "counts", "queue": "q"}]
    order, counts = ask_npm(fresh_redis8, library, version, *asks)[-2:]
    assert (len(order), counts["delayed"], counts["failed"]) == (1, 1, 1)
    assert states(clean(fresh_redis8, retry={"reasons": ["broken"]})) == {("retry", "q failed", "done")}
    again, counts = ask_npm(fresh_redis8, library, version, drain("q", 1), {"ask": "counts", "queue": "q"})
    assert again == order
    assert (counts["delayed"], counts["completed"], sum(counts.values())) == (1, 1, 2)
