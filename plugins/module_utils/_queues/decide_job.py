# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides whether a finished job may be removed. Pure.

The script ``clean`` decides the same inside the server; a test holds them to each other.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["GHOST", "REMOVED", "Job", "Tally", "fate_of", "told"]

REMOVED, GHOST, LOCKED, SCHEDULED, AWAITED = "removed", "ghosts", "locked", "scheduled", "awaited"
FOREIGN = "foreign"


class Job(NamedTuple):
    """What decides over a finished job.

    :param there: whether it has a hash; without one it is a ghost.
    :param locked: whether somebody holds its lock: somebody is about to do something with it.
    :param scheduled: whether its scheduler names it as the one that comes next.
    :param awaited: whether its parent is there and waits for it. If it were removed, the parent would wait for ever.
    :param foreign: whether its key is of another type than a job's.
    """

    there: bool
    locked: bool = False
    scheduled: bool = False
    awaited: bool = False
    foreign: bool = False


class Tally(NamedTuple):
    """How many jobs met which fate; the names are those of :func:`fate_of`."""

    removed: int = 0
    ghosts: int = 0
    locked: int = 0
    scheduled: int = 0
    awaited: int = 0
    foreign: int = 0

    def plus(self, other: Tally) -> Tally:
        """Return the sum."""
        return Tally(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def left(self, ghosts_go: bool) -> int:
        """How many ids left the set."""
        return self.removed + (self.ghosts if ghosts_go else 0)

    @property
    def seen(self) -> int:
        """All that were looked at."""
        return sum(self)


def fate_of(job: Job) -> str:
    """Return what becomes of a job: ``removed``, or why it stays."""
    if job.foreign:
        return FOREIGN
    if not job.there:
        return GHOST
    if job.locked:
        return LOCKED
    if job.scheduled:
        return SCHEDULED
    return AWAITED if job.awaited else REMOVED


def told(tally: Tally, ghosts_go: bool) -> str:
    """Say in words what became of the jobs.

    :param ghosts_go: whether ids without a job were removed too.
    """
    parts = [f"{tally.removed} removed"] if tally.removed else []
    for count, why in (
        (tally.awaited, "kept, for their parent waits for them"),
        (tally.scheduled, "kept, for their scheduler needs them"),
        (tally.locked, "kept, for somebody has locked them"),
        (tally.foreign, "kept, for their keys are no jobs"),
        (tally.ghosts, "without a job " + ("removed too" if ghosts_go else "left")),
    ):
        if count:
            parts.append(f"{count} {why}")
    return ", ".join(parts) or "nothing to remove any more"
