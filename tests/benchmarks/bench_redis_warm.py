# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What redis_warm takes beside the loop of the guides, and what others feel of it.

Usage: python -m tests.benchmarks.bench_redis_warm

Rows of PostgreSQL become keys of JSON with a TTL, while a client pings a thousand times a second. The guides read all
rows into memory and send one ``SET`` with ``EX`` after another, each waited for; so does the loop here. It is set
against the module's task on an empty server, on one that has half of the keys, and where there is nothing left to do.
``UPKEEP_BENCH_ROWS`` sets the number of rows, ``UPKEEP_BENCH_ROUNDS`` that of rounds, which are interleaved; the
medians count.

Held: the task handles at least ``LEAST_GAIN`` times the rows per second, on a machine that does nothing else; it and
Redis together take at most ``MOST_CPU`` of the processor's time that the loop and Redis take, however busy the machine
is; no ping takes longer than ``MOST_STALL`` milliseconds; memory stays below ``MOST_BYTES``. Where the way to Redis is
longer than to this machine itself, the loop waits for each of its rows, and the gain is many times that.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from tests.benchmarks.bench_redis_cleanup import pinged
from tests.benchmarks.task_cost import server
from tests.integration.apart import start_apart
from tests.integration.redis_health import own_server
from tests.integration.redis_warm import entry, start
from tests.stack.endpoint import Endpoint
from tests.stack.servers import postgresql
from tests.stack.servers.redis import connect

ROWS = int(os.environ.get("UPKEEP_BENCH_ROWS", "100000"))
ROUNDS = int(os.environ.get("UPKEEP_BENCH_ROUNDS", "5"))
QUERY = "SELECT id, name, mail, address, seen FROM users ORDER BY id"

LEAST_GAIN = 2.0
MOST_CPU = 0.50
MOST_STALL = 25.0
MOST_BYTES = 100 * 2**20


class Measured(NamedTuple):
    """What one way took.

    :param cpu: seconds of the processor that the client took. :param redis: those that Redis took.
    :param stall: milliseconds of the longest ping. :param told: the same as the task tells.
    """

    seconds: float
    cpu: float
    redis: float
    stall: float
    peak: int
    told: float = 0.0


def used_by(endpoint: Endpoint) -> float:
    """Seconds of the processor that Redis has taken."""
    with connect(endpoint) as client:
        cpu = client.info("cpu")
        return float(cpu["used_cpu_user"]) + float(cpu["used_cpu_sys"])


def fill(source: Endpoint) -> None:
    """A table of users, each a few hundred bytes."""
    with postgresql.connect(source) as session:
        session.execute(
            "CREATE TABLE users (id int PRIMARY KEY, name text, mail text, address jsonb, seen timestamptz)"
        )
        session.execute(
            "INSERT INTO users SELECT n, 'user ' || n, n || '@example.com',"
            " jsonb_build_object('street', repeat('x', 80), 'city', 'Köln', 'zip', n), now()"
            " FROM generate_series(1, %s) n",
            [ROWS],
        )


def guides(endpoint: Endpoint, source: Endpoint) -> Measured:
    """The loop on an empty server."""
    emptied(endpoint)
    before = used_by(endpoint)
    with pinged(endpoint) as end:
        given = {"source": source.to_json(), "port": endpoint.port, "query": QUERY}
        result = json.loads(start_apart("tests.benchmarks.set_one_by_one", given).communicate()[0])
        stall = end()
    return Measured(result["seconds"], result["cpu"], used_by(endpoint) - before, stall, result["peak"])


def emptied(endpoint: Endpoint, keep: int = 0) -> None:
    """Only so many of the keys are there."""
    with connect(endpoint) as client:
        client.flushall()
        for first in range(1, keep + 1, 5000):
            client.mset({f"user:{number}": "x" for number in range(first, min(first + 5000, keep + 1))})


def ours(endpoint: Endpoint, source: Endpoint, state: str, due: int) -> Measured:
    """The module's task in a process of its own; the start of Python is not counted, connecting and counting is."""
    before = used_by(endpoint)
    with pinged(endpoint) as end:
        result = json.loads(start(endpoint, entry(source, QUERY, "user:{id}")).communicate()[0])
        stall = end()
    redis = used_by(endpoint) - before
    states = [action["state"] for action in result["actions"]]
    with connect(endpoint) as client:
        if states != [state] * bool(due) or client.dbsize() != ROWS:
            raise SystemExit(f"the task failed: {result}")
    told = result["metrics"]["redis_longest_stall_milliseconds"]
    return Measured(result["seconds"], result["cpu"], redis, stall, result["peak"], told)


def ours_on(keep: int) -> Callable[[Endpoint, Endpoint], Measured]:
    """The task where so many keys are there."""

    def way(endpoint: Endpoint, source: Endpoint) -> Measured:
        emptied(endpoint, keep)
        return ours(endpoint, source, "done", ROWS - keep)

    return way


WAYS: dict[str, Callable[[Endpoint, Endpoint], Measured]] = {
    "SET one by one": guides,
    "ours": ours_on(0),
    "ours, half is there": ours_on(ROWS // 2),
    "ours, all is there": ours_on(ROWS),
}


def main() -> int:
    """Print the table and return the exit code."""
    rounds: dict[str, list[Measured]] = {name: [] for name in WAYS}
    with (
        tempfile.TemporaryDirectory(prefix="upkeep-bench-") as folder,
        own_server(Path(folder)) as (endpoint, _process),
        server("postgresql18") as source,
    ):
        fill(source)
        for _round in range(ROUNDS):
            for name, way in WAYS.items():
                rounds[name].append(way(endpoint, source))
    return told(rounds)


def told(rounds: dict[str, list[Measured]]) -> int:
    """Print what was measured and held."""
    print(f"{ROWS} rows, {ROUNDS} rounds")
    print(
        f"{'way':22} {'seconds':>8} {'rows/s':>8} {'cpu s':>7} {'redis s':>8} {'ping ms':>8} {'told ms':>8} {'MiB':>6}"
    )
    of: dict[str, Any] = {}
    for name, found in rounds.items():
        of[name] = Measured(*(median(values) for values in zip(*found, strict=True)))
        line = f"{name:22} {of[name].seconds:8.2f} {ROWS / of[name].seconds:8.0f} {of[name].cpu:7.2f}"
        print(f"{line} {of[name].redis:8.2f} {of[name].stall:8.1f} {of[name].told:8.1f} {of[name].peak / 2**20:6.0f}")
    gain = of["SET one by one"].seconds / of["ours"].seconds
    loop, task = of["SET one by one"], of["ours"]
    cpu = (task.cpu + task.redis) / (loop.cpu + loop.redis)
    stall = max(each.stall for name, each in of.items() if name.startswith("ours"))
    peak = max(each.peak for name, found in rounds.items() for each in found if name.startswith("ours"))
    held = {
        f"{gain:.1f} times the loop's rows per second (at least {LEAST_GAIN:g})": gain >= LEAST_GAIN,
        f"{cpu:.2f} of the loop's time of the processor (at most {MOST_CPU:g})": cpu <= MOST_CPU,
        f"worst ping {stall:.1f} ms (at most {MOST_STALL:.0f})": stall <= MOST_STALL,
        f"memory {peak / 2**20:.0f} MiB (at most {MOST_BYTES / 2**20:.0f})": peak <= MOST_BYTES,
    }
    for what, is_held in held.items():
        print(f"{'held' if is_held else 'MISSED'}: {what}")
    return int(not all(held.values()))


if __name__ == "__main__":
    sys.exit(main())
