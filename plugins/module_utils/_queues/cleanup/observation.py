# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was read of queues that are to be cleaned. Pure data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from ..observations import Ghosts, Place, Problem, Queue
from .decide_failed import Verdict

__all__ = ["Failed", "QueueWork", "Seen"]


class Failed(NamedTuple):
    """The failed jobs of a queue.

    :param counts: how many there are, by what is to become of them.
    :param until: when the last of them failed, in milliseconds since 1970; those that fail later are another run's.
    """

    counts: Mapping[Verdict, int]
    until: float


class QueueWork(NamedTuple):
    """One queue with what there is to do in it.

    :param old: finished jobs by state that may be removed: about so many, for some of them may have to stay.
    :param kept: old finished jobs by state that have to stay, so far as they are older than those.
    :param ghosts: ids without job.
    :param unread: states too long to be looked through for ghosts and orphans, with their length.
    :param orphans: ids of jobs that are in no state and old enough.
    :param orphans_unknown: why orphans could not be told from others; empty: they could, or were not asked for.
    :param surplus_events: entries that the event stream has above its limit.
    :param failed: its failed jobs, if there are rules for them.
    :param letters: the queue that takes its dead letters, if that is there already.
    """

    place: Place
    old: Mapping[str, int]
    kept: Mapping[str, int] = {}
    ghosts: Sequence[Ghosts] = ()
    unread: Mapping[str, int] = {}
    orphans: Sequence[str] = ()
    orphans_unknown: str = ""
    surplus_events: int = 0
    failed: Failed | None = None
    letters: Queue | None = None


class Seen(NamedTuple):
    """All that was read.

    :param now: the moment of reading, by this machine's clock.
    :param scripts: whether the server takes scripts from us.
    :param cluster: whether the queues lie in a cluster.
    :param longest: seconds that the longest of our requests kept a server busy.
    """

    now: datetime
    scripts: bool
    works: Sequence[QueueWork]
    problems: Sequence[Problem]
    cluster: bool = False
    longest: float = 0.0
