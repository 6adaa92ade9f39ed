# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""queue_cleanup, killed at any moment and beside real workers: no job is lost, and none is run twice because of it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.process import BaseProcess
from typing import Any

import pytest
import redis

from tests.integration.queue_cleanup import clean, jobs_of, make
from tests.stack.application.queues.run import ask_npm
from tests.stack.endpoint import Endpoint
from tests.stack.redis_fixtures import NO_SCRIPTS
from tests.stack.servers.redis import connect

KILLS = max(4, int(os.environ.get("UPKEEP_TEST_KILLS", "200")) // 2)
FEWER = max(2, KILLS // 10)

LOCK = "upkeep:lock:queue_cleanup:bull:q"
FATES: dict[str, Any] = {"retry": {"max_attempts": 9}, "dead_letter": "dead", "batch_size": 5}
KNOWN = "connect ECONNREFUSED 127.0.0.1:80"

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.integration.queue_cleanup", "redis"])


def run_once(endpoint: Endpoint, options: dict[str, Any]) -> None:
    """One run, in a process of its own; its result is of no interest, the queues are."""
    with contextlib.suppress(Exception):
        clean(endpoint, queues=["q"], **options)


@contextlib.contextmanager
def killed(
    client: redis.Redis, endpoint: Endpoint, begun: Callable[[], bool], after: float, **options: Any
) -> Iterator[BaseProcess]:
    """Start a run, and kill it (-9).

    :param begun: whether it has come as far as it may.
    :param after: how many seconds later.
    """
    process = _FORKS.Process(target=run_once, args=(endpoint, options), daemon=True)
    process.start()
    while not begun() and process.is_alive():
        time.sleep(0.0005)
    time.sleep(after)
    process.kill()
    process.join(60)
    assert process.exitcode is not None, "a run hangs"
    yield process
    client.delete(LOCK)  # which would expire by itself within a minute


@pytest.fixture
def client(fresh_redis8: Endpoint) -> Iterator[redis.Redis]:
    with connect(fresh_redis8) as opened:
        yield opened


def places(client: redis.Redis) -> Counter[str]:
    """Every job, by its id, with the number of places that it is in; a place without the job itself is none."""
    found = Counter[str]()
    for id_ in [
        *jobs_of(client, "q", "failed"),
        *jobs_of(client, "q", "completed"),
        *client.lrange("bull:q:wait", 0, -1),
    ]:
        found[id_] += client.exists(f"bull:q:{id_}")
    for letter in client.lrange("bull:dead:wait", 0, -1):
        found[letter.split(".")[1]] += client.exists(f"bull:dead:{letter}")
    return found


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "transactions"])
def test_a_job_is_in_one_place_whenever_a_run_is_killed(
    client: redis.Redis, fresh_redis8: Endpoint, redis_acl: Callable[..., Endpoint], scripts: bool
) -> None:
    seed = random.SystemRandom().randrange(10**9)
    print(f"seed {seed}")
    source, hit = random.Random(seed), 0
    endpoint = fresh_redis8 if scripts else redis_acl(fresh_redis8, *NO_SCRIPTS)
    times = KILLS if scripts else KILLS // 4
    number, old = 120, {"completed_older_than": "1d"}

    def left() -> int:
        return sum(client.zcard(f"bull:q:{state}") for state in ("failed", "completed"))

    for _time in range(times):
        client.flushall()
        make(client, "q", "failed", *(f"again{at}" for at in range(number)), failedReason=KNOWN)
        make(client, "q", "failed", *(f"dead{at}" for at in range(number)), ended=1_700_000_100_000)
        make(client, "q", "completed", *(f"done{at}" for at in range(number)), ended=1_700_000_200_000)
        wanted = source.randrange(3 * number)
        with killed(client, endpoint, lambda wanted=wanted: left() <= wanted, source.random() * 0.003, **FATES, **old):
            found = places(client)
            kept = {id_ for id_ in found if not id_.startswith("done")}
            assert kept == {f"{kind}{at}" for kind in ("again", "dead") for at in range(number)}, "a job is lost"
            assert set(found.values()) == {1}, "a job is in two places, or is no more than its id"
            hit += 0 < left() < 3 * number
    result = clean(endpoint, queues=["q"], **FATES, **old)
    assert {action["state"] for action in result["actions"]} <= {"done"}
    assert sorted(client.lrange("bull:q:wait", 0, -1)) == sorted(f"again{at}" for at in range(number))
    assert client.llen("bull:dead:wait") == number
    assert len(client.keys("bull:dead:q.*")) == number
    assert len(client.keys("bull:q:[ad]*")) == number, "nothing is left of those that went"
    print(f"{hit} of {times} in the midst")
    assert hit > times / 4, "most runs had not begun or had ended: nothing was tested"


