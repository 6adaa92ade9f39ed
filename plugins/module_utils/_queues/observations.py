# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was read of queues, and what is fixed about them. Pure data, so that decisions need nothing that does I/O.

Named tuples and no dataclasses: those are made by generated code, half a millisecond each at every start of a module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .._core.errors import UpkeepError

__all__ = [
    "STATES",
    "WAITING_STATES",
    "Active",
    "Evidence",
    "Finished",
    "Flavour",
    "Ghosts",
    "Keeping",
    "Orphans",
    "Place",
    "Problem",
    "Queue",
    "Reading",
    "Waiting",
    "display",
]

STATES = ("waiting", "paused", "prioritized", "active", "delayed", "waiting-children", "completed", "failed")
"""The states that the libraries' own ``getJobCounts`` knows, by its names."""

WAITING_STATES = ("waiting", "paused", "prioritized")
"""Those in which a job could run at once if a worker were free."""


class Evidence(NamedTuple):
    """By what the library that keeps a queue can be told.

    :param version: the field ``version`` of ``meta``; only some BullMQ versions write it.
    :param paused_field: whether ``meta`` holds ``paused``.
    :param paused_key: whether the key ``meta-paused`` exists, as Bull has it.
    :param has_id: whether the job counter exists.
    :param stream_limit: ``opts.maxLenEvents`` of ``meta``, which every BullMQ queue writes when it is made.
    :param events: length of the event stream; Bull has none.
    :param marker_set: whether the sorted set ``marker`` exists, as from BullMQ 5 on.
    :param marker_job: whether a marker ``0:...`` sits at the end of ``wait``, as in BullMQ 4.
    :param priority_set: whether Bull's sorted set ``priority`` exists.
    :param job_fields: names of fields that a sampled job has.
    :param jobs_in_paused: length of the list ``paused``.
    :param jobs_in_wait: length of the list ``wait``, markers not counted.
    """

    version: str | None = None
    paused_field: bool = False
    paused_key: bool = False
    has_id: bool = False
    stream_limit: int | None = None
    events: int = 0
    marker_set: bool = False
    marker_job: bool = False
    priority_set: bool = False
    job_fields: frozenset[str] = frozenset()
    jobs_in_paused: int = 0
    jobs_in_wait: int = 0


class Flavour(NamedTuple):
    """The library that keeps a queue.

    :param name: ``bull`` (3 and 4), ``bullmq4``, ``bullmq5``, ``bullmq6``, ``bullmq5+`` or ``bullmq`` where the traces
        fit several, ``unknown``.
    :param version: as the queue states it; None if it does not.
    :param evidence: what told it.
    """

    name: str
    version: str | None
    evidence: str

    @property
    def is_bull(self) -> bool:
        """Whether it is the older library."""
        return self.name == "bull"


class Keeping(NamedTuple):
    """What a job's options say about finished jobs: ``removeOnComplete`` or ``removeOnFail``.

    :param number: how many are kept; 0: none; None: no limit.
    :param age: for how many seconds; None: no limit.
    """

    number: int | None = None
    age: float | None = None


class Waiting(NamedTuple):
    """The jobs that are sampled to learn for how long jobs wait.

    :param next_job: the job that is next in line; None if nobody waits.
    :param since: the earliest moment, in seconds since 1970, from which one of the sampled jobs waits; None: unknown.
    """

    next_job: str | None = None
    since: float | None = None


class Active(NamedTuple):
    """The jobs in work, at most the sampled number of them.

    :param since: when the oldest began, in seconds since 1970; None if none did.
    :param stalled: jobs in work that nobody holds the lock of, so that their worker is gone.
    :param sampled: how many were looked at.
    :param watched: whether a worker looked for such jobs within the last ``stalledInterval`` and so will again: it
        brings them back.
    """

    since: float | None = None
    stalled: Sequence[str] = ()
    sampled: int = 0
    watched: bool = False


class Finished(NamedTuple):
    """What ended within the window.

    :param completed: completed jobs that the queue still keeps; likewise ``failed``.
    :param counted_completed: completed jobs that the library's own metrics counted; None where those are off.
    :param completed_kept: how many completed jobs are kept at all; likewise ``failed_kept``.
    :param completed_keeping: how a sampled job says that completed jobs are kept; None: no sample or not said.
    """

    completed: int = 0
    failed: int = 0
    counted_completed: int | None = None
    counted_failed: int | None = None
    completed_kept: int = 0
    failed_kept: int = 0
    completed_keeping: Keeping | None = None
    failed_keeping: Keeping | None = None


class Queue(NamedTuple):
    """One queue.

    :param counts: jobs by state, as :data:`STATES` names them.
    :param paused: whether it is paused as a whole.
    :param delayed_overdue: delayed jobs whose time is over and that no worker fetched.
    :param window: seconds that ``finished`` looks back.
    :param kept_in: ``redis``, or ``postgresql`` where BullMQ keeps it there.
    :param foreign: ids, of the jobs that were sampled, whose key holds no job but something of another type.
    :param letters: whether what waits in it are dead letters, which wait on purpose.
    """

    name: str
    flavour: Flavour
    counts: Mapping[str, int]
    paused: bool
    events: int
    events_limit: int
    delayed_overdue: int
    window: float
    waiting: Waiting = Waiting()
    active: Active = Active()
    finished: Finished = Finished()
    kept_in: str = "redis"
    foreign: Sequence[str] = ()
    letters: bool = False


class Problem(NamedTuple):
    """A queue that could not be looked at.

    :param name: its name, empty where it concerns the search for queues.
    :param error: why; None: there is no such queue.
    :param looked_in: where else than in Redis it was looked for; empty: nowhere.
    """

    name: str
    error: UpkeepError | None = None
    looked_in: str = ""


def display(name: str) -> str:
    """Return a queue's name as text that can be printed, whatever bytes it is made of."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class Reading(NamedTuple):
    """What one check gets.

    :param queues: those that could be read.
    :param problems: those that could not; handed to one check only, so that each is reported once.
    """

    queues: Sequence[Queue] = ()
    problems: Sequence[Problem] = ()


class Place(NamedTuple):
    """Where a queue is.

    :param queue: the queue itself.
    :param base: what its keys begin with, ``<prefix>:<queue>:``.
    :param node: which of the connected servers has it; 0 where there is only one.
    """

    queue: Queue
    base: str
    node: int = 0

    @property
    def name(self) -> str:
        """The queue's name, for people."""
        return display(self.queue.name)

    def key(self, suffix: str) -> str:
        """One of the queue's keys."""
        return self.base + suffix


class Ghosts(NamedTuple):
    """Ids in a state that have no job.

    :param state: the list or sorted set, by the suffix of its key.
    :param ids: those that were found.
    """

    state: str
    ids: Sequence[str]


class Orphans(NamedTuple):
    """Jobs in no state.

    :param ids: theirs.
    :param unknown: why none can be told for sure; empty: they can.
    :param complete: whether every key was looked at.
    """

    ids: Sequence[str] = ()
    unknown: str = ""
    complete: bool = True
