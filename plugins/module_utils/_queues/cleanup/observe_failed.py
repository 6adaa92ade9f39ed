# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads failed jobs, a page at a time, without changing anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..._redis.client import RedisClient
from ..._redis.stall import Pace
from ..._redis.wire import name_of, packed
from ..observations import Place
from ..observe_jobs import look_at
from ..page import ask_page
from .decide_failed import FailedJob, Verdict, child_of, verdict_of
from .observation import Failed
from .options import Retrying

__all__ = ["TRIED", "Page", "count_failed", "page_of"]

TRIED = "upkeepTried"
"""The field in which we note how often a job was tried before its attempts were set back. The libraries leave it."""

FIELDS = ("name", "failedReason", "finishedOn", "atm", "attemptsMade", TRIED)


class Page(NamedTuple):
    """Failed jobs in the order in which they failed, and what is to become of each.

    :param last: whether there are none behind these that failed by then.
    """

    jobs: Sequence[tuple[FailedJob, Verdict]]
    last: bool


def count_failed(client: RedisClient, pace: Pace, place: Place, retrying: Retrying) -> Failed:
    """Count failed jobs by what is to become of them, up to the one that failed last.

    :raises StoreError: the server refused, or is gone.
    """
    tried = f"count the failed jobs of {place.name}"
    (newest,) = ask_page(client, pace, tried, [("ZRANGE", place.key("failed"), -1, -1, "WITHSCORES")])
    if not newest:
        return Failed({}, 0.0)
    until = float(newest[1])
    counts: Counter[Verdict] = Counter()
    rank, last = 0, False
    while not last:
        page = page_of(client, pace, place, retrying, rank, until, tried)
        counts.update(verdict for _job, verdict in page.jobs)
        rank, last = rank + len(page.jobs), page.last
    return Failed(counts, until)


def page_of(
    client: RedisClient, pace: Pace, place: Place, retrying: Retrying, rank: int, until: float, tried: str
) -> Page:
    """Read the next failed jobs and judge them.

    :param rank: where to begin.
    :param until: jobs that failed later are left: they may have been tried again already.
    :raises StoreError: the server refused, or is gone.
    """
    size = pace.size
    (found,) = ask_page(client, pace, tried, [("ZRANGE", place.key("failed"), rank, rank + size - 1, "WITHSCORES")])
    ids = [name_of(id_) for id_, failed in zip(found[::2], found[1::2], strict=True) if float(failed) <= until]
    jobs = read_failed(client, pace, place, ids, tried) if ids else []
    return Page([(job, verdict_of(job, retrying)) for job in jobs], len(ids) < size)


def read_failed(client: RedisClient, pace: Pace, place: Place, ids: Sequence[str], tried: str) -> list[FailedJob]:
    """Read what decides over failed jobs.

    :raises StoreError: the server did not answer, or is gone.
    """
    looked_at = look_at(client, pace, place, ids, tried)
    commands: list[tuple[str, ...]] = [("HMGET", place.key(id_), *FIELDS) for id_ in ids]
    if not place.queue.flavour.is_bull:
        commands += [("SCARD", place.key(f"{id_}:dependencies")) for id_ in ids]
        commands += [("ZCARD", place.key(f"{id_}:unsuccessful")) for id_ in ids]
    replies = _exchange(client, pace, tried, commands)
    number = len(ids)
    fields = [_texts(reply) for reply in replies[:number]]
    pending = [_count(reply) for reply in replies[number : 2 * number]] or [0] * number
    unsuccessful = [_count(reply) for reply in replies[2 * number :]] or [0] * number
    children = {reason: child_of(reason) for _name, reason, *_rest in fields}
    still_failed = _still_failed(client, pace, tried, [key for key in children.values() if key])
    jobs = []
    for found, values, waits_for, broken in zip(looked_at, fields, pending, unsuccessful, strict=True):
        name, reason, finished, short, long, before = values
        child = children[reason]
        jobs.append(
            FailedJob(
                found.id,
                found.job,
                name,
                reason,
                finished,
                short or long,
                int(before) if before.isdecimal() else 0,
                waits_for,
                child is not None and (broken > 0 or child in still_failed),
            )
        )
    return jobs


def _still_failed(client: RedisClient, pace: Pace, tried: str, children: Sequence[str]) -> set[str]:
    """Return those children that are failed, or elsewhere in a cluster, so that nobody can tell."""
    commands = []
    for child in children:
        base, _colon, id_ = child.rpartition(":")
        commands.append(("ZSCORE", f"{base}:failed", id_))
    replies = _exchange(client, pace, tried, commands)
    return {child for child, reply in zip(children, replies, strict=True) if reply is not None}


def _exchange(client: RedisClient, pace: Pace, tried: str, commands: Sequence[Sequence[str]]) -> list[Any]:
    """Ask for keys each of which may be of another type, or not ours to read: its reply is the error then."""
    with pace.page():
        return client.exchange(tried, packed(commands), len(commands))


def _texts(reply: Any) -> list[str]:
    if isinstance(reply, Exception):
        return [""] * len(FIELDS)
    return [name_of(value) if value is not None else "" for value in reply]


def _count(reply: Any) -> int:
    """How many there are; one, where the server does not tell."""
    return reply if isinstance(reply, int) else 1
