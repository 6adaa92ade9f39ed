# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that anybody may have written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._queues.values import (
    HIGHEST_PRIORITY,
    number_of,
    priority_of,
    whole_of,
)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("1.5", 1.5),
        (3, 3.0),
        ("-1e15", -1000000000000000.0),
        ("1.1e15", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        (None, None),
        ([], None),
        ({}, None),
        (10**400, None),
    ],
)
def test_numbers(value: Any, number: float | None) -> None:
    assert number_of(value) == number


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        ("0", 0),
        ("007", 7),
        (b"12", 12),
        ("9" * 15, 10**15 - 1),
        ("9" * 16, None),
        ("-1", None),
        ("1.0", None),
        ("", None),
        (None, None),
        ("٣", None),
        (b"\xff", None),
    ],
)
def test_whole_numbers(value: Any, whole: int | None) -> None:
    assert whole_of(value) == whole


@pytest.mark.parametrize(
    ("value", "priority"),
    [
        ("1", 1),
        (HIGHEST_PRIORITY, HIGHEST_PRIORITY),
        (HIGHEST_PRIORITY + 1, 0),
        ("0.9", 0),
        (1.5, 1),
        (-3, 0),
        ("nan", 0),
        ("high", 0),
        (None, 0),
    ],
)
def test_priorities(value: Any, priority: int) -> None:
    assert priority_of(value) == priority


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none()))
def test_nothing_raises(value: Any) -> None:
    number_of(value)
    assert 0 <= priority_of(value) <= HIGHEST_PRIORITY


@given(st.one_of(st.text(), st.binary()))
def test_whole_numbers_of_any_text(value: Any) -> None:
    whole = whole_of(value)
    assert whole is None or whole >= 0
