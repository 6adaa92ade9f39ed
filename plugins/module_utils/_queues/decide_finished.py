# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts jobs that ended by the numbers that BullMQ keeps for each minute. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from .values import whole_of

__all__ = ["counted"]


def counted(metrics: Sequence[str | None], minutes: Sequence[str], now: float, window: float) -> int | None:
    """Return how many jobs BullMQ's own metrics counted within the window; None where they are off.

    :param metrics: ``count``, ``prevTS`` and ``prevCount``.
    :param minutes: counts of one minute each, the newest first, up to ``prevTS``; what came later is ``count`` less
        ``prevCount``.
    :param now: milliseconds since 1970.
    :param window: how far back to count, in seconds.
    """
    count, until, before = (whole_of(value) for value in metrics)
    if count is None:
        return None
    if until is None or now - until > window * 1000:
        return 0
    reach = int((window * 1000 - (now - until)) // 60_000)
    return count - (before or 0) + sum(whole_of(value) or 0 for value in minutes[:reach])
