# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what decides over single jobs, without changing anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .._redis.client import RedisClient
from .._redis.stall import Pace
from .._redis.wire import name_of, packed, packed_each, raw
from .decide_job import Job
from .observations import Place

__all__ = ["Found", "look_at"]

FIELDS = ("timestamp", "parentKey", "rjk", "deid")
"""Every job has the first; BullMQ writes the others: parent, scheduler, deduplication."""


class Found(NamedTuple):
    """A job as it was read.

    :param deduplication: the id by which the job is told from its like; empty: none.
    :param more: the other fields that were asked for; empty where the job has none of that name.
    """

    id: str
    job: Job
    deduplication: str = ""
    more: Sequence[str] = ()


class _Read(NamedTuple):
    """A job's fields, and whether it is locked."""

    id: str
    foreign: bool
    stamped: bool
    parent: str
    scheduler: str
    deduplication: str
    locked: bool
    more: Sequence[str]


def look_at(
    client: RedisClient, pace: Pace, place: Place, ids: Sequence[str], tried: str, more: Sequence[str] = ()
) -> list[Found]:
    """Read what decides over jobs; a second request asks for the parents and schedulers that some of them name.

    :param more: other fields to read of each.
    :raises StoreError: the server did not answer, or is gone.
    """
    read = list(_read(client, pace, place, ids, tried, more))
    questions: dict[tuple[str, ...], Any] = {}
    for job in read:
        questions.update(dict.fromkeys(_questions(place, job)))
    with pace.page():
        answers = client.exchange(tried, packed(questions), len(questions))
    questions.update(zip(questions, answers, strict=True))
    return [_judged(place, job, questions) for job in read]


def _read(
    client: RedisClient, pace: Pace, place: Place, ids: Sequence[str], tried: str, more: Sequence[str]
) -> Iterator[_Read]:
    if not ids:
        return
    keys = [raw(place.key(id_)) for id_ in ids]
    names = [raw(field) for field in (*FIELDS, *more)]
    jobs = packed_each((b"HMGET",), keys, names)
    with pace.page():
        *replies, any_locked = client.exchange(
            tried, jobs + packed([("EXISTS", *(key + b":lock" for key in keys))]), len(ids) + 1
        )
    locks: Sequence[Any] = [0] * len(ids)
    if any_locked != 0:  # some are, or the server does not tell for all of them at once
        with pace.page():
            locks = client.exchange(tried, packed_each((b"EXISTS",), [key + b":lock" for key in keys]), len(ids))
    nothing = [None] * len(names)
    for id_, fields, locked in zip(ids, replies, locks, strict=True):
        # A key of another type, or one that we may not read, is no job: it stays.
        foreign = isinstance(fields, Exception)
        values = nothing if foreign else fields
        timestamp, parent, scheduler, deduplication, *others = [name_of(value) if value else "" for value in values]
        yield _Read(id_, foreign, bool(timestamp), parent, scheduler, deduplication, bool(locked), others)


def _questions(place: Place, job: _Read) -> Iterator[tuple[str, ...]]:
    if job.parent:
        yield "SISMEMBER", f"{job.parent}:dependencies", place.key(job.id)
        yield "EXISTS", job.parent
    if not job.foreign and not job.stamped:
        yield "EXISTS", place.key(job.id)
    if job.scheduler:
        yield "ZSCORE", place.key("repeat"), job.scheduler


def _judged(place: Place, job: _Read, answers: dict[tuple[str, ...], Any]) -> Found:
    """Put a job's answers together. A question that the server refused counts as a reason to keep the job."""
    awaited = bool(job.parent) and all(
        answers[question] != 0
        for question in (
            ("SISMEMBER", f"{job.parent}:dependencies", place.key(job.id)),
            ("EXISTS", job.parent),
        )
    )
    at = answers.get(("ZSCORE", place.key("repeat"), job.scheduler))
    scheduled = isinstance(at, bytes) and job.id == f"repeat:{job.scheduler}:{name_of(at)}"
    there = job.stamped or answers.get(("EXISTS", place.key(job.id))) != 0
    return Found(job.id, Job(there, job.locked, scheduled, awaited, job.foreign), job.deduplication, job.more)
