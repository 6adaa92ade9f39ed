# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""queue_health_info on queues that a real BullMQ 6 keeps in a real PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from psycopg import sql

from tests.integration.health import ids
from tests.integration.redis_health import Health
from tests.integration.running import run_module
from tests.integration.test_queue_health_info import PLANTED, assert_counts
from tests.integration.waiting import until
from tests.stack.application.queues.plan import QUEUES, plans
from tests.stack.application.queues.run import fill_postgresql
from tests.stack.application.queues.worker import postgresql_worker
from tests.stack.application.settings import Settings
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

Fill = Callable[..., tuple[Endpoint, dict[str, dict[str, int]]]]


def filled(database: Endpoint, planted: bool = True, schema: str = "bullmq") -> dict[str, dict[str, int]]:
    """The sample's queues in PostgreSQL; the library's own counts."""
    return fill_postgresql(database, plans(Settings(now=datetime.now(timezone.utc), planted=planted)), schema)


def test_queues_in_postgresql_are_judged_as_those_in_redis(
    fresh_redis8: Endpoint, fresh_postgresql18_database: Endpoint
) -> None:
    counts = filled(fresh_postgresql18_database)
    place = fresh_postgresql18_database.options()
    result = Health(fresh_redis8).queues(postgresql=place)
    # The library counts what waits in a paused queue under paused, and does not name it where there is none.
    assert_counts(
        result, {queue: {"paused": found_paused(result, queue), **theirs} for queue, theirs in counts.items()}
    )
    assert result["metrics"]['queue_jobs{queue="notifications",state="paused"}'] == 12
    assert ids(result) == PLANTED
    told = result["server"]["queues"]["customer-calls"]
    assert (told["flavour"], told["version"], told["kept_in"]) == ("bullmq6", "6.7.0", "postgresql")
    stalled = [finding for finding in result["findings"] if finding["id"] == "queue.stalled"]
    assert [(finding["value"], finding["subject"].rpartition(" ")[2]) for finding in stalled] == [(3, "customer-calls")]
    assert ids(Health(fresh_redis8).queues(postgresql=place, queues=["customer-calls"])).keys() == PLANTED.keys() - {
        "queue.paused"
    }


def found_paused(result: dict[str, Any], queue: str) -> int:
    """Jobs that we call paused."""
    return int(result["metrics"][f'queue_jobs{{queue="{queue}",state="paused"}}'])


def test_a_clean_queue_in_a_schema_of_its_own(fresh_redis8: Endpoint, fresh_postgresql18_database: Endpoint) -> None:
    counts = filled(fresh_postgresql18_database, planted=False, schema="Jobs_2")
    place = fresh_postgresql18_database.options(schema="Jobs_2")
    result = Health(fresh_redis8).queues(postgresql=place)
    assert_counts(result, counts)
    assert ids(result) == {}
    assert ids(Health(fresh_redis8).queues(postgresql=fresh_postgresql18_database.options())) == {
        "queue.missing": "warning"
    }


def test_each_queue_is_where_it_is(python_queue: Fill, fresh_postgresql18_database: Endpoint) -> None:
    redis, _counts = python_queue(planted=False)
    only = [replace(plan, name="invoices") for plan in plans(Settings(now=datetime.now(timezone.utc), planted=False))][
        :1
    ]
    fill_postgresql(fresh_postgresql18_database, only)
    place = fresh_postgresql18_database.options()
    wanted = [*QUEUES, "invoices", "gone", "odd \udcff"]
    result = Health(redis).queues(queues=wanted, postgresql=place)
    kept = {name: told["kept_in"] for name, told in result["server"]["queues"].items()}
    assert kept == {"customer-calls": "redis", "notifications": "redis", "invoices": "postgresql"}
    assert ids(result) == {"queue.missing": "warning"}
    assert {finding["subject"].rpartition(" ")[2] for finding in result["findings"]} == {"gone", "\\xff"}
    assert all(
        "neither in Redis nor in the schema bullmq of PostgreSQL" in found["message"] for found in result["findings"]
    )
    without = Health(redis).queues(queues=["invoices"])
    assert ids(without) == {"queue.missing": "warning"}
    assert "set the option postgresql" in without["findings"][0]["remedy"]


