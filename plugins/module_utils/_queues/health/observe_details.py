# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a queue more closely: the oldest job of each state, what ended lately, and the jobs that come again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..._redis.client import RedisClient
from ..decide_finished import counted
from ..observations import Finished, Place
from ..observe_samples import ask_leniently
from ..values import number_of
from .observation import RATE_SECONDS, Details, Schedules

__all__ = ["MOST_LATE", "SCHEDULE_GRACE_SECONDS", "events_bytes", "observe_details"]

SCHEDULE_GRACE_SECONDS = 60.0
"""A run is late from here on: the worker that makes the next one may be busy for a moment."""

MOST_LATE = 100
"""Late schedulers whose next job is looked for."""

METRIC_FIELDS = ("count", "prevTS", "prevCount")


class _Keys(NamedTuple):
    """The answers of the one round trip, by name; sorted sets come with scores."""

    completed: Sequence[Any]
    failed: Sequence[Any]
    waiting_children: Sequence[Any]
    delayed: Sequence[str]
    completed_lately: int
    failed_lately: int
    completed_metrics: Sequence[str | None]
    failed_metrics: Sequence[str | None]
    completed_minutes: Sequence[str]
    failed_minutes: Sequence[str]
    schedulers: int
    next_scheduler: Sequence[Any]
    late: Sequence[Any]


def observe_details(client: RedisClient, place: Place, now: float) -> Details:
    """Read what the checks of ages, rates and schedulers judge, in two round trips.

    :param now: seconds since 1970.
    :raises StoreError: the server refused, or is gone.
    """
    tried = f"look closer at the queue {place.name}"
    keys = _Keys(*client.ask_all(tried, _commands(place, now)))
    late = _pairs(keys.late)
    # A scheduler of BullMQ 5 and 6 has a hash beside its entry, and its next job is named after both.
    questions: list[Sequence[str]] = [("HMGET", place.key(job), "timestamp") for job in keys.delayed]
    questions += [("EXISTS", place.key(f"repeat:{name}")) for name, _at in late]
    questions += [("EXISTS", place.key(f"repeat:{name}:{at:.0f}")) for name, at in late]
    answers = iter(ask_leniently(client, tried, questions))
    delayed = [(next(answers) or [None])[0] for _job in keys.delayed]
    hashes, jobs = [next(answers) for _name in late], [next(answers) for _name in late]
    dead = [name for (name, _at), has_hash, job in zip(late, hashes, jobs, strict=True) if has_hash and not job]
    earliest = _first_moment(keys.next_scheduler)
    return Details(
        queue=place.queue,
        oldest=_oldest(place, keys, delayed),
        recent=Finished(
            completed=keys.completed_lately,
            failed=keys.failed_lately,
            counted_completed=counted(keys.completed_metrics, keys.completed_minutes, now * 1000, RATE_SECONDS),
            counted_failed=counted(keys.failed_metrics, keys.failed_minutes, now * 1000, RATE_SECONDS),
            completed_kept=place.queue.finished.completed_kept,
            failed_kept=place.queue.finished.failed_kept,
            completed_keeping=place.queue.finished.completed_keeping,
            failed_keeping=place.queue.finished.failed_keeping,
        ),
        schedules=Schedules(
            total=keys.schedulers,
            since=earliest if earliest is not None and earliest <= now else None,
            late=[name for name, _at in late],
            dead=dead,
        ),
    )


def events_bytes(client: RedisClient, place: Place) -> int | None:
    """Return the memory of a queue's event stream, None where there is none.

    :raises StoreError: the server refused, or is gone.
    """
    (size,) = client.ask_all(f"measure the events of {place.name}", [("MEMORY", "USAGE", place.key("events"))])
    return None if size is None else int(size)


def _commands(place: Place, now: float) -> list[Sequence[str | int | float]]:
    """The round trip, in the order of :class:`_Keys`."""
    since, minutes = f"{(now - RATE_SECONDS) * 1000:.0f}", int(RATE_SECONDS // 60)
    overdue = f"{(now - SCHEDULE_GRACE_SECONDS) * 1000:.0f}"
    key = place.key
    return [
        *(("ZRANGE", key(state), 0, 0, "WITHSCORES") for state in ("completed", "failed", "waiting-children")),
        ("ZRANGE", key("delayed"), 0, 0),
        *(("ZCOUNT", key(state), since, "+inf") for state in ("completed", "failed")),
        *(("HMGET", key(f"metrics:{state}"), *METRIC_FIELDS) for state in ("completed", "failed")),
        *(("LRANGE", key(f"metrics:{state}:data"), 0, minutes) for state in ("completed", "failed")),
        ("ZCARD", key("repeat")),
        ("ZRANGE", key("repeat"), 0, 0, "WITHSCORES"),
        ("ZRANGEBYSCORE", key("repeat"), "-inf", overdue, "WITHSCORES", "LIMIT", 0, MOST_LATE),
    ]


def _oldest(place: Place, keys: _Keys, delayed: Sequence[str | None]) -> dict[str, float]:
    """Since when the oldest job of each state is there."""
    added = number_of(delayed[0]) if delayed else None
    found: dict[str, float | None] = {
        "waiting": place.queue.waiting.since,
        "active": place.queue.active.since,
        "delayed": None if added is None else added / 1000,
        "waiting-children": _first_moment(keys.waiting_children),
        "completed": _first_moment(keys.completed),
        "failed": _first_moment(keys.failed),
    }
    return {state: moment for state, moment in found.items() if moment is not None}


def _first_moment(members: Sequence[Any]) -> float | None:
    moments = [number_of(score) for _name, score in _pairs(members)]
    return moments[0] / 1000 if moments and moments[0] is not None else None


def _pairs(members: Sequence[Any]) -> list[tuple[str, float]]:
    """Members with their scores, however the driver hands them over: flat, or as pairs."""
    flat = [inner for item in members for inner in (item if isinstance(item, (list, tuple)) else (item,))]
    return [(str(name), float(score)) for name, score in zip(flat[::2], flat[1::2], strict=True)]
