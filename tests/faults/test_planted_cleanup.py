# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_cleanup and queue_cleanup plan to do away with what is planted in the sample's Redis, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import redis

from tests.integration import queue_cleanup, redis_cleanup
from tests.stack.application.maintenance import KEYS, QUEUE_WORK
from tests.stack.application.planted import Plant, planted_for
from tests.stack.application.queues.plan import QUEUES
from tests.stack.application.queues.remains import GHOSTS, ORPHANS
from tests.stack.application.settings import Settings
from tests.stack.application.start import load
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect
from tests.stack.stack import Stack

TRANSIENT = re.compile("ECONNREFUSED|ETIMEDOUT|ENOTFOUND|ECONNRESET")
PLANTS = planted_for("redis_cleanup", "queue_cleanup")


@dataclass
class Planned:
    """A server with the sample on it, and what both modules would do there."""

    server: Endpoint
    keys: dict[str, Any]
    queues: dict[str, Any]

    def actions(self) -> set[tuple[str, str]]:
        """Kind and subject of every action."""
        both = [*self.keys["actions"], *self.queues["actions"]]
        return {(action["kind"], action["subject"].partition(" ")[0]) for action in both}


def planned(make_stack: Callable[..., Stack], planted: bool) -> Iterator[Planned]:
    """Load the sample, and let both modules plan."""
    with make_stack("cleaned-redis", "redis8") as stack:
        server = stack.endpoints["redis8"]
        load(stack.endpoints, Settings(now=datetime.now(timezone.utc), seed=7, scale=1, planted=planted))
        before = redis_cleanup.raw_keys(server)
        keys = redis_cleanup.clean(server, *KEYS, check=True)
        queues = queue_cleanup.clean(server, check=True, **QUEUE_WORK)
        assert redis_cleanup.raw_keys(server) == before
        yield Planned(server, keys, queues)


@pytest.fixture(scope="module")
def found(make_stack: Callable[..., Stack]) -> Iterator[Planned]:
    """The planted sample."""
    yield from planned(make_stack, planted=True)


@pytest.mark.parametrize("plant", PLANTS, ids=[plant.id for plant in PLANTS])
def test_what_is_planted_is_to_be_gone(found: Planned, plant: Plant) -> None:
    assert (plant.action, plant.where) in found.actions(), plant.what


def test_nothing_but_what_is_planted_is_to_be_gone(found: Planned) -> None:
    kinds = {plant.action for plant in PLANTS}
    assert {kind for kind, _subject in found.actions()} == kinds
    assert {subject for _kind, subject in found.actions()} == {"analytics:*", "sess:*", *QUEUES}
    assert {finding["id"] for finding in found.queues["findings"]} == {"queue.ghosts"}
    assert found.keys["findings"] == []


def test_just_those_keys(found: Planned) -> None:
    with connect(found.server) as client:
        lasting = sum(client.ttl(key) == -1 for key in client.scan_iter("analytics:*", count=1000))
        limit = datetime.now(timezone.utc) - timedelta(days=30)
        sessions = [json.loads(client.get(key)) for key in client.scan_iter("sess:*", count=1000)]
    stale = sum(datetime.fromisoformat(session["lastActivity"]) < limit for session in sessions)
    due = {
        rule["name"]: found.keys["metrics"][f'redis_cleanup_keys{{rule="{rule["name"]}",state="due"}}'] for rule in KEYS
    }
    assert due == {"analytics:*": lasting, "sess:*": stale}
    assert 0 < stale < len(sessions)


def outcomes(result: dict[str, Any], queue: str) -> dict[str, int]:
    """How many failed jobs of a queue meet which outcome."""
    found: dict[str, int] = {}
    for name, count in result["metrics"].items():
        told = re.fullmatch(rf'queue_failed_jobs{{outcome="(\w+)",queue="{queue}",why=.*}}', name)
        if told:
            found[told[1]] = found.get(told[1], 0) + count
    return found


def failed_jobs(client: redis.Redis, queue: str) -> list[dict[str, str]]:
    """The hashes of failed jobs; empty ones of ghosts are left out."""
    jobs = [client.hgetall(f"bull:{queue}:{job}") for job in client.zrange(f"bull:{queue}:failed", 0, -1)]
    return [job for job in jobs if job]


@pytest.mark.parametrize("queue", QUEUES)
def test_just_those_jobs(found: Planned, queue: str) -> None:
    metrics = found.queues["metrics"]
    with connect(found.server) as client:
        jobs = failed_jobs(client, queue)
        day_ago = (datetime.now(timezone.utc) - timedelta(days=1)).timestamp() * 1000
        old = client.zcount(f"bull:{queue}:completed", "-inf", day_ago)
    again = sum(bool(TRANSIENT.search(job["failedReason"])) and int(job["atm"]) < 3 for job in jobs)
    assert 0 < again < len(jobs)
    told = outcomes(found.queues, queue)
    assert {outcome: told.get(outcome, 0) for outcome in ("retry", "dead_letter")} == {
        "retry": again,
        "dead_letter": len(jobs) - again,
    }
    assert metrics[f'queue_old_jobs{{queue="{queue}",state="completed"}}'] == old > 0
    assert metrics[f'queue_ghosts{{queue="{queue}"}}'] == (GHOSTS if queue == QUEUES[1] else 0)
    orphans = [action["reason"] for action in found.queues["actions"] if action["kind"] == "remove_orphans"]
    assert orphans == [f"{ORPHANS} jobs in no state"]


def test_nothing_is_done_in_a_clean_sample(make_stack: Callable[..., Stack]) -> None:
    for clean in planned(make_stack, planted=False):
        assert (clean.keys["actions"], clean.keys["findings"]) == ([], [])
        assert (clean.queues["actions"], clean.queues["findings"]) == ([], [])
