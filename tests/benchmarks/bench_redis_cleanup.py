# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What redis_cleanup costs beside the ways of the guides, and what others feel of it.

Usage: python -m tests.benchmarks.bench_redis_cleanup

A million keys, of which a part is to go or to expire, while a client pings a thousand times a second. Removal is set
against ``KEYS`` and one ``DEL`` after another over one connection; expiry against ``redis-cli keys | xargs redis-cli
expireat``, which starts a process for each key and is measured on the first few hundred; sessions by the time in their
JSON have no rival and are held to the stall only. ``UPKEEP_BENCH_KEYS`` sets the number of keys,
``UPKEEP_BENCH_ROUNDS`` that of rounds; the medians count.

Held: removal takes at most ``MOST_RATIO`` of KEYS and DEL; expiry handles at least ``LEAST_GAIN`` times the keys per
second; no ping takes longer than ``MOST_STALL`` milliseconds; memory stays below ``MOST_BYTES``.
"""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.synchronize
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from tests.benchmarks.bench_redis_audit import server_seconds
from tests.integration.redis_cleanup import start
from tests.integration.redis_health import own_server
from tests.stack.endpoint import Endpoint
from tests.stack.places import server_user
from tests.stack.servers.redis import connect
from tests.stack.wheels import fetch

KEYS = int(os.environ.get("UPKEEP_BENCH_KEYS", "1000000"))
ROUNDS = int(os.environ.get("UPKEEP_BENCH_ROUNDS", "3"))
PART = KEYS * 6 // 10
"""Keys of the family that is removed: the strings of the performance study."""

ONE_BY_ONE = min(300, PART)
"""Keys that the guides' way is measured on."""

MOST_RATIO = 0.10
LEAST_GAIN = 300.0
MOST_STALL = 25.0
MOST_BYTES = 100 * 2**20

REMOVE = {"name": "strings", "pattern": "string:*", "action": "unlink"}
EXPIRE = {"name": "strings", "pattern": "string:*", "action": "expire", "ttl": "1d"}
SESSIONS = {
    "name": "sessions",
    "pattern": "sess:*",
    "when": ["field_age"],
    "field": "lastActivity",
    "older_than": "30d",
    "action": "unlink",
}


class Measured(NamedTuple):
    """What one way took.

    :param stall: milliseconds of the longest ping. :param told: the same as the task tells.
    :param client: processor time of the client. :param server: of the server.
    """

    keys: int
    seconds: float
    stall: float
    told: float = 0.0
    peak: int = 0
    client: float = 0.0
    server: float = 0.0


def fill(endpoint: Endpoint) -> None:
    """Strings, sessions (half of them old) and keys of other types."""
    old, young = (json.dumps({"lastActivity": (time.time() - days * 86400) * 1000}) for days in (40, 1))
    with connect(endpoint) as client:
        client.flushall()
        for first in range(0, KEYS, 5000):
            with client.pipeline(transaction=False) as pipeline:
                for number in range(first, min(first + 5000, KEYS)):
                    if number < PART:
                        pipeline.set(f"string:{number}", "x" * 40)
                    elif number % 4 < 2:
                        pipeline.set(f"sess:{number}", old if number % 4 else young)
                    elif number % 4 == 2:
                        pipeline.hset(f"hash:{number}", mapping={"a": "1", "b": "2"})
                    else:
                        pipeline.rpush(f"list:{number}", "1", "2", "3")
                pipeline.execute()


def _ping(port: int, stop: multiprocessing.synchronize.Event, results: Connection) -> None:
    """Ping a thousand times a second, with nothing of a driver in between; send the longest."""
    longest = 0.0
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not stop.is_set():
            begun = time.perf_counter()
            connection.sendall(b"PING\r\n")
            connection.recv(64)
            longest = max(longest, time.perf_counter() - begun)
            time.sleep(0.001)
    results.send(longest * 1000)


@contextmanager
def pinged(endpoint: Endpoint) -> Iterator[Callable[[], float]]:
    """Ping from a process of its own; the function ends that and returns the longest in milliseconds."""
    stop, (mine, theirs) = multiprocessing.Event(), multiprocessing.Pipe()
    process = multiprocessing.Process(target=_ping, args=(endpoint.port, stop, theirs))
    process.start()

    def end() -> float:
        stop.set()
        return float(mine.recv())

    try:
        yield end
    finally:
        stop.set()
        process.join()


