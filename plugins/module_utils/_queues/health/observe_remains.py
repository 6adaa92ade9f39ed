# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks for what is left of jobs, within a budget: ids without a job, and jobs in no state. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from ..._core.clock import Clock
from ..._redis.client import RedisClient
from ..._redis.stall import Pace
from ..._redis.wire import name_of
from ..keys import SETS
from ..observations import Ghosts, Orphans, Place
from ..observe_ghosts import ghosts_of, lengths_of
from ..observe_orphans import find_orphans, in_no_state
from ..page import ask_page

__all__ = ["GHOST_BUDGET", "ORPHAN_AGE_SECONDS", "observe_ghosts", "observe_orphans"]

GHOST_BUDGET = 2000
"""Ids of a state that are looked at, from its beginning: a dozen pages for a queue with jobs in every state."""

CONFIRMED_AT_ONCE = 500
"""What was found is looked at a second time, so many jobs in one request."""

ORPHAN_AGE_SECONDS = 3600.0
"""Younger jobs may be about to be put into a state."""


def observe_ghosts(client: RedisClient, clock: Clock, place: Place) -> tuple[list[Ghosts], int]:
    """Return ids without a job by state, and how many ids were looked at.

    A job that ends in this moment, and is removed, looks like a ghost: so the ids are looked at a second time.

    :raises StoreError: the server refused, or is gone.
    """
    pace = Pace(clock, largest=GHOST_BUDGET)
    found, looked_at = [], 0
    for state, length in lengths_of(client, pace, place).items():
        if not length:
            continue
        looked_at += min(length, GHOST_BUDGET)
        ids = dict.fromkeys(ghosts_of(client, pace, place, state, 0, GHOST_BUDGET))
        confirmed = [id_ for part in _parts(list(ids)) for id_ in _still_without_job(client, pace, place, state, part)]
        if confirmed:
            found.append(Ghosts(state, confirmed))
    return found, looked_at


def _still_without_job(client: RedisClient, pace: Pace, place: Place, state: str, ids: Sequence[str]) -> list[str]:
    """Return those of the ids that still are in the state, and still have no job."""
    tried = f"look again at ids without a job among the {state} jobs of {place.name}"
    there = ask_page(client, pace, tried, [("EXISTS", place.key(id_)) for id_ in ids])
    if state in SETS:
        scores = ask_page(client, pace, tried, [("ZSCORE", place.key(state), id_) for id_ in ids])
        inside = {id_ for id_, score in zip(ids, scores, strict=True) if score is not None}
    else:
        # New jobs push the others back.
        (entries,) = ask_page(client, pace, tried, [("LRANGE", place.key(state), 0, 2 * GHOST_BUDGET)])
        inside = {name_of(entry) for entry in entries}
    return [id_ for id_, exists in zip(ids, there, strict=True) if not exists and id_ in inside]


def observe_orphans(
    client: RedisClient, clock: Clock, place: Place, queues: Collection[str], enough: Callable[[], bool]
) -> Orphans:
    """Return jobs that no state of their queue holds.

    :param queues: the names of all queues that are known.
    :param enough: whether the time for it is over.
    :raises StoreError: the server refused, or is gone.
    """
    pace = Pace(clock)
    before = (clock.now().timestamp() - ORPHAN_AGE_SECONDS) * 1000
    found = find_orphans(client, pace, place, queues, before, enough)
    if not found.ids:
        return found
    tried = f"look again at jobs of {place.name} in no state"
    again = [in_no_state(client, pace, place, part, before, tried) for part in _parts(found.ids)]
    unknown = next((part.unknown for part in again if part.unknown), "")
    return Orphans([id_ for part in again for id_ in part.ids], unknown, found.complete)


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[at : at + CONFIRMED_AT_ONCE] for at in range(0, len(ids), CONFIRMED_AT_ONCE))
