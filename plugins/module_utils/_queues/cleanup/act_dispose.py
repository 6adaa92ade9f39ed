# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Moves failed jobs that are not tried again to the queue of dead letters, or removes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..._core.action import Action
from ..keys import job_suffixes
from ..observations import Place
from ..page import ask_page, run_script
from .act_clean_transaction import LARGEST_TRANSACTION
from .act_dispose_transaction import dispose_in_transaction
from .act_failed import Judged, over_failed
from .decide_failed import sentence
from .letter import fingerprint, letter_id
from .options import milliseconds
from .piece import Errand
from .scripts.dispose import DISPOSE
from .tallies import Disposed
from .tools import Tools

__all__ = ["dispose"]

MOST_LETTERS = 100
"""Letters in one request. To write one takes the server some 40 us."""

LARGEST_COPY = 256 * 1024
"""Bytes of jobs to copy in one request: the server reads them as JSON, a few milliseconds at this."""


def dispose(tools: Tools, action: Action) -> Action:
    """Move failed jobs to the queue of dead letters, or remove them where there is none."""
    place: Place = action.work.place
    errand: Errand = action.work.what
    went = "moved to the dead letters" if errand.letters else "removed"
    tried = f"{'move' if errand.letters else 'remove'} failed jobs of {place.name}"
    total = Disposed()

    def handle(jobs: Sequence[Judged]) -> Iterator[int]:
        nonlocal total
        for group in _groups(tools, place, errand, jobs, tried):
            if tools.scripts:
                done = _by_script(tools, place, errand, group, tried)
            else:
                done = dispose_in_transaction(tools, place, errand, group, tried)
            total = total.plus(done)
            yield done.gone

    return over_failed(tools, action, errand.retrying.otherwise, handle, lambda _progress: total.told(went))


def _groups(
    tools: Tools, place: Place, errand: Errand, jobs: Sequence[Judged], tried: str
) -> Iterator[Sequence[Judged]]:
    """Yield jobs to go at once: as many as a request may have, and where they are copied, as large as it may be."""
    most = tools.pace.size if tools.scripts else min(tools.pace.size, LARGEST_TRANSACTION)
    most = min(most, MOST_LETTERS) if errand.letters else most
    sizes = _sizes(tools, place, jobs, tried) if errand.letters else [0] * len(jobs)
    group, weight = list[Judged](), 0
    for judged, size in zip(jobs, sizes, strict=True):
        if group and (len(group) == most or weight + size > LARGEST_COPY):
            yield group
            group, weight = [], 0
        group.append(judged)
        weight += size
    if group:
        yield group


def _sizes(tools: Tools, place: Place, jobs: Sequence[Judged], tried: str) -> list[int]:
    """How many bytes of each job are copied."""
    fields = ("data", "opts", "stacktrace", "failedReason")
    asks = [("HSTRLEN", place.key(job.id), field) for job, _verdict in jobs for field in fields]
    lengths = ask_page(tools.client, tools.pace, tried, asks)
    return [sum(lengths[at : at + len(fields)]) for at in range(0, len(lengths), len(fields))]


def _by_script(tools: Tools, place: Place, errand: Errand, jobs: Sequence[Judged], tried: str) -> Disposed:
    suffixes = job_suffixes(place.queue.flavour)
    arguments: list[str | int] = [
        place.base,
        place.queue.name,
        errand.letters,
        errand.layout,
        milliseconds(tools.context.clock.now()),
        len(suffixes),
        *suffixes,
    ]
    for job, verdict in jobs:
        arguments += [job.id, fingerprint(job.reason), job.finished, job.attempts]
        arguments += [sentence(verdict, job, errand.retrying), letter_id(place.queue.name, job.id, job.finished)]
    keys = [place.key("failed"), place.key("repeat")]
    return Disposed(*run_script(tools.client, tools.pace, tried, DISPOSE, keys, arguments))
