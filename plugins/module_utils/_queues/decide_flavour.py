# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells by its traces which library keeps a queue, and reads what its jobs say. Pure.

The layouts: maintenance study 1.4, held against the libraries themselves by the integration tests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .observations import Evidence, Flavour, Keeping
from .values import number_of

__all__ = ["exists", "flavour_of", "is_paused", "keeping", "options_of", "waiting_since"]

_VERSION = re.compile(r"bullmq:(\d+)\.\d\S*")


def exists(evidence: Evidence) -> bool:
    """Whether there is any trace of a queue."""
    return evidence != Evidence()


def is_paused(evidence: Evidence) -> bool:
    """Whether the queue is paused: Bull has a key for it, BullMQ (and late Bull 3 and 4 too) a field."""
    return evidence.paused_field or evidence.paused_key


def flavour_of(evidence: Evidence) -> Flavour:
    """Return the library. What a queue states about itself goes first, then what only one library writes."""
    stated = _VERSION.fullmatch(evidence.version or "")
    if stated:
        return Flavour(f"bullmq{stated[1]}", (evidence.version or "").partition(":")[2], "meta.version")
    for trace, name, what in _traces(evidence):
        if trace:
            return Flavour(name, evidence.version, what)
    return Flavour("unknown", evidence.version, "no trace that only one library leaves")


def _traces(evidence: Evidence) -> tuple[tuple[bool, str, str], ...]:
    """Traces in the order of their weight: (whether it is there, flavour, what it is)."""
    fifth = evidence.marker_set or bool(evidence.job_fields & {"atm", "ats"})
    what = "the set marker" if evidence.marker_set else "the job fields atm and ats"
    mq = evidence.events > 0 or evidence.stream_limit is not None
    # Between 5 and 6 only a pause makes a difference: 5 moves the jobs to the list paused, 6 leaves them in wait.
    moved, left = evidence.jobs_in_paused > 0, evidence.jobs_in_wait > 0
    paused = fifth and evidence.paused_field
    return (
        (paused and moved and not left, "bullmq5", f"{what}, and paused jobs in the list paused"),
        (paused and left and not moved, "bullmq6", f"{what}, and paused jobs in the list wait"),
        (fifth, "bullmq5+", what),
        (mq and evidence.marker_job, "bullmq4", "the event stream, and a marker in the list wait"),
        (mq and "attemptsMade" in evidence.job_fields, "bullmq4", "the event stream, and the job field attemptsMade"),
        (mq, "bullmq", "the event stream or its limit in meta"),
        (evidence.paused_key, "bull", "the key meta-paused"),
        (evidence.priority_set, "bull", "the set priority"),
        (evidence.has_id, "bull", "a job counter without event stream"),
    )


def options_of(text: str | None) -> Mapping[str, Any]:
    """Return a job's options; none if they cannot be understood."""
    try:
        options = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return options if isinstance(options, dict) else {}


def keeping(value: Any) -> Keeping | None:
    """Understand ``removeOnComplete`` or ``removeOnFail``: true, false, a number, or ``{age, count}``.

    :returns: None if nothing is removed or nothing is said.
    """
    if value is True:
        return Keeping(number=0)
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        number = number_of(value)
        return None if number is None else Keeping(number=int(number))
    if isinstance(value, dict):
        count = number_of(value.get("count"))
        return Keeping(None if count is None else int(count), number_of(value.get("age")))
    return None


def waiting_since(job: Mapping[str, str | None]) -> float | None:
    """Return the moment, in seconds since 1970, from which a job waits at the earliest; None if it does not say.

    It was added at ``timestamp``, could not run before its delay was over, and if it ran before, not before that.
    A job that an administrator put back after it failed keeps no trace of when that was.
    """
    added = number_of(job.get("timestamp"))
    if added is None:
        return None
    delay = number_of(options_of(job.get("opts")).get("delay")) or 0.0
    later = [number_of(job.get(name)) for name in ("processedOn", "finishedOn", "retriedOn")]
    return max([added + delay, *(moment for moment in later if moment is not None)]) / 1000
