# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Goes through failed jobs page by page, and hands over those with one outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from ..._core.action import Action
from ..observations import Place
from .batches import Progress, in_batches
from .decide_failed import FailedJob, Verdict
from .observe_failed import page_of
from .piece import Errand
from .tools import Tools

__all__ = ["Judged", "in_groups", "over_failed"]

Judged = tuple[FailedJob, Verdict]
Done = TypeVar("Done")


def over_failed(
    tools: Tools,
    action: Action,
    outcome: str,
    handle: Callable[[Sequence[Judged]], Iterator[int]],
    told: Callable[[Progress], str],
) -> Action:
    """Look at failed jobs, oldest first, and hand over those that are to have one outcome.

    :param handle: does it in groups, and yields for each how many are failed jobs no more.
    :param told: says what was done.
    """
    place: Place = action.work.place
    errand: Errand = action.work.what
    tried = f"read the failed jobs of {place.name}"
    stayed = 0

    def batch(progress: Progress) -> None:
        nonlocal stayed
        page = page_of(tools.client, tools.pace, place, errand.retrying, stayed, errand.until, tried)
        room, chosen, seen = progress.room(len(page.jobs)), list[Judged](), 0
        for judged in page.jobs:
            if judged[1].outcome == outcome:
                if len(chosen) == room:
                    break
                chosen.append(judged)
            seen += 1
        stayed += seen
        for left in handle(chosen) if chosen else ():
            progress.changed += left
            stayed -= left
        progress.finished = page.last and seen == len(page.jobs)

    return in_batches(tools, action, batch, told)


def in_groups(
    jobs: Sequence[Judged], size: Callable[[], int], work: Callable[[Sequence[Judged]], tuple[Done, int]]
) -> Iterator[Done]:
    """Yield what became of jobs, group by group.

    :param size: how many the next group has at most.
    :param work: does what is to be done, and returns what became of the jobs and how many of them, the first ones, it
        went through: large jobs are fewer to a request.
    """
    while jobs:
        done, seen = work(jobs[: size()])
        yield done
        jobs = jobs[seen:]
