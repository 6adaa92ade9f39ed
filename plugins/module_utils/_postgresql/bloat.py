# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How large a btree index would be if it were built anew: from statistics, and from its measured density. Pure.

Source of the layout: src/include/storage/bufpage.h, src/include/access/{itup,nbtree}.h and
src/backend/access/nbtree/{nbtsort,nbtdedup}.c of PostgreSQL 13 to 18.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["BLOCK", "Density", "Estimate", "IndexColumn", "IndexShape", "estimate_index", "percent_by_density"]

BLOCK = 8192
"""Bytes of a page, as all but the rarest servers have it."""
PAGE_ROOM = BLOCK - 24 - 16
"""What a btree page holds: without the page header and the btree's special space."""
INNER_FILL = 0.7
"""Fill of inner pages, BTREE_NONLEAF_FILLFACTOR."""
POINTER = 4
TUPLE_HEADER = 8
NULL_HEADER = 16
"""Header of an index tuple with a null among its values, aligned."""
HEAP_POINTER = 6
POSTING_ROOM = 812
"""Most bytes of a posting list that a build makes: a tenth of a page, aligned, less its item pointer."""
FEW_DUPLICATES = 1.5
"""Rows for each key below which putting equal keys together saves next to nothing."""
STALE_PERCENT = 20
"""Changed rows since the last analyze, in percent of all, from which on statistics are no basis to act on."""


class IndexColumn(NamedTuple):
    """One column of an index, with the planner's statistics.

    :param width: average bytes of its values that are not null, as stored; None: no statistics, or not to be seen.
    :param nulls: share of nulls, 0 to 1.
    :param distinct: distinct values as pg_stats has it: below zero, a share of the rows; None: unknown.
    :param length: pg_attribute.attlen: fixed bytes, or -1 for a varying length.
    :param alignment: bytes that values of a fixed length are aligned to.
    :param padded: whether the statistics have another width than the index: type ``name``, cut at its end there.
    """

    width: float | None
    nulls: float
    distinct: float | None
    length: int
    alignment: int
    padded: bool = False


class IndexShape(NamedTuple):
    """What the size of a btree index follows from.

    :param rows: entries; below zero: never counted.
    :param fillfactor: percent to which a build fills leaf pages.
    :param joins_equal: whether a build stores equal keys together: no unique index, nothing INCLUDEd, version 13 on.
    :param columns: its columns, in their order.
    :param changed_percent: rows changed since the last analyze, in percent of all.
    """

    rows: float
    fillfactor: float
    joins_equal: bool
    columns: Sequence[IndexColumn]
    changed_percent: float = 0.0


class Estimate(NamedTuple):
    """Pages of the index after a rebuild.

    :param pages: at most, as far as the statistics are right.
    :param doubt: why the number is no basis to act on; empty: it is one.
    """

    pages: float
    doubt: str = ""


class Density(NamedTuple):
    """What pgstattuple's ``pgstatindex`` measured.

    :param pages: of the whole index, the deleted ones too.
    :param leaf_density: used space of the leaf pages in percent; None for an index without any.
    """

    pages: int
    leaf_pages: int
    inner_pages: int
    leaf_density: float | None


def estimate_index(shape: IndexShape) -> Estimate:
    """Estimate the pages of a freshly built btree, rather too many than too few: bloat is never overstated by it."""
    doubt = _doubt(shape)
    if shape.rows <= 0:
        return Estimate(2.0, doubt)
    header = NULL_HEADER if any(column.nulls > 0 for column in shape.columns) else TUPLE_HEADER
    item = _aligned_average(header + _data_width(shape.columns), shape.columns)
    leaf_bytes = _leaf_bytes(shape, item)
    leaves = max(1.0, math.ceil(leaf_bytes / _leaf_room(shape.fillfactor, item)))
    return Estimate(1.0 + leaves + _inner_pages(leaves, item), doubt)


