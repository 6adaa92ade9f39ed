# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Growth of counters over restarts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.counters import grown


@pytest.mark.parametrize(
    ("now", "reset", "expected"),
    [(15, 1.0, 5), (10, 1.0, 0), (3, 1.0, 3), (15, 2.0, 15), (15, None, 15)],
)
def test_growth_of_a_counter(now: int, reset: float | None, expected: int) -> None:
    assert grown("n", {"n": now, "reset": reset}, {"n": 10, "reset": 1.0}, "reset") == expected


def test_growth_without_an_earlier_run() -> None:
    assert grown("n", {"n": 5, "reset": None}, None, "reset") is None
    assert grown("n", {"n": 5, "reset": None}, {}, "reset") is None


numbers = st.none() | st.integers(0, 10**12)


@given(now=numbers, then=numbers, same=st.booleans())
def test_a_counter_never_shrinks(now: int | None, then: int | None, same: bool) -> None:
    grew = grown("n", {"run_id": "a", "n": now}, {"run_id": "a" if same else "b", "n": then}, "run_id")
    if now is None or then is None:
        assert grew is None
    else:
        assert grew is not None
        assert 0 <= grew <= now
