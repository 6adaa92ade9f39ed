# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a health task on Redis costs beside a task that does nothing, and beside its commands run bare."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import redis

from tests.benchmarks import bare_cost
from tests.integration.redis_health import parameters
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect
from tests.stack.stack import Stack

Batch = list[tuple[Any, ...]]
"""Commands that are sent in one go."""


@contextmanager
def server() -> Iterator[Endpoint]:
    """A Redis 8 of its own."""
    with tempfile.TemporaryDirectory(prefix="upkeep-bench-") as folder:
        Path(folder).chmod(0o755)
        with Stack(Path(folder) / "stack", ("redis8",), owned=True) as stack:
            yield stack.endpoints["redis8"]


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


def report(module: str, endpoint: Endpoint, run: Callable[[], object]) -> int:
    """Measure, print the table, and return the exit code.

    :param run: runs the task in this process, to learn its commands and connections.
    """
    connections, batches = connections_of(endpoint, run), batches_of(run)
    what = f"connection, {sum(len(batch) for batch in batches)} commands in {len(batches)} batches"
    held = bare_cost.report(module, parameters(endpoint), "import redis", lambda: bare_seconds(endpoint, batches), what)
    print(f"connections {connections} (exactly 1)")
    return int(not held or connections != 1)
