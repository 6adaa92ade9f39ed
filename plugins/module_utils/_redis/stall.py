# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long our own requests keep the server from answering others, and how large a page may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .._core.clock import Clock
from .._core.throttle import Throttle

__all__ = ["BUDGET_SECONDS", "Pace"]

BUDGET_SECONDS = 0.005
"""How long one request should keep the server busy. Redis does one thing at a time, so all others wait as long; the
measured stall of a page is up to twice its mean, and 10 ms are the most to be felt. Source: performance study E.
"""


class Pace:
    """Sizes pages by the time that the server is busy with each.

    :param clock: the clock to measure with.
    :param size: items of the first page.
    :param smallest: never fewer items than this.
    :param largest: never more items than this.
    :param budget: seconds that a page should take.
    """

    def __init__(
        self, clock: Clock, size: int = 200, smallest: int = 10, largest: int = 1000, budget: float = BUDGET_SECONDS
    ) -> None:
        self._clock = clock
        self._throttle = Throttle(budget, size=size, smallest=smallest, largest=largest)
        self._idle = 0.0
        self.longest = 0.0
        self.worst = 0.0

    def restart(self) -> None:
        """Begin to look for the ``longest`` page anew, for another action; ``worst`` is of all of them."""
        self.longest = 0.0

    @property
    def size(self) -> int:
        """Items of the next page."""
        return self._throttle.size

    def now(self) -> float:
        """Return the time by the clock that is measured with, in seconds."""
        return self._clock.monotonic()

    def learn_idle(self, ping: Callable[[], object], times: int = 5) -> None:
        """Measure what a request takes that gives the server nothing to do: the way there and back."""
        taken = []
        for _time in range(times):
            started = self._clock.monotonic()
            ping()
            taken.append(self._clock.monotonic() - started)
        self._idle = min(taken)

    @contextmanager
    def page(self) -> Iterator[None]:
        """Measure one request of ``size`` items, and size the next one by it."""
        started = self._clock.monotonic()
        yield
        self.took(self._clock.monotonic() - started - self._idle)

    def took(self, seconds: float) -> None:
        """Take in how long the server was busy with a page, where that is known better than by waiting for it."""
        busy = max(0.0, seconds)
        self.longest = max(self.longest, busy)
        self.worst = max(self.worst, busy)
        self._throttle = self._throttle.after(busy)
