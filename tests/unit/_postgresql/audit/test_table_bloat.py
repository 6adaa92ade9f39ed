# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a table should be, from its statistics."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.table_bloat import (
    TableColumn,
    TableShape,
    estimate_table,
    row_bytes,
)

INT = TableColumn(4, 0, 4, 4)
BIG = TableColumn(8, 0, 8, 8)
BOOL = TableColumn(1, 0, 1, 1)


@pytest.mark.parametrize(
    ("columns", "size", "varies"),
    [
        ([], 24, False),
        ([BOOL], 32, False),
        ([INT], 32, False),
        ([INT, BIG], 40, False),  # four bytes of padding before the second
        ([BIG, INT], 40, False),  # and after it
        ([INT, INT, BIG], 40, False),
        ([BOOL, INT, BOOL, BIG], 24 + 8 + 8 + 8, False),
        ([TableColumn(None, 1, 4, 4), BIG], 32, False),  # dropped: a bitmap of nulls still fits into 24 bytes
        ([TableColumn(None, 1, 4, 4)] * 9 + [BIG], 40, False),  # ten columns need two bytes of bitmap
        ([TableColumn(8, 0.5, 8, 8), BIG], 36, True),
        ([TableColumn(9, 0, -1, 4)], 24 + 9 + 3.5, True),
        ([TableColumn(1000, 0, -1, 4)], 24 + 1000 + 3.5, True),
    ],
)
def test_rows(columns: list[TableColumn], size: float, varies: bool) -> None:
    assert row_bytes(columns) == (pytest.approx(size, abs=0.51), varies)


def test_pages() -> None:
    assert estimate_table(TableShape(22_700, 100, [BOOL])).pages == 101  # 226 rows of 36 bytes fit into 8168
    assert estimate_table(TableShape(22_600, 100, [BOOL])).pages == 100
    assert estimate_table(TableShape(22_600, 50, [BOOL])).pages == 200  # 113 rows fit into the half that may be filled
    assert estimate_table(TableShape(22_601, 50, [BOOL])).pages == 201
    assert estimate_table(TableShape(0, 100, [BOOL])).pages == 0


@pytest.mark.parametrize(
    ("shape", "doubt"),
    [
        (TableShape(10, 100, [INT], 20), ""),
        (TableShape(10, 100, [INT], 20.1), "20 % of the rows changed"),
        (TableShape(-1, 100, [INT]), "never analyzed"),
        (TableShape(10, 100, [TableColumn(None, 0, -1, 4)]), "no statistics"),
        (TableShape(10, 100, [TableColumn(None, 0, 8, 8)]), ""),  # one length, whatever it holds
        (TableShape(10, 100, [TableColumn(None, 1, -1, 4)]), ""),  # dropped
    ],
)
def test_doubt(shape: TableShape, doubt: str) -> None:
    found = estimate_table(shape).doubt
    assert (doubt in found) if doubt else found == ""


columns_of = st.builds(
    TableColumn,
    st.floats(1, 2000),
    st.floats(0, 1),
    st.sampled_from([1, 2, 4, 8, 16, -1]),
    st.sampled_from([1, 2, 4, 8]),
)


@given(st.lists(columns_of, max_size=20))
def test_a_row_is_never_smaller_than_its_values_nor_much_larger(columns: list[TableColumn]) -> None:
    size, _varies = row_bytes(columns)
    values = sum((1 - each.nulls) * (each.length if each.length > 0 else each.width or 0) for each in columns)
    assert values + 24 - 1e-6 <= size <= values + 32 + 8 * (len(columns) + 1)


@given(st.floats(1, 1e7), st.floats(10, 100), st.lists(columns_of, min_size=1, max_size=5))
def test_more_rows_and_emptier_pages_need_no_fewer_pages(
    rows: float, fillfactor: float, columns: list[TableColumn]
) -> None:
    pages = estimate_table(TableShape(rows, 100, columns)).pages
    assert estimate_table(TableShape(rows * 2, 100, columns)).pages >= pages >= 1
    assert estimate_table(TableShape(rows, fillfactor, columns)).pages >= pages
