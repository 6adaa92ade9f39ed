# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failed jobs tried again and moved to dead letters: what others feel, beside BullMQ's own retryJobs.

Usage: python -m tests.benchmarks.bench_queue_retry [--jobs N] [--rounds N]

Held: the worst stall of either is at most as long as that of the library's own bulk retry, and under 25 ms, and the
memory under 100 MB. Time is told and not held: retryJobs looks at no job, keeps no priority and leaves parents alone.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from functools import partial
from statistics import median
from typing import Any

from tests.benchmarks.bench_queue_cleanup import ENDED, LIBRARY, PAGE, QUEUE, VERSION, Run, job, pinging, print_medians
from tests.benchmarks.task_cost import server
from tests.stack.application.queues.run import ask_npm
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect

MOST_STALL = 25.0
"""Milliseconds. Source: issue 5."""
MOST_MEGABYTES = 100.0

OURS = """
import json, resource, sys, time
import tests.benchmarks
from tests.integration.queue_cleanup import clean
from tests.stack.endpoint import Endpoint
import redis
endpoint, options = json.load(sys.stdin)
started = time.perf_counter()
result = clean(Endpoint(**endpoint), queues=["bench"], ghosts=False, **options)
seconds = time.perf_counter() - started
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
told = [result["actions"][0]["detail"], result["metrics"]["redis_longest_stall_milliseconds"]]
print(json.dumps({"seconds": seconds, "memory": memory, "told": told}))
"""

RETRY: dict[str, Any] = {"retry": {"reasons": ["."]}}
LETTERS: dict[str, Any] = {"retry": {"reasons": ["^$"]}, "dead_letter": "dead"}


def main() -> int:
    """Print the table and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    ways = {"retry": partial(ours, RETRY), "letters": partial(ours, LETTERS), LIBRARY: theirs}
    runs: dict[str, list[Run]] = {way: [] for way in ways}
    with server("redis8") as endpoint:
        for _round in range(chosen.rounds):
            for way, work in ways.items():
                fill(endpoint, chosen.jobs)
                with pinging(endpoint) as worst:
                    run = work(endpoint, chosen.jobs)
                with connect(endpoint) as client:
                    left = client.zcard(f"bull:{QUEUE}:failed")
                    longest = max((entry["duration"] for entry in client.slowlog_get(128)), default=0) / 1000
                if left:
                    raise SystemExit(f"{left} jobs of {chosen.jobs} were left")
                runs[way].append(run._replace(stall=worst[0], longest=longest))
    return report(runs, chosen.jobs)


def fill(endpoint: Endpoint, jobs: int) -> None:
    """Make a queue of failed jobs as BullMQ 5 and 6 write them; one in ten has a priority."""
    base = f"bull:{QUEUE}"
    failure = {
        "failedReason": "connect ECONNREFUSED 127.0.0.1:80",
        "stacktrace": json.dumps(["Error\n" + " at x" * 60]),
    }
    with connect(endpoint) as client:
        client.flushall()
        client.config_set("maxmemory", 0)
        client.hset(f"{base}:meta", mapping={"opts.maxLenEvents": 10_000, "version": f"{LIBRARY}:{VERSION}"})
        client.set(f"{base}:id", jobs)
        for first in range(0, jobs, PAGE):
            pipeline = client.pipeline(transaction=False)
            ids = range(first, min(first + PAGE, jobs))
            for number in ids:
                urgent = {"priority": number % 7} if number % 10 == 0 else {}
                pipeline.hset(f"{base}:{number}", mapping={**job(number), **failure, **urgent})
            pipeline.zadd(f"{base}:failed", {str(number): ENDED + number for number in ids})
            pipeline.execute()
        client.config_set("slowlog-log-slower-than", 500)
        client.slowlog_reset()


def ours(options: dict[str, Any], endpoint: Endpoint, _jobs: int) -> Run:
    """Run the task in a process of its own."""
    settings = json.dumps([asdict(endpoint), options])
    done = subprocess.run([sys.executable, "-c", OURS], input=settings, stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(done.stdout)
    print(f"  {told['told']}")
    return Run(told["seconds"], memory=told["memory"])


def theirs(endpoint: Endpoint, _jobs: int) -> Run:
    """Let the library try all of them again, at its default size of a batch."""
    (told,) = ask_npm(endpoint, LIBRARY, VERSION, {"ask": "retryJobs", "queue": QUEUE})
    return Run(told["milliseconds"] / 1000)


def report(runs: dict[str, list[Run]], jobs: int) -> int:
    """Print medians and ratios; 1 if one is missed."""
    print_medians(runs, jobs)
    missed = 0
    for way in ("retry", "letters"):
        stall = median(run.stall for run in runs[way])
        ratio = median(mine.stall / other.stall for mine, other in zip(runs[way], runs[LIBRARY], strict=True))
        memory = max(run.memory for run in runs[way])
        for what, value, most in (
            ("worst ping in ms", stall, MOST_STALL),
            ("worst ping, of theirs", ratio, 1.0),
            ("memory in MB", memory, MOST_MEGABYTES),
        ):
            print(f"{way}: {what}: {value:.2f} (at most {most:g})")
            missed += value > most
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
