# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What archiving by postgresql_retention costs beside the unsafe way and beside row by row.

Usage: python -m tests.benchmarks.bench_postgresql_retention

Two fifths of a table's rows are old and move to an archive table, at the module's default settings, while an
application updates young rows a hundred times a second. Unsafe is ``INSERT ... SELECT`` and ``DELETE`` in one
transaction. Row by row commits every thousand rows, on a tenth of the old rows. Medians of interleaved rounds, each on
a fresh copy of the table; the server keeps its promises (fsync is on). ``UPKEEP_BENCH_ROWS`` sets the number of rows,
``UPKEEP_BENCH_ROUNDS`` that of rounds.

Held: time at most ``MOST_RATIO`` of the unsafe way; rows per second at least ``LEAST_GAIN`` of row by row; no piece
over ``MOST_PIECE`` seconds; 99th percentile of the application's wait at most ``MOST_WAIT`` of the unsafe way's; memory
below ``MOST_BYTES``.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.integration.postgresql_retention import start
from tests.integration.probe import probing
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect
from tests.stack.stack import Stack

ROWS = int(os.environ.get("UPKEEP_BENCH_ROWS", "5000000"))
ROUNDS = int(os.environ.get("UPKEEP_BENCH_ROUNDS", "5"))

MOST_RATIO = 1.5
LEAST_GAIN = 10.0
MOST_PIECE = 0.1
MOST_WAIT = 0.5
MOST_BYTES = 64 * 2**20

SETTINGS = {"fsync": "on", "shared_buffers": "512MB", "max_wal_size": "4GB", "autovacuum": "off"}

FILL = f"""
CREATE TABLE events (id bigint PRIMARY KEY, user_id bigint NOT NULL, kind text NOT NULL, status text NOT NULL,
    payload jsonb NOT NULL, created_at timestamptz NOT NULL);
INSERT INTO events SELECT n, n % 5000, 'order.created', CASE WHEN n % 20 = 0 THEN 'failed' ELSE 'completed' END,
    jsonb_build_object('order', n, 'note', repeat('x', 20 + (n % 140)::int)),
    now() - interval '225 days' + n * interval '225 days' / {ROWS} FROM generate_series(1, {ROWS}) AS n;
CREATE INDEX ON events (user_id);
CREATE TABLE events_archive (LIKE events INCLUDING DEFAULTS, PRIMARY KEY (id))
"""

OLD = "created_at < now() - interval '135 days'"
HOT = f"UPDATE events SET user_id = user_id WHERE id = {ROWS} - (random() * 1000)::bigint"
RULE = {
    "name": "events",
    "table": "events",
    "age_column": "created_at",
    "older_than": "135d",
    "action": "archive",
    "archive_to": "events_archive",
}


class Measured(NamedTuple):
    """What one way took. :param piece: seconds of its longest piece. :param peak: bytes of memory."""

    rows: int
    seconds: float
    wait: float
    piece: float = 0.0
    peak: int = 0


def unsafe(endpoint: Endpoint) -> Measured:
    """One transaction, two statements."""
    with probing(endpoint, HOT, 0.01) as probe, connect(endpoint) as session:
        started = time.monotonic()
        with session.transaction():
            session.execute(f"INSERT INTO events_archive SELECT * FROM events WHERE {OLD}".encode())
            rows = session.execute(f"DELETE FROM events WHERE {OLD}".encode()).rowcount
        seconds = time.monotonic() - started
    return Measured(rows, seconds, probe.percentile(99))


def row_by_row(endpoint: Endpoint) -> Measured:
    """Read a thousand, insert and delete each by itself, commit; a tenth of the rows."""
    wanted = ROWS * 2 // 5 // 10
    rows = 0
    with probing(endpoint, HOT, 0.01) as probe, connect(endpoint) as session:
        started = time.monotonic()
        while rows < wanted:
            with session.transaction():
                found = session.execute(f"SELECT id FROM events WHERE {OLD} ORDER BY id LIMIT 1000".encode())
                for (number,) in found.fetchall():
                    session.execute("INSERT INTO events_archive SELECT * FROM events WHERE id = %s", (number,))
                    session.execute("DELETE FROM events WHERE id = %s", (number,))
                    rows += 1
        seconds = time.monotonic() - started
    return Measured(rows, seconds, probe.percentile(99))


