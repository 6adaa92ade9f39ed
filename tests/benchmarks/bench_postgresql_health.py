# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What postgresql_health_info costs beside a task that does nothing, and beside its queries run bare.

Usage: python -m tests.benchmarks.bench_postgresql_health

Held: what ``task_cost`` says, and one connection. Bare is psycopg alone.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import Any
from unittest import mock

import psycopg

from tests.benchmarks.task_cost import Connections, Task, report, server
from tests.integration.postgresql_health import Health
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

Query = tuple[Any, Any]


def statements_of(endpoint: Endpoint) -> list[Query]:
    """The statements that the module sends, with their values, as it sends them."""
    sent: list[Query] = []
    execute = psycopg.Cursor.execute

    def recording(self: Any, query: Any, params: Any = None, **more: Any) -> Any:
        sent.append((query, params))
        return execute(self, query, params, **more)

    with mock.patch.object(psycopg.Cursor, "execute", recording):
        Health(endpoint).run()
    return sent


def bare_seconds(endpoint: Endpoint, queries: list[Query]) -> float:
    """Seconds for the same queries over one connection of the driver, with nothing of ours."""
    started = time.perf_counter()
    with connect(endpoint) as session:
        for query, values in queries:
            session.execute(query, values).fetchall()
    return time.perf_counter() - started


def connections_of_one_run(endpoint: Endpoint) -> int:
    """How many connections one run makes, by the server's own count of a database that nobody else uses."""
    with connect(endpoint) as session:
        session.execute("CREATE DATABASE bench")
        Health(endpoint.with_database("bench")).run()
        for _attempt in range(100):
            row = session.execute("SELECT sessions FROM pg_stat_database WHERE datname = 'bench'").fetchone()
            if row and row[0]:
                return int(str(row[0]))
            time.sleep(0.05)
    return 0


def main() -> int:
    """Print the table and return the exit code."""
    with server("postgresql18") as endpoint:
        connections = connections_of_one_run(endpoint)
        queries = statements_of(endpoint)
        work = f"connection and {len(queries)} statements"
        bare = partial(bare_seconds, endpoint, queries)
        task = Task("postgresql_health_info", endpoint.options(), "import psycopg", bare, work)
        return report(task, Connections(connections))


if __name__ == "__main__":
    sys.exit(main())
