# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of keys that came before, as far as there is memory for them. Pure."""

from __future__ import annotations

__all__ = ["MOST_BYTES", "Names"]

MOST_BYTES = 32 * 2**20
"""What the names may take, which is enough for about 300 thousand; later ones are not remembered."""

EACH = 90
"""Bytes that a name takes beside its letters, in the set and as an object."""


class Names:
    """Tells the first of several keys of one name."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._left = most_bytes
        self._names: set[bytes] = set()

    def add(self, name: bytes) -> bool:
        """Remember a name; whether it is new, as far as is known."""
        if name in self._names:
            return False
        if self._left > 0:
            self._left -= len(name) + EACH
            self._names.add(name)
        return True