def ours(endpoint: Endpoint) -> Measured:
    """The module's task in a process of its own; the start of Python is not counted, connecting and counting is."""
    process = start(endpoint, RULE)
    with probing(endpoint, HOT, 0.01) as probe:
        output = process.communicate()[0]
    result = json.loads(output)
    (action,) = result["actions"]
    told = re.match(r"(\d+) rows in \d+ pieces, the longest (\d+)ms", action["detail"])
    if told is None or result["status"] != "ok":
        raise SystemExit(f"the task failed: {action}")
    return Measured(int(told[1]), result["seconds"], probe.percentile(99), int(told[2]) / 1000, result["peak"])


WAYS: dict[str, Callable[[Endpoint], Measured]] = {"unsafe": unsafe, "ours": ours, "row by row": row_by_row}


@contextmanager
def filled_server() -> Iterator[Endpoint]:
    """A server of usual settings with the filled table in a database of its own."""
    with tempfile.TemporaryDirectory(prefix="upkeep-bench-") as folder:
        Path(folder).chmod(0o755)  # servers run as a user of their own
        with Stack(Path(folder) / "stack", ("postgresql18",), owned=True) as stack:
            endpoint = stack.endpoints["postgresql18"]
            with connect(endpoint) as session:
                for name, value in SETTINGS.items():
                    session.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
                session.execute("CREATE DATABASE filled")
            stack.stop("postgresql18")
            stack.start("postgresql18")
            with connect(endpoint.with_database("filled")) as session:
                session.execute(FILL.encode())
                session.execute("VACUUM (ANALYZE) events")
            yield endpoint


def measured(endpoint: Endpoint, way: Callable[[Endpoint], Measured]) -> Measured:
    """One way, on a fresh copy of the table."""
    copy = endpoint.with_database("copy")
    with connect(endpoint) as session:
        session.execute("CREATE DATABASE copy TEMPLATE filled STRATEGY file_copy")
    with connect(copy) as session:
        session.execute("SELECT count(*) FROM events")
        session.execute("CHECKPOINT")
    result = way(copy)
    with connect(endpoint) as session:
        session.execute("DROP DATABASE copy WITH (FORCE)")
    return result


def main() -> int:
    """Print the table and return the exit code."""
    taken: dict[str, list[Measured]] = {name: [] for name in WAYS}
    with filled_server() as endpoint:
        for _round in range(ROUNDS):
            for name, way in WAYS.items():
                taken[name].append(measured(endpoint, way))
    print(f"{ROWS} rows, two fifths of them old, {ROUNDS} rounds")
    for name, runs in taken.items():
        rate = median(run.rows / run.seconds for run in runs)
        wait = median(run.wait for run in runs)
        print(f"{name:12} {median(run.seconds for run in runs):7.2f} s {rate:9.0f} rows/s  p99 {wait * 1000:6.1f} ms")
    pairs = list(zip(taken["ours"], taken["unsafe"], taken["row by row"], strict=True))
    held = [
        _held(
            "time, of the unsafe way", median(own.seconds / other.seconds for own, other, _slow in pairs), MOST_RATIO
        ),
        _held(
            "rows per second, of row by row",
            median((own.rows / own.seconds) / (slow.rows / slow.seconds) for own, _other, slow in pairs),
            LEAST_GAIN,
            least=True,
        ),
        _held("longest piece, s", median(own.piece for own, _other, _slow in pairs), MOST_PIECE),
        _held(
            "p99 of the wait, of the unsafe way",
            median(own.wait / other.wait for own, other, _slow in pairs),
            MOST_WAIT,
        ),
        _held("memory, MiB", max(own.peak for own, _other, _slow in pairs) / 2**20, MOST_BYTES / 2**20),
    ]
    return int(not all(held))


def _held(what: str, value: float, limit: float, *, least: bool = False) -> bool:
    print(f"{what:38} {value:7.3f} ({'at least' if least else 'at most'} {limit:g})")
    return value >= limit if least else value <= limit


if __name__ == "__main__":
    sys.exit(main())
