# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries failed jobs again by transactions, where the server takes no scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..._redis.wire import name_of, packed
from ..decide_flavour import options_of
from ..observations import Place
from ..page import ask_page
from ..values import priority_of
from .act_failed import Judged
from .decide_failed import FailedJob, child_of
from .enqueue import Command, Entrance
from .layout import BULL, EITHER
from .observe_failed import TRIED, read_failed
from .options import milliseconds
from .piece import Errand
from .tallies import Retried
from .tools import Tools
from .transactions import transact

__all__ = ["as_they_were", "retry_in_transaction"]


class _Job(NamedTuple):
    """What is put back with a job."""

    job: FailedJob
    priority: int
    lifo: bool
    parent: str


def as_they_were(
    tools: Tools, place: Place, errand: Errand, jobs: Sequence[FailedJob], tried: str
) -> dict[str, FailedJob]:
    """Read jobs again, now that they are watched; return those that still are failed, and as they were."""
    scores = ask_page(tools.client, tools.pace, tried, [("ZSCORE", place.key("failed"), job.id) for job in jobs])
    again = read_failed(tools.client, tools.pace, place, [job.id for job in jobs], tried, errand.retrying)
    same = ("id", "reason", "finished", "attempts")
    return {
        now.id: now
        for then, now, score in zip(jobs, again, scores, strict=True)
        if score is not None and now.job.there and all(getattr(then, key) == getattr(now, key) for key in same)
    }


def retry_in_transaction(tools: Tools, place: Place, errand: Errand, jobs: Sequence[Judged], tried: str) -> Retried:
    """Put a group of failed jobs back where they wait, all of them or none.

    :raises TransactionContended: others changed the same jobs meanwhile, each time.
    """
    wanted = [job for job, _verdict in jobs]
    tally = Retried()

    def prepare() -> list[Command]:
        nonlocal tally
        present = as_they_were(tools, place, errand, wanted, tried)
        free = [job for job in present.values() if not job.job.locked]
        blocked = sum(job.blocked for job in free)
        ready = _read(tools, place, [job for job in free if not job.blocked], tried)
        tally = Retried(changed=len(wanted) - len(present), locked=len(present) - len(free), blocked=blocked)
        if not ready:
            return []
        entrance = Entrance(tools, place.base, errand.layout, any(job.priority for job in ready), tried)
        if errand.layout == EITHER and entrance.paused:
            tally = tally._replace(unclear=len(ready))
            return []
        fates = _parents(tools, place, ready, tried)
        tally = tally._replace(
            retried=len(ready),
            **{fate: list(fates.values()).count(fate) for fate in ("rejoined", "doomed", "went_on", "gone")},
        )
        commands: list[Command] = []
        for job in ready:
            commands += _rejoin(place, job, fates.get(job.job.id, ""))
            commands += _put_back(tools, place, errand, entrance, job)
        return commands

    transact(tools.client, tools.pace, tried, [place.key(job.id) for job in wanted], prepare)
    return tally


def _read(tools: Tools, place: Place, jobs: Sequence[FailedJob], tried: str) -> list[_Job]:
    """Read how jobs were added, and watch their parents."""
    if not jobs:
        return []
    replies = ask_page(
        tools.client,
        tools.pace,
        tried,
        [("HMGET", place.key(job.id), "priority", "opts", "parentKey") for job in jobs],
    )
    read = []
    for job, reply in zip(jobs, replies, strict=True):
        priority, opts, parent = (None if value is None else name_of(value) for value in reply)
        options = options_of(opts)
        urgent = priority_of(priority) or priority_of(options.get("priority"))
        read.append(_Job(job, urgent, options.get("lifo") is True, "" if place.queue.flavour.is_bull else parent or ""))
    keys = [
        key for job in read if job.parent for key in (job.parent, f"{job.parent}:unsuccessful", f"{job.parent}:failed")
    ]
    if keys:
        ask_page(tools.client, tools.pace, tried, [("WATCH", *keys)])
    return read


def _parents(tools: Tools, place: Place, jobs: Sequence[_Job], tried: str) -> Mapping[str, str]:
    """Return how each job's parent stands to it: see :class:`.tallies.Retried`; ``waiting``: it waits for it still."""
    children = [job for job in jobs if job.parent]
    asks: list[Command] = []
    for job in children:
        key, (home, _colon, id_) = place.key(job.job.id), job.parent.rpartition(":")
        asks += [
            ("EXISTS", job.parent),
            ("SISMEMBER", f"{job.parent}:dependencies", key),
            ("ZSCORE", f"{home}:failed", id_),
            ("ZSCORE", f"{job.parent}:unsuccessful", key),
            ("HEXISTS", f"{job.parent}:failed", key),
            ("ZSCORE", f"{home}:waiting-children", id_),
        ]
    with tools.pace.page():
        answers = tools.client.exchange(tried, packed(asks), len(asks))
    groups = [answers[at : at + 6] for at in range(0, len(answers), 6)]
    # Keys of another type are no parent.
    return {
        job.job.id: "" if any(isinstance(answer, Exception) for answer in group) else _standing(*group)
        for job, group in zip(children, groups, strict=True)
    }


def _standing(there: int, waits: int, failed: Any, unsuccessful: Any, noted: int, waiting: Any) -> str:
    if not there:
        return "gone"
    if waits:
        return "waiting" if failed is None else "doomed"
    if unsuccessful is not None:
        return "doomed"
    return "rejoined" if noted and waiting is not None else "went_on"


def _rejoin(place: Place, job: _Job, fate: str) -> list[Command]:
    """What lets a parent wait for a job again."""
    if fate not in ("rejoined", "doomed"):
        return []
    key = place.key(job.job.id)
    commands: list[Command] = [("SADD", f"{job.parent}:dependencies", key), ("ZREM", f"{job.parent}:unsuccessful", key)]
    return [*commands, ("HDEL", f"{job.parent}:failed", key)] if fate == "rejoined" else commands


def _put_back(tools: Tools, place: Place, errand: Errand, entrance: Entrance, job: _Job) -> list[Command]:
    id_, key, bull = job.job.id, place.key(job.job.id), errand.layout == BULL
    now = milliseconds(tools.context.clock.now())
    waits = child_of(job.job.reason) is not None and not bull and job.job.pending > 0
    commands: list[Command] = []
    if waits:
        commands.append(("ZADD", place.key("waiting-children"), now, id_))
    else:
        commands += entrance.put(id_, job.priority, job.lifo)
    commands.append(("ZREM", place.key("failed"), id_))
    commands.append(("HDEL", key, "finishedOn", "processedOn", "failedReason"))
    if errand.retrying.reset_attempts:
        commands.append(("HINCRBY", key, TRIED, job.job.tried - job.job.before))
        commands.append(("HDEL", key, "atm", "ats", "attemptsMade"))
    if bull:
        commands.append(("HSET", key, "retriedOn", now))
    return [*commands, *entrance.told("waiting-children" if waits else "waiting", id_)]