def test_a_worker_of_a_queue_in_postgresql(fresh_redis8: Endpoint, fresh_postgresql18_database: Endpoint) -> None:
    filled(fresh_postgresql18_database)
    health, name = Health(fresh_redis8), 'queue_workers{queue="customer-calls"}'
    place = fresh_postgresql18_database.options()
    assert health.queues("workers", postgresql=place)["metrics"][name] == 0
    with postgresql_worker(fresh_postgresql18_database, "customer-calls", -1):
        until(lambda: health.queues("workers", postgresql=place)["metrics"][name] == 1)
        assert ids(health.queues("workers", postgresql=place)) == {}


def test_schedulers_in_postgresql(fresh_redis8: Endpoint, fresh_postgresql18_database: Endpoint) -> None:
    filled(fresh_postgresql18_database, planted=False)
    with connect(fresh_postgresql18_database) as session:
        session.execute(
            "INSERT INTO bullmq.scheduler (queue, scheduler_id, next_run_ms, every_ms) VALUES ('customer-calls', "
            "'hourly', (extract(epoch FROM now()) * 1000)::bigint, 3600000)"
        )
    health = Health(fresh_redis8)
    place = fresh_postgresql18_database.options()
    assert ids(health.queues("schedulers", postgresql=place)) == {}
    health.ahead = timedelta(hours=2)
    assert ids(health.queues("schedulers", postgresql=place)) == {
        "queue.scheduler_late": "warning",
        "queue.dead_scheduler": "warning",
    }


def test_a_database_that_cannot_be_asked_does_not_hide_the_queues_in_redis(
    python_queue: Fill, fresh_postgresql18_database: Endpoint, dead_port: tuple[str, int]
) -> None:
    filled(fresh_postgresql18_database, planted=False)
    redis, _counts = python_queue(planted=False)
    down = {"login_host": dead_port[0], "login_port": dead_port[1], "login_password": "hidden-pass"}
    result = Health(redis).queues(postgresql=down)
    assert ids(result) == {"queue.unreachable": "warning"}
    assert list(result["server"]["queues"]) == list(QUEUES)
    assert Health(redis).queues(queues=QUEUES, postgresql=down)["findings"] == [], "there is nothing to look for"
    with connect(fresh_postgresql18_database) as session:
        session.execute(sql.SQL("CREATE ROLE queue_stranger LOGIN PASSWORD 'stranger-pass'"))
    try:
        stranger = replace(fresh_postgresql18_database, user="queue_stranger", password="stranger-pass")
        result = Health(redis).queues(postgresql=stranger.options())
        assert ids(result) == {"queue.access_denied": "warning"}
        assert "stranger-pass" not in json.dumps(result)
    finally:
        with connect(fresh_postgresql18_database) as session:
            session.execute("DROP ROLE queue_stranger")


def test_the_module_itself(fresh_redis8: Endpoint, fresh_postgresql18_database: Endpoint) -> None:
    filled(fresh_postgresql18_database)
    place = {name: str(value) for name, value in fresh_postgresql18_database.options().items()}
    params = {**fresh_redis8.options(), "queues": ["customer-calls"], "postgresql": place}
    with connect(fresh_postgresql18_database) as session:
        before = session.execute("SELECT pg_current_wal_lsn()").fetchone()
        for check in (True, False):
            result = run_module("queue_health_info", params, check=check)
            assert (result["outcome"], result["changed"], result["status"]) == ("ok", False, "critical")
            assert str(fresh_postgresql18_database.password) not in json.dumps(result)
        assert session.execute("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), %s) < 8192", before).fetchone() == (True,)
    wrong = run_module("queue_health_info", {**params, "postgresql": {**place, "schema": "a b"}})
    assert (wrong["outcome"], "postgresql.schema" in wrong["msg"]) == ("failed", True)
