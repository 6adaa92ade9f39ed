# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches grow while rows are small, and shrink as soon as they are large."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._warm.source import (
    BATCH_BYTES,
    FIRST_ROWS,
    MOST_ROWS,
    batches,
    next_size,
)


@pytest.mark.parametrize(
    ("length", "size", "following"),
    [
        (10, 20, 80),
        (10, 900, MOST_ROWS),
        (BATCH_BYTES // 100, 500, 99),
        (BATCH_BYTES, 500, 1),
        (10 * BATCH_BYTES, 1, 1),
    ],
)
def test_sizes(length: int, size: int, following: int) -> None:
    assert next_size([{"a": "x" * length}] * size, size) == following
    assert next_size([None], 20) == 80


def test_every_row_comes_once_and_in_order() -> None:
    rows: list[Any] = [{"id": number, "text": "x" * (number * 50)} for number in range(2000)]
    asked: list[int] = []

    def fetch(size: int) -> list[Any]:
        asked.append(size)
        taken, rows[:] = rows[:size], rows[size:]
        return taken

    found = [row["id"] for batch in batches(fetch) for row in batch if row]
    assert found == list(range(2000))
    assert asked[0] == FIRST_ROWS
    assert max(asked) > 100 > asked[-1], "the last rows are large"
