# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Weekly maintenance by need, beside maintenance of everything: 1000 tables, of which 50 need it.

Usage: python -m tests.benchmarks.bench_postgresql_maintenance [--tables N] [--needy N] [--rows N] [--rounds N]

Held: postgresql_vacuum and postgresql_reindex together take at most a fifth of the time of VACUUM (ANALYZE) and REINDEX
DATABASE. Medians of interleaved rounds; before each run the same tables are brought into need again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from psycopg import sql

from tests.benchmarks.task_cost import server
from tests.integration.postgresql_reindex import reindex
from tests.integration.postgresql_vacuum import vacuum
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

LEAST_RATIO = 5.0
"""How many times faster maintenance by need has to be. Source: issue 3."""
DATABASE = "bench"
DEADLINE = 3600.0
PLENTY = 1
"""Rows that come and go in a needy table, in multiples of those that stay: they leave dead rows and bloated indexes."""


def main() -> int:
    """Print the table and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--needy", type=int, default=50)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    with prepared(chosen.tables, chosen.rows) as place:
        return measure(place, chosen.needy, chosen.rows, chosen.rounds)


@contextmanager
def prepared(tables: int, rows: int) -> Iterator[Endpoint]:
    """A server of its own with tables in good order, which nothing vacuums but who is measured."""
    with server("postgresql18") as endpoint:
        with connect(endpoint) as session:
            # Autovacuum would do the work of either side, and at any moment.
            session.execute("ALTER SYSTEM SET autovacuum = off")
            session.execute("SELECT pg_reload_conf()")
            session.execute(f"CREATE DATABASE {DATABASE}".encode())
        place = endpoint.with_database(DATABASE)
        create(place, tables, rows)
        yield place


def create(place: Endpoint, tables: int, rows: int) -> None:
    """Make tables with a primary key and one index more, in good order."""
    with connect(place) as session:
        for number in range(tables):
            table = sql.Identifier(f"t{number}")
            session.execute(
                sql.SQL(
                    "CREATE TABLE {table} (id int PRIMARY KEY, code text);"
                    "INSERT INTO {table} SELECT n, md5(n::text) FROM generate_series(1, {rows}) n;"
                    "CREATE INDEX ON {table} (code)"
                ).format(table=table, rows=sql.Literal(rows))
            )
        session.execute("SELECT pg_stat_force_next_flush()")
        session.execute("VACUUM (ANALYZE)")


def bring_into_need(place: Endpoint, needy: int, rows: int) -> None:
    """Let rows come and go in some of the tables."""
    with connect(place) as session:
        for number in range(needy):
            table = sql.Identifier(f"t{number}")
            session.execute(
                sql.SQL(
                    "INSERT INTO {table} SELECT n, md5(n::text) FROM generate_series({first}, {last}) n;"
                    "DELETE FROM {table} WHERE id >= {first}"
                ).format(table=table, first=sql.Literal(rows + 1), last=sql.Literal(rows * (PLENTY + 1)))
            )
        session.execute("SELECT pg_stat_force_next_flush()")
        session.execute("CHECKPOINT")
        due = f"SELECT count(*) FROM pg_stat_user_tables WHERE n_dead_tup >= {rows * PLENTY}"
        until(lambda: session.execute(due.encode()).fetchone() == (needy,))


def measure(place: Endpoint, needy: int, rows: int, rounds: int) -> int:
    """Time both ways in turns, and print the medians and their ratios."""
    ways: dict[str, dict[str, Callable[[], int]]] = {
        "by need": {
            "vacuum": lambda: len(vacuum(place, deadline=DEADLINE)["actions"]),
            "reindex": lambda: len(reindex(place, min_size="200kB")["actions"]),
        },
        "of all": {
            "vacuum": lambda: command(place, "VACUUM (ANALYZE)"),
            "reindex": lambda: command(place, f"REINDEX DATABASE {DATABASE}"),
        },
    }
    taken: dict[tuple[str, str], list[float]] = {}
    for _round in range(rounds):
        for way, steps in ways.items():
            bring_into_need(place, needy, rows)
            for step, work in steps.items():
                started = time.perf_counter()
                done = work()
                taken.setdefault((way, step), []).append(time.perf_counter() - started)
                if way == "by need" and done < needy:
                    raise SystemExit(f"{step} by need did {done} of {needy} tables")
    middle = {key: median(seconds) for key, seconds in taken.items()}
    ratios = [
        (taken["of all", "vacuum"][turn] + taken["of all", "reindex"][turn])
        / (taken["by need", "vacuum"][turn] + taken["by need", "reindex"][turn])
        for turn in range(rounds)
    ]
    for step in ("vacuum", "reindex"):
        ours, all_of_it = middle["by need", step], middle["of all", step]
        print(f"{step:8} by need {ours:8.2f} s   of all {all_of_it:8.2f} s   ratio {all_of_it / ours:6.1f}")
    print(f"together: {median(ratios):.1f} times faster (at least {LEAST_RATIO:g})")
    return int(median(ratios) < LEAST_RATIO)


def command(place: Endpoint, statement: str) -> int:
    """Run one statement of the server."""
    with connect(place) as session:
        session.execute(statement.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
