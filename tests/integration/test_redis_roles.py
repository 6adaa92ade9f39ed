# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles redis and queues through the playbooks: each does what an entry says and no more, and a second run does
nothing.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import redis

from tests.integration.playing import play
from tests.integration.queue_cleanup import jobs_of, make
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect as connect_postgresql
from tests.stack.servers.redis import connect

CLEANUP = [
    {"name": "analytics", "pattern": "analytics:*", "when": ["no_ttl"], "action": "unlink"},
    {"name": "responses", "pattern": "response:*", "when": ["no_ttl"], "action": "expire", "ttl": "5min"},
]
QUEUES = {"completed_older_than": "24h", "failed_older_than": "7d"}


def fill(client: redis.Redis) -> None:
    """Keys that a rule means, keys that none means, and a queue."""
    client.mset({f"analytics:{number}": "x" for number in range(5)})
    client.mset({"response:1": "x", "user:1": "x"})
    client.hset("sess:new", mapping={"lastActivity": str(int(time.time()))})
    make(client, "mails", "completed", "1", "2")
    make(client, "mails", "failed", "3", ended=int(time.time() * 1000))
    lost = {"name": "task", "data": "{}", "opts": "{}", "timestamp": "1700000000000"}
    client.hset("bull:mails:lost", mapping=lost)


def entry(endpoint: Endpoint, **more: Any) -> dict[str, Any]:
    """An entry of the inventory: a user who may look, and one for what changes something."""
    monitor = endpoint.as_monitor()
    return {
        "name": "cache",
        "login_host": endpoint.host,
        "login_port": endpoint.port,
        "login_user": monitor.user,
        "login_password": monitor.password,
        "maintenance": {"login_user": endpoint.user, "login_password": endpoint.password},
        **more,
    }


def secrets(endpoint: Endpoint) -> tuple[str, ...]:
    return tuple(filter(None, (endpoint.password, endpoint.monitor_password)))


def everything(client: redis.Redis) -> dict[str, Any]:
    """All keys with their types and whether they expire."""
    return {key: (client.type(key), client.ttl(key) > 0) for key in client.scan_iter()}


def test_daily_does_what_the_entries_say_and_only_once(fresh_redis8: Endpoint, tmp_path: Path) -> None:
    variables: dict[str, Any] = {
        "upkeep_redis": [entry(fresh_redis8, cleanup=CLEANUP, cleanup_options={"max_changes": 1000})],
        "upkeep_queues": [entry(fresh_redis8, name="jobs", queues=["mails"], cleanup=QUEUES)],
        "secrets": secrets(fresh_redis8),
    }
    with connect(fresh_redis8) as client:
        fill(client)
        before = everything(client)
        run, _none = play("daily", tmp_path, "--check", "--diff", **variables)
        assert everything(client) == before
        assert "[planned] unlink" in run.output, "the plan is shown to people"
        _run, done = play("daily", tmp_path, **variables)
        assert done["cache cleanup"]["changed"]
        assert done["jobs cleanup"]["changed"]
        assert not client.exists(*(f"analytics:{number}" for number in range(5)))
        assert 0 < client.ttl("response:1") <= 330
        assert client.exists("user:1", "sess:new") == 2
        assert jobs_of(client, "mails", "completed") == []
        assert jobs_of(client, "mails", "failed") == ["3"], "it failed just now"
        _run, again = play("daily", tmp_path, **variables)
        assert not any(result["changed"] for result in again.values())


def test_weekly_audits_and_looks_for_lost_jobs(fresh_redis8: Endpoint, tmp_path: Path) -> None:
    policies = [{"pattern": "response:*", "max_ttl": "5min"}]
    caches = [entry(fresh_redis8, memory={"purge_memory": True}, policies=policies)]
    queues = [entry(fresh_redis8, name="jobs", orphans=True)]
    with connect(fresh_redis8) as client:
        fill(client)
        _run, done = play("weekly", tmp_path, upkeep_redis=caches, upkeep_queues=queues, secrets=secrets(fresh_redis8))
        assert set(done) == {"cache memory", "cache audit", "jobs orphans"}
        assert "redis.ttl_missing" in {found["id"] for found in done["cache audit"]["findings"]}
        assert done["jobs orphans"]["changed"]
        assert not client.exists("bull:mails:lost")
        assert client.exists("bull:mails:1", "bull:mails:3", "analytics:1") == 3