def percent_by_density(measured: Density, fillfactor: float, best: float | None = None) -> float:
    """Return what percent of the index a rebuild gives back.

    :param best: density that a rebuild reached before, where wide keys do not allow the fill factor's.
    """
    if measured.pages <= 1 or measured.leaf_density is None:
        return 0.0
    goal = min(fillfactor, best) if best else fillfactor
    share = min(1.0, measured.leaf_density / goal)
    needed = 1 + (measured.leaf_pages + measured.inner_pages) * share
    return max(0.0, 100.0 * (1 - needed / measured.pages))


def _doubt(shape: IndexShape) -> str:
    if shape.rows < 0:
        return "its table was never analyzed"
    if any(column.width is None for column in shape.columns):
        return "there are no statistics of a column of it, or the user may not see them"
    if any(column.padded for column in shape.columns):
        return "statistics do not tell how long values of the type name are in an index"
    if shape.changed_percent > STALE_PERCENT:
        return f"{shape.changed_percent:.0f} % of the rows changed since statistics were made"
    return ""


def _data_width(columns: Sequence[IndexColumn]) -> float:
    """Return the average bytes of a tuple's values, each where its alignment puts it."""
    offset = 0.0
    for column in columns:
        width = column.width if column.width is not None else max(column.length, 1)
        if column.length > 0:
            offset = math.ceil(offset / column.alignment) * column.alignment + width * (1 - column.nulls)
        else:
            # Values of up to 126 bytes have a header of one byte and no alignment; longer ones are aligned to four.
            offset += (width + (1.5 if width > 127 else 0)) * (1 - column.nulls)
    return offset


def _aligned_average(size: float, columns: Sequence[IndexColumn]) -> float:
    """Align a tuple to eight bytes; where sizes vary, the average of what that adds is three and a half."""
    if any(column.length < 0 or column.nulls > 0 for column in columns):
        return size + 3.5
    return math.ceil(size / 8) * 8.0


def _leaf_bytes(shape: IndexShape, item: float) -> float:
    """Return the bytes of the leaf tuples, equal keys stored together as far as statistics prove that there are any."""
    single = shape.rows * (item + POINTER)
    if not shape.joins_equal or len(shape.columns) != 1 or not shape.columns[0].distinct:
        # What several columns have in common, statistics of single columns cannot tell: taken as nothing.
        return single
    (column,) = shape.columns
    distinct = column.distinct or 0.0
    distinct = max(1.0, distinct if distinct > 0 else -distinct * shape.rows)
    nulls = shape.rows * column.nulls
    filled = shape.rows - nulls
    joined = sum(
        _posting_bytes(rows, rows / min(keys, rows), item)
        for rows, keys in ((nulls, 1.0), (filled, distinct))
        if rows >= 1
    )
    return min(single, joined)


def _posting_bytes(rows: float, duplicates: float, item: float) -> float:
    """Return the bytes of leaf tuples of which so many share a key, on average."""
    if duplicates < FEW_DUPLICATES:
        return rows * (item + POINTER)
    most = max(1.0, (POSTING_ROOM - item) // HEAP_POINTER)
    full, rest = divmod(duplicates, most)
    group = full * (math.ceil((item + most * HEAP_POINTER) / 8) * 8 + POINTER)
    if rest:
        group += math.ceil((item + (rest * HEAP_POINTER if rest > 1 else 0)) / 8) * 8 + POINTER
    return rows / duplicates * group


def _leaf_room(fillfactor: float, item: float) -> float:
    """Return the bytes of a leaf page that a build uses: the fill factor's, less the high key and what does not fit."""
    room = PAGE_ROOM - BLOCK * (100 - fillfactor) / 100 - (item + POINTER)
    # A page takes a tuple more when it is just below its fill factor, and none that does not fit: half a tuple, on
    # average, either way. Two tuples always are on a page.
    return max(2 * (item + POINTER), room)


def _inner_pages(leaves: float, item: float) -> float:
    """Return the pages above the leaves."""
    fan_out = max(2.0, PAGE_ROOM * INNER_FILL / (item + POINTER))
    pages, level = 0.0, leaves
    while level > 1:
        level = math.ceil(level / fan_out)
        pages += level
    return pages
