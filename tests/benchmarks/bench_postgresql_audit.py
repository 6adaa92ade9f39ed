# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole audit of a database of 1,000 tables with 5,000 indexes, and of one of ten tables.

Usage: python -m tests.benchmarks.bench_postgresql_audit

Held: the large database takes less than ``MOST_SECONDS`` from connecting to the result, with its memory between runs,
and exactly as many statements as the small one. The catalogue is told that every relation has two thousand pages, so
that none of them is left out for its size, as the tiny ones of a benchmark would be.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import psycopg

from tests.benchmarks.task_cost import server
from tests.integration.postgresql_audit import Audit
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

TABLES = 1000
INDEXES = 5
"""Of each table, that of its primary key among them."""
FEW_TABLES = 10
ROUNDS = 5
MOST_SECONDS = 10.0
PAGES = "UPDATE pg_class SET relpages = 2000 WHERE relname LIKE 'table\\_%%'"


def fill(endpoint: Endpoint, name: str, tables: int) -> Endpoint:
    """A database with tables that refer to one another, each with rows, indexes and statistics."""
    with connect(endpoint) as session:
        session.execute(f"CREATE DATABASE {name}".encode())
    database = endpoint.with_database(name)
    with connect(database) as session:
        session.execute("CREATE EXTENSION pg_stat_statements")
        for first in range(0, tables, 100):
            numbers = range(first, min(first + 100, tables))
            session.execute(";".join(_table(number) for number in numbers).encode())
        session.execute("SELECT pg_stat_force_next_flush()")
        session.execute("VACUUM (ANALYZE)")
        session.execute(PAGES.encode())
    return database


def _table(number: int) -> str:
    name, refers = f"table_{number:04}", f"table_{max(0, number - 1):04}"
    columns = "id bigint PRIMARY KEY, parent bigint REFERENCES {}, state text, note text, made_at timestamptz"
    return (
        f"CREATE TABLE {name} ({columns.format(refers)}); CREATE INDEX ON {name} (parent);"
        f"CREATE INDEX ON {name} (state, made_at); CREATE INDEX ON {name} (made_at);"
        f"CREATE INDEX ON {name} (lower(note)) WHERE state <> 'done';"
        f"INSERT INTO {name} SELECT n, {'n' if number else 'NULL'}, 'state' || n % 7, 'note ' || n, now()"
        " FROM generate_series(1, 50) n"
    )


def statements_of(audit: Audit) -> int:
    """How many statements one audit sends."""
    sent: list[Any] = []
    execute = psycopg.Cursor.execute

    def recording(self: Any, query: Any, params: Any = None, **more: Any) -> Any:
        sent.append(query)
        return execute(self, query, params, **more)

    with mock.patch.object(psycopg.Cursor, "execute", recording):
        _sound(audit.run())
    return len(sent)


def _sound(result: dict[str, Any]) -> None:
    """Hold a result to having made every check."""
    failed = [finding for finding in result["findings"] if finding["id"] in ("postgresql.timeout", "postgresql.failed")]
    if failed or result["metrics"]["postgresql_up"] != 1:
        raise SystemExit(f"a check was not made: {failed}")


def seconds_of(work: Callable[[], dict[str, Any]]) -> float:
    """Seconds for one audit."""
    started = time.perf_counter()
    _sound(work())
    return time.perf_counter() - started


def main() -> int:
    """Print the table and return the exit code."""
    with server("postgresql18") as endpoint, tempfile.TemporaryDirectory(prefix="upkeep-bench-") as folder:
        large = Audit(fill(endpoint, "large", TABLES), Path(folder, "large"))
        small = Audit(fill(endpoint, "small", FEW_TABLES), Path(folder, "small"))
        counts = {name: statements_of(audit) for name, audit in (("large", large), ("small", small))}
        taken: dict[str, list[float]] = {"large": [], "small": []}
        for _round in range(ROUNDS):
            taken["large"].append(seconds_of(large.run))
            taken["small"].append(seconds_of(small.run))
    for name, tables in (("large", TABLES), ("small", FEW_TABLES)):
        print(
            f"{tables:5} tables, {tables * INDEXES:5} indexes: {median(taken[name]):6.2f} s, {counts[name]} statements"
        )
    print(f"below {MOST_SECONDS:g} s, and the same number of statements")
    return int(median(taken["large"]) >= MOST_SECONDS or counts["large"] != counts["small"])


if __name__ == "__main__":
    sys.exit(main())
