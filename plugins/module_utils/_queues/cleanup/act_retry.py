# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries failed jobs again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..._core.action import Action
from ..observations import Place
from ..page import ask_page, run_script
from .act_clean_transaction import LARGEST_TRANSACTION
from .act_failed import Judged, in_groups, over_failed
from .act_remains import LIST_BATCH
from .act_retry_transaction import retry_in_transaction
from .decide_failed import RETRY as OUTCOME
from .layout import BULL
from .letter import fingerprint
from .options import milliseconds
from .piece import Errand
from .scripts.retry import RETRY
from .tallies import Retried
from .tools import Tools

__all__ = ["retry"]

LONG_LINE = 10_000
"""In a longer list of Bull's the place of a job with a priority takes the server a while to find."""


def retry(tools: Tools, action: Action) -> Action:
    """Put failed jobs back where they wait, each with its priority, its end of the line, and its parent."""
    place: Place = action.work.place
    errand: Errand = action.work.what
    tried = f"try failed jobs of {place.name} again"
    total = Retried()

    def group(jobs: Sequence[Judged]) -> tuple[Retried, int]:
        if tools.scripts:
            return _by_script(tools, place, errand, jobs, tried)
        return retry_in_transaction(tools, place, errand, jobs, tried), len(jobs)

    def handle(jobs: Sequence[Judged]) -> Iterator[int]:
        nonlocal total
        for done in in_groups(jobs, lambda: _size(tools, place, errand, tried), group):
            total = total.plus(done)
            yield done.retried

    return over_failed(tools, action, OUTCOME, handle, lambda _progress: total.told())


def _size(tools: Tools, place: Place, errand: Errand, tried: str) -> int:
    """How many jobs to put back at once."""
    size = tools.pace.size if tools.scripts else min(tools.pace.size, LARGEST_TRANSACTION)
    if errand.layout == BULL:
        lengths = ask_page(
            tools.client, tools.pace, tried, [("LLEN", place.key("wait")), ("LLEN", place.key("paused"))]
        )
        if max(lengths) > LONG_LINE:
            return min(size, LIST_BATCH)
    return size


def _by_script(tools: Tools, place: Place, errand: Errand, jobs: Sequence[Judged], tried: str) -> tuple[Retried, int]:
    arguments: list[str | int] = [
        place.base,
        errand.layout,
        milliseconds(tools.context.clock.now()),
        int(errand.retrying.reset_attempts),
    ]
    for job, _verdict in jobs:
        arguments += [job.id, fingerprint(job.reason), job.finished, job.attempts]
    *fates, seen = run_script(tools.client, tools.pace, tried, RETRY, [place.key("failed")], arguments)
    return Retried(*fates), seen
