# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a row of earlier measurements says about growth and about the day something is full."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

__all__ = ["Sample", "full_at", "slope", "thin"]

Sample = tuple[float, float]
"""Moment (seconds since 1970) and value."""

MIN_SPAN_SECONDS = 86400.0
"""Below a day of history a forecast would extrapolate the hour's work: an import, a backup, the morning's traffic."""


def slope(samples: Sequence[Sample]) -> float | None:
    """Return the growth per second, or None if the samples are fewer than three or span less than a day.

    The estimator is that of Theil and Sen (the median of all pairwise slopes): a clean-up or a spike among the samples
    does not tilt it, as it would a least-squares line.
    """
    if len(samples) < 3 or samples[-1][0] - samples[0][0] < MIN_SPAN_SECONDS:
        return None
    slopes = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for index, earlier in enumerate(samples)
        for later in samples[index + 1 :]
        if later[0] > earlier[0]
    ]
    return median(slopes) if slopes else None


def full_at(samples: Sequence[Sample], limit: float, now: datetime) -> datetime | None:
    """Return when the value reaches ``limit`` if it goes on growing so, None if it does not within ten years."""
    growth = slope(samples)
    if growth is None or growth <= 0:
        return None
    seconds = max(0.0, limit - samples[-1][1]) / growth
    return now + timedelta(seconds=seconds) if seconds < 10 * 365 * 86400 else None


def thin(samples: Sequence[Sample], keep: int) -> list[Sample]:
    """Keep at most ``keep`` samples: the newest half whole, and the older half thinned out evenly."""
    if len(samples) <= keep:
        return list(samples)
    recent = keep // 2
    old, room = samples[: len(samples) - recent], keep - recent
    return [old[round(index * (len(old) - 1) / max(1, room - 1))] for index in range(room)] + list(samples[-recent:])
