# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much of an index is bloat, how that is known, and whether that is sure enough to rebuild it. Pure.

Measured beats remembered beats estimated: pgstatindex reads the index itself, bytes per row are compared with the best
that the same index ever had, and an estimate from the planner's statistics has to be clearly over the limit.
"""

from __future__ import annotations

from typing import NamedTuple

from ..._core.units import format_size
from ..bloat import BLOCK, STALE_PERCENT, Density, estimate_index, percent_by_density
from .ledger import Entry
from .observation import Index, Indexes

__all__ = ["Verdict", "judge", "worth_measuring"]

LEDGER_RATIO = 2.0
"""Bytes per row in multiples of the best ever from which on an index is bloated. Source: pg_index_watch."""
SETTLED_RATIO = 1.2
"""Likewise after a rebuild of ours: below it an estimate of bloat is wrong, for the rebuild did not find any."""
ESTIMATE_MARGIN = 10
"""Points of percent that an estimate has to be over the limit: how far it is off, at most, on freshly built indexes."""


class Verdict(NamedTuple):
    """What is known of an index's bloat.

    :param percent: what a rebuild gives back, in percent of the index; None: not known.
    :param bloated: whether it is over the limit, and sure enough.
    :param why: the numbers, for people; where nothing is known, why not.
    """

    percent: float | None
    bloated: bool
    why: str

    def wasted(self, index: Index) -> float:
        """Return the bytes that a rebuild gives back."""
        return index.bytes * (self.percent or 0.0) / 100


def judge(index: Index, seen: Indexes, limit: float) -> Verdict:
    """Say how much of an index is bloat.

    :param limit: percent from which on an index is bloated; 0: every index is.
    """
    entry = _entry(index, seen)
    if index.oid in seen.measured:
        found = _measured(index, seen.measured[index.oid], entry, limit)
    else:
        found = _remembered(index, entry, limit) or _estimated(index, seen, limit)
    return found._replace(bloated=True) if limit <= 0 else found


def worth_measuring(seen: Indexes, limit: float, least: int, most: int) -> list[Index]:
    """Return the btree indexes to measure, cheapest first: all whose bloat is not known to be small.

    :param limit: as in :func:`judge`.
    :param least: bytes below which an index is of no interest.
    :param most: bytes above which measuring takes too long; an index that the user named is measured all the same.
    """
    wanted = [
        index
        for index in seen.indexes
        if index.method == "btree"
        and index.usable
        and index.may_rebuild
        and not index.excludes
        and not index.system
        and index.bytes >= least
        and (index.oid in seen.chosen if seen.chosen is not None else index.bytes <= most)
        and _may_be_bloated(index, seen, limit)
    ]
    return sorted(wanted, key=_by_size)


def _by_size(index: Index) -> tuple[int, str]:
    return index.bytes, index.label


def _may_be_bloated(index: Index, seen: Indexes, limit: float) -> bool:
    """Say whether an estimate leaves bloat possible: it is rather too low, so a third of the limit is enough."""
    estimated = _estimated(index, seen, limit)
    return estimated.percent is None or estimated.percent >= limit / 3 or seen.shapes[index.oid].joins_equal


def _entry(index: Index, seen: Indexes) -> Entry | None:
    entry = seen.ledger.get(index.label)
    return entry if entry is not None and entry.shape == index.shape else None


def _measured(index: Index, density: Density, entry: Entry | None, limit: float) -> Verdict:
    percent = percent_by_density(density, index.fillfactor, entry.density if entry else None)
    full = f"{density.leaf_density:.0f} % full" if density.leaf_density is not None else "empty"
    goal = min(index.fillfactor, entry.density) if entry and entry.density else index.fillfactor
    unused = max(0, density.pages - 1 - density.leaf_pages - density.inner_pages)
    pages = f", {unused} of {density.pages} pages are unused" if unused else ""
    why = f"measured by pgstatindex: leaf pages are {full}, {goal:.0f} % when built{pages}"
    return Verdict(percent, percent >= limit, _text(index, percent, why))


def _remembered(index: Index, entry: Entry | None, limit: float) -> Verdict | None:
    """Compare with the best bytes per row ever; None if that tells nothing."""
    if entry is None or index.rows <= 0 or index.changed_percent > STALE_PERCENT or index.method == "brin":
        return None
    ratio = index.bytes / index.rows / entry.bytes_per_row
    percent = max(0.0, 100 * (1 - 1 / ratio))
    why = f"{ratio:.1f} times the bytes per row that it once had, as earlier runs remember"
    if ratio >= LEDGER_RATIO:
        return Verdict(percent, percent >= limit, _text(index, percent, why))
    if entry.rebuilt and ratio <= SETTLED_RATIO:
        return Verdict(percent, False, _text(index, percent, why))
    return None


def _estimated(index: Index, seen: Indexes, limit: float) -> Verdict:
    if index.method != "btree":
        return Verdict(None, False, _other_method(index))
    shape = seen.shapes.get(index.oid)
    if shape is None or not shape.columns:
        return Verdict(None, False, "its bloat is not known: there are no statistics of its columns")
    estimate = estimate_index(shape)
    if estimate.doubt:
        return Verdict(None, False, f"its bloat is not known: {estimate.doubt}")
    percent = max(0.0, 100 * (1 - estimate.pages * BLOCK / index.bytes)) if index.bytes else 0.0
    why = f"estimated from the planner's statistics, {ESTIMATE_MARGIN} % or more of which may be wrong"
    return Verdict(percent, percent >= limit + ESTIMATE_MARGIN, _text(index, percent, why))


def _other_method(index: Index) -> str:
    if index.method == "gin":
        return (
            "its bloat is not known: a gin index has no density, and may be large by entries that wait to be put in "
            "their place, which gin_clean_pending_list() does"
        )
    return f"its bloat is not known: density means nothing for the access method {index.method}"


def _text(index: Index, percent: float, why: str) -> str:
    wasted = format_size(index.bytes * percent / 100)
    return f"{percent:.0f} % bloat, {wasted} of {format_size(index.bytes)} ({why})"