def add(id_: str, failures: int, reason: str) -> dict[str, Any]:
    """The question that adds a job that fails so many times before it is done."""
    data = {"failures": failures, "reason": reason}
    return {"ask": "add", "queue": "q", "name": "call", "data": data, "options": {"jobId": id_}}


def beside(client: redis.Redis, endpoint: Endpoint, work: Future[list[Any]], times: int, **options: Any) -> int:
    """Kill runs as long as a worker is at work; return how many."""
    source, kills = random.Random(), 0
    while not work.done():
        if kills < times:
            with killed(client, endpoint, lambda: bool(client.exists(LOCK)), source.random() * 0.01, **options):
                kills += 1
        else:
            clean(endpoint, queues=["q"], **options)
    return kills


@pytest.mark.parametrize(("library", "version"), [("bull", "4.16.5"), ("bullmq", "5.81.5"), ("bullmq", "6.7.0")])
def test_beside_a_real_worker_each_job_runs_as_often_as_it_should(
    client: redis.Redis, fresh_redis8: Endpoint, library: str, version: str
) -> None:
    again = [f"a{at}" for at in range(120)]
    final = [f"f{at}" for at in range(60)]
    jobs = [add(id_, 2, KNOWN) for id_ in again] + [add(id_, 9, "no such customer") for id_ in final]
    ask_npm(fresh_redis8, library, version, *jobs)
    runs = 3 * len(again) + len(final)
    with ThreadPoolExecutor() as pool:
        drain = {"ask": "drain", "queue": "q", "expect": runs, "idle": 300}
        work = pool.submit(ask_npm, fresh_redis8, library, version, drain)
        kills = beside(client, fresh_redis8, work, FEWER, completed_older_than="0.2s", **FATES)
    (order,) = work.result()
    assert kills == FEWER
    assert Counter(order) == {**dict.fromkeys(again, 3), **dict.fromkeys(final, 1)}
    clean(fresh_redis8, queues=["q"], completed_older_than="0.001s", **FATES)
    (counts,) = ask_npm(fresh_redis8, library, version, {"ask": "counts", "queue": "q"})
    assert not any(counts.values()), counts
    assert client.keys("bull:q:[af][0-9]*") == []
    letters = [letter.split(".")[1] for letter in client.lrange("bull:dead:wait", 0, -1)]
    assert sorted(letters) == sorted(final), "each has one letter"
    assert len(client.keys("bull:dead:q.*")) == len(final)


@pytest.mark.parametrize(("library", "version"), [("bull", "4.16.5"), ("bullmq", "5.81.5"), ("bullmq", "6.7.0")])
def test_beside_the_librarys_own_retries_too(
    client: redis.Redis, fresh_redis8: Endpoint, library: str, version: str
) -> None:
    ids = [f"a{at}" for at in range(150)]
    ask_npm(fresh_redis8, library, version, *(add(id_, 2, KNOWN) for id_ in ids))
    retries = [{"ask": "retryJobs", "queue": "q", "count": 5}] * 40
    with ThreadPoolExecutor() as pool:
        drain = {"ask": "drain", "queue": "q", "expect": 3 * len(ids), "idle": 300}
        work = pool.submit(ask_npm, fresh_redis8, library, version, drain)
        theirs = pool.submit(ask_npm, fresh_redis8, library, version, *retries)
        beside(client, fresh_redis8, work, FEWER, retry={"max_attempts": 99}, batch_size=5)
    theirs.result()
    (order,) = work.result()
    assert Counter(order) == dict.fromkeys(ids, 3), "each failed twice, and was done the third time"
    (counts,) = ask_npm(fresh_redis8, library, version, {"ask": "counts", "queue": "q"})
    assert (counts["completed"], sum(counts.values())) == (len(ids), len(ids))
