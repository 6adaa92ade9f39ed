# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Moves failed jobs that are not tried again to the queue of dead letters, or removes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..._core.action import Action
from ..._core.errors import AccessDenied
from ..keys import job_suffixes
from ..observations import Place
from ..page import run_script
from .act_clean_transaction import LARGEST_TRANSACTION
from .act_dispose_transaction import dispose_in_transaction
from .act_failed import Judged, in_groups, over_failed
from .decide_failed import sentence
from .letter import fingerprint, letter_id
from .options import milliseconds
from .piece import Errand
from .scripts.dispose import DISPOSE
from .tallies import Disposed
from .tools import Tools
from .transactions import TransactionContended

__all__ = ["dispose"]

MOST_LETTERS = 100
"""Letters in one request. To write one takes the server some 30 us."""

TOO_LARGE = 128 * 1024
"""Bytes of data from which on a job goes by a transaction, one at a time: there this process reads them as JSON. A
script would keep the server for more than 10 ms for each megabyte.
"""


def dispose(tools: Tools, action: Action) -> Action:
    """Move failed jobs to the queue of dead letters, or remove them where there is none."""
    place: Place = action.work.place
    errand: Errand = action.work.what
    went = "moved to the dead letters" if errand.letters else "removed"
    tried = f"{'move' if errand.letters else 'remove'} failed jobs of {place.name}"
    total = Disposed()

    def group(jobs: Sequence[Judged]) -> tuple[Disposed, int]:
        if tools.scripts:
            done, seen = _by_script(tools, place, errand, jobs, TOO_LARGE, tried)
            return (done, seen) if seen else (_large(tools, place, errand, jobs[:1], tried), 1)
        return dispose_in_transaction(tools, place, errand, jobs, tried), len(jobs)

    def handle(jobs: Sequence[Judged]) -> Iterator[int]:
        nonlocal total
        for done in in_groups(jobs, lambda: _size(tools, errand), group):
            total = total.plus(done)
            yield done.gone

    return over_failed(tools, action, errand.retrying.otherwise, handle, lambda _progress: total.told(went))


def _size(tools: Tools, errand: Errand) -> int:
    """How many jobs to move at once."""
    most = tools.pace.size if tools.scripts else min(tools.pace.size, LARGEST_TRANSACTION)
    return min(most, MOST_LETTERS) if errand.letters else most


def _large(tools: Tools, place: Place, errand: Errand, job: Sequence[Judged], tried: str) -> Disposed:
    """Move a large job; by a script after all for who may do no transactions, or not finish them for others."""
    try:
        return dispose_in_transaction(tools, place, errand, job, tried)
    except (AccessDenied, TransactionContended):
        done, _seen = _by_script(tools, place, errand, job, 0, tried)
        return done


def _by_script(
    tools: Tools, place: Place, errand: Errand, jobs: Sequence[Judged], too_large: int, tried: str
) -> tuple[Disposed, int]:
    suffixes = job_suffixes(place.queue.flavour)
    arguments: list[str | int] = [
        place.base,
        place.queue.name,
        errand.letters,
        errand.layout,
        milliseconds(tools.context.clock.now()),
        too_large,
        len(suffixes),
        *suffixes,
    ]
    for job, verdict in jobs:
        arguments += [job.id, fingerprint(job.reason), job.finished, job.attempts]
        arguments += [sentence(verdict, job, errand.retrying), letter_id(place.queue.name, job.id, job.finished)]
    keys = [place.key("failed"), place.key("repeat")]
    *fates, seen = run_script(tools.client, tools.pace, tried, DISPOSE, keys, arguments)
    return Disposed(*fates), seen
