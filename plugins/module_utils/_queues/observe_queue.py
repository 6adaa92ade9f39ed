# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads one queue in two round trips: its keys, then the few jobs that these point to.

Nothing here is above O(log n) but ranges of a bounded length, and nothing is written. (The libraries' own
``getJobCounts`` is not used: it removes a marker from ``wait`` to count it.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple, TypeAlias

from .._core.runner import Context
from .._redis.client import RedisClient
from .decide_finished import counted
from .decide_flavour import exists, flavour_of, is_paused, keeping, options_of, waiting_since
from .observations import STATES, Active, Evidence, Finished, Queue, Waiting
from .observe_samples import JOB_FIELDS, LETTER, Fields, ask_leniently, fields_of
from .values import number_of, whole_of

__all__ = ["observe_queue"]

MOST_ACTIVE = 1000
"""Active jobs whose locks are looked at: the oldest ones, for those are at the end of the list."""

SECOND_LOOK_SECONDS = 0.2
"""A worker of Bull takes a job and its lock in two steps, and one may end a job while we look."""

OVERDUE_MILLISECONDS = 60_000
DELAYED_SCORE = 4096
"""A delayed job's score is its due time in milliseconds, times this, plus a counter."""
PRIORITY_SCORE = 2**32
"""A prioritised job's score is its priority, times this, plus a counter."""

STREAM_LIMIT = 10_000
"""Length at which BullMQ trims the event stream if the queue does not say another."""

METRIC_FIELDS = ("count", "prevTS", "prevCount")

Command: TypeAlias = "Sequence[str | int | float]"


class _Keys(NamedTuple):
    """The answers of the first round trip, by name."""

    meta: Sequence[str | None]
    paused_key: int
    has_id: int
    wait: int
    paused: int
    active: int
    delayed: int
    completed: int
    failed: int
    prioritized: int
    waiting_children: int
    priority: int
    marker: int
    events: int
    stalled_check: int
    wait_tail: Sequence[str]
    wait_head: str | None
    paused_tail: str | None
    paused_head: str | None
    active_ids: Sequence[str]
    first_prioritized: Sequence[str]
    last_prioritized: Sequence[Any]
    first_delayed: Sequence[str]
    overdue: int
    last_completed: Sequence[str]
    last_failed: Sequence[str]
    recently_completed: int
    recently_failed: int
    completed_metrics: Sequence[str | None]
    failed_metrics: Sequence[str | None]

    @property
    def marker_jobs(self) -> int:
        """Markers at the end of ``wait``, which are no jobs."""
        return int(bool(self.wait_tail) and self.wait_tail[-1].startswith("0:"))

    @property
    def next_waiting(self) -> str | None:
        """The job at the end of ``wait``, from where workers take."""
        jobs = [job for job in self.wait_tail if not job.startswith("0:")]
        return jobs[-1] if jobs else None


def observe_queue(client: RedisClient, context: Context, prefix: str, name: str, window: float) -> Queue | None:
    """Read a queue; None if there is no trace of it.

    :param window: how far back to count finished jobs, in seconds.
    :raises StoreError: the server refused, a key is of another type than a queue's, or the server is gone.
    """
    base, now = f"{prefix}:{name}:", context.clock.now().timestamp() * 1000
    tried = f"read the queue {name}"
    keys = _Keys(*client.ask_all(tried, _key_commands(base, now, window)))
    samples = list(
        dict.fromkeys(job for job in (*_waiting_jobs(keys), *_ended_jobs(keys), *keys.active_ids[-1:]) if job)
    )
    answers = iter(ask_leniently(client, tried, _job_commands(base, keys, samples, window)))
    found = {job: next(answers) for job in samples}
    begun = {job: next(answers) for job in keys.active_ids}
    locks = [next(answers) for _job in keys.active_ids]
    completed_minutes, failed_minutes, oldest_of_last = next(answers) or (), next(answers) or (), next(answers)
    if oldest_of_last and oldest_of_last[0] not in found:
        found[oldest_of_last[0]] = ask_leniently(client, tried, [("HMGET", base + oldest_of_last[0], *JOB_FIELDS)])[0]
    jobs = {job: fields_of(values) for job, values in found.items()}
    evidence = _evidence(keys, jobs)
    if not exists(evidence) and not any(_counts(keys).values()):
        return None
    unlocked = [job for job, locked in zip(keys.active_ids, locks, strict=True) if not locked]
    return Queue(
        name=name,
        flavour=flavour_of(evidence),
        counts=_counts(keys),
        paused=is_paused(evidence),
        events=keys.events,
        events_limit=evidence.stream_limit or STREAM_LIMIT,
        delayed_overdue=keys.overdue,
        window=window,
        waiting=_waiting(keys, jobs, oldest_of_last),
        active=Active(
            since=min((moment / 1000 for moment in map(_begun, begun.values()) if moment is not None), default=None),
            stalled=_still_unlocked(client, context, base, unlocked, tried),
            sampled=len(keys.active_ids),
            watched=bool(keys.stalled_check),
        ),
        finished=_finished(keys, jobs, completed_minutes, failed_minutes, now, window),
        foreign=[job for job, values in {**begun, **found}.items() if values is None],
        letters=_are_letters(keys, jobs),
    )


def _key_commands(base: str, now: float, window: float) -> list[Command]:
    """The first round trip, in the order of :class:`_Keys`."""
    since = f"{now - window * 1000:.0f}"
    return [
        ("HMGET", f"{base}meta", "paused", "version", "opts.maxLenEvents"),
        ("EXISTS", f"{base}meta-paused"),
        ("EXISTS", f"{base}id"),
        *(("LLEN", base + key) for key in ("wait", "paused", "active")),
        *(("ZCARD", base + key) for key in ("delayed", "completed", "failed", "prioritized", "waiting-children")),
        *(("ZCARD", base + key) for key in ("priority", "marker")),
        ("XLEN", f"{base}events"),
        ("EXISTS", f"{base}stalled-check"),
        ("LRANGE", f"{base}wait", -2, -1),
        ("LINDEX", f"{base}wait", 0),
        ("LINDEX", f"{base}paused", -1),
        ("LINDEX", f"{base}paused", 0),
        ("LRANGE", f"{base}active", -MOST_ACTIVE, -1),
        ("ZRANGE", f"{base}prioritized", 0, 0),
        ("ZRANGE", f"{base}prioritized", -1, -1, "WITHSCORES"),
        ("ZRANGE", f"{base}delayed", 0, 0),
        ("ZCOUNT", f"{base}delayed", "-inf", f"{(now - OVERDUE_MILLISECONDS) * DELAYED_SCORE:.0f}"),
        ("ZRANGE", f"{base}completed", -1, -1),
        ("ZRANGE", f"{base}failed", -1, -1),
        ("ZCOUNT", f"{base}completed", since, "+inf"),
        ("ZCOUNT", f"{base}failed", since, "+inf"),
        ("HMGET", f"{base}metrics:completed", *METRIC_FIELDS),
        ("HMGET", f"{base}metrics:failed", *METRIC_FIELDS),
    ]


def _job_commands(base: str, keys: _Keys, samples: Sequence[str], window: float) -> list[Command]:
    """The second round trip: sampled jobs, active jobs and their locks, metrics, the lowest priority's oldest job."""
    minutes = int(window // 60)
    lowest = _priority(keys.last_prioritized)
    return [
        *(("HMGET", base + job, *JOB_FIELDS) for job in samples),
        *(("HMGET", base + job, "processedOn") for job in keys.active_ids),
        *(("EXISTS", f"{base}{job}:lock") for job in keys.active_ids),
        ("LRANGE", f"{base}metrics:completed:data", 0, minutes),
        ("LRANGE", f"{base}metrics:failed:data", 0, minutes),
        ("ZRANGEBYSCORE", f"{base}prioritized", lowest * PRIORITY_SCORE, "+inf", "LIMIT", 0, 1),
    ]


def _priority(last: Sequence[Any]) -> int:
    """The priority of the member that ZRANGE ... WITHSCORES gave: flat, or as a pair, or with the score as text."""
    flat = [inner for item in last for inner in (item if isinstance(item, (list, tuple)) else (item,))]
    score = float(flat[1]) if len(flat) > 1 else 0.0
    return int(score) // PRIORITY_SCORE if isfinite(score) else 0


def _begun(values: Sequence[str | None] | None) -> float | None:
    """When a job was taken, in milliseconds since 1970."""
    return number_of(values[0]) if values else None


def _are_letters(keys: _Keys, jobs: Mapping[str, Fields]) -> bool:
    """Whether jobs wait, and those at both ends of the line are dead letters."""
    waiting = [job for job in _waiting_jobs(keys) if job]
    return bool(waiting) and all(jobs[job][LETTER] for job in waiting)


def _waiting_jobs(keys: _Keys) -> tuple[str | None, ...]:
    """Both ends of the lists, for a job may be added at either, and the first of the prioritised."""
    return (
        keys.next_waiting,
        None if (keys.wait_head or "").startswith("0:") else keys.wait_head,
        keys.paused_tail,
        keys.paused_head,
        *keys.first_prioritized,
    )


def _ended_jobs(keys: _Keys) -> tuple[str, ...]:
    return (*keys.last_completed, *keys.last_failed, *keys.first_delayed)


def _counts(keys: _Keys) -> dict[str, int]:
    values = (
        keys.wait - keys.marker_jobs,
        keys.paused,
        keys.prioritized,
        keys.active,
        keys.delayed,
        keys.waiting_children,
        keys.completed,
        keys.failed,
    )
    return dict(zip(STATES, values, strict=True))


def _evidence(keys: _Keys, jobs: Mapping[str, Fields]) -> Evidence:
    paused_field, version, limit = keys.meta
    fields = {field for job in jobs.values() for field in ("atm", "ats", "attemptsMade") if job[field] is not None}
    return Evidence(
        version=version,
        paused_field=paused_field is not None,
        paused_key=bool(keys.paused_key),
        has_id=bool(keys.has_id),
        stream_limit=whole_of(limit),
        events=keys.events,
        marker_set=keys.marker > 0,
        marker_job=keys.marker_jobs > 0,
        priority_set=keys.priority > 0,
        job_fields=frozenset(fields),
        jobs_in_paused=keys.paused,
        jobs_in_wait=keys.wait - keys.marker_jobs,
    )


def _waiting(keys: _Keys, jobs: Mapping[str, Fields], oldest_of_last: Sequence[str]) -> Waiting:
    waiting = [job for job in (*_waiting_jobs(keys), *oldest_of_last) if job]
    moments = [since for since in (waiting_since(jobs[job]) for job in waiting) if since is not None]
    return Waiting(waiting[0] if waiting else None, min(moments, default=None))


def _still_unlocked(
    client: RedisClient, context: Context, base: str, jobs: Sequence[str], tried: str
) -> tuple[str, ...]:
    """Look a second time at active jobs without lock: those that still are active and without one are stalled."""
    if not jobs:
        return ()
    context.clock.sleep(context.deadline.limit(SECOND_LOOK_SECONDS))
    still_active, *locks = client.ask_all(
        tried, [("LRANGE", f"{base}active", -MOST_ACTIVE, -1), *(("EXISTS", f"{base}{job}:lock") for job in jobs)]
    )
    active = set(still_active)
    return tuple(job for job, locked in zip(jobs, locks, strict=True) if not locked and job in active)


def _finished(
    keys: _Keys,
    jobs: Mapping[str, Fields],
    completed_minutes: Sequence[str],
    failed_minutes: Sequence[str],
    now: float,
    window: float,
) -> Finished:
    def option(sample: Sequence[str], name: str) -> Any:
        return options_of(jobs[sample[0]]["opts"]).get(name) if sample else None

    return Finished(
        completed=keys.recently_completed,
        failed=keys.recently_failed,
        counted_completed=counted(keys.completed_metrics, completed_minutes, now, window),
        counted_failed=counted(keys.failed_metrics, failed_minutes, now, window),
        completed_kept=keys.completed,
        failed_kept=keys.failed,
        # What removes completed jobs is told by a job that failed and so is still there, and the other way round.
        completed_keeping=keeping(option(keys.last_failed or keys.last_completed, "removeOnComplete")),
        failed_keeping=keeping(option(keys.last_completed or keys.last_failed, "removeOnFail")),
    )
