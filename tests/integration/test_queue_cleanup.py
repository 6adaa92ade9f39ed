# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""queue_cleanup on queues that the real libraries made, which then say themselves what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import redis

from tests.integration.queue_cleanup import clean, states
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
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "transactions"])
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
    if not scripts:
        client.execute_command("ACL", "SETUSER", endpoint.user or "default", "-@scripting")
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
    client.execute_command("ACL", "SETUSER", endpoint.user or "default", "+@all")
    for queue in QUEUES:
        (now,) = ask_npm(endpoint, library, version, {"ask": "counts", "queue": queue})
        expected = dict(counts[queue])
        for state in ("completed", "failed"):
            expected[state] -= len(old[queue, state])
        assert now == expected
        cleaned = [fields for _id, fields in client.xrange(f"bull:{queue}:events") if fields["event"] == "cleaned"]
        numbers = [str(len(old[queue, state])) for state in ("completed", "failed")]
        assert [fields["count"] for fields in cleaned] == ([] if library == "bull" else numbers)
