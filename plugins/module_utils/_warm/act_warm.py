# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets an entry's keys: page by page, within a rate, and limits of number, memory and time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from .._core.clock import Clock
from .._core.deadline import Deadline
from .._core.errors import DeadlineExceeded
from .._redis.client import RedisClient
from .._redis.stall import Pace
from .decide_warm import MAX_KEYS, OVERHEAD, fullest
from .observation import Item, NodeMemory
from .placement import Owner, by_owner
from .writers import Writer

__all__ = ["Means", "Warmed", "Warming"]

TIME_OVER = "the deadline is near"

RESERVE = 0.02
"""Part of the deadline that is left for the end: to give back the lock, and to look again."""

PAGE_BYTES = 256 * 2**10
"""Bytes of a page: the server copies so many in well under a millisecond, whatever their number."""

RATE_SECONDS = 0.1
"""A page holds no more keys than the rate allows for so long, so that they do not come in bursts."""

MEMORY_PAGES = 100
"""After so many pages the servers' memory is read again, and before that once half of what was free is written."""

SAMPLE = 100
"""Keys that are looked at again."""


@dataclass(frozen=True)
class Means:
    """What keys are set with.

    :param rate: keys a second; None: as fast as the servers' stall allows.
    :param percent: of maxmemory, at which it ends.
    :param memory: reads it of every server.
    :param keep_lock: to be called between two pages.
    """

    clients: Sequence[RedisClient]
    owner: Owner
    pace: Pace
    clock: Clock
    deadline: Deadline
    rate: float | None
    percent: float
    memory: Callable[[], Sequence[NodeMemory]]
    keep_lock: Callable[[], None]


@dataclass
class Warmed:
    """What was done.

    :param stayed: keys that were there when their turn came.
    :param away: keys of a cluster's nodes that cannot be reached, or on their way to another node.
    :param stopped: why it ended before all was done.
    :param sample: some of the keys.
    """

    keys: int = 0
    stayed: int = 0
    away: int = 0
    pages: int = 0
    stopped: str = ""
    sample: list[Item] = field(default_factory=list)


class Warming:
    """One entry at work. What was done is in ``warmed``, also after an error.

    :param most: the most keys to set; None: any number.
    """

    def __init__(self, means: Means, writer: Writer, most: int | None) -> None:
        self._means = means
        self._writer = writer
        self._most = most
        self._turn = means.clock.monotonic()
        self._free = 0.0
        self._unread = 0
        self.warmed = Warmed()

    def run(self, batches: Iterable[Sequence[Item]]) -> Warmed:
        """Set keys, as long as no limit is reached.

        :raises UpkeepError: the source or a server failed, or the lock was lost.
        """
        try:
            for batch in batches:
                if not self._take(batch):
                    break
        except DeadlineExceeded:
            self.warmed.stopped = TIME_OVER
        return self.warmed

    def _take(self, items: Sequence[Item]) -> bool:
        """Set keys, page by page. False: a limit is reached."""
        at = 0
        while at < len(items):
            size = self._allowed()
            if not size:
                return False
            page = _page(items, at, size)
            at += len(page)
            self._write(page)
        return True

    def _allowed(self) -> int:
        """Return how many keys the next page may have, once it is its turn; 0: a limit is reached."""
        means, warmed = self._means, self.warmed
        left = means.deadline.remaining - means.deadline.seconds * RESERVE
        size = means.pace.size
        rest = 0.0
        if means.rate:
            size = min(size, max(1, int(means.rate * RATE_SECONDS)))
            rest = self._turn - means.clock.monotonic()
        if self._most is not None:
            size = min(size, self._most - warmed.keys)
        if left <= max(0.0, rest):
            warmed.stopped = TIME_OVER
        elif size <= 0:
            warmed.stopped = MAX_KEYS
        elif self._full():
            warmed.stopped = f"memory is {means.percent:g} % full"
        if warmed.stopped:
            return 0
        while rest > 0:
            means.clock.sleep(min(rest, 10.0))
            rest -= 10.0
            means.keep_lock()
        means.keep_lock()
        return size

    def _full(self) -> bool:
        """Whether memory has reached its limit. It is read when there is a chance of that."""
        if self.warmed.pages % MEMORY_PAGES and self._unread < self._free / 2:
            return False
        full = fullest(self._means.memory())
        self._unread = 0
        self._free = full.maximum * self._means.percent / 100 - full.used if full.maximum else math.inf
        return self._free <= 0

    def _write(self, page: Sequence[Item]) -> None:
        """Set the keys of a page, on every server that has some of them."""
        means, warmed = self._means, self.warmed
        warmed.pages += 1
        warmed.away += len(page)
        self._unread += sum(item.size + OVERHEAD for item in page)
        if means.rate:  # what was slow before, such as the source, is not made up for
            self._turn = max(self._turn, means.clock.monotonic()) + len(page) / means.rate
        for number, group in by_owner(means.owner, page, lambda item: item.key).items():
            written = self._writer.write(means.clients[number], group)
            warmed.keys += written.keys
            warmed.away -= len(group) - written.away
            if written.error:
                raise written.error
            warmed.stayed += len(group) - written.keys - written.away
            if written.keys == len(group):
                warmed.sample += group[: max(0, SAMPLE - len(warmed.sample))]


def _page(items: Sequence[Item], at: int, size: int) -> list[Item]:
    """Return the next keys, one at least, and no more bytes than a page may have."""
    page: list[Item] = []
    left = PAGE_BYTES
    for item in items[at : at + size]:
        left -= item.size
        if page and left < 0:
            break
        page.append(item)
    return page
