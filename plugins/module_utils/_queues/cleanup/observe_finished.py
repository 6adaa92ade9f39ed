# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts old finished jobs, without changing anything."""

from __future__ import annotations

from typing import NamedTuple

from ..._redis.client import RedisClient
from ..._redis.stall import Pace
from ..._redis.wire import name_of
from ..decide_job import GHOST, REMOVED, fate_of
from ..observations import Place
from ..observe_jobs import look_at
from ..page import ask_page

__all__ = ["Old", "count_old"]


class Old(NamedTuple):
    """The old finished jobs of one state.

    :param jobs: about how many may be removed.
    :param kept: how many, of the oldest ones, have to stay.
    :param reach: how many ids of the state, the oldest ones, cleaning looks at; none if there is nothing to remove.
    """

    jobs: int = 0
    reach: int = 0
    kept: int = 0


def count_old(
    client: RedisClient, pace: Pace, place: Place, state: str, before: int, keep_last: int, ghosts: bool
) -> Old:
    """Count the jobs of a state that may be removed.

    Jobs are looked at until there is one that may; those before it have to stay, and those behind it are only counted.

    :param before: milliseconds since 1970; jobs that ended by then are old.
    :param ghosts: whether ids without a job may be removed as well.
    :raises StoreError: the server refused, or is gone.
    """
    key, tried = place.key(state), f"count the {state} jobs of {place.name}"
    old, present = ask_page(client, pace, tried, [("ZCOUNT", key, "-inf", before), ("ZCARD", key)])
    total, rank = min(int(old), int(present) - keep_last), 0
    while rank < total:
        last = min(rank + pace.size, total) - 1
        (ids,) = ask_page(client, pace, tried, [("ZRANGE", key, rank, last)])
        if not ids:
            return Old()
        found = look_at(client, pace, place, [name_of(id_) for id_ in ids], tried)
        goes = [fate in (REMOVED, GHOST if ghosts else REMOVED) for fate in (fate_of(one.job) for one in found)]
        if any(goes):
            kept = rank + goes.index(True)
            return Old(total - kept, total, kept)
        rank += len(ids)
    return Old(kept=rank)
