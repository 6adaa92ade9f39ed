# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client of a host's health checks: its files, and the interval over which CPU use is measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from .._core.runner import Context
from .observe_processes import Rule, matching
from .reader import Host
from .sample import Sample, take_sample

__all__ = ["Watch", "watch"]


class Watch:
    """A host that is looked at twice. The other checks are made in between, so that the interval costs little.

    :param host: its files.
    :param rules: the processes to look at, with the ids of those that there are.
    :param interval: seconds between the two looks.
    """

    def __init__(self, host: Host, rules: list[tuple[Rule, list[int]]], interval: float, context: Context) -> None:
        self.host = host
        self.rules = rules
        self.first = self._look(context)
        self._interval = interval
        self._second: Sample | None = None

    def _look(self, context: Context) -> Sample:
        pids = [pid for _rule, found in self.rules for pid in found]
        return take_sample(self.host, context.clock.monotonic(), pids)

    def second(self, context: Context) -> Sample:
        """Return the second look; the first caller waits for the rest of the interval.

        :raises DeadlineExceeded: no time is left to wait.
        """
        if self._second is None:
            rest = self.first.at + self._interval - context.clock.monotonic()
            if rest > 0:
                context.clock.sleep(context.deadline.limit(rest))
                context.deadline.check("measure the CPU use")
            self._second = self._look(context)
        return self._second


@contextmanager
def watch(context: Context, host: Host, rules: Sequence[Rule], interval: float) -> Iterator[Watch]:
    """Begin to look at a host.

    :param rules: the processes to look at.
    :param interval: seconds over which CPU use is measured.
    :raises NotLinux: it has no /proc.
    """
    host.require_linux()
    yield Watch(host, matching(host, rules), interval, context)
