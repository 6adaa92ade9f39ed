# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read before keys are made. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .._core.errors import StoreError, UpkeepError
from .entry import Entry

__all__ = ["Item", "NodeMemory", "Seen", "Tally"]


class Item(NamedTuple):
    """One key to be.

    :param value: a string's bytes, or a hash's fields and values in turn.
    :param life: milliseconds that it gets to live; 0: for ever.
    """

    key: bytes
    value: bytes | tuple[bytes, ...]
    life: int

    @property
    def size(self) -> int:
        """Bytes of the key and of all that it holds."""
        value = self.value
        return len(self.key) + (len(value) if isinstance(value, bytes) else sum(map(len, value)))


@dataclass
class Tally:
    """What an entry's source gave.

    :param rows: rows that were read.
    :param due: keys that are to be set.
    :param there: keys that are there already and stay.
    :param other_type: keys that are there and hold something of another type; they stay.
    :param repeated: rows whose key an earlier row had.
    :param missing: rows without a field that the key or the value needs.
    :param unreadable: rows, or lines of a file, that hold what cannot be told as text.
    :param too_large: rows whose key would be larger than is allowed.
    :param protected: rows whose key would lie among a queue's keys, or ours.
    :param away: keys of a cluster's nodes that cannot be reached, or on their way to another node.
    :param bytes: of the keys that are due, and of what they are to hold.
    :param complete: whether all rows were read.
    :param error: why the source could not be read.
    """

    entry: Entry
    rows: int = 0
    due: int = 0
    there: int = 0
    other_type: int = 0
    repeated: int = 0
    missing: int = 0
    unreadable: int = 0
    too_large: int = 0
    protected: int = 0
    away: int = 0
    bytes: int = 0
    complete: bool = True
    error: UpkeepError | None = None


class NodeMemory(NamedTuple):
    """A server's memory. :param used: bytes that count. :param maximum: how many it may be; None: any number."""

    used: int
    maximum: int | None

    @property
    def percent(self) -> float:
        """How full it is."""
        return 100 * self.used / self.maximum if self.maximum else 0.0


class Seen(NamedTuple):
    """All that a decision is made from.

    :param memory: of every server.
    :param policy: the server's maxmemory-policy.
    :param longest: seconds that the longest of our requests kept a server busy.
    :param missing: why primaries of the cluster are left out.
    """

    tallies: tuple[Tally, ...]
    memory: tuple[NodeMemory, ...]
    policy: str
    longest: float
    missing: tuple[StoreError, ...] = ()
