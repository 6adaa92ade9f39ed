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
from ..observe_jobs import Found, look_at
from ..page import ask_page
from ..values import whole_of
from .decide_failed import FailedJob, Verdict, child_of, verdict_of
from .observation import Failed
from .options import DEAD_LETTER, REMOVE, Retrying

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
    return Page(_judged(client, pace, place, ids, tried, retrying), len(ids) < size)


def read_failed(
    client: RedisClient, pace: Pace, place: Place, ids: Sequence[str], tried: str, retrying: Retrying
) -> list[FailedJob]:
    """Read what decides over failed jobs; of their children only where these decide.

    :raises StoreError: the server did not answer, or is gone.
    """
    return [job for job, _verdict in _judged(client, pace, place, ids, tried, retrying)]


def _judged(
    client: RedisClient, pace: Pace, place: Place, ids: Sequence[str], tried: str, retrying: Retrying
) -> list[tuple[FailedJob, Verdict]]:
    """Read failed jobs and judge them; those anew whose children have a say."""
    jobs = [_failed(found) for found in look_at(client, pace, place, ids, tried, FIELDS)] if ids else []
    judged = [(job, verdict_of(job, retrying)) for job in jobs]
    if place.queue.flavour.is_bull:
        return judged
    parents = [
        number
        for number, (job, verdict) in enumerate(judged)
        if verdict.outcome in (DEAD_LETTER, REMOVE) or child_of(job.reason) is not None
    ]
    for number, job in zip(
        parents, _with_children(client, pace, place, [jobs[at] for at in parents], tried), strict=True
    ):
        if job is not jobs[number]:
            judged[number] = job, verdict_of(job, retrying)
    return judged


def _failed(found: Found) -> FailedJob:
    name, reason, finished, short, long, before = found.more
    return FailedJob(found.id, found.job, name, reason, finished, short or long, whole_of(before) or 0)


def _with_children(
    client: RedisClient, pace: Pace, place: Place, jobs: Sequence[FailedJob], tried: str
) -> list[FailedJob]:
    """Add how many children are not done, and whether the one for which a job failed still is failed."""
    if jobs and all(child_of(job.reason) is None for job in jobs):
        keys = [place.key(f"{job.id}:dependencies") for job in jobs]
        with pace.page():
            replies = client.exchange(tried, packed([("EXISTS", *keys)]), 1)
        if replies == [0]:  # most often none of them has children
            return list(jobs)
    commands: list[tuple[str, ...]] = []
    for job in jobs:
        home, _colon, child = (child_of(job.reason) or "").rpartition(":")
        commands += [
            ("SCARD", place.key(f"{job.id}:dependencies")),
            ("ZCARD", place.key(f"{job.id}:unsuccessful")),
            ("ZSCORE", f"{home}:failed" if home else place.key("failed"), child),
        ]
    if not commands:
        return []
    with pace.page():
        # A key may be of another type, or elsewhere in a cluster: whatever the server does not tell counts as undone.
        replies = client.exchange(tried, packed(commands), len(commands))
    return [
        job._replace(
            pending=_count(replies[at]),
            blocked=child_of(job.reason) is not None and (_count(replies[at + 1]) > 0 or replies[at + 2] is not None),
        )
        for at, job in zip(range(0, len(replies), 3), jobs, strict=True)
    ]


def _count(reply: Any) -> int:
    """How many there are; one, where the server does not tell."""
    return reply if isinstance(reply, int) else 1
