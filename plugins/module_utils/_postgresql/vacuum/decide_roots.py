# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which partitioned tables are to be analyzed: autovacuum never does. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from ..autovacuum import need_of
from .decide_need import Needed
from .observation import Row, Tables
from .policy import Policy

__all__ = ["root_needs"]

ALONG_SECONDS = 3600.0
"""Before version 18 ANALYZE of a partitioned table goes on with its partitions; so long that is taken to last."""


def root_needs(seen: Tables, policy: Policy) -> Mapping[int, Needed]:
    """Judge partitioned tables, by oid: their statistics are due when their partitions have changed.

    What changed in a partition before somebody analyzed it is not known any more, except that it was enough for that.
    """
    if policy.mode not in ("auto", "analyze"):
        return {}
    below: dict[int, list[Row]] = defaultdict(list)
    for link in seen.links:
        descendant = seen.rows.get(link.descendant)
        if descendant is not None and descendant.kind in ("r", "m"):
            below[link.root].append(descendant)
    found = {}
    for row in seen.rows.values():
        if row.kind == "p" and any(leaf.has_rows for leaf in below[row.oid]):
            needed = _root(row, below[row.oid], seen, policy)
            if needed:
                found[row.oid] = needed
    if seen.server.major >= 18:
        return found
    # ANALYZE of a partitioned table takes those below it along.
    covered = {link.descendant for link in seen.links if link.root in found}
    return {oid: needed for oid, needed in found.items() if oid not in covered}


def _root(row: Row, leaves: list[Row], seen: Tables, policy: Policy) -> Needed | None:
    now = seen.server.now
    # Version 13 does not record when a partitioned table was analyzed: its partitions' last time stands in for it.
    analyzed = row.analyzed
    if analyzed is None and seen.server.major < 14:
        analyzed = max((leaf.analyzed for leaf in leaves if leaf.analyzed is not None), default=None)
    if analyzed is None:
        return Needed(
            row, analyze=True, reasons=("partitioned table, never analyzed: autovacuum does not",), urgency=1.0
        )
    changed = sum(_changed(leaf, analyzed, seen, policy) for leaf in leaves)
    whole = row.table(now)._replace(rows=sum(max(0.0, leaf.rows) for leaf in leaves), modified=round(changed))
    need = need_of(whole, seen.server).analyze
    if need < policy.need_ratio:
        return None
    reason = (
        f"about {changed:.0f} rows changed in its partitions since it was analyzed, {need:.2f} times a table's limit"
    )
    return Needed(row, analyze=True, reasons=(reason,), urgency=need)


def _changed(leaf: Row, root_analyzed: float, seen: Tables, policy: Policy) -> float:
    """Return how many rows of a partition changed, at least, since the table above it was analyzed.

    One that was analyzed later, or is about to be for the first time, counts with what is enough to be analyzed
    here: so analyzing it changes nothing about the table above.
    """
    gap = 0.0 if seen.server.major >= 18 else ALONG_SECONDS
    if leaf.analyzed is None and not leaf.has_rows:
        return leaf.modified
    if leaf.analyzed is not None and leaf.analyzed <= root_analyzed + gap:
        return leaf.modified
    one = need_of(leaf.table(seen.server.now)._replace(modified=1), seen.server).analyze
    enough = min(1.0, policy.need_ratio) / one
    return max(leaf.modified, enough) if leaf.analyzed is None else leaf.modified + enough
