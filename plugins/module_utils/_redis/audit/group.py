# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sums over keys that belong together. Pure."""

from __future__ import annotations

from bisect import bisect_right

from .observation import TTL_BOUNDS

__all__ = ["GONE", "Group", "Met", "Pile"]

GONE = -2
"""What stands for the TTL of a key that is no more there."""

_MILLISECONDS = tuple(seconds * 1000 for seconds in TTL_BOUNDS)


class Group:
    """Counts of one group. Its numbers are whole within one server, and weighted sums over several."""

    __slots__ = (
        "idle_keys",
        "idle_size",
        "keys",
        "lasting_keys",
        "lasting_size",
        "ruled_keys",
        "ruled_size",
        "size",
        "ttls",
    )

    def __init__(self) -> None:
        self.keys = self.size = self.lasting_keys = self.lasting_size = self.idle_keys = self.idle_size = 0.0
        self.ruled_keys = self.ruled_size = 0.0
        self.ttls = [0.0] * (len(TTL_BOUNDS) + 1)

    def add(self, other: Group, factor: float) -> None:
        """Add another's counts, each taken ``factor`` times."""
        for name in self.__slots__[:-1]:
            setattr(self, name, getattr(self, name) + factor * getattr(other, name))
        self.ttls = [mine + factor * theirs for mine, theirs in zip(self.ttls, other.ttls, strict=True)]


class Met:
    """What one rule met.

    :param limit: milliseconds that a key may have left at most.
    """

    __slots__ = ("keys", "lasting", "limit", "longest", "too_long")

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.keys = self.lasting = self.too_long = self.longest = 0.0


class Pile:
    """Keys of one group and under one rule, whose TTL and size were noted and are to be summed up.

    To note is all that is done for each of a million keys; sums over many at once cost a third of sums one by one.
    """

    __slots__ = ("group", "met", "noted")

    def __init__(self, group: Group, met: Met | None) -> None:
        self.group, self.met = group, met
        self.noted: list[tuple[float, float]] = []

    def sum_up(self) -> None:
        """Add what was noted to the group and to what the rule met."""
        noted = [pair for pair in self.noted if pair[0] != GONE]
        self.noted.clear()
        lasting = [size for ttl, size in noted if ttl < 0]
        lasting_size = sum(lasting)
        expiring = sorted(ttl for ttl, _size in noted if ttl >= 0)
        group, met = self.group, self.met
        group.keys += len(noted)
        group.size += sum(size for _ttl, size in noted)
        group.lasting_keys += len(lasting)
        group.lasting_size += lasting_size
        below = 0
        for number, bound in enumerate(_MILLISECONDS):
            group.ttls[number] -= below
            below = bisect_right(expiring, bound)
            group.ttls[number] += below
        group.ttls[-1] += len(expiring) - below
        if met is None:
            return
        group.ruled_keys += len(lasting)
        group.ruled_size += lasting_size
        met.keys += len(noted)
        met.lasting += len(lasting)
        met.too_long += len(expiring) - bisect_right(expiring, met.limit)
        if expiring:
            met.longest = max(met.longest, expiring[-1] / 1000)
