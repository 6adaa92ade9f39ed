# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts what ended within a window, from the best source there is. Pure.

The library's own metrics are exact. Without them the jobs that are kept are counted, which says nothing when jobs are
removed as they end.
"""

from __future__ import annotations

from ..observations import Finished, Keeping

__all__ = ["LEAST_FINISHED", "cut_short", "ended", "failure_percent"]

LEAST_FINISHED = 20
"""Below this many finished jobs a rate says nothing."""


def ended(finished: Finished) -> tuple[int, int]:
    """Return completed and failed jobs within the window."""
    if finished.counted_completed is None:
        return finished.completed, finished.failed
    return finished.counted_completed, finished.counted_failed or 0


def failure_percent(finished: Finished, window: float) -> float | None:
    """Return the share of failed jobs in percent, None where it cannot be known.

    :param window: seconds that ``finished`` looks back.
    """
    completed, failed = ended(finished)
    if completed + failed == 0 or cut_short(finished, window):
        return None
    return round(failed * 100 / (completed + failed), 2)


def cut_short(finished: Finished, window: float) -> bool:
    """Whether jobs that ended within the window may have been removed already, with nothing else that counted them."""
    return finished.counted_completed is None and (
        _cut(finished.completed_keeping, finished.completed_kept, window)
        or _cut(finished.failed_keeping, finished.failed_kept, window)
    )


def _cut(keeping: Keeping | None, kept: int, window: float) -> bool:
    if keeping is None:
        return False
    by_count = keeping.number is not None and kept >= keeping.number
    return by_count or (keeping.age is not None and keeping.age < window)
