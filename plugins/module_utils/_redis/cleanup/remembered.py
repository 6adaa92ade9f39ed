# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of keys that a first pass found, so that the key space need not be walked over again for each rule. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["MOST_BYTES", "Remembered"]

MOST_BYTES = 32 * 2**20
"""Bytes of names that are kept in all, about two millions of usual length; rules with more walk over the keys again."""

Place = tuple[str, int]
"""A rule's name and the number of the server."""


class Remembered:
    """Names by rule and server, each page of them in one string, which takes a fifth of the memory of single ones."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._left = most_bytes
        self._pages: dict[Place, list[bytes | Sequence[bytes]]] = {}
        self._given_up: set[str] = set()

    def add(self, rule: str, server: int, names: Sequence[bytes]) -> None:
        """Keep names, unless there are too many."""
        if rule in self._given_up or not names:
            return
        joined = b"\n".join(names)
        self._left -= len(joined)
        if self._left < 0:
            self._left += len(joined)
            self._forget(rule)
            self._given_up.add(rule)
            return
        whole = joined.count(b"\n") == len(names) - 1  # else a name has a line feed in it
        self._pages.setdefault((rule, server), []).append(joined if whole else tuple(names))

    def _forget(self, rule: str) -> None:
        """Let go of a rule's names."""
        for place in [place for place in self._pages if place[0] == rule]:
            self._left += sum(
                len(page) if isinstance(page, bytes) else len(b"\n".join(page)) for page in self._pages.pop(place)
            )

    def knows(self, rule: str) -> bool:
        """Whether all names of a rule are kept."""
        return rule not in self._given_up

    def pages(self, rule: str, server: int) -> Iterator[list[bytes]]:
        """Yield the names, as they came."""
        for page in self._pages.get((rule, server), ()):
            yield page.split(b"\n") if isinstance(page, bytes) else list(page)
