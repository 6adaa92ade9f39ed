# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The size of a btree built anew; real servers confirm it in the integration tests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.bloat import (
    Density,
    IndexColumn,
    IndexShape,
    estimate_index,
    percent_by_density,
)

BIGINT = IndexColumn(8.0, 0.0, -1.0, 8, 8)
INT = IndexColumn(4.0, 0.0, -1.0, 4, 4)
MD5 = IndexColumn(33.0, 0.0, -1.0, -1, 4)


def pages(*columns: IndexColumn, rows: float = 300_000, fillfactor: float = 90, joins_equal: bool = False) -> float:
    return estimate_index(IndexShape(rows, fillfactor, joins_equal, columns)).pages


@pytest.mark.parametrize(
    ("real", "estimated"),
    [
        (825, pages(BIGINT)),
        (1158, pages(IndexColumn(16.0, 0.0, -1.0, 16, 1))),
        (1063, pages(IndexColumn(8.0, 0.0, -1.0, 8, 8), fillfactor=70)),
        (2165, pages(MD5)),
        (2164, pages(INT, MD5)),
        (254, pages(IndexColumn(4.0, 0.0, 1000, 4, 4), joins_equal=True)),
        (257, pages(IndexColumn(1.0, 0.0, 2, 1, 1), joins_equal=True)),
        (268, pages(IndexColumn(26.0, 0.0, 50, -1, 4), joins_equal=True)),
        (1488, pages(IndexColumn(1.0, 0.0, 2, 1, 1), BIGINT, IndexColumn(4.0, 0.0, 1000, 4, 4))),
    ],
)
def test_what_servers_of_version_17_and_18_built(real: float, estimated: float) -> None:
    """The pages that they built from 300,000 rows; an estimate may be a tenth off."""
    assert real * 0.9 < estimated < real * 1.1


def test_an_empty_index_has_two_pages() -> None:
    assert pages(BIGINT, rows=0) == 2


@pytest.mark.parametrize(
    ("shape", "doubt"),
    [
        (IndexShape(-1, 90, False, [BIGINT]), "never analyzed"),
        (IndexShape(9, 90, False, [IndexColumn(None, 0, None, -1, 4)]), "no statistics"),
        (IndexShape(9, 90, False, [IndexColumn(64.0, 0, None, -2, 1, True)]), "type name"),
        (IndexShape(9, 90, False, [BIGINT], 20.5), "changed since"),
        (IndexShape(9, 90, False, [BIGINT], 20.0), ""),
    ],
)
def test_doubts(shape: IndexShape, doubt: str) -> None:
    found = estimate_index(shape).doubt
    assert doubt in found
    assert bool(found) == bool(doubt)


@given(
    rows=st.floats(1, 1e9),
    fillfactor=st.floats(10, 100),
    width=st.floats(1, 2700),
    nulls=st.floats(0, 1),
    distinct=st.one_of(st.none(), st.floats(-1, 1e9)),
    joins_equal=st.booleans(),
)
def test_estimates_are_sound_whatever_the_statistics(
    rows: float, fillfactor: float, width: float, nulls: float, distinct: float | None, joins_equal: bool
) -> None:
    column = IndexColumn(width, nulls, distinct, -1, 4)
    found = estimate_index(IndexShape(rows, fillfactor, joins_equal, [column])).pages
    single = estimate_index(IndexShape(rows, fillfactor, False, [column])).pages
    assert 2 <= found <= single
    more = estimate_index(IndexShape(rows * 2, fillfactor, False, [column])).pages
    assert more >= single


@pytest.mark.parametrize(
    ("density", "fillfactor", "best", "percent"),
    [
        (Density(1001, 1000, 0, 90.0), 90, None, 0),
        (Density(1001, 1000, 0, 45.0), 90, None, 50),
        (Density(1001, 1000, 0, 45.0), 45, None, 0),
        (Density(1001, 1000, 0, 99.0), 90, None, 0),
        (Density(2001, 1000, 0, 90.0), 90, None, 50),
        (Density(1001, 1000, 0, 66.0), 90, 66.0, 0),
        (Density(1001, 1000, 0, 66.0), 90, 99.0, 26.7),
        (Density(1, 0, 0, None), 90, None, 0),
        (Density(9, 0, 0, None), 90, None, 0),
    ],
)
def test_bloat_by_density(density: Density, fillfactor: float, best: float | None, percent: float) -> None:
    assert percent_by_density(density, fillfactor, best) == pytest.approx(percent, abs=0.2)
