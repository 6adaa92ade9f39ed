# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the deeper checks of queues read. Pure data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..observations import Finished, Ghosts, Orphans, Problem, Queue

__all__ = ["RATE_SECONDS", "Details", "Looked", "Remains", "Schedules", "Served", "Workers"]

RATE_SECONDS = 900.0
"""The time over which rates are told: long enough for a queue with a few jobs a minute, short enough to show a stop."""


class Schedules(NamedTuple):
    """The jobs of a queue that come again: schedulers, and repeatable jobs as they were called before.

    :param total: how many there are.
    :param since: when the one that is latest should have run, in seconds since 1970; None: all lie in the future.
    :param late: those whose time is over, the latest first, so many as were looked at.
    :param dead: those of them whose next job is gone, so that they never run again.
    """

    total: int = 0
    since: float | None = None
    late: Sequence[str] = ()
    dead: Sequence[str] = ()


class Details(NamedTuple):
    """One queue more closely.

    :param oldest: the moment, in seconds since 1970, from which the oldest job of a state is there: that it was added,
        begun or ended, as the state has it. A state without jobs is left out.
    :param recent: what ended within the last :data:`RATE_SECONDS`.
    :param events_bytes: memory of the event stream; None: unknown, or there is none.
    """

    queue: Queue
    oldest: Mapping[str, float] = {}
    recent: Finished = Finished()
    events_bytes: int | None = None
    schedules: Schedules = Schedules()


class Looked(NamedTuple):
    """What one check gets; ``problems`` are the queues that could not be read."""

    details: Sequence[Details] = ()
    problems: Sequence[Problem] = ()


class Workers(NamedTuple):
    """Who is connected.

    :param names: how many connections bear which name.
    :param fetching: how many of these waited for a job at last.
    :param unnamed: connections without name that wait for something to come: workers perhaps, of any queue.
    """

    names: Mapping[str, int] = {}
    fetching: Mapping[str, int] = {}
    unnamed: int = 0


class Served(NamedTuple):
    """Queues and how many workers each has; None: that cannot be known.

    :param queues: those that were read.
    :param problems: those that could not be.
    """

    queues: Sequence[tuple[Queue, int | None]] = ()
    problems: Sequence[Problem] = ()


class Remains(NamedTuple):
    """What is left of jobs.

    :param ghosts: ids without a job by queue.
    :param looked_at: how many ids were looked at, by queue.
    :param orphans: ids of jobs in no state by queue; left out where they were not looked for.
    :param unknown: why orphans of a queue cannot be told, by queue.
    :param complete: whether there was time to look at everything.
    """

    queues: Sequence[Queue] = ()
    problems: Sequence[Problem] = ()
    ghosts: Mapping[str, Sequence[Ghosts]] = {}
    looked_at: Mapping[str, int] = {}
    orphans: Mapping[str, Sequence[str]] = {}
    unknown: Mapping[str, str] = {}
    complete: bool = True

    def with_ghosts(self, queue: Queue, ghosts: Sequence[Ghosts], looked_at: int) -> Remains:
        """Return the same with the ghosts of one queue more."""
        return self._replace(
            queues=[*self.queues, queue],
            ghosts={**self.ghosts, queue.name: ghosts},
            looked_at={**self.looked_at, queue.name: looked_at},
        )

    def with_orphans(self, queue: Queue, found: Orphans) -> Remains:
        """Return the same with the orphans of one queue more."""
        return self._replace(
            queues=[*self.queues, queue],
            orphans=self.orphans if found.unknown else {**self.orphans, queue.name: found.ids},
            unknown={**self.unknown, queue.name: found.unknown} if found.unknown else self.unknown,
            complete=self.complete and found.complete,
        )
