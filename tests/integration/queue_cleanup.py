# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs queue_cleanup in this process, which spares a second for each run, and looks into queues."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import redis

from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import run
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.task import QueueCleanup
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.wire import raw
from tests.integration.health import context
from tests.stack.endpoint import Endpoint

DEFAULTS: dict[str, Any] = {
    "queues": [],
    "prefix": "bull",
    "completed_older_than": None,
    "failed_older_than": None,
    "keep_last": 0,
    "retry": None,
    "dead_letter": None,
    "ghosts": True,
    "orphans": False,
    "orphans_older_than": "1d",
    "trim_events": True,
    "max_changes": None,
    "batch_size": 500,
}
RETRY: dict[str, Any] = {
    "reasons": ["ECONNREFUSED", "ETIMEDOUT", "ENOTFOUND", "ECONNRESET"],
    "max_attempts": 3,
    "names": [],
    "reset_attempts": False,
    "otherwise": None,
}


def clean(endpoint: Endpoint, *, check: bool = False, ahead: timedelta = timedelta(), **params: Any) -> dict[str, Any]:
    """Run the task and return the module's result; an error that ends the module is raised.

    :param check: whether in check mode.
    :param ahead: by how much the task's clock is ahead.
    :param params: the module's options over their defaults; those of ``retry`` likewise.
    """
    if params.get("retry") is not None:
        params["retry"] = {**RETRY, **params["retry"]}
    task_context = context({**endpoint.options(connect_timeout="5s"), **DEFAULTS, **params}, ahead=ahead)
    return run(QueueCleanup(task_context), task_context, check).as_dict()


def states(result: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Kind, subject and state of every action."""
    return {(action["kind"], action["subject"], action["state"]) for action in result["actions"]}


def may_run_scripts(client: redis.Redis, endpoint: Endpoint, scripts: bool) -> None:
    """Forbid scripts or allow them; the libraries themselves cannot do without."""
    rule = "+@scripting" if scripts else "-@scripting"
    client.execute_command("ACL", "SETUSER", endpoint.user or "default", rule)


def make(
    client: redis.Redis,
    queue: str,
    state: str,
    *jobs: str,
    ended: int = 1_700_000_000_000,
    prefix: str = "bull",
    **fields: str,
) -> None:
    """Make finished jobs of BullMQ 6, each a millisecond after the other. Names may hold bytes that are no text."""
    base = raw(f"{prefix}:{queue}:")
    client.hset(base + b"meta", mapping={"opts.maxLenEvents": 10_000, "version": "bullmq:6.7.0"})
    pipeline = client.pipeline(transaction=False)
    for number, job in enumerate(jobs):
        moment = str(ended + number)
        known = {"name": "task", "data": "{}", "opts": "{}", "timestamp": moment, "finishedOn": moment, "atm": "1"}
        pipeline.hset(base + raw(job), mapping={**known, **fields})
        pipeline.zadd(base + raw(state), {raw(job): ended + number})
    pipeline.execute()


def jobs_of(client: redis.Redis, queue: str, state: str) -> list[str]:
    """Ids of a sorted state, oldest first."""
    return [str(id_) for id_ in client.zrange(f"bull:{queue}:{state}", 0, -1)]


class Ticking:
    """A clock on which every look takes a second."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        self.at += 1.0
        return self.at
