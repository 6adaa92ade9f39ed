# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts keys by what their names have in common, and keeps the largest. Pure.

It runs once for each key of a store that may have millions of them: what looks unrolled here is so for speed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..queue_keys import ENDINGS, QueueKeys
from ..wire import raw
from .group import GONE, Group, Met, Pile
from .names import ANY, Kin, kin_of, label, parent_of, shown
from .observation import LargeKey, Prefix, RuleCount
from .rules import Rule, matcher

__all__ = ["DETAIL_BYTES", "LARGEST", "Census", "Detail"]

DETAIL_BYTES = 1024
"""Keys from this size on are looked at more closely, each of them: a collection of five hundred elements has it."""
LARGEST = 20
"""So many of the largest keys are kept."""
MOST_CHILDREN = 50
"""A group with more groups below it is one group: what was taken for words were ids."""
MOST_GROUPS = 2000

_DIGITS = bytes(range(256)).translate(bytes.maketrans(b"123456789", b"000000000"))
"""Names that differ by digits only are of one form, ``user:00:cart``, and a form is of one group."""
_DIGIT = re.compile(rb"[0-9]")
_TELLS_DIGITS = re.compile(rb"[0-9\[]")
MOST_FORMS = 10_000
"""So many forms are remembered; ids of letters and digits have a form each."""
ENOUGH = 100
"""Keys of a pile that are worth to be summed up. Done page by page, for what takes longer keeps the server waiting."""


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


class Census:
    """What was counted.

    :param rules: the policies to hold keys against.
    :param idle_seconds: from when on a key counts as unused.
    """

    def __init__(self, rules: Sequence[Rule] = (), idle_seconds: float = float("inf")) -> None:
        self._rules = rules
        self._matches = matcher(rules)
        self._idle_seconds = idle_seconds
        self._groups: dict[Kin, Group] = {}
        self._children: Counter[Kin] = Counter()
        self._forms: dict[bytes, Pile] = {}
        self._piles: dict[tuple[int, int | None], Pile] = {}
        # What takes some digits and no others tells names of one form apart.
        self._by_form = not any(_TELLS_DIGITS.search(raw(rule.pattern)) for rule in rules)
        self._large: dict[bytes, tuple[int, Detail, bool]] = {}
        self._kinds: Counter[tuple[str, str]] = Counter()
        self._met = [Met(float("inf") if rule.max_ttl is None else rule.max_ttl * 1000) for rule in rules]
        self._queues = QueueKeys()
        self.seen = 0

    def take(
        self, keys: Sequence[bytes], ttls: Sequence[float], sizes: Sequence[float], details: Iterable[Detail] = ()
    ) -> None:
        """Count one page.

        :param ttls: milliseconds that each key has left; -1: for ever; -2: it is gone.
        :param sizes: bytes of each.
        """
        forms = self._forms
        for key, pair in zip(keys, zip(ttls, sizes, strict=True), strict=True):
            try:
                forms[key.translate(_DIGITS)].noted.append(pair)
            except KeyError:
                self._pile(key, pair[0]).noted.append(pair)
        self.seen += len(keys) - ttls.count(GONE)
        self._sum_up(ENOUGH)
        for detail in details:
            if ttls[detail.position] != GONE:
                self._look(keys[detail.position], ttls[detail.position], sizes[detail.position], detail)

    def absorb(self, other: Census, factor: float) -> None:
        """Add what was counted on another server.

        :param factor: how many keys there are for each that was looked at.
        """
        other._sum_up()
        for kin, group in other._groups.items():
            (self._groups.get(kin) or self._group(kin)).add(group, factor)
        for met, theirs in zip(self._met, other._met, strict=True):
            met.keys += factor * theirs.keys
            met.lasting += factor * theirs.lasting
            met.too_long += factor * theirs.too_long
            met.longest = max(met.longest, theirs.longest)
        for kind, count in other._kinds.items():
            self._kinds[kind] += round(count * factor)
        self._large.update(other._large)
        self._queues = QueueKeys(self._queues.bases | other._queues.bases)
        self.seen += other.seen

    def prefixes(self) -> tuple[Prefix, ...]:
        """Return the groups, the largest first."""
        self._sum_up()
        self._gather()
        queues = {kin_of(base + ending) for base in self._queues.bases for ending in (b":1", b":wait", b":1:lock")}
        named: dict[str, Group] = {}
        of_queues: set[str] = set()
        for kin, group in self._groups.items():
            name = label(kin)  # a group of its own each, but for names that hold a star themselves
            named.setdefault(name, Group()).add(group, 1)
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
        self._sum_up()
        return tuple(
            RuleCount(*rule, round(met.keys), round(met.lasting), round(met.too_long), met.longest)
            for rule, met in zip(self._rules, self._met, strict=True)
        )

    @property
    def kinds(self) -> dict[tuple[str, str], int]:
        """Keys by type and encoding."""
        return dict(self._kinds)

    @property
    def queues(self) -> int:
        """How many queues were recognised."""
        return len(self._queues.bases)

    def _pile(self, key: bytes, ttl: float) -> Pile:
        """Return where a key is noted whose form is not remembered, and remember it if all of its form belong there."""
        kin = kin_of(key)
        group = self._group(kin)
        match = self._matches.match(key) if self._matches else None
        rule = match.lastindex - 1 if match is not None and match.lastindex else None
        pile = self._piles.get((id(group), rule))
        if pile is None:
            pile = self._piles[id(group), rule] = Pile(group, None if rule is None else self._met[rule])
        if key.endswith(ENDINGS):
            if ttl < 0:
                self._queues.learn((key,))
        elif self._by_form and len(self._forms) < MOST_FORMS and not _DIGIT.search(kin[0] + kin[1]):
            self._forms[key.translate(_DIGITS)] = pile
        return pile

    def _sum_up(self, least: int = 1) -> None:
        for pile in self._piles.values():
            if len(pile.noted) >= least:
                pile.sum_up()

    def _group(self, kin: Kin) -> Group:
        """Return the group of that name, or a wider one where that has too many below it."""
        alias = kin
        while alias != ANY and self._crowded(alias):
            alias = parent_of(alias)
        group = self._groups.get(alias)
        if group is None:
            group = self._groups[alias] = Group()
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
                self._groups.setdefault(parent, Group()).add(group, 1)

    def _look(self, key: bytes, ttl: float, size: float, detail: Detail) -> None:
        self._kinds[detail.kind, detail.encoding] += detail.weight
        if detail.idle is not None and detail.idle >= self._idle_seconds:
            group = self._group(kin_of(key))
            group.idle_keys += detail.weight
            group.idle_size += size * detail.weight
        if size < DETAIL_BYTES:
            return
        self._large[key] = (int(size), detail, ttl < 0)
        if len(self._large) > 20 * LARGEST:
            self._forget_small()

    def _forget_small(self) -> None:
        """Keep only keys that are among the largest by bytes or by elements."""
        by_size = sorted(self._large, key=lambda key: -self._large[key][0])[:LARGEST]
        collections = [key for key, (_size, it, _lasting) in self._large.items() if it.kind != "string"]
        by_elements = sorted(collections, key=lambda key: -(self._large[key][1].elements or 0))[:LARGEST]
        self._large = {key: self._large[key] for key in {*by_size, *by_elements}}
