# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a key gets to live. Pure."""

from __future__ import annotations

from zlib import crc32

__all__ = ["milliseconds_of"]


def milliseconds_of(key: bytes, ttl: float, jitter: float) -> int:
    """Return the milliseconds that a key gets to live: its own part of the jitter, so that not all die at once.

    It follows from the name alone, so that every run says the same.

    :param ttl: seconds.
    :param jitter: part of ``ttl`` by which it may be longer or shorter.
    """
    share = crc32(key) / 0xFFFFFFFF
    return round(ttl * 1000 * (1 + jitter * (2 * share - 1)))
