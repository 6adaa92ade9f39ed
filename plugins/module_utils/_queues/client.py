# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Queues on the connected servers, with what was read of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from .._core.errors import DeadlineExceeded, StoreError
from .._core.runner import Context
from .._redis.client import RedisClient
from .._redis.errors import MOVING, Redirected, Resharding
from .._redis.observe_server import identify as identify_server
from .observations import Place, Problem, Queue, Reading, display
from .observe_discovery import discover
from .observe_queue import observe_queue

__all__ = ["QueueReader"]


class QueueReader:
    """Reads every queue once, however many checks want them, on the node of a cluster that has it.

    :param nodes: the server, or every primary of a cluster.
    :param context: the task's context.
    :param prefix: of all keys.
    :param names: the queues; empty: those that there are.
    :param window: how far back to count finished jobs, in seconds.
    :param missing: why primaries are left out.
    """

    def __init__(
        self,
        nodes: Sequence[RedisClient],
        context: Context,
        prefix: str,
        names: Sequence[str],
        window: float,
        missing: Sequence[StoreError] = (),
    ) -> None:
        self.nodes = nodes
        self._context = context
        self._prefix = prefix
        self._names = names
        self._window = window
        self._missing = missing
        self._places: list[Place] | None = None
        self._problems: list[Problem] = []

    def places(self) -> list[Place]:
        """The queues that could be read, by name, each with the node that has it.

        :raises StoreError: a server is gone.
        """
        if self._places is None:
            self._places = self._read()
        return self._places

    def problems(self) -> list[Problem]:
        """The queues that could not be read; only the first who asks is told.

        :raises StoreError: as :meth:`places`.
        """
        self.places()
        problems, self._problems = self._problems, []
        return problems

    def take(self) -> Reading:
        """What a check judges; the first one also gets the queues that could not be read."""
        return Reading([place.queue for place in self.places()], self.problems())

    def policies(self) -> list[str]:
        """The eviction policy of every node, where it is known."""
        policies = [node.info().text("maxmemory_policy") for node in self.nodes]
        return [policy for policy in policies if policy]

    def identify(self) -> dict[str, Any]:
        """Return what the envelope says: the server, and each queue's flavour."""
        server = identify_server(self.nodes[0])
        queues = {
            display(place.queue.name): {
                "flavour": place.queue.flavour.name,
                "version": place.queue.flavour.version,
                "evidence": place.queue.flavour.evidence,
            }
            for place in self.places()
        }
        return {**server, "prefix": self._prefix, "queues": queues}

    def _read(self) -> list[Place]:
        """Read every node. A queue that is named is asked for at each; all but one say that it is elsewhere."""
        found: dict[str, Place] = {}
        problems = [Problem("", error) for error in self._missing]
        for number, node in enumerate(self.nodes):
            reading = _NodeReader(node, self._context, self._prefix, self._names, self._window)
            for queue in reading.read():
                found.setdefault(queue.name, Place(queue, f"{self._prefix}:{queue.name}:", number))
            problems += reading.problems
        self._problems = _still_open(problems, found.keys())
        return [found[name] for name in sorted(found)]


class _NodeReader:
    """Reads the queues of one server; the parameters are :class:`QueueReader`'s."""

    def __init__(self, redis: RedisClient, context: Context, prefix: str, names: Sequence[str], window: float) -> None:
        self._redis = redis
        self._context = context
        self._prefix = prefix
        self._names = names
        self._window = window
        self.problems: list[Problem] = []

    def read(self) -> list[Queue]:
        """Return the queues that could be read; ``problems`` are the others.

        :raises StoreError: the server is gone.
        """
        queues: list[Queue] = []
        try:
            names, named = self._find()
            for name in names:
                self._read_one(name, names, named, queues)
        except (StoreError, DeadlineExceeded) as error:
            if self._redis.lost:
                raise
            self.problems.append(Problem("", error))
            return queues
        if not names:
            self.problems.append(Problem(""))
        return queues

    def _find(self) -> tuple[Sequence[str], bool]:
        """Return the queues' names, and whether the user named them."""
        if self._names:
            return list(dict.fromkeys(self._names)), True
        names, incomplete = discover(self._redis, self._prefix, self._context.clock)
        if incomplete:
            self.problems.append(Problem("", incomplete))
        return names, False

    def _read_one(self, name: str, names: Sequence[str], named: bool, queues: list[Queue]) -> None:
        try:
            queue = observe_queue(self._redis, self._context, self._prefix, name, self._window)
        except StoreError as error:
            if self._redis.lost:
                raise
            if isinstance(error, Redirected) and not named:  # keys of it are here, for they were found
                error = Resharding(error.tried, "its slot is on its way from one node to another", MOVING)
            self.problems.append(Problem(name, error))
            return
        if queue is None:
            if named:
                self.problems.append(Problem(name))
        elif named or not _looks_nested(queue, names):
            queues.append(queue)


def _looks_nested(queue: Queue, names: Sequence[str]) -> bool:
    """Whether a queue that was found is a key of another one, as ``q:de`` is by a deduplication of the id ``id``."""
    inside = any(queue.name.startswith(f"{name}:") for name in names)
    return inside and not any(queue.counts.values()) and queue.flavour.evidence.startswith("a job counter")


def _still_open(problems: Sequence[Problem], found: Collection[str]) -> list[Problem]:
    """Return the problems of queues that no node has; of several for one queue, the one that says most."""
    chosen: dict[tuple[str, str], Problem] = {}
    for problem in sorted(problems, key=_says_little):
        if problem.name in found or (found and problem == Problem("")):
            continue
        what = "" if problem.name else str(problem.error)
        chosen.setdefault((problem.name, what), problem)
    return list(chosen.values())


def _says_little(problem: Problem) -> int:
    if isinstance(problem.error, Resharding):
        return 1
    return 2 if isinstance(problem.error, Redirected) else 0
