# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The interface of what is remembered from one run to the next. The places that can hold it are in ``_state``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

__all__ = ["Memory", "NoMemory"]

Record = dict[str, Any]


class Memory(Protocol):
    """Small documents by key, each with a version, and series that records are appended to.

    Keys and series are names of ``/``-separated words. Values are what JSON holds.
    """

    def read(self, key: str) -> tuple[Record | None, int]:
        """Return the document and its version; (None, 0) if there is none.

        :raises StateError: the place cannot be read.
        """

    def compare_and_set(self, key: str, value: Record, version: int) -> bool:
        """Write the document if its version still is ``version``; return whether it was written.

        :raises StateError: the place cannot be written.
        """

    def append(self, series: str, record: Record, keep: int = 1000) -> None:
        """Append a record to a series, whole or not at all, of which the newest ``keep`` are kept at least.

        :raises StateError: the place cannot be written.
        """

    def tail(self, series: str, limit: int) -> Sequence[Record]:
        """Return the newest ``limit`` records of a series, oldest first.

        :raises StateError: the place cannot be read.
        """


class NoMemory:
    """Remembers nothing: for a task that was given no place to."""

    def read(self, key: str) -> tuple[Record | None, int]:
        """There is never a document."""
        return None, 0

    def compare_and_set(self, key: str, value: Record, version: int) -> bool:
        """Forget the document; say that it was written, for there is nothing to retry."""
        return True

    def append(self, series: str, record: Record, keep: int = 1000) -> None:
        """Forget the record."""

    def tail(self, series: str, limit: int) -> Sequence[Record]:
        """There is never a record."""
        return ()
