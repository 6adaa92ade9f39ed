# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds the queues under a prefix, by SCAN and within bounds."""

from __future__ import annotations

import re

from .._core.clock import Clock
from .._core.errors import StoreError
from .._redis.client import RedisClient

__all__ = ["DiscoveryIncomplete", "discover"]

PAGE = 1000
"""Keys a SCAN step looks at: half a millisecond of the server's time."""

MOST_KEYS = 1_000_000
MOST_SECONDS = 5.0
"""The search ends at whichever comes first. A larger key space needs the queues to be named."""

_ENDINGS = re.compile(r":(?:meta|meta-paused|id)$")
_MATCH = "[im][de]*"
"""What SCAN matches after the last colon: id, meta, meta-paused, and little else."""


class DiscoveryIncomplete(StoreError):
    """The search ended before it had seen all keys."""

    condition = "discovery_incomplete"


def discover(client: RedisClient, prefix: str, clock: Clock) -> tuple[list[str], DiscoveryIncomplete | None]:
    """Return the names of the queues under ``prefix``, and why there may be more.

    Keys of a job or of a deduplication can end like those of a queue; a name that begins with another one's and a
    colon is kept all the same, for Bull allows colons. The caller drops it if it finds no queue there.

    :raises StoreError: the server refused, or is gone.
    """
    names: set[str] = set()
    started, looked_at, cursor = clock.monotonic(), 0, 0
    pattern = f"{_escape(prefix)}:*:{_MATCH}"
    while True:
        cursor, page = _page(client, cursor, pattern)
        looked_at += PAGE
        names |= {_ENDINGS.sub("", key)[len(prefix) + 1 :] for key in page if _ENDINGS.search(key)}
        if cursor == 0:
            return sorted(names), None
        if looked_at >= MOST_KEYS or clock.monotonic() - started >= MOST_SECONDS:
            error = DiscoveryIncomplete(
                f"find every queue under the prefix {prefix}",
                f"after about {looked_at} keys there were still more",
                "Name the queues in the option queues.",
            )
            return sorted(names), error


def _page(client: RedisClient, cursor: int, pattern: str) -> tuple[int, list[str]]:
    following, page = client.ask(
        "search for queues (SCAN)", lambda redis: redis.scan(cursor=cursor, match=pattern, count=PAGE)
    )
    return int(following), page


def _escape(text: str) -> str:
    """Return a text that SCAN's patterns take by its letters."""
    return re.sub(r"([\\*?\[\]^-])", r"\\\1", text)
