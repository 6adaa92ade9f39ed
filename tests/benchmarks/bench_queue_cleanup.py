# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cleaning completed jobs beside the clean-up that BullMQ has itself: time, how long others wait, and memory.

Usage: python -m tests.benchmarks.bench_queue_cleanup [--jobs N] [--rounds N]

Held: at least as fast as BullMQ's own, with a worst stall of at most a quarter of its, and under 100 MB. Medians of
interleaved rounds; each clean-up has a process of its own, and a third one pings the server all the while. BullMQ's
time is that of its clean() alone, on a connection that stands; ours holds the whole task from before it connects. The
start of either interpreter and the loading of libraries are in neither.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from statistics import median
from typing import Any, NamedTuple

from tests.benchmarks.task_cost import server
from tests.stack.application.queues.run import ask_npm
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect

LIBRARY, VERSION = "bullmq", "6.7.0"
MOST_TIME_RATIO = 1.0
MOST_STALL_RATIO = 0.25
MOST_MEGABYTES = 100.0
"""Source of the three: issue 5."""
QUEUE = "bench"
PAGE = 10_000
ENDED = 1_700_000_000_000

OURS = """
import json, resource, sys, time
import tests.benchmarks
from tests.integration.queue_cleanup import clean
from tests.stack.endpoint import Endpoint
import redis
endpoint = Endpoint(**json.load(sys.stdin))
started = time.perf_counter()
result = clean(endpoint, queues=["bench"], completed_older_than="1d")
seconds = time.perf_counter() - started
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
print(json.dumps({"seconds": seconds, "memory": memory, "detail": result["actions"][0]["detail"]}))
"""

PING = """
import json, select, sys, time
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect
with connect(Endpoint(**json.loads(sys.stdin.readline()))) as client:
    client.ping()
    print("ready", flush=True)
    worst = 0.0
    while not select.select([sys.stdin], [], [], 0.001)[0]:
        started = time.perf_counter()
        client.ping()
        worst = max(worst, time.perf_counter() - started)
print(worst * 1000)
"""


class Run(NamedTuple):
    """One clean-up.

    :param seconds: how long it took.
    :param stall: the longest that a ping waited, in milliseconds.
    :param longest: the longest command by the server's own slow log, in milliseconds.
    :param memory: the most that the process took, in MB; 0: not measured.
    """

    seconds: float
    stall: float = 0.0
    longest: float = 0.0
    memory: float = 0.0


def main() -> int:
    """Print the table and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    ways: dict[str, Callable[[Endpoint, int], Run]] = {"ours": ours, LIBRARY: theirs}
    runs: dict[str, list[Run]] = {way: [] for way in ways}
    with server("redis8") as endpoint:
        for _round in range(chosen.rounds):
            for way, work in ways.items():
                fill(endpoint, chosen.jobs)
                runs[way].append(watched(endpoint, work, chosen.jobs))
    return report(runs, chosen.jobs)


def fill(endpoint: Endpoint, jobs: int) -> None:
    """Make a queue of completed jobs as BullMQ 5 and 6 write them."""
    base = f"bull:{QUEUE}"
    with connect(endpoint) as client:
        client.flushall()
        client.config_set("maxmemory", 0)
        client.hset(f"{base}:meta", mapping={"opts.maxLenEvents": 10_000, "version": f"{LIBRARY}:{VERSION}"})
        client.set(f"{base}:id", jobs)
        for first in range(0, jobs, PAGE):
            pipeline = client.pipeline(transaction=False)
            ids = range(first, min(first + PAGE, jobs))
            for number in ids:
                pipeline.hset(f"{base}:{number}", mapping=job(number))
            pipeline.zadd(f"{base}:completed", {str(number): ENDED + number for number in ids})
            pipeline.execute()
        client.config_set("slowlog-log-slower-than", 500)
        client.slowlog_reset()


def job(number: int) -> dict[str, Any]:
    """The hash of a completed job."""
    return {
        "name": "call",
        "data": json.dumps({"phone": f"+62{number:010}", "retryCount": 0, "text": "x" * 80}),
        "opts": '{"attempts":3,"backoff":{"type":"exponential","delay":1000}}',
        "timestamp": ENDED + number - 500,
        "delay": 0,
        "priority": 0,
        "processedOn": ENDED + number - 100,
        "finishedOn": ENDED + number,
        "atm": 1,
        "ats": 1,
        "returnvalue": '"done"',
    }


@contextlib.contextmanager
def pinging(endpoint: Endpoint) -> Iterator[list[float]]:
    """Ping the server from a process of its own; the longest wait in milliseconds is there at the end."""
    worst: list[float] = []
    command = [sys.executable, "-c", PING]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the pinging process has no pipes")
        process.stdin.write(json.dumps(asdict(endpoint)) + "\n")
        process.stdin.flush()
        process.stdout.readline()
        yield worst
        worst.append(float(process.communicate()[0]))


def watched(endpoint: Endpoint, work: Callable[[Endpoint, int], Run], jobs: int) -> Run:
    """Clean up while somebody pings."""
    with pinging(endpoint) as worst:
        run = work(endpoint, jobs)
    with connect(endpoint) as client:
        left = client.zcard(f"bull:{QUEUE}:completed")
        longest = max((entry["duration"] for entry in client.slowlog_get(128)), default=0) / 1000
    if left:
        raise SystemExit(f"{left} jobs of {jobs} were left")
    return run._replace(stall=worst[0], longest=longest)


def ours(endpoint: Endpoint, _jobs: int) -> Run:
    """Run the task in a process of its own."""
    settings = json.dumps(asdict(endpoint))
    done = subprocess.run([sys.executable, "-c", OURS], input=settings, stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(done.stdout)
    print(f"  ours: {told['detail']}")
    return Run(told["seconds"], memory=told["memory"])


def theirs(endpoint: Endpoint, jobs: int) -> Run:
    """Let the library clean."""
    question = {"ask": "clean", "queue": QUEUE, "grace": 86_400_000, "state": "completed", "limit": jobs}
    (told,) = ask_npm(endpoint, LIBRARY, VERSION, question)
    return Run(told["milliseconds"] / 1000)


def print_medians(runs: dict[str, list[Run]], jobs: int) -> None:
    """Print a row for each way."""
    for way, taken in runs.items():
        seconds = median(run.seconds for run in taken)
        print(
            f"{way:8} {seconds:6.2f} s  {jobs / seconds:8.0f} jobs/s  "
            f"worst ping {median(run.stall for run in taken):6.1f} ms  "
            f"longest command {median(run.longest for run in taken):6.1f} ms  "
            f"memory {max(run.memory for run in taken):5.0f} MB"
        )


def report(runs: dict[str, list[Run]], jobs: int) -> int:
    """Print medians and ratios; 1 if one is missed."""
    print_medians(runs, jobs)
    pairs = list(zip(runs["ours"], runs[LIBRARY], strict=True))
    held = {
        "time": (median(mine.seconds / other.seconds for mine, other in pairs), MOST_TIME_RATIO),
        "worst ping": (median(mine.stall / other.stall for mine, other in pairs), MOST_STALL_RATIO),
        "memory in MB": (max(run.memory for run in runs["ours"]), MOST_MEGABYTES),
    }
    for what, (value, most) in held.items():
        print(f"{what}: {value:.2f} (at most {most:g})")
    return int(any(value > most for value, most in held.values()))


if __name__ == "__main__":
    sys.exit(main())
