# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the contract tests call each module: options that do the module's main job against real servers.

A new module needs an entry here; a test says so if it has none.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.finding import Finding
from ansible_collections.dataops.upkeep.plugins.module_utils._core.result import Result
from ansible_collections.dataops.upkeep.plugins.module_utils._core.severity import Severity
from tests.integration.postgresql_reindex import make_bloat
from tests.integration.postgresql_retention import EVENTS, make, rule
from tests.integration.postgresql_vacuum import fill
from tests.integration.queue_cleanup import make as make_jobs
from tests.stack.servers.postgresql import connect
from tests.stack.servers.redis import connect as connect_redis

Case = Callable[[pytest.FixtureRequest, Path], dict[str, Any]]


def store(fixture: str) -> Case:
    """A module that looks at one store, with memory in a folder."""
    return lambda request, folder: request.getfixturevalue(fixture).options(state=str(folder / "state"))


def http(request: pytest.FixtureRequest, folder: Path) -> dict[str, Any]:
    """An endpoint where nobody listens, its URL with a password."""
    host, port = request.getfixturevalue("dead_port")
    url = f"http://someone:p%40ssw0rd-in-url@{host}:{port}/health?token=t0ken-in-query"
    return {"endpoints": [{"name": "api", "url": url, "headers": {"Authorization": "Bearer t0ken-in-header"}}]}


def report(request: pytest.FixtureRequest, folder: Path) -> dict[str, Any]:
    """A report of two results."""
    finding = Finding(
        "redis.memory", Severity.WARNING, "cache", "cache: memory 90 %, above 85 %", 90, 85, "Add memory."
    )
    results = [
        {**Result("redis cache", [finding]).as_dict(), "subject": "redis", "name": "cache", "host": "app"},
        {**Result("host app").as_dict(), "subject": "host", "name": "host", "host": "app"},
    ]
    return {"results": results, "dest": str(folder / "reports"), "application": "demo", "cadence": "daily"}


def journal(request: pytest.FixtureRequest, folder: Path) -> dict[str, Any]:
    """A journal that does not exist yet."""
    return {"path": str(folder / "journal")}


def reindex(request: pytest.FixtureRequest, folder: Path) -> dict[str, Any]:
    """A database with bloated indexes."""
    endpoint = request.getfixturevalue("fresh_postgresql18_database")
    make_bloat(endpoint)
    return dict(endpoint.options(state=str(folder / "state"), min_size="50kB"))


def index(request: pytest.FixtureRequest, folder: Path) -> dict[str, Any]:
    """A database that lacks a declared index."""
    endpoint = request.getfixturevalue("fresh_postgresql18_database")
    with connect(endpoint) as session:
        session.execute("CREATE TABLE orders (id int, at timestamptz)")
    declared = [{"name": "orders_at", "table": "orders", "columns": ["at desc", "(id % 7)"], "where": "id > 5"}]
    return dict(endpoint.options(state=str(folder / "state"), indexes=declared))


def vacuum(request: pytest.FixtureRequest, folder: Path) -> dict[str, Any]:
    """A database with one table in need."""
    endpoint = request.getfixturevalue("fresh_postgresql18_database")
    fill(endpoint, dead=1500)
    return dict(endpoint.options())


def retention(request: pytest.FixtureRequest, folder: Path) -> dict[str, Any]:
    """A database of which half of the events are old."""
    endpoint = request.getfixturevalue("fresh_postgresql18_database")
    make(endpoint, EVENTS)
    return dict(endpoint.options(rules=[rule("archive", archive_to="events_archive")]))


def slow_log(request: pytest.FixtureRequest, folder: Path) -> dict[str, Any]:
    """A database without the extension, whose slow statements are not logged."""
    endpoint = request.getfixturevalue("fresh_postgresql18_database")
    return dict(endpoint.options(scope="database"))


def cleanup(request: pytest.FixtureRequest, folder: Path) -> dict[str, Any]:
    """A Redis with keys that never expire, and others."""
    endpoint = request.getfixturevalue("fresh_redis8")
    with connect_redis(endpoint) as client:
        client.mset({f"analytics:{number}": "x" for number in range(50)})
        client.set("user:1", "x")
    rule = {"name": "analytics", "pattern": "analytics:*", "when": ["no_ttl"], "action": "unlink"}
    return dict(endpoint.options(rules=[rule], purge_memory=True))


def queue_cleanup(request: pytest.FixtureRequest, folder: Path) -> dict[str, Any]:
    """A queue with old completed jobs, a failed one to try again, one for the dead letters, and the id of one gone."""
    endpoint = request.getfixturevalue("fresh_redis8")
    with connect_redis(endpoint) as client:
        make_jobs(client, "mails", "completed", *map(str, range(20)))
        make_jobs(client, "mails", "failed", "again", failedReason="connect ECONNREFUSED")
        make_jobs(client, "mails", "failed", "dead", data='{"mail": "someone@example.com"}')
        client.zadd("bull:mails:failed", {"gone": 1})
    return dict(endpoint.options(completed_older_than="24h", retry={"max_attempts": 3}, dead_letter="dead"))


def warm(request: pytest.FixtureRequest, folder: Path) -> dict[str, Any]:
    """A Redis without the keys that a file holds; and a source that is down, by a URI with a password."""
    host, port = request.getfixturevalue("dead_port")
    rows = folder / "users.jsonl"
    rows.write_text("".join(f'{{"id": {number}}}\n' for number in range(20)), encoding="utf-8")
    uri = f"postgresql://someone:p%40ssw0rd-in-url@{host}:{port}/backend"
    down = {"source": "postgresql", "connection": {"uri": uri}, "query": "SELECT id FROM users", "key": "down:{id}"}
    entries = [{"source": "file", "query": str(rows), "key": "user:{id}"}, down]
    return dict(request.getfixturevalue("fresh_redis8").options(entries=entries))


CASES: dict[str, Case] = {
    "postgresql_health_info": store("postgresql18"),
    "postgresql_audit_info": store("postgresql18"),
    "postgresql_index": index,
    "postgresql_reindex": reindex,
    "postgresql_retention": retention,
    "postgresql_slow_log": slow_log,
    "postgresql_vacuum": vacuum,
    "mongodb_health_info": store("mongodb"),
    "redis_audit_info": store("redis8"),
    "redis_cleanup": cleanup,
    "redis_health_info": store("redis8"),
    "redis_warm": warm,
    "queue_cleanup": queue_cleanup,
    "queue_health_info": store("redis8"),
    "host_health_info": lambda request, folder: {"state": str(folder / "state")},
    "http_health_info": http,
    "report": report,
    "journal_info": journal,
}

REQUIRED: dict[str, dict[str, Any]] = {
    "postgresql_retention": {"rules": [rule()]},
    "redis_cleanup": {"rules": [{"pattern": "cache:*", "action": "unlink"}]},
    "redis_warm": {"entries": [{"source": "file", "query": "/srv/users.jsonl", "key": "user:{id}"}]},
}
"""What a module of a store cannot be called without, where the store is down; right, and harmless."""

SECRETS = ("p%40ssw0rd-in-url", "p@ssw0rd-in-url", "t0ken-in-query", "t0ken-in-header")
"""Secrets that the cases above give; a store's own password is added by the test."""
