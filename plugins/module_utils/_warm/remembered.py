# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys that were found due, so that a source need not be read again to set them. Pure."""

from __future__ import annotations

import marshal
import zlib
from collections.abc import Generator, Sequence

from .observation import Item

__all__ = ["MOST_BYTES", "Remembered"]

MOST_BYTES = 24 * 2**20
"""What is kept in all, packed; rows shrink to a fifth or so. The source of an entry with more is read again."""


class Remembered:
    """Keys by entry, in memory only, each batch of them packed."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._left = most_bytes
        self._batches: dict[str, list[bytes]] = {}
        self._given_up: set[str] = set()

    def add(self, entry: str, items: Sequence[Item]) -> None:
        """Keep keys, unless there are too many."""
        if entry in self._given_up or not items:
            return
        packed = zlib.compress(marshal.dumps([tuple(item) for item in items]), 1)
        self._left -= len(packed)
        self._batches.setdefault(entry, []).append(packed)
        if self._left < 0:
            self.forget(entry)

    def forget(self, entry: str) -> None:
        """Let go of an entry's keys: they are too many, or not all."""
        self._left += sum(len(packed) for packed in self._batches.pop(entry, ()))
        self._given_up.add(entry)

    def take(self, entry: str) -> Generator[list[Item], None, None] | None:
        """Return all keys of an entry, in batches, and let go of them; None: they are not kept."""
        if entry in self._given_up:
            return None
        batches = self._batches.pop(entry, [])
        self._left += sum(len(packed) for packed in batches)
        return (_unpacked(packed) for packed in batches)


def _unpacked(packed: bytes) -> list[Item]:
    # What is read here this very process has written.
    return [Item(*item) for item in marshal.loads(zlib.decompress(packed))]  # noqa: S302
