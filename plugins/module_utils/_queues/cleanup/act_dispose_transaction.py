# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Moves failed jobs to the dead letters, or removes them, by transactions, where the server takes no scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..._redis.wire import name_of
from ..observations import Place
from ..observe_jobs import Found, look_at
from ..page import ask_page
from .act_clean_transaction import removal
from .act_failed import Judged
from .act_retry_transaction import as_they_were
from .decide_failed import FailedJob, sentence
from .enqueue import Command, Entrance
from .layout import BULL
from .letter import MARK, SOURCE_FIELDS, letter_fields, letter_id, mark_of
from .options import milliseconds
from .piece import Errand
from .tallies import Disposed
from .tools import Tools
from .transactions import transact

__all__ = ["dispose_in_transaction"]

FRESH, SAME, TAKEN = "fresh", "same", "taken"


class _Letter(NamedTuple):
    """A dead letter to be written.

    :param state: whether there is none yet, the very same one, or another by its id.
    :param logs: whether its job has logs.
    """

    id: str
    state: str
    logs: bool


def dispose_in_transaction(tools: Tools, place: Place, errand: Errand, jobs: Sequence[Judged], tried: str) -> Disposed:
    """Move or remove a group of failed jobs, all of them or none.

    :raises TransactionContended: others changed the same jobs meanwhile, each time.
    """
    wanted = [job for job, _verdict in jobs]
    why = {job.id: sentence(verdict, job, errand.retrying) for job, verdict in jobs}
    tally = Disposed()

    def prepare() -> list[Command]:
        nonlocal tally
        present = as_they_were(tools, place, errand, wanted, tried)
        stay = Disposed(
            changed=len(wanted) - len(present),
            locked=sum(job.job.locked for job in present.values()),
            scheduled=sum(job.job.scheduled and not job.job.locked for job in present.values()),
            awaited=sum(job.job.awaited and not (job.job.locked or job.job.scheduled) for job in present.values()),
        )
        free = [job for job in present.values() if not (job.job.locked or job.job.scheduled or job.job.awaited)]
        ready = [job for job in free if not job.pending]
        letters = _letters(tools, place, errand, ready, tried) if errand.letters and ready else {}
        going = [job for job in ready if job.id not in letters or letters[job.id].state != TAKEN]
        tally = stay._replace(gone=len(going), children=len(free) - len(ready), taken=len(ready) - len(going))
        commands: list[Command] = []
        new = [job for job in going if job.id in letters and letters[job.id].state == FRESH]
        if new:
            commands += _written(tools, place, errand, [(job, letters[job.id], why[job.id]) for job in new], tried)
        found: list[Found] = look_at(tools.client, tools.pace, place, [job.id for job in going], tried)
        return [*commands, *removal(tools, place, place.key("failed"), found, tried)]

    transact(tools.client, tools.pace, tried, [place.key(job.id) for job in wanted], prepare)
    return tally


def _letters(tools: Tools, place: Place, errand: Errand, jobs: Sequence[FailedJob], tried: str) -> dict[str, _Letter]:
    """Look whether the letters are there already; they are watched from then on."""
    names = [letter_id(place.queue.name, job.id, job.finished) for job in jobs]
    asks: list[Command] = [("WATCH", *(errand.letters + name for name in names))]
    asks += [("WATCH", *(place.key(f"{job.id}:logs") for job in jobs))]
    asks += [("EXISTS", errand.letters + name) for name in names]
    asks += [("HGET", errand.letters + name, MARK) for name in names]
    asks += [("EXISTS", place.key(f"{job.id}:logs")) for job in jobs]
    answers = ask_page(tools.client, tools.pace, tried, asks)[2:]
    number = len(jobs)
    found = {}
    for at, (job, name) in enumerate(zip(jobs, names, strict=True)):
        mark = answers[number + at]
        same = mark is not None and name_of(mark) == mark_of(place.key(job.id), job.finished)
        state = FRESH if not answers[at] else SAME if same else TAKEN
        found[job.id] = _Letter(name, state, bool(answers[2 * number + at]))
    return found


def _written(
    tools: Tools, place: Place, errand: Errand, letters: Sequence[tuple[FailedJob, _Letter, str]], tried: str
) -> list[Command]:
    """Return what writes letters and puts them in line."""
    base, now = errand.letters, milliseconds(tools.context.clock.now())
    entrance = Entrance(tools, base, errand.layout, False, tried)
    asks: list[Command] = [("HMGET", place.key(job.id), *SOURCE_FIELDS) for job, _letter, _why in letters]
    *replies, version, there = ask_page(
        tools.client, tools.pace, tried, [*asks, ("HGET", place.key("meta"), "version"), ("EXISTS", base + "meta")]
    )
    commands: list[Command] = []
    if errand.layout != BULL and not there:
        commands.append(("HSETNX", base + "meta", "opts.maxLenEvents", 10_000))
        commands += [("HSETNX", base + "meta", "version", version)] if version else []
    for (job, letter, why), reply in zip(letters, replies, strict=True):
        values = [None if value is None else name_of(value) for value in reply]
        fields = letter_fields(place.queue.name, job.id, values, job.attempts, why, now)
        mark = mark_of(place.key(job.id), job.finished)
        flat: list[Any] = [part for field in fields.items() for part in field]
        commands.append(("HSET", base + letter.id, *flat, MARK, mark))
        commands += entrance.put(letter.id, 0, False)
        commands.append(("INCR", base + "id"))
        if letter.logs:
            commands.append(("RENAME", place.key(f"{job.id}:logs"), f"{base}{letter.id}:logs"))
        commands += entrance.told("waiting", letter.id)
    return commands
