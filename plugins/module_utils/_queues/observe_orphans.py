# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds jobs that are in no state of their queue, without changing anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .._redis.client import RedisClient
from .._redis.scan import escaped, pages
from .._redis.stall import Pace
from .._redis.wire import name_of, packed, raw
from .decide_job import REMOVED, fate_of
from .decide_orphan import JOB_FIELDS, id_of, is_orphan
from .keys import MOST_IN_LIST, SETS
from .observations import Orphans, Place
from .observe_jobs import look_at
from .page import ask_page

__all__ = ["find_orphans", "in_no_state"]

MOST_ORPHANS = 100_000
"""So many are held at once; the next run finds the others."""

LISTS = ("active", "wait", "paused")


def find_orphans(
    client: RedisClient,
    pace: Pace,
    place: Place,
    queues: Iterable[str],
    before: float,
    enough: Callable[[], bool] = lambda: False,
) -> Orphans:
    """Look at every key of the database for jobs of a queue that none of its states holds.

    :param queues: the names of all queues that are known.
    :param before: milliseconds since 1970; younger ones are left, for they may be about to be put into a state.
    :param enough: whether to end the search, asked after each page.
    :raises StoreError: the server refused, or is gone.
    """
    tried = f"look for jobs of {place.name} in no state"
    lengths = ask_page(client, pace, tried, [("LLEN", place.key(state)) for state in LISTS])
    too_long = [state for state, length in zip(LISTS, lengths, strict=True) if length > MOST_IN_LIST]
    if too_long:
        return Orphans(unknown=f"{too_long[0]} is too long to be looked through without a stall")
    prefix, known = place.base[: -len(place.queue.name) - 1], frozenset(queues)
    orphans: list[str] = []
    for page in pages(client, pace, escaped(raw(place.base)) + b"*", empty=True):
        names = (name_of(key)[len(prefix) :] for key in page)
        ids = [id_ for id_ in (id_of(name, place.queue.name, known) for name in names) if id_ is not None]
        found = in_no_state(client, pace, place, ids, before, tried)
        if found.unknown:
            return found
        orphans += found.ids
        if len(orphans) >= MOST_ORPHANS or enough():
            return Orphans(list(dict.fromkeys(orphans)), complete=False)
    return Orphans(list(dict.fromkeys(orphans)))


def in_no_state(
    client: RedisClient, pace: Pace, place: Place, ids: Sequence[str], before: float, tried: str
) -> Orphans:
    """Return those of a page of possible jobs that are orphans.

    A job that goes from one state to the next in this moment may be missed in both: whoever removes nothing looks
    again, and what removes jobs looks into all states in one step.

    :raises StoreError: the server refused, or is gone.
    """
    if not ids:
        return Orphans()
    scores = ask_page(client, pace, tried, [("ZSCORE", place.key(state), id_) for id_ in ids for state in SETS])
    width = len(SETS)
    rest = [id_ for at, id_ in enumerate(ids) if not any(scores[at * width : (at + 1) * width])]
    commands = [("HMGET", place.key(id_), *JOB_FIELDS) for id_ in rest]
    with pace.page():
        answers = client.exchange(tried, packed(commands), len(commands))
    found: list[str] = []
    for id_, fields in zip(rest, answers, strict=True):
        if isinstance(fields, Exception):
            if ":" in id_:
                continue
            # Another type than a hash: a state of its own, as the groups of BullMQ Pro, which may hold jobs.
            return Orphans(unknown=f"the key {place.name}:{id_} is none that the libraries write")
        if is_orphan([None if value is None else name_of(value) for value in fields], before):
            found.append(id_)
    if not found:
        return Orphans()
    listed: set[str] = set()
    for state in LISTS:
        (entries,) = ask_page(client, pace, tried, [("LRANGE", place.key(state), 0, MOST_IN_LIST)])
        listed |= {name_of(entry) for entry in entries}
    rest = [id_ for id_ in found if id_ not in listed]
    return Orphans([one.id for one in look_at(client, pace, place, rest, tried) if fate_of(one.job) == REMOVED])
