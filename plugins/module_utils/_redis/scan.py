# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Walks over the keys of a server, page by page, without ever keeping it busy for long."""

from __future__ import annotations

from collections.abc import Iterator

from .client import RedisClient
from .stall import Pace
from .wire import packed

__all__ = ["escaped", "pages"]

_SPECIAL = frozenset(b"\\*?[]^-")


def escaped(name: bytes) -> bytes:
    """Return a name that SCAN's patterns take by its letters."""
    return b"".join(b"\\%c" % byte if byte in _SPECIAL else b"%c" % byte for byte in name)


def pages(client: RedisClient, pace: Pace, pattern: bytes | None = None, empty: bool = False) -> Iterator[list[bytes]]:
    """Yield every key that is there from the beginning to the end, in pages; some may come twice, as SCAN has it.

    :param pace: sizes the pages by how long the server is busy with them.
    :param pattern: glob pattern of the keys; None: all. The server looks at all keys either way.
    :param empty: whether to yield pages without keys too, to a caller who looks at the clock in between.
    :raises StoreError: the server refused, or is gone.
    :raises DeadlineExceeded: the time is over; what was not seen is unknown.
    """
    cursor = b"0"
    while True:
        command: list[bytes | int] = [b"SCAN", cursor, b"COUNT", pace.size]
        if pattern is not None:
            command += [b"MATCH", pattern]
        with pace.page():
            (reply,) = client.exchange("look for keys (SCAN)", packed([command]), 1)
        if isinstance(reply, Exception):
            raise client.explain("look for keys (SCAN)", reply)
        cursor, page = reply
        if page or empty:
            yield page
        if cursor == b"0":
            return
