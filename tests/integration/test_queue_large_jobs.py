# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failed jobs with large texts: a request goes through few of them, and no script copies a very large one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.act_dispose import TOO_LARGE
from tests.integration.queue_cleanup import clean, jobs_of, make
from tests.integration.queue_rights import documented
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect

JOBS = [f"j{number}" for number in range(40)]
KNOWN = "connect ECONNREFUSED"
FATES: dict[str, Any] = {"retry": {}, "dead_letter": "dead"}


@pytest.fixture
def client(fresh_redis8: Endpoint) -> Iterator[redis.Redis]:
    with connect(fresh_redis8) as opened:
        yield opened


def calls(client: redis.Redis, command: str) -> int:
    """How often the server was asked for it since the statistics were set back."""
    return int(client.info("commandstats").get(f"cmdstat_{command}", {}).get("calls", 0))


def data_of(size: int) -> str:
    """JSON of so many bytes."""
    return json.dumps({"text": "x" * (size - len(json.dumps({"text": ""})))})


def run_and_count(client: redis.Redis, endpoint: Endpoint) -> int:
    """Run, and return how many scripts the server ran."""
    client.config_resetstat()
    assert clean(endpoint, queues=["q"], ghosts=False, **FATES)["changed"]
    assert jobs_of(client, "q", "failed") == []
    return calls(client, "eval")


@pytest.mark.parametrize("field", ["data", "stacktrace", "opts"])
def test_large_letters_are_fewer_to_a_request(client: redis.Redis, fresh_redis8: Endpoint, field: str) -> None:
    make(client, "q", "failed", *JOBS)
    few = run_and_count(client, fresh_redis8)
    client.delete("bull:dead:wait")
    make(client, "q", "failed", *JOBS, ended=1_700_000_500_000, **{field: data_of(32_768)})
    assert run_and_count(client, fresh_redis8) >= few + 6
    ids = client.lrange("bull:dead:wait", 0, -1)
    assert ids == [f"q.{job}.{1_700_000_500_000 + number}" for number, job in enumerate(JOBS)][::-1]
    assert len(json.loads(client.hget(f"bull:dead:{ids[0]}", "data"))[field]["text"]) > 32_000


def test_large_reasons_are_fewer_to_a_request(client: redis.Redis, fresh_redis8: Endpoint) -> None:
    make(client, "q", "failed", *JOBS, failedReason=KNOWN)
    few = run_and_count(client, fresh_redis8)
    client.delete("bull:q:wait")
    make(client, "q", "failed", *JOBS, failedReason=KNOWN + "x" * 32_768)
    assert run_and_count(client, fresh_redis8) >= few + 6
    assert client.lrange("bull:q:wait", 0, -1) == JOBS[::-1]


@pytest.mark.parametrize(("size", "transactions"), [(TOO_LARGE - 1, 0), (TOO_LARGE, 1)])
def test_a_very_large_job_goes_by_a_transaction(
    client: redis.Redis, fresh_redis8: Endpoint, size: int, transactions: int
) -> None:
    make(client, "q", "failed", "before", "large", "after")
    client.hset("bull:q:large", "data", data_of(size))
    run_and_count(client, fresh_redis8)
    assert calls(client, "exec") == transactions
    letters = client.lrange("bull:dead:wait", 0, -1)
    assert [letter.split(".")[1] for letter in letters] == ["after", "large", "before"]
    assert json.loads(client.hget(f"bull:dead:{letters[1]}", "data"))["data"] == json.loads(data_of(size))


def test_a_very_large_job_goes_by_a_script_where_no_transactions_are_allowed(
    client: redis.Redis, fresh_redis8: Endpoint, redis_acl: Callable[..., Endpoint]
) -> None:
    make(client, "q", "failed", "large", "small")
    client.hset("bull:q:large", "data", data_of(TOO_LARGE + 1))
    user = redis_acl(fresh_redis8, "~bull:*", "~upkeep:lock:*", "-@all", *documented(), "-@transaction")
    result = clean(user, queues=["q"], **FATES)
    assert result["actions"][0]["detail"].startswith("2 moved to the dead letters; ")
    assert jobs_of(client, "q", "failed") == []
    (large,) = [id_ for id_ in client.lrange("bull:dead:wait", 0, -1) if "large" in id_]
    assert json.loads(client.hget(f"bull:dead:{large}", "data"))["data"] == json.loads(data_of(TOO_LARGE + 1))
