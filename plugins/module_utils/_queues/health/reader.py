# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads queues for all checks: each thing once, and only if a check wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from ..._core.connection import Connection
from ..._core.errors import DeadlineExceeded, StoreError
from ..._core.runner import Context
from ..._redis.client import RedisClient, connect
from ..._redis.nodes import primaries
from ..client import QueueReader
from ..observations import Place, Problem, Queue, display
from .decide_kept import Kept, details_of
from .elsewhere import Elsewhere
from .observation import Details, Looked, Remains, Served, Workers
from .observe_details import events_bytes, observe_details
from .observe_remains import observe_ghosts, observe_orphans
from .observe_workers import observe_workers, worker_name, workers_of

__all__ = ["HealthReader", "Wanted", "connect_queues"]

Found = TypeVar("Found")


class Wanted(NamedTuple):
    """What is asked for.

    :param prefix: of all keys.
    :param names: the queues; empty: those that there are.
    :param window: how far back to count finished jobs, in seconds.
    :param search_seconds: for how long to look for jobs in no state, in all queues together.
    :param elsewhere: where else queues may be kept; None: nowhere.
    """

    prefix: str
    names: Sequence[str]
    window: float
    search_seconds: float
    elsewhere: Elsewhere | None = None


class HealthReader(QueueReader):
    """Reads queues, those in PostgreSQL too if it is told where that is.

    :param nodes: the server, or every primary of a cluster.
    :param missing: why primaries are left out.
    """

    def __init__(
        self, nodes: Sequence[RedisClient], context: Context, wanted: Wanted, missing: Sequence[StoreError] = ()
    ) -> None:
        super().__init__(nodes, context, wanted.prefix, wanted.names, wanted.window, missing)
        self._elsewhere = wanted.elsewhere
        self._search_seconds = wanted.search_seconds
        self._details: list[Details] | None = None
        self._kept: dict[str, Kept] = {}

    def identify(self) -> dict[str, Any]:
        """Return what the envelope says: the server, and each queue's flavour and store."""
        told = super().identify()
        for place in self.places():
            told["queues"][display(place.queue.name)]["kept_in"] = place.queue.kept_in
        return told

    def details(self) -> Looked:
        """Look closer at every queue.

        :raises StoreError: a server is gone.
        """
        if self._details is None:
            looked = [self._look_closer(place) for place in self.places()]
            self._details = [details for details in looked if details is not None]
        return Looked(self._details, self.problems())

    def events(self) -> Looked:
        """Measure the event streams. Where the user may not, their length is judged all the same.

        :raises StoreError: a server is gone.
        """
        sizes = {place.queue.name: self._tried(place, events_bytes, tell=False) for place in self._in_redis()}
        details = [Details(place.queue, events_bytes=sizes.get(place.queue.name)) for place in self.places()]
        return Looked(details, self.problems())

    def ghosts(self) -> Remains:
        """Look for ids without a job, in the queues that are kept in Redis.

        :raises StoreError: a server is gone.
        """
        clock, remains = self._context.clock, Remains([], ghosts={}, looked_at={})
        for place in self._in_redis():
            found = self._tried(place, lambda client, here: observe_ghosts(client, clock, here))
            if found is not None:
                remains = remains.with_ghosts(place.queue, *found)
        return remains._replace(problems=self.problems())

    def orphans(self) -> Remains:
        """Look for jobs in no state, for as long as there is time.

        :raises StoreError: a server is gone.
        """
        clock, remains = self._context.clock, Remains()
        end = clock.monotonic() + self._context.deadline.limit(self._search_seconds)
        names = [place.queue.name for place in self.places()]

        def over() -> bool:
            return clock.monotonic() >= end

        for place in self._in_redis():
            found = self._tried(place, lambda client, here: observe_orphans(client, clock, here, names, over))
            if found is not None:
                remains = remains.with_orphans(place.queue, found)
        return remains._replace(problems=self.problems())

    def workers(self) -> Served:
        """See who works on the queues.

        :raises StoreError: a server refused, or is gone.
        """
        seen = observe_workers(self.nodes) if any(self._in_redis()) else None
        served: list[tuple[Queue, int | None]] = [
            (found.queue, self._kept[found.queue.name].workers)
            if found.queue.name in self._kept
            else (found.queue, _workers(seen, self._prefix, found.queue))
            for found in self.places()
        ]
        return Served(served, self.problems())

    def _in_redis(self) -> Iterator[Place]:
        return (place for place in self.places() if place.queue.name not in self._kept)

    def _look_closer(self, place: Place) -> Details | None:
        kept = self._kept.get(place.queue.name)
        if kept is not None and self._elsewhere is not None:
            return details_of(kept, self._elsewhere.schema)
        now = self._context.clock.now().timestamp()
        return self._tried(place, lambda client, here: observe_details(client, here, now))

    def _tried(self, place: Place, read: Callable[[RedisClient, Place], Found], tell: bool = True) -> Found | None:
        """Read something of one queue; what fails is told as a problem of that queue, and the others go on.

        :param tell: whether to tell.
        :raises StoreError: the server is gone.
        """
        client = self.nodes[place.node]
        try:
            return read(client, place)
        except StoreError as error:
            if client.lost:
                raise
            if tell:
                self._problems.append(Problem(place.queue.name, error))
            return None

    def _read(self) -> list[Place]:
        """Read the queues in Redis, and those in PostgreSQL that are not there, or that nobody named."""
        places = super()._read()
        if self._elsewhere is None:
            return places
        there = {place.queue.name for place in places}
        wanted = [name for name in self._names if name not in there]
        if self._names and not wanted:
            return places
        try:
            # Imported here, for most queues are in Redis: it takes longer than to read them.
            from .observe_postgresql import observe_kept

            kept = list(observe_kept(self._elsewhere, self._context, wanted, self._window))
        except (StoreError, DeadlineExceeded) as error:
            self._problems.append(Problem("", error))
            return places
        self._kept = {found.name: found for found in kept if found.name not in there}
        places += [Place(details_of(found, self._elsewhere.schema).queue, "") for found in self._kept.values()]
        self._problems = [
            problem if problem.error else problem._replace(looked_in=self._elsewhere.label)
            for problem in self._problems
            if problem.error or (problem.name not in self._kept and (problem.name or not places))
        ]
        return sorted(places, key=lambda place: place.queue.name)


def _workers(seen: Workers | None, prefix: str, queue: Queue) -> int | None:
    return None if seen is None else workers_of(seen, worker_name(prefix, queue.name), queue.flavour.is_bull)


@contextmanager
def connect_queues(connection: Connection, context: Context, wanted: Wanted) -> Iterator[HealthReader]:
    """Connect to the server that keeps the queues, and in a cluster to every primary.

    :raises StoreError: there is no connection, or one was lost while it was in use.
    """
    missing: list[StoreError] = []
    with (
        connect(connection, context.deadline) as redis,
        primaries(redis, connection, context.deadline, missing) as nodes,
    ):
        yield HealthReader(nodes, context, wanted, missing)