def test_daily_fills_the_cache_from_a_store_that_is_named(
    fresh_redis8: Endpoint, fresh_postgresql18_database: Endpoint, tmp_path: Path
) -> None:
    source = fresh_postgresql18_database
    with connect_postgresql(source) as session:
        session.execute("CREATE TABLE users (id int PRIMARY KEY, name text)")
        session.execute("INSERT INTO users VALUES (1, 'Ada'), (2, 'Björn')")
    query = {"source": "postgresql", "query": "SELECT id, name FROM users", "key": "user:{id}", "ttl": "5min"}
    variables: dict[str, Any] = {
        "upkeep_postgresql": [{"name": "main", **source.options(), "checks": ["availability"]}],
        "upkeep_redis": [entry(fresh_redis8, warm=[{**query, "name": "users", "connection": "main"}])],
        "secrets": (*secrets(fresh_redis8), str(source.password)),
    }
    with connect(fresh_redis8) as client:
        _run, done = play("daily", tmp_path, **variables)
        assert done["cache warm"]["changed"]
        assert json.loads(str(client.get("user:2"))) == {"id": 2, "name": "Björn"}
        assert 0 < client.ttl("user:1") <= 330
        _run, again = play("daily", tmp_path, **variables)
        assert not again["cache warm"]["changed"]


def test_everything_may_be_a_text_and_replicas_are_only_audited(fresh_redis8: Endpoint, tmp_path: Path) -> None:
    replica = entry(fresh_redis8, name="replica", expected_role="replica", cleanup=CLEANUP, audit={"sample": 10})
    extra = {
        "upkeep_redis": json.dumps([replica]),
        "redis_deadline": "60",
        "upkeep_thresholds": "{redis_audit: {key_bytes: 5MB}}",
    }
    with connect(fresh_redis8) as client:
        fill(client)
        _run, done = play("quarterly", tmp_path, "-e", json.dumps(extra), secrets=secrets(fresh_redis8))
        assert set(done) == {"replica audit"}
        assert not [found for found in done["replica audit"]["findings"] if found["id"].startswith("upkeep.")]
        _run, done = play("daily", tmp_path, "-e", json.dumps(extra))
        assert "replica cleanup" not in done
        assert client.exists("analytics:1")


def test_a_server_that_is_down_is_one_clear_result_and_the_others_are_maintained(
    fresh_redis8: Endpoint, dead_port: tuple[str, int], tmp_path: Path
) -> None:
    down = {**entry(fresh_redis8, cleanup=CLEANUP), "name": "down", "login_port": dead_port[1]}
    with connect(fresh_redis8) as client:
        fill(client)
        _run, done = play("daily", tmp_path, upkeep_redis=[down, entry(fresh_redis8, cleanup=CLEANUP)])
        assert done["down cleanup"]["status"] == "critical"
        assert "unreachable" in done["down cleanup"]["findings"][0]["id"]
        assert done["cache cleanup"]["changed"]


def test_an_entry_that_is_wrong_is_one_clear_result_and_the_others_are_maintained(
    fresh_redis8: Endpoint, tmp_path: Path
) -> None:
    nowhere = {"source": "postgresql", "connection": "nowhere", "query": "SELECT 1 AS id", "key": "user:{id}"}
    caches = [
        entry(fresh_redis8, name="text", cleanup="analytics"),
        entry(fresh_redis8, name="nowhere", warm=[nowhere]),
        entry(fresh_redis8, cleanup=CLEANUP[0]),
    ]
    queues = [
        entry(fresh_redis8, name="list", cleanup=["24h"]),
        entry(fresh_redis8, name="jobs", queues=["mails"], cleanup=QUEUES),
    ]
    told = {
        "text cleanup": "cleanup: it is a text",
        "nowhere warm": "there is no postgresql server named nowhere",
        "list cleanup": "cleanup: it is a list",
    }
    with connect(fresh_redis8) as client:
        fill(client)
        _run, done = play("daily", tmp_path, upkeep_redis=caches, upkeep_queues=queues, secrets=secrets(fresh_redis8))
        for name, why in told.items():
            assert done[name]["status"] == "critical"
            assert why in done[name]["findings"][0]["message"]
        assert done["cache cleanup"]["changed"]
        assert done["jobs cleanup"]["changed"]
        assert not client.exists("analytics:1")
