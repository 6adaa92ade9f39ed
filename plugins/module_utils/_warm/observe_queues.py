# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds out which queues the names of new keys would lie in, without a walk over all keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._redis.client import RedisClient
from .._redis.errors import Redirected
from .._redis.queue_keys import QueueKeys
from .._redis.stall import Pace
from .._redis.wire import packed
from .placement import Owner, by_owner

__all__ = ["QueueSearch"]

TRIED = "look for queues (EXISTS)"

FIRST = (b"id", b"meta", b"stalled-check")
"""One of these every queue of Bull and BullMQ has that ever had a job."""

MORE = (
    *(b"wait", b"active", b"completed", b"failed", b"delayed", b"prioritized", b"waiting-children", b"paused"),
    *(b"meta-paused", b"stalled", b"events", b"marker", b"repeat", b"limiter", b"drained"),
)


class QueueSearch:
    """Asks for what only queues have, for every beginning of a name that could be a queue's.

    :param queues: learns the queues that are there.
    """

    def __init__(self, clients: Sequence[RedisClient], owner: Owner, pace: Pace, queues: QueueKeys) -> None:
        self._clients = clients
        self._owner = owner
        self._pace = pace
        self._queues = queues
        self._asked: set[bytes] = set()

    def look(self, keys: Iterable[bytes]) -> None:
        """Learn of the queues among whose keys any of these would be.

        :raises StoreError: the server refused, or is gone.
        """
        new = {base for key in keys for base in _bases(key)} - self._asked
        self._asked |= new
        there = self._existing(base + b":" + suffix for base in new for suffix in FIRST)
        if there:
            found = {key.rpartition(b":")[0] for key in there}
            self._queues.learn([*there, *self._existing(base + b":" + suffix for base in found for suffix in MORE)])

    def _existing(self, keys: Iterable[bytes]) -> list[bytes]:
        existing = []
        for number, names in by_owner(self._owner, keys, lambda key: key).items():
            client, at = self._clients[number], 0
            while at < len(names):
                page = names[at : at + self._pace.size]
                at += len(page)
                blob = packed((b"EXISTS", name) for name in page)
                with self._pace.page():
                    replies = client.exchange(TRIED, blob, len(page))
                for name, reply in zip(page, replies, strict=True):
                    if isinstance(reply, Exception):
                        error = client.explain(TRIED, reply)
                        if not isinstance(error, Redirected):  # where the slot has gone to, nobody sets our keys
                            raise error
                    elif reply:
                        existing.append(name)
        return existing


def _bases(key: bytes) -> Iterable[bytes]:
    """Yield every beginning of a name that ends before a colon."""
    position = key.find(b":", 1)
    while position >= 0:
        yield key[:position]
        position = key.find(b":", position + 1)
