# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which keys belong to Bull and BullMQ queues: no clean-up of keys may touch them. Pure.

A queue's keys are ``<prefix>:<queue>:<suffix>``, and a job's ``<prefix>:<queue>:<id>``, with its own suffixes behind. A
queue is known by a key that only a queue has. Layouts: maintenance study 1.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["ENDINGS", "QueueKeys", "queue_base"]

# A counter named id is left by other programs as well; so are lists named wait. These are not.
_TELLING = re.compile(
    rb"(.+):(?:meta-paused|stalled-check|waiting-children|prioritized|metrics:(?:completed|failed)(?::data)?"
    rb"|(?:completed|failed|delayed|active|stalled|meta|events|marker|repeat|limiter|drained|paused|wait|id))\Z",
    re.DOTALL,
)
_SURE = re.compile(rb".+:(?:meta-paused|stalled-check|waiting-children|prioritized)\Z", re.DOTALL)
ENDINGS = tuple(
    b":" + ending.encode()
    for ending in (
        "meta-paused", "stalled-check", "waiting-children", "prioritized", "completed", "failed", "data", "delayed",
        "active", "stalled", "meta", "events", "marker", "repeat", "limiter", "drained", "paused", "wait", "id",
    )
)  # fmt: skip
"""What such keys end with: to hold each of a million names against an expression would take too long."""
_DEFAULT = (b"bull:", b"{bull}:")
"""What the libraries begin names with by themselves: here one key tells. An idle queue may have its counter only."""
_ENOUGH = 2
"""So many different keys of a queue make one; a single ``meta`` or ``id`` may be anybody's."""


def queue_base(key: bytes) -> bytes | None:
    """Return what comes before a queue's own suffix, ``bull:mail`` of ``bull:mail:wait``; None: no such suffix."""
    match = _TELLING.match(key)
    return match[1] if match else None


class QueueKeys:
    """The queues that a key space holds, learned from the names of its keys."""

    def __init__(self, bases: Iterable[bytes] = ()) -> None:
        self._seen: dict[bytes, set[bytes]] = {}
        self._bases: set[bytes] = set(bases)

    def learn(self, keys: Iterable[bytes]) -> None:
        """Take in the names of keys."""
        for key in [key for key in keys if key.endswith(ENDINGS)]:
            base = queue_base(key)
            if base is None or base in self._bases:
                continue
            suffixes = self._seen.setdefault(base, set())
            suffixes.add(key[len(base) :])
            if len(suffixes) >= _ENOUGH or base.startswith(_DEFAULT) or _SURE.match(key):
                self._bases.add(base)

    @property
    def bases(self) -> frozenset[bytes]:
        """``<prefix>:<queue>`` of every queue that was recognised."""
        return frozenset(self._bases)

    def holds(self, key: bytes) -> bool:
        """Whether a key belongs to one of the queues: it is one of the queue's own, or a job's, or a job's own."""
        position = key.find(b":")
        while position >= 0:
            if key[:position] in self._bases:
                return True
            position = key.find(b":", position + 1)
        return False
