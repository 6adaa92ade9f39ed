# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How large the next batch is and how long to rest before it."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Throttle"]

GROWTH = 1.5
"""Most that a batch may grow from one to the next: soon at the optimum, without leaping over it."""


@dataclass(frozen=True)
class Throttle:
    """An adaptive batch size, aimed at a time for each batch.

    :param target_seconds: how long one batch should take.
    :param size: items in the next batch.
    :param smallest: never fewer items than this.
    :param largest: never more items than this.
    :param rest_ratio: rest for this fraction of the time that the last batch took (1.0: work half of the time).
    """

    target_seconds: float
    size: int = 1000
    smallest: int = 1
    largest: int = 50_000
    rest_ratio: float = 0.0

    def after(self, seconds: float) -> Throttle:
        """Return the throttle for the next batch, after one of the present size took ``seconds``.

        The size follows the ratio of target to measured time; it grows by half at most and shrinks as far as it must.
        """
        factor = GROWTH if seconds <= 0 else min(GROWTH, self.target_seconds / seconds)
        return replace(self, size=max(self.smallest, min(self.largest, int(self.size * factor))))

    def pause(self, seconds: float, lag_seconds: float = 0.0, lag_limit_seconds: float = float("inf")) -> float:
        """Return how long to rest, in seconds, after a batch of ``seconds``.

        :param lag_seconds: how far the slowest replica is behind.
        :param lag_limit_seconds: above this lag the rest is at least as long as what the replica lags beyond it.
        """
        return max(seconds * self.rest_ratio, lag_seconds - lag_limit_seconds, 0.0)
