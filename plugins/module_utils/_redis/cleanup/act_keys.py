# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carries a rule out: page by page, within a limit of changes and of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..._core.deadline import Deadline
from ..._core.errors import DeadlineExceeded, StoreError
from ..client import RedisClient
from ..stall import Pace
from .changers import Changer, Means, changer_for
from .observe_keys import cutoff_of
from .rule import Rule
from .spared import Spared

__all__ = ["Servers", "Sweep", "Swept"]

TIME_OVER = "the deadline is near"

RESERVE = 0.02
"""Part of the deadline that is left for the end: to give back the lock, and to look at memory."""


@dataclass(frozen=True)
class Servers:
    """What a sweep works with.

    :param nodes: every server whose keys are meant.
    :param cluster: whether they are of a cluster, where keys of several slots cannot be in one command.
    :param names: yields the keys of a rule on the server of that number, in pages.
    :param now: the servers' time.
    :param scripts: whether they run scripts for us.
    :param conditional: whether they know PEXPIRE with NX.
    :param pace: of the pages of changes.
    :param keep_lock: to be called between two pages.
    """

    nodes: Sequence[RedisClient]
    cluster: bool
    names: Callable[[Rule, int], Iterator[list[bytes]]]
    now: datetime
    scripts: bool
    conditional: bool
    spared: Spared
    pace: Pace
    deadline: Deadline
    keep_lock: Callable[[], None]


@dataclass
class Swept:
    """What was done.

    :param stayed: keys that were due and that somebody touched before they were taken.
    :param away: keys of a cluster that were on their way to another node.
    :param spared: keys that no rule may touch.
    :param stopped: why it ended before all was done.
    """

    keys: int = 0
    pages: int = 0
    stayed: int = 0
    away: int = 0
    spared: int = 0
    stopped: str = ""


class Sweep:
    """One rule at work. What was done is in ``swept``, also after an error.

    :param most: the most keys to change; None: any number.
    """

    def __init__(self, servers: Servers, rule: Rule, most: int | None) -> None:
        self._servers = servers
        self._rule = rule
        self._most = most
        self.swept = Swept()
        self.changer: Changer = changer_for(
            rule,
            Means(servers.cluster, servers.scripts, servers.conditional, servers.pace),
            cutoff_of(rule, servers.now),
        )

    def run(self) -> Swept:
        """Change the keys of every server, as long as there is time; a server that is lost keeps no other from it.

        :raises StoreError: a server refused, or is gone, or the lock was lost.
        """
        lost: StoreError | None = None
        for number, client in enumerate(self._servers.nodes):
            try:
                self._run(number, client)
            except DeadlineExceeded:
                self.swept.stopped = TIME_OVER
            except StoreError as error:
                if error is not client.lost:
                    raise
                lost = lost or error
            if self.swept.stopped:
                break
        if lost is not None:
            raise lost
        return self.swept

    def _run(self, number: int, client: RedisClient) -> None:
        """Change the keys of one server."""
        for page in self._servers.names(self._rule, number):
            free = self._servers.spared.free(page)
            self.swept.spared += len(page) - len(free)
            if not self._take(client, free):
                return

    def _take(self, client: RedisClient, keys: Sequence[bytes]) -> bool:
        """Change keys, piece by piece. False: a limit is reached."""
        servers, swept = self._servers, self.swept
        at = 0
        while at < len(keys):
            left = len(keys) if self._most is None else self._most - swept.keys
            if left <= 0:
                swept.stopped = "max_changes is reached"
                return False
            if servers.deadline.remaining <= servers.deadline.seconds * RESERVE:
                swept.stopped = TIME_OVER
                return False
            servers.keep_lock()
            piece = keys[at : at + min(left, servers.pace.size)]
            changed = self.changer.change(client, piece)
            at += len(piece)
            swept.pages += 1
            swept.keys += changed.keys
            swept.stayed += changed.stayed
            swept.away += changed.away
        return True
