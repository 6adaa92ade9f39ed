# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys that were found due, so that a source need not be read again to set them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from .observation import Item

__all__ = ["MOST_BYTES", "Remembered"]

MOST_BYTES = 32 * 2**20
"""What is kept in all; the source of an entry with more is read again."""

EACH = 200
"""Bytes that a key takes beside its own, as objects."""


class Remembered:
    """Keys by entry."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._left = most_bytes
        self._items: dict[str, list[Item]] = {}
        self._taken: dict[str, int] = {}
        self._given_up: set[str] = set()

    def add(self, entry: str, items: Sequence[Item]) -> None:
        """Keep keys, unless there are too many."""
        if entry in self._given_up:
            return
        taken = sum(item.size + EACH for item in items)
        self._left -= taken
        self._taken[entry] = self._taken.get(entry, 0) + taken
        if self._left < 0:
            self.forget(entry)
            return
        self._items.setdefault(entry, []).extend(items)

    def forget(self, entry: str) -> None:
        """Let go of an entry's keys: they are too many, or not all."""
        self._left += self._taken.pop(entry, 0)
        self._items.pop(entry, None)
        self._given_up.add(entry)

    def take(self, entry: str) -> list[Item] | None:
        """Return all keys of an entry, and let go of them; None: they are not kept."""
        return None if entry in self._given_up else self._items.pop(entry, [])
