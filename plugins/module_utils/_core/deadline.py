# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A limit of time for a task, looked at between two pieces of work."""

from __future__ import annotations

from .clock import Clock
from .errors import DeadlineExceeded
from .units import format_duration

__all__ = ["Deadline"]


class Deadline:
    """The moment by which a task has to be done.

    :param seconds: how long the task may take from now on.
    :param clock: the clock to measure with.
    """

    def __init__(self, seconds: float, clock: Clock | None = None) -> None:
        self.seconds = seconds
        self._clock = clock or Clock()
        self._end = self._clock.monotonic() + seconds

    @property
    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._end - self._clock.monotonic())

    @property
    def expired(self) -> bool:
        """Whether no time is left."""
        return self.remaining == 0.0

    def limit(self, seconds: float) -> float:
        """Return ``seconds``, or what is left if that is less: the time-out for one request."""
        return min(seconds, self.remaining)

    def check(self, tried: str) -> None:
        """Go on if there is time.

        :raises DeadlineExceeded: there is none left.
        """
        if self.expired:
            raise DeadlineExceeded(
                tried, f"the deadline of {format_duration(self.seconds)} is over", "Give the task a longer deadline."
            )
