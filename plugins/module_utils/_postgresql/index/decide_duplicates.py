# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which indexes do what another one does as well. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .observation import Index

__all__ = ["Redundant", "find_redundant"]

BACKWARDS = 3
"""Bits of pg_index.indoption that turn round when a btree is read backwards: descending, nulls first."""


class Redundant(NamedTuple):
    """An index that another one replaces.

    :param covered_by: the other one, which stays.
    :param equal: whether both do the same; otherwise it is the beginning of the other.
    """

    superfluous: Index
    covered_by: Index
    equal: bool


def find_redundant(indexes: Sequence[Index]) -> list[Redundant]:
    """Return every index that another one replaces. Of equal ones that nothing protects the oldest is kept."""
    by_table: dict[int, list[Index]] = {}
    for index in indexes:
        # An exclusion constraint's index is read by its constraint, and for queries it is no promise.
        if index.valid and not (index.system or index.temporary or index.exclusion or index.locked):
            by_table.setdefault(index.table_oid, []).append(index)
    return [found for members in by_table.values() if len(members) > 1 for found in _within(members)]


def _within(members: Sequence[Index]) -> list[Redundant]:
    replaced = {
        index.oid: [other for other in members if other is not index and _replaces(other, index)] for index in members
    }
    found = []
    for index in members:
        # What replaces the one that replaces it, replaces it too: so one that stays can always be named.
        staying = [other for other in replaced[index.oid] if not replaced[other.oid]]
        if staying:
            other = min(staying, key=_rank)
            found.append(Redundant(index, other, _covers(index, other)))
    return found


def _rank(index: Index) -> tuple[bool, bool, int]:
    """Return the order in which equal indexes are kept."""
    return not index.protected, not index.unique, index.oid


def _replaces(other: Index, index: Index) -> bool:
    if index.protected or index.parent is not None or index.extension or index.partitioned != other.partitioned:
        return False
    if not _covers(other, index):
        return False
    if index.unique and not (
        other.unique
        and other.immediate
        and len(other.keys) == len(index.keys)
        and other.nulls_not_distinct == index.nulls_not_distinct
    ):
        return False
    return not _covers(index, other) or _rank(other) < _rank(index)


def _covers(wide: Index, narrow: Index) -> bool:
    """Whether every query that ``narrow`` serves is served by ``wide``."""
    if wide.method != narrow.method or wide.predicate != narrow.predicate:
        return False
    if narrow.method != "btree":
        # Without an order there are no beginnings; parameters of their operator classes stand in the definition only.
        return _body(wide) == _body(narrow)
    if len(wide.keys) < len(narrow.keys) or not set(narrow.include) <= {*wide.keys, *wide.include}:
        return False
    pairs = list(zip(_columns(wide), _columns(narrow), strict=False))
    if any(theirs[:-1] != ours[:-1] for theirs, ours in pairs):
        return False
    return {theirs[-1] ^ ours[-1] for theirs, ours in pairs} in ({0}, {BACKWARDS})


def _columns(index: Index) -> list[tuple[int, str, int, int, int]]:
    """Return each key's column, expression, operator class, collation and order."""
    texts = index.texts or [""] * len(index.keys)
    return [
        (key, "" if key else texts[position], index.opclasses[position], index.collations[position], option)
        for position, (key, option) in enumerate(zip(index.keys, index.options, strict=True))
    ]


def _body(index: Index) -> str:
    """Return the definition without the name."""
    return index.definition.partition(" USING ")[2]
