# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fill queues with PyPI's bullmq. Runs in an environment of its own; its settings come from standard input."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from bullmq import Queue, Worker  # type: ignore[import-not-found]

TOKEN = "upkeep-sample"
LOCK_MILLISECONDS = 30_000
GONE_MILLISECONDS = 1  # a lock that has run out before anybody can look: what a dead worker leaves
_real_time = time.time


def set_clock(age: float) -> None:
    """Let the library believe that it is so many seconds earlier. Redis itself keeps the true time."""
    time.time = lambda: _real_time() - age


async def fill(queue: Queue, name: str, plan: dict[str, Any], options: dict[str, Any]) -> dict[str, int]:
    """Make every job of a plan and bring it into its state; returns the library's own counts."""
    worker = Worker(name, None, {**options, "autorun": False, "lockDuration": LOCK_MILLISECONDS})
    dying = Worker(name, None, {**options, "autorun": False, "lockDuration": GONE_MILLISECONDS})
    for job in plan["completed"]:
        set_clock(job["age"])
        await queue.add(job["job"], job["data"])
        taken = await next_job(worker)
        await taken.moveToCompleted({"ok": True}, TOKEN)
    for job in plan["failed"]:
        set_clock(job["age"])
        await queue.add(job["job"], job["data"], {"attempts": job["attempts"]})
        for _number in range(job["attempts"]):
            taken = await next_job(worker)
            await taken.moveToFailed(RuntimeError(job["reason"]), TOKEN)
    for job in plan["stalled"]:
        set_clock(job["age"])
        await queue.add(job["job"], job["data"])
        await next_job(dying)
    for kind in ("delayed", "prioritized", "waiting"):
        for job in plan[kind]:
            set_clock(0 if kind == "delayed" else job["age"])
            more = {"delay": job["delay"] * 1000} if kind == "delayed" else {}
            more |= {"priority": job["priority"]} if kind == "prioritized" else {}
            await queue.add(job["job"], job["data"], more)
    set_clock(0)
    if plan["paused"]:
        await queue.pause()
    counts = await queue.getJobCounts("wait", "paused", "active", "completed", "failed", "delayed", "prioritized")
    for worker_or_queue in (worker, dying, queue):
        await worker_or_queue.close()
    return {key: int(value) for key, value in counts.items()}


async def next_job(worker: Worker) -> Any:
    """The job that was just added."""
    worker.drained = False  # it would wait for a new one to be announced
    job = await worker.getNextJob(TOKEN)
    if job is None:
        raise RuntimeError(f"queue {worker.name} gave no job although one was added")
    return job


async def main() -> None:
    """Fill all queues and print their counts as JSON."""
    settings = json.load(sys.stdin)
    options = {"connection": settings["connection"], "prefix": settings["prefix"]}
    counts = {}
    for plan in settings["queues"]:
        counts[plan["name"]] = await fill(Queue(plan["name"], options), plan["name"], plan, options)
    json.dump(counts, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
