# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Workers of npm's libraries, beside which a test looks at a queue."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.stack.application.queues.plan import as_input
from tests.stack.application.queues.run import POSTGRESQL_LIBRARY, as_postgresql, npm_command
from tests.stack.endpoint import Endpoint
from tests.stack.errors import StackError

__all__ = ["postgresql_worker", "worker"]


@contextmanager
def worker(
    server: Endpoint, library: str, version: str, queue: str, milliseconds: int = 0, *, metrics: bool = False
) -> Iterator[None]:
    """A worker that is connected to a queue in Redis while the block runs.

    Args:
        milliseconds: what a job takes; below zero: it never ends.
        metrics: whether the library counts what ended (BullMQ).
    """
    settings = {**as_input(server, []), "queue": queue, "milliseconds": milliseconds, "metrics": metrics}
    with _started(npm_command("worker.js", library, version), settings):
        yield


@contextmanager
def postgresql_worker(server: Endpoint, queue: str, milliseconds: int = 0) -> Iterator[None]:
    """As :func:`worker`, of a queue that is kept in PostgreSQL."""
    settings = {"postgresql": as_postgresql(server), "queue": queue, "milliseconds": milliseconds}
    with _started(npm_command("worker.js", *POSTGRESQL_LIBRARY), settings):
        yield


@contextmanager
def _started(argv: list[str], settings: dict[str, Any]) -> Iterator[None]:
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if process.stdin is None or process.stdout is None:
        raise StackError("a worker has no pipes")
    try:
        process.stdin.write(json.dumps(settings) + "\n")
        process.stdin.flush()
        if process.stdout.readline() != "ready\n":
            raise StackError("a worker did not start; see its errors above")
        yield
    finally:
        process.kill()
        process.communicate()
