# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes old finished jobs by transactions, where the server takes no scripts."""

from __future__ import annotations

from collections.abc import Sequence

from ..._redis.wire import name_of
from ..decide_job import GHOST, REMOVED, Tally, fate_of
from ..keys import job_suffixes
from ..observations import Place
from ..observe_jobs import Found, look_at
from ..page import ask_page
from .tools import Tools
from .transactions import transact

__all__ = ["LARGEST_TRANSACTION", "clean_in_transaction", "removal"]

LARGEST_TRANSACTION = 100
"""Jobs in one transaction: the more there are, the likelier is it that somebody comes in between."""


def clean_in_transaction(
    tools: Tools, place: Place, state: str, before: int, first: int, most: int, tried: str
) -> Tally:
    """Remove one batch of finished jobs.

    A job is watched while it is looked at. Whoever tries it again or removes it changes its hash, and so ends the
    transaction.

    :param before: milliseconds since 1970; jobs that ended by then are old.
    :param first: rank to begin at.
    :param most: jobs to look at.
    """
    client, pace = tools.client, tools.pace
    key = place.key(state)
    last = first + most - 1
    found, present = ask_page(client, pace, tried, [("ZRANGE", key, first, last, "WITHSCORES"), ("ZCARD", key)])
    room = max(0, int(present) - tools.options.keep_last - first)
    old = [name_of(id_) for id_, ended in zip(found[::2], found[1::2], strict=True) if float(ended) <= before][:room]
    if not old:
        return Tally()
    tally = Tally()

    def prepare() -> list[tuple[str, ...]]:
        nonlocal tally
        present = _still_there(tools, key, old, tried)
        looked_at = look_at(client, pace, place, present, tried)
        fates = [fate_of(one.job) for one in looked_at]
        tally = Tally(**{fate: fates.count(fate) for fate in Tally._fields})
        gone = [one.id for one, fate in zip(looked_at, fates, strict=True) if fate == GHOST and tools.options.ghosts]
        removed = [one for one, fate in zip(looked_at, fates, strict=True) if fate == REMOVED]
        return [*([("ZREM", key, *gone)] if gone else []), *removal(tools, place, key, removed, tried)]

    transact(client, pace, tried, [place.key(id_) for id_ in old], prepare)
    return tally


def _still_there(tools: Tools, key: str, ids: Sequence[str], tried: str) -> list[str]:
    """The jobs that still are in the state, now that they are watched."""
    scores = ask_page(tools.client, tools.pace, tried, [("ZSCORE", key, id_) for id_ in ids])
    return [id_ for id_, score in zip(ids, scores, strict=True) if score is not None]


def removal(tools: Tools, place: Place, key: str, found: Sequence[Found], tried: str) -> list[tuple[str, ...]]:
    """The commands that remove jobs with all of their keys, and the deduplications that still point at them."""
    if not found:
        return []
    keys = [place.key(one.id + suffix) for one in found for suffix in job_suffixes(place.queue.flavour)]
    named = [one for one in found if one.deduplication]
    if named:
        pointers = [place.key(f"de:{one.deduplication}") for one in named]
        asked = ask_page(
            tools.client, tools.pace, tried, [("WATCH", *pointers), *(("GET", pointer) for pointer in pointers)]
        )
        for one, pointer, holder in zip(named, pointers, asked[1:], strict=True):
            if holder is not None and name_of(holder) == one.id:
                keys += [pointer, place.key(f"dn:{one.deduplication}")]
    return [("UNLINK", *keys), ("ZREM", key, *(one.id for one in found))]
