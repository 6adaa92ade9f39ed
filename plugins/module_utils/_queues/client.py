# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connection to a server that keeps queues, with what was read of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .._core.connection import Connection
from .._core.errors import DeadlineExceeded, StoreError
from .._core.runner import Context
from .._redis.client import RedisClient, connect
from .._redis.observe_server import identify as identify_server
from .observations import Problem, Queue, Reading, display
from .observe_discovery import discover
from .observe_queue import observe_queue

__all__ = ["QueueReader", "connect_queues"]


class QueueReader:
    """Reads every queue once, however many checks want them.

    :param redis: the connection.
    :param context: the task's context.
    :param prefix: of all keys.
    :param names: the queues; empty: those that there are.
    :param window: how far back to count finished jobs, in seconds.
    """

    def __init__(self, redis: RedisClient, context: Context, prefix: str, names: Sequence[str], window: float) -> None:
        self.redis = redis
        self._context = context
        self._prefix = prefix
        self._names = names
        self._window = window
        self._queues: list[Queue] | None = None
        self._problems: list[Problem] = []

    def queues(self) -> list[Queue]:
        """The queues that could be read.

        :raises StoreError: the server is gone.
        """
        if self._queues is None:
            self._queues = self._read()
        return self._queues

    def take(self) -> Reading:
        """What a check judges; the first one also gets the queues that could not be read."""
        queues = self.queues()
        problems, self._problems = self._problems, []
        return Reading(queues, problems)

    def identify(self) -> dict[str, Any]:
        """Return what the envelope says: the server, and each queue's flavour."""
        server = identify_server(self.redis)
        queues = {
            display(queue.name): {
                "flavour": queue.flavour.name,
                "version": queue.flavour.version,
                "evidence": queue.flavour.evidence,
            }
            for queue in self.queues()
        }
        return {**server, "prefix": self._prefix, "queues": queues}

    def _read(self) -> list[Queue]:
        queues: list[Queue] = []
        try:
            names, named = self._find()
            for name in names:
                self._read_one(name, names, named, queues)
        except (StoreError, DeadlineExceeded) as error:
            if self.redis.lost:
                raise
            self._problems.append(Problem("", error))
            return queues
        if not names:
            self._problems.append(Problem(""))
        return queues

    def _find(self) -> tuple[Sequence[str], bool]:
        """Return the queues' names, and whether the user named them."""
        if self._names:
            return list(dict.fromkeys(self._names)), True
        names, incomplete = discover(self.redis, self._prefix, self._context.clock)
        if incomplete:
            self._problems.append(Problem("", incomplete))
        return names, False

    def _read_one(self, name: str, names: Sequence[str], named: bool, queues: list[Queue]) -> None:
        try:
            queue = observe_queue(self.redis, self._context, self._prefix, name, self._window)
        except StoreError as error:
            if self.redis.lost:
                raise
            self._problems.append(Problem(name, error))
            return
        if queue is None:
            if named:
                self._problems.append(Problem(name))
        elif named or not _looks_nested(queue, names):
            queues.append(queue)


def _looks_nested(queue: Queue, names: Sequence[str]) -> bool:
    """Whether a queue that was found is a key of another one, as ``q:de`` is by a deduplication of the id ``id``."""
    inside = any(queue.name.startswith(f"{name}:") for name in names)
    return inside and not any(queue.counts.values()) and queue.flavour.evidence.startswith("a job counter")


@contextmanager
def connect_queues(
    connection: Connection, context: Context, prefix: str, names: Sequence[str], window: float
) -> Iterator[QueueReader]:
    """Connect to the server that keeps the queues; see :func:`.._redis.client.connect`."""
    with connect(connection, context.deadline) as redis:
        yield QueueReader(redis, context, prefix, names, window)
