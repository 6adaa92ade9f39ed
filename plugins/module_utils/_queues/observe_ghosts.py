# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds ids that have no job, without changing anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._redis.client import RedisClient
from .._redis.stall import Pace
from .._redis.wire import name_of
from .keys import LISTS, MOST_IN_LIST, SETS, is_marker
from .observations import Ghosts, Place
from .page import ask_page

__all__ = ["find_ghosts", "ghosts_of", "lengths_of"]

MOST_GHOSTS = 100_000
"""So many are held at once; the next run finds the others."""


def lengths_of(client: RedisClient, pace: Pace, place: Place) -> dict[str, int]:
    """Return how many entries each state has.

    :raises StoreError: the server refused, or is gone.
    """
    commands = [("ZCARD", place.key(state)) for state in SETS] + [("LLEN", place.key(state)) for state in LISTS]
    counts = ask_page(client, pace, f"count the jobs of {place.name}", commands)
    return dict(zip((*SETS, *LISTS), map(int, counts), strict=True))


def find_ghosts(
    client: RedisClient, pace: Pace, place: Place, first: Mapping[str, int]
) -> tuple[list[Ghosts], dict[str, int]]:
    """Return ids that have no job by state, and the states that are too long to look, with their length.

    :param first: rank to begin at, by state: cleaning looks at those before it, and removes ghosts among them.
    :raises StoreError: the server refused, or is gone.
    """
    ghosts, unread = [], {}
    for state, length in lengths_of(client, pace, place).items():
        if state in LISTS and length > MOST_IN_LIST:
            unread[state] = length
            continue
        ids = list(ghosts_of(client, pace, place, state, first.get(state, 0))) if length else []
        if ids:
            ghosts.append(Ghosts(state, list(dict.fromkeys(ids))))
    return ghosts, unread


def ghosts_of(
    client: RedisClient, pace: Pace, place: Place, state: str, rank: int, end: int | None = None
) -> Iterator[str]:
    """Yield the ghosts of one state. Keys are counted a page at a time; only where one lacks is each asked for.

    :param rank: where to begin.
    :param end: no page begins here or behind; None: there is no end.
    :raises StoreError: the server refused, or is gone.
    """
    tried = f"look for ids without a job among the {state} jobs of {place.name}"
    fetch = "LRANGE" if state in LISTS else "ZRANGE"
    found, ids = 0, _page(ask_page(client, pace, tried, [(fetch, place.key(state), rank, rank + pace.size - 1)])[0])
    while ids and found < MOST_GHOSTS and (end is None or rank < end):
        rank += len(ids)
        jobs = [id_ for id_ in ids if not is_marker(id_)]
        following = (fetch, place.key(state), rank, rank + pace.size - 1)
        present, page = ask_page(client, pace, tried, [("EXISTS", *map(place.key, jobs or [""])), following])
        if jobs and present < len(jobs):
            each = ask_page(client, pace, tried, [("EXISTS", place.key(id_)) for id_ in jobs])
            missing = [id_ for id_, there in zip(jobs, each, strict=True) if not there]
            found += len(missing)
            yield from missing
        ids = _page(page)


def _page(ids: Sequence[Any]) -> list[str]:
    return [name_of(id_) for id_ in ids]
