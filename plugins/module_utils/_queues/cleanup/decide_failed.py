# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides what becomes of a failed job. Pure.

The scripts ``retry`` and ``dispose`` look again inside the server at what keeps a job; a test holds them to this.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..decide_job import REMOVED, Job, fate_of
from ..values import whole_of
from .options import KEEP, Retrying

__all__ = [
    "ATTEMPTS",
    "CHILDREN",
    "NAME",
    "REASON",
    "RETRY",
    "FailedJob",
    "Verdict",
    "child_of",
    "sentence",
    "verdict_of",
]

RETRY = "retry"
"""The fourth outcome, beside ``keep``, ``dead_letter`` and ``remove``."""

REASON, ATTEMPTS, NAME = "reason", "attempts", "name"
"""Why a job is not tried again: no expression is found in its reason, it was tried too often, it has another name."""

CHILDREN = "children"
"""Why a job is kept: jobs that it waits for are not done."""

_CHILD_FAILED = re.compile(r"child (.+) failed", re.DOTALL)
"""What BullMQ writes as the reason of a parent that it lets fail for its child: the child's key."""


class FailedJob(NamedTuple):
    """A failed job as it was read.

    :param job: what decides over any finished job.
    :param name: its name.
    :param reason: its ``failedReason``.
    :param finished: its ``finishedOn``, as written.
    :param attempts: how often it was tried, as written: ``atm`` or ``attemptsMade``.
    :param before: how often it was tried before its attempts were set back by us.
    :param pending: children that are not done.
    :param blocked: whether it failed because of a child that still is failed.
    """

    id: str
    job: Job
    name: str = ""
    reason: str = ""
    finished: str = ""
    attempts: str = ""
    before: int = 0
    pending: int = 0
    blocked: bool = False

    @property
    def tried(self) -> int:
        """How often it was tried at all; what is no number counts as never."""
        return self.before + (whole_of(self.attempts) or 0)


class Verdict(NamedTuple):
    """What becomes of a failed job.

    :param outcome: ``retry``, ``keep``, ``dead_letter`` or ``remove``.
    :param why: the expression that was found in its reason; or in one word why it is not tried again, or is kept.
    """

    outcome: str
    why: str


def verdict_of(failed: FailedJob, retrying: Retrying) -> Verdict:
    """Judge one failed job."""
    needed = fate_of(failed.job)
    if needed != REMOVED:
        untouchable = fate_of(failed.job._replace(scheduled=False, awaited=False))
        if untouchable != REMOVED:
            return Verdict(KEEP, untouchable)
    verdict = _by_rules(failed, retrying)
    if verdict.outcome == KEEP:
        return verdict
    if verdict.outcome == RETRY:
        return Verdict(KEEP, CHILDREN) if failed.blocked else verdict
    if needed != REMOVED:
        return Verdict(KEEP, needed)
    return Verdict(KEEP, CHILDREN) if failed.pending else verdict


def child_of(reason: str) -> str | None:
    """Return the key of the child for which a parent failed; None: it failed for another reason."""
    found = _CHILD_FAILED.fullmatch(reason)
    return found[1] if found else None


def sentence(verdict: Verdict, failed: FailedJob, retrying: Retrying) -> str:
    """Say why a job is not tried again, as its dead letter tells it."""
    if verdict.why == ATTEMPTS:
        return f"it was tried {failed.tried} times, and max_attempts is {retrying.max_attempts}"
    if verdict.why == NAME:
        return "its name is none of those to try again"
    return "its reason is none of those to try again"


def _by_rules(failed: FailedJob, retrying: Retrying) -> Verdict:
    """What the user's rules say."""
    if retrying.names and failed.name not in retrying.names:
        return Verdict(retrying.otherwise, NAME)
    found = next((reason.pattern for reason in retrying.reasons if reason.search(failed.reason)), None)
    if found is None:
        return Verdict(retrying.otherwise, REASON)
    if failed.tried >= retrying.max_attempts:
        return Verdict(retrying.otherwise, ATTEMPTS)
    return Verdict(RETRY, found)
