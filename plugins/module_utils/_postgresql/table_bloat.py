# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How large a table would be if it were written anew, from the planner's statistics. Pure.

Source of the layout: src/include/storage/bufpage.h, src/include/access/{htup_details,heaptoast,tupmacs}.h of PostgreSQL
13 to 18. An average size alone is not enough: what alignment adds to it depends on the order of the columns. So the
probability of each offset, modulo eight, is carried from column to column.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from .bloat import BLOCK, POINTER, STALE_PERCENT, Estimate

__all__ = ["TableColumn", "TableShape", "estimate_table", "row_bytes"]

PAGE_HEADER = 24
ROW_HEADER = 23
"""Bytes before the bitmap of nulls, which is there only in rows with a null."""
ALIGNED = 8
SHORT = 126
"""Up to so many bytes a value of varying length has a header of one byte, and is not aligned."""


class TableColumn(NamedTuple):
    """One column, in the table's order, dropped ones too: with nothing but nulls.

    :param width: average bytes of its values that are not null, as stored; None: no statistics, or not to be seen.
    :param nulls: share of nulls, 0 to 1.
    :param length: pg_attribute.attlen: fixed bytes, or below zero for a varying length.
    :param alignment: bytes that its values are aligned to.
    """

    width: float | None
    nulls: float
    length: int
    alignment: int


class TableShape(NamedTuple):
    """What the size of a table follows from.

    :param rows: by the last vacuum or analyze; below zero: never counted.
    :param fillfactor: percent to which inserts fill a page.
    :param columns: its columns, in their order.
    :param changed_percent: rows changed since the last analyze, in percent of all.
    """

    rows: float
    fillfactor: float
    columns: Sequence[TableColumn]
    changed_percent: float = 0.0


def estimate_table(shape: TableShape) -> Estimate:
    """Estimate the pages of the table written anew, rather too many than too few."""
    doubt = _doubt(shape)
    if shape.rows <= 0:
        return Estimate(0.0, doubt)
    size, varies = row_bytes(shape.columns)
    item = size + POINTER
    room = BLOCK - PAGE_HEADER - BLOCK * (100 - shape.fillfactor) / 100
    # What is left at the end of a page: of equal rows what no other fits in, of unequal ones half a row on average.
    # The lesser of both where sizes vary: rather too many pages than too few, so that bloat is never overstated.
    each = max(1.0, min(room / item - 0.5, room // item) if varies else room // item)
    return Estimate(float(math.ceil(shape.rows / each)), doubt)


def row_bytes(columns: Sequence[TableColumn]) -> tuple[float, bool]:
    """Return the average size of a row with header and padding, and whether sizes vary."""
    offsets = [1.0] + [0.0] * (ALIGNED - 1)
    data = 0.0
    for column in columns:
        present = 1 - column.nulls
        if present <= 0:
            continue
        fixed = column.length > 0
        width = column.length if fixed else column.width or 0.0
        align = column.alignment if fixed or width > SHORT else 1
        after = [0.0] * ALIGNED
        for offset, chance in enumerate(offsets):
            padding = -offset % align
            data += present * chance * (padding + width)
            after[offset] += chance * column.nulls
            if fixed:
                after[int(offset + padding + width) % ALIGNED] += chance * present
            else:
                after = [share + chance * present / ALIGNED for share in after]
        offsets = after
    data += sum(chance * (-offset % ALIGNED) for offset, chance in enumerate(offsets))
    full = math.prod(1 - column.nulls for column in columns)
    with_bitmap = _align(ROW_HEADER + math.ceil(len(columns) / 8))
    varies = any(0 < column.nulls < 1 or (column.length <= 0 and column.nulls < 1) for column in columns)
    return data + full * _align(ROW_HEADER) + (1 - full) * with_bitmap, varies


def _align(size: float) -> int:
    return math.ceil(size / ALIGNED) * ALIGNED


def _doubt(shape: TableShape) -> str:
    if shape.rows < 0:
        return "it was never analyzed"
    if any(column.width is None and column.length <= 0 and column.nulls < 1 for column in shape.columns):
        return "there are no statistics of a column of it, or the user may not see them"
    if shape.changed_percent > STALE_PERCENT:
        return f"{shape.changed_percent:.0f} % of the rows changed since statistics were made"
    return ""
