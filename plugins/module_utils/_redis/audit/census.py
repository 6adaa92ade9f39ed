# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts keys by what their names have in common, and keeps the largest. Pure.

It runs once for each key of a store that may have millions of them: what looks unrolled here is so for speed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..queue_keys import QueueKeys
from .names import ANY, Kin, kin_from, kin_of, label, parent_of, shown, taken_apart
from .observation import TTL_BOUNDS, LargeKey, Prefix, RuleCount
from .rules import Rule, matcher

__all__ = ["DETAIL_BYTES", "LARGEST", "Census", "Detail"]

DETAIL_BYTES = 1024
"""Keys from this size on are looked at more closely, each of them: a collection of five hundred elements has it."""
LARGEST = 20
"""So many of the largest keys are kept."""
MOST_CHILDREN = 50
"""A group with more groups below it is one group: what was taken for words were ids."""
MOST_GROUPS = 2000

_QUEUE_ENDINGS = tuple(
    b":" + ending.encode()
    for ending in (
        "meta", "meta-paused", "id", "stalled-check", "events", "wait", "completed", "failed", "delayed", "active",
        "prioritized", "waiting-children", "marker", "repeat", "paused",
    )
)  # fmt: skip
"""Only such keys can tell of a queue, and to hold every key against an expression would take too long."""
_MILLISECONDS = tuple(seconds * 1000 for seconds in TTL_BOUNDS)


class Detail(NamedTuple):
    """What is known of a key beyond its size and TTL.

    :param position: which of the page's keys it is.
    :param weight: for how many keys of its page it stands; 1 for a large one.
    :param elements: of a large collection; None where nobody asked.
    :param idle: seconds since it was last used; None: unknown.
    """

    position: int
    weight: int
    kind: str
    encoding: str
    elements: int | None
    idle: int | None


class _Group:
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

    def add(self, other: _Group, factor: float) -> None:
        """Add another's counts, each taken ``factor`` times."""
        for name in self.__slots__[:-1]:
            setattr(self, name, getattr(self, name) + factor * getattr(other, name))
        self.ttls = [mine + factor * theirs for mine, theirs in zip(self.ttls, other.ttls, strict=True)]


