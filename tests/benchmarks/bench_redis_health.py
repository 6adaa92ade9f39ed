# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What redis_health_info costs beside a task that does nothing, and beside its commands run bare.

Usage: python -m tests.benchmarks.bench_redis_health

Held: what ``task_cost`` says, and one connection. Bare is the driver alone.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest import mock

import redis

from tests.benchmarks.task_cost import Connections, Task, report, server
from tests.integration.redis_health import Health
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect

Batch = list[tuple[Any, ...]]
"""Commands that are sent in one go."""


def batches_of(run: Callable[[], object]) -> list[Batch]:
    """The commands that ``run`` sends, batch by batch."""
    sent: list[Batch] = []
    single, queued = redis.Redis.execute_command, redis.client.Pipeline.execute_command
    execute = redis.client.Pipeline.execute
    collected: Batch = []

    def recording(self: Any, *command: Any, **options: Any) -> Any:
        sent.append([command])
        return single(self, *command, **options)

    def collecting(self: Any, *command: Any, **options: Any) -> Any:
        collected.append(command)
        return queued(self, *command, **options)

    def executing(self: Any, *arguments: Any, **options: Any) -> Any:
        sent.append(list(collected))
        collected.clear()
        return execute(self, *arguments, **options)

    with (
        mock.patch.object(redis.Redis, "execute_command", recording),
        mock.patch.object(redis.client.Pipeline, "execute_command", collecting),
        mock.patch.object(redis.client.Pipeline, "execute", executing),
    ):
        run()
    return sent


def bare_seconds(endpoint: Endpoint, batches: list[Batch]) -> float:
    """Seconds for the same commands over one connection of the driver, with nothing of ours."""
    started = time.perf_counter()
    with connect(endpoint) as client:
        for batch in batches:
            if len(batch) == 1:
                client.execute_command(*batch[0])
                continue
            pipeline = client.pipeline(transaction=False)
            for command in batch:
                pipeline.execute_command(*command)
            pipeline.execute()
    return time.perf_counter() - started


def connections_of(endpoint: Endpoint, run: Callable[[], object]) -> int:
    """How many connections ``run`` makes, as the server counts them."""
    with connect(endpoint) as client:
        before = int(client.info("stats")["total_connections_received"])
        run()
        return int(client.info("stats")["total_connections_received"]) - before


def report_on_redis(module: str, endpoint: Endpoint, run: Callable[[], object]) -> int:
    """Measure a module that asks Redis, print the table, and return the exit code.

    :param run: runs the task in this process, to learn its commands and connections.
    """
    connections, batches = connections_of(endpoint, run), batches_of(run)
    work = f"connection, {sum(len(batch) for batch in batches)} commands in {len(batches)} batches"
    task = Task(module, endpoint.options(), "import redis", partial(bare_seconds, endpoint, batches), work)
    return report(task, Connections(connections))


def main() -> int:
    """Print the table and return the exit code."""
    with server("redis8") as endpoint:
        return report_on_redis("redis_health_info", endpoint, Health(endpoint).redis)


if __name__ == "__main__":
    sys.exit(main())