def ours(endpoint: Endpoint, rule: dict[str, Any]) -> Measured:
    """The module's task in a process of its own; the start of Python is not counted, connecting and counting is."""
    with pinged(endpoint) as end:
        busy = server_seconds(endpoint)
        result = json.loads(start(endpoint, rule).communicate()[0])
        stall, busy = end(), server_seconds(endpoint) - busy
    (action,) = result["actions"]
    if action["state"] != "done":
        raise SystemExit(f"the task failed: {action}")
    told = result["metrics"]["redis_longest_stall_milliseconds"]
    return Measured(
        int(action["detail"].split()[0]), result["seconds"], stall, told, result["peak"], result["cpu"], busy
    )


def keys_and_del(endpoint: Endpoint) -> Measured:
    """KEYS, and one DEL after the other."""
    with pinged(endpoint) as end, connect(endpoint) as client:
        busy, before, started = server_seconds(endpoint), time.process_time(), time.perf_counter()
        names = list(client.keys("string:*"))  # type: ignore[arg-type]
        for name in names:
            client.delete(name)
        seconds, processor = time.perf_counter() - started, time.process_time() - before
        return Measured(len(names), seconds, end(), client=processor, server=server_seconds(endpoint) - busy)


def guides_expiry(endpoint: Endpoint) -> Measured:
    """What the guides have in their scripts, on the first few hundred keys."""
    cli = fetch("redis62", server_user()).with_name("redis-cli")
    redis_cli = f"{cli} -h {endpoint.host} -p {endpoint.port}"
    until = int(time.time()) + 86400
    command = f"{redis_cli} keys 'string:*' | head -n {ONE_BY_ONE} | xargs -I K {redis_cli} expireat K {until}"
    with pinged(endpoint) as end:
        started = time.perf_counter()
        done = subprocess.run(["sh", "-c", command], check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - started
        stall = end()
    if done.stdout.split() != ["1"] * ONE_BY_ONE:
        raise SystemExit(f"redis-cli failed: {done.stdout[:200]} {done.stderr[:200]}")
    return Measured(ONE_BY_ONE, seconds, stall)


WAYS: dict[str, Callable[[Endpoint], Measured]] = {
    "KEYS and DEL": keys_and_del,
    "ours, removal": lambda endpoint: ours(endpoint, REMOVE),
    "redis-cli keys | xargs": guides_expiry,
    "ours, expiry": lambda endpoint: ours(endpoint, EXPIRE),
    "ours, sessions": lambda endpoint: ours(endpoint, SESSIONS),
}


def main() -> int:
    """Print the table and return the exit code."""
    rounds: dict[str, list[Measured]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory(prefix="upkeep-bench-") as folder, own_server(Path(folder)) as (endpoint, _pid):
        for _round in range(ROUNDS):
            for name, way in WAYS.items():
                fill(endpoint)
                rounds[name].append(way(endpoint))
    seconds = {name: median(each.seconds for each in found) for name, found in rounds.items()}
    rates = {name: median(each.keys / each.seconds for each in found) for name, found in rounds.items()}
    stalls = {name: median(each.stall for each in found) for name, found in rounds.items()}
    print(f"{KEYS} keys, {ROUNDS} rounds")
    head = f"{'way':24} {'keys':>8} {'seconds':>9} {'keys/s':>10} {'worst ping ms':>14} {'client s':>9} {'server s':>9}"
    print(f"{head} {'told ms':>9} {'MiB':>6}")
    for name, found in rounds.items():
        told, peak = median(each.told for each in found), max(each.peak for each in found) / 2**20
        line = f"{name:24} {found[0].keys:8} {seconds[name]:9.2f} {rates[name]:10.0f} {stalls[name]:14.1f}"
        client, used = median(each.client for each in found), median(each.server for each in found)
        line += f" {client:9.2f} {used:9.2f}" if client else ""
        print(f"{line} {told:9.1f} {peak:6.0f}" if told else line)
    ratio = seconds["ours, removal"] / seconds["KEYS and DEL"]
    gain = rates["ours, expiry"] / rates["redis-cli keys | xargs"]
    stall = max(stalls[name] for name in WAYS if name.startswith("ours"))
    peak = max(each.peak for found in rounds.values() for each in found)
    held = {
        f"removal {ratio:.3f} of KEYS and DEL (at most {MOST_RATIO})": ratio <= MOST_RATIO,
        f"expiry {gain:.0f} times redis-cli (at least {LEAST_GAIN:.0f})": gain >= LEAST_GAIN,
        f"worst ping {stall:.1f} ms (at most {MOST_STALL:.0f})": stall <= MOST_STALL,
        f"memory {peak / 2**20:.0f} MiB (at most {MOST_BYTES / 2**20:.0f})": peak <= MOST_BYTES,
    }
    for what, is_held in held.items():
        print(f"{'held' if is_held else 'MISSED'}: {what}")
    return int(not all(held.values()))


if __name__ == "__main__":
    sys.exit(main())