class Census:
    """What was counted.

    :param rules: the policies to hold keys against.
    :param idle_seconds: from when on a key counts as unused.
    """

    def __init__(self, rules: Sequence[Rule] = (), idle_seconds: float = float("inf")) -> None:
        self._rules = rules
        self._matches = matcher(rules)
        self._idle_seconds = idle_seconds
        self._groups: dict[Kin, _Group] = {}
        self._children: Counter[Kin] = Counter()
        self._known: dict[tuple[bytes | None, ...], _Group] = {}
        self._large: dict[bytes, tuple[int, Detail, bool]] = {}
        self._kinds: Counter[tuple[str, str]] = Counter()
        self._met = [[0.0, 0.0, 0.0, 0.0] for _rule in rules]
        self._queues = QueueKeys()
        self.seen = 0

    def take(
        self, keys: Sequence[bytes], ttls: Sequence[int], sizes: Sequence[int], details: Iterable[Detail] = ()
    ) -> None:
        """Count one page.

        :param ttls: milliseconds that each key has left; -1: for ever; -2: it is gone.
        :param sizes: bytes of each.
        """
        known, matches, bounds = self._known, self._matches, _MILLISECONDS
        for key, ttl, size in zip(keys, ttls, sizes, strict=True):
            if ttl == -2:
                continue
            self.seen += 1
            parts = taken_apart(key).groups()  # type: ignore[union-attr]  # every name can be taken apart
            group = known.get(parts) or self._learn(parts)
            group.keys += 1
            group.size += size
            if ttl < 0:
                group.lasting_keys += 1
                group.lasting_size += size
                if key.endswith(_QUEUE_ENDINGS):
                    self._queues.learn((key,))
            else:
                group.ttls[bisect_left(bounds, ttl)] += 1
            if matches is not None:
                match = matches.match(key)
                if match is not None and match.lastindex:
                    self._meet(match.lastindex - 1, ttl)
                    if ttl < 0:
                        group.ruled_keys += 1
                        group.ruled_size += size
        for detail in details:
            if ttls[detail.position] != -2:
                self._look(keys[detail.position], ttls[detail.position], sizes[detail.position], detail)

    def absorb(self, other: Census, factor: float) -> None:
        """Add what was counted on another server.

        :param factor: how many keys there are for each that was looked at.
        """
        for kin, group in other._groups.items():
            (self._groups.get(kin) or self._group(kin)).add(group, factor)
        for met, theirs in zip(self._met, other._met, strict=True):
            met[:3] = [mine + factor * count for mine, count in zip(met[:3], theirs[:3], strict=True)]
            met[3] = max(met[3], theirs[3])
        for kind, count in other._kinds.items():
            self._kinds[kind] += round(count * factor)
        self._large.update(other._large)
        self._queues = QueueKeys(self._queues.bases | other._queues.bases)
        self.seen += other.seen

    def prefixes(self) -> tuple[Prefix, ...]:
        """Return the groups, the largest first."""
        self._gather()
        queues = {kin_of(base + ending) for base in self._queues.bases for ending in (b":1", b":wait", b":1:lock")}
        named: dict[str, _Group] = {}
        of_queues: set[str] = set()
        for kin, group in self._groups.items():
            name = label(kin)  # a group of its own each, but for names that hold a star themselves
            named.setdefault(name, _Group()).add(group, 1)
            if kin in queues or self._queues.holds(kin[0]):
                of_queues.add(name)
        found = [
            Prefix(
                name,
                round(group.keys),
                round(group.size),
                round(group.lasting_keys),
                round(group.lasting_size),
                round(group.ruled_keys),
                round(group.ruled_size),
                tuple(round(count) for count in group.ttls),
                round(min(group.idle_keys, group.keys)),
                round(min(group.idle_size, group.size)),
                name in of_queues,
            )
            for name, group in named.items()
            if group.keys
        ]
        return tuple(sorted(found, key=lambda prefix: (-prefix.size, -prefix.keys, prefix.name)))

    def largest(self) -> tuple[tuple[LargeKey, ...], tuple[LargeKey, ...]]:
        """Return the largest keys by bytes, and the largest collections by elements."""
        found = [
            LargeKey(shown(key), it.kind, it.encoding, size, it.elements or 0, lasting, self._queues.holds(key))
            for key, (size, it, lasting) in sorted(self._large.items())
        ]
        collections = [large for large in found if large.kind != "string"]
        return (
            tuple(sorted(found, key=lambda large: -large.size)[:LARGEST]),
            tuple(sorted(collections, key=lambda large: -large.elements)[:LARGEST]),
        )

    def met(self) -> tuple[RuleCount, ...]:
        """Return what each rule met."""
        return tuple(
            RuleCount(*rule, round(keys), round(lasting), round(too_long), longest)
            for rule, (keys, lasting, too_long, longest) in zip(self._rules, self._met, strict=True)
        )

    @property
    def kinds(self) -> dict[tuple[str, str], int]:
        """Keys by type and encoding."""
        return dict(self._kinds)

    @property
    def queues(self) -> int:
        """How many queues were recognised."""
        return len(self._queues.bases)

    def _learn(self, parts: tuple[bytes | None, ...]) -> _Group:
        """Return the group of keys whose names are made of parts that were not met before."""
        group = self._group(kin_from(parts))
        if len(self._known) < MOST_GROUPS:
            self._known[parts] = group
        return group

    def _group(self, kin: Kin) -> _Group:
        """Return the group of that name, or a wider one where that has too many below it."""
        alias = kin
        while alias != ANY and self._crowded(alias):
            alias = parent_of(alias)
        group = self._groups.get(alias)
        if group is None:
            group = self._groups[alias] = _Group()
            if alias != ANY:
                self._children[parent_of(alias)] += 1
        return group

    def _crowded(self, kin: Kin) -> bool:
        if kin in self._groups:
            return False
        return len(self._groups) >= MOST_GROUPS or self._children[parent_of(kin)] >= MOST_CHILDREN

    def _gather(self) -> None:
        """Make one group of those that turned out to be too many below one; the deepest first."""
        for kin in sorted(self._groups, key=lambda kin: -len(kin[0] + kin[1])):
            parent = parent_of(kin)
            if kin != ANY and self._children[parent] >= MOST_CHILDREN:
                group = self._groups.pop(kin)
                self._groups.setdefault(parent, _Group()).add(group, 1)

    def _meet(self, number: int, ttl: int) -> None:
        met, limit = self._met[number], self._rules[number].max_ttl
        met[0] += 1
        if ttl < 0:
            met[1] += 1
            return
        met[3] = max(met[3], ttl / 1000)
        if limit is not None and ttl > limit * 1000:
            met[2] += 1

    def _look(self, key: bytes, ttl: int, size: int, detail: Detail) -> None:
        self._kinds[detail.kind, detail.encoding] += detail.weight
        if detail.idle is not None and detail.idle >= self._idle_seconds:
            group = self._group(kin_of(key))
            group.idle_keys += detail.weight
            group.idle_size += size * detail.weight
        if size < DETAIL_BYTES:
            return
        self._large[key] = (size, detail, ttl < 0)
        if len(self._large) > 20 * LARGEST:
            self._forget_small()

    def _forget_small(self) -> None:
        """Keep only keys that are among the largest by bytes or by elements."""
        by_size = sorted(self._large, key=lambda key: -self._large[key][0])[:LARGEST]
        collections = [key for key, (_size, it, _lasting) in self._large.items() if it.kind != "string"]
        by_elements = sorted(collections, key=lambda key: -(self._large[key][1].elements or 0))[:LARGEST]
        self._large = {key: self._large[key] for key in {*by_size, *by_elements}}
