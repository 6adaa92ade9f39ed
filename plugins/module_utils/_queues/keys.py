# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of a queue: its states, and what belongs to a job. Pure. Layouts: maintenance study 1.4."""

from __future__ import annotations

from collections.abc import Sequence

from .observations import Flavour

__all__ = ["LISTS", "MOST_IN_LIST", "SETS", "is_marker", "job_suffixes"]

LISTS = ("wait", "paused")
"""States kept as lists. ``active`` is left to the library: a job there belongs to a worker."""

SETS = ("completed", "failed", "delayed", "prioritized", "waiting-children")
"""States kept as sorted sets."""

MOST_IN_LIST = 100_000
"""Longer lists are not looked through: to find an entry the server walks over all of them, a millisecond at this."""

_BULL = ("", ":logs")
_BULLMQ = (*_BULL, ":dependencies", ":processed", ":failed", ":unsuccessful")


def job_suffixes(flavour: Flavour) -> Sequence[str]:
    """Return what is put behind a job's key to get every key of the job; its lock is its worker's, and expires."""
    return _BULL if flavour.is_bull else _BULLMQ


def is_marker(entry: str) -> bool:
    """Whether an entry of a list is no job: BullMQ 4 puts ``0:...`` there to wake a worker."""
    return entry == "" or entry.startswith("0:")
