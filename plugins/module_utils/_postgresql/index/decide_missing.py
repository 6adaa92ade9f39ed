# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where an index is missing: foreign keys that none serves, tables that are read whole. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .foreign_keys import supports
from .observation import ForeignKey, Index, TableUse

__all__ = ["FEWEST_SCANS", "unserved", "use_since"]

FEWEST_SCANS = 10
"""Fewer scans of a whole table are a back-up, a report or a migration, not the application's daily life."""


def unserved(foreign_keys: Sequence[ForeignKey], indexes: Sequence[Index]) -> list[ForeignKey]:
    """Return the foreign keys that no index serves, the largest table first.

    Of a partitioned table it is named once, with the rows of all partitions that lack the index.
    """
    by_table: dict[int, list[Index]] = {}
    for index in indexes:
        by_table.setdefault(index.table_oid, []).append(index)
    known = {foreign_key.oid: foreign_key for foreign_key in foreign_keys}
    found: dict[int, ForeignKey] = {}
    for key in foreign_keys:
        if key.partitioned or any(supports(index, key) for index in by_table.get(key.table_oid, ())):
            continue
        top = key
        while top.parent in known:
            top = known[top.parent]
        earlier = found[top.oid].rows if top.oid in found else 0.0
        found[top.oid] = top._replace(rows=earlier + key.rows)
    return sorted(found.values(), key=lambda foreign_key: (-foreign_key.rows, foreign_key.schema, foreign_key.table))


def use_since(use: TableUse, before: Mapping[str, Sequence[int]]) -> TableUse:
    """Return how a table was read since the last run, or since the statistics began if nothing is known of before.

    :param before: by table, its sequential scans, the rows they read, and its index scans.
    """
    earlier = before.get(f"{use.oid}")
    now = (use.sequential_scans, use.sequential_rows, use.index_scans)
    if earlier is None or any(value < known for value, known in zip(now, earlier, strict=True)):
        return use
    scans, rows, index_scans = (value - known for value, known in zip(now, earlier, strict=True))
    return use._replace(sequential_scans=scans, sequential_rows=rows, index_scans=index_scans)
