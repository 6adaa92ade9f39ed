# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of queue_cleanup, checked and understood. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ..._core.errors import InvalidInput
from ..._core.units import Age, parse_age

__all__ = [
    "DEAD_LETTER",
    "KEEP",
    "LARGEST_BATCH",
    "REMOVE",
    "Cleaning",
    "Options",
    "Retrying",
    "milliseconds",
    "milliseconds_before",
    "parse_options",
]

LARGEST_BATCH = 1000
"""Jobs in one request at most. A server-side script cannot hand more than about 8000 arguments to a command."""

KEEP, DEAD_LETTER, REMOVE = "keep", "dead_letter", "remove"


class Cleaning(NamedTuple):
    """Which finished jobs are removed.

    :param state: ``completed`` or ``failed``.
    :param older_than: how long ago they ended at least.
    :param written: that age as the user wrote it.
    """

    state: str
    older_than: Age
    written: str


class Retrying(NamedTuple):
    """Which failed jobs are tried again.

    :param reasons: expressions, one of which is found in ``failedReason``.
    :param max_attempts: only jobs that were tried fewer times.
    :param names: only jobs of these names; empty: of any.
    :param reset_attempts: whether the job gets all of its attempts anew.
    :param otherwise: what becomes of the other failed jobs: ``keep``, ``dead_letter`` or ``remove``.
    """

    reasons: Sequence[re.Pattern[str]]
    max_attempts: int
    names: Sequence[str]
    reset_attempts: bool
    otherwise: str


class Options(NamedTuple):
    """What the user wants.

    :param queues: names; empty: all that are found under ``prefix``.
    :param cleanings: finished jobs to remove, by state.
    :param keep_last: so many of the newest finished jobs of a state stay, however old.
    :param retry: failed jobs to try again; None: none.
    :param dead_letter: the queue or key that takes failed jobs that are not tried again; None: none.
    :param ghosts: whether to remove ids of jobs that are not there.
    :param orphans: jobs that are in no state are removed if they are older; None: they are left.
    :param trim_events: whether to trim the event stream.
    :param max_changes: how many jobs to change at most in this run; None: no limit.
    :param batch_size: how many jobs to change in one request at most.
    """

    queues: Sequence[str]
    prefix: str
    cleanings: Sequence[Cleaning]
    keep_last: int
    retry: Retrying | None
    dead_letter: str | None
    ghosts: bool
    orphans: Age | None
    trim_events: bool
    max_changes: int | None
    batch_size: int


def parse_options(params: Mapping[str, Any]) -> Options:
    """Understand the module's options.

    :raises InvalidInput: one of them cannot be, or asks for too much.
    """
    queues = list(dict.fromkeys(params["queues"]))
    if not params["prefix"] or not all(queues):
        raise InvalidInput("queues" if params["prefix"] else "prefix", "a name is empty", "Leave it out instead.")
    retry = _retrying(params["retry"], params["dead_letter"])
    dead_letter = params["dead_letter"] or None
    if dead_letter and retry is None:
        raise InvalidInput("dead_letter", "there is no retry that would leave jobs for it", "Set retry too.")
    if dead_letter in queues:
        raise InvalidInput("dead_letter", "it is one of the queues to clean", "Name another queue.")
    return Options(
        queues=queues,
        prefix=params["prefix"],
        cleanings=[
            Cleaning(state, _age(params[option], option), str(params[option]).strip())
            for state, option in (("completed", "completed_older_than"), ("failed", "failed_older_than"))
            if params[option] is not None
        ],
        keep_last=_least("keep_last", params["keep_last"], 0),
        retry=retry,
        dead_letter=dead_letter,
        ghosts=params["ghosts"],
        orphans=_age(params["orphans_older_than"], "orphans_older_than") if params["orphans"] else None,
        trim_events=params["trim_events"],
        max_changes=None if params["max_changes"] is None else _least("max_changes", params["max_changes"], 0),
        batch_size=min(LARGEST_BATCH, _least("batch_size", params["batch_size"], 1)),
    )


def milliseconds_before(age: Age, now: datetime) -> int:
    """Return the moment that lies ``age`` before ``now`` as the libraries write it: milliseconds since 1970."""
    return milliseconds(age.before(now))


def milliseconds(moment: datetime) -> int:
    """Return a moment as the libraries write it."""
    return int(moment.timestamp() * 1000)


def _retrying(given: Mapping[str, Any] | None, dead_letter: str | None) -> Retrying | None:
    if given is None:
        return None
    otherwise = given["otherwise"] or (DEAD_LETTER if dead_letter else KEEP)
    if otherwise == DEAD_LETTER and not dead_letter:
        raise InvalidInput("retry.otherwise", "there is no dead_letter", "Set dead_letter, or keep or remove the jobs.")
    return Retrying(
        reasons=[_expression(reason) for reason in given["reasons"]],
        max_attempts=_least("retry.max_attempts", given["max_attempts"], 1),
        names=list(given["names"]),
        reset_attempts=given["reset_attempts"],
        otherwise=otherwise,
    )


def _expression(text: str) -> re.Pattern[str]:
    if not text:
        raise InvalidInput(
            "retry.reasons", "one of them is empty, which every reason matches", "Write .* if you mean all."
        )
    try:
        return re.compile(text)
    except re.error as error:
        raise InvalidInput("retry.reasons", f"{text!r} is no regular expression: {error}") from error


def _age(text: str, option: str) -> Age:
    age = parse_age(text, option)
    if age == Age():
        raise InvalidInput(option, "it would take every job, also one that has just ended", "Give at least 1s.")
    return age


def _least(option: str, value: int, least: int) -> int:
    if value < least:
        raise InvalidInput(option, f"{value} is too small", f"Give {least} or more.")
    return value
