# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not be rebuilt."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.reindex.decide_refusal import (
    refusal_of,
    too_late,
    unsafe_server,
)
from tests.unit._postgresql.making import server
from tests.unit._postgresql.reindex.making import MIB, index


@pytest.mark.parametrize(
    ("number", "prepared", "unsafe"),
    [
        (130000, False, False),
        (130004, True, True),
        (130005, True, False),
        (130022, True, False),
        (140000, False, True),
        (140003, False, True),
        (140004, False, False),
        (140004, True, False),
        (150000, True, False),
        (180006, False, False),
    ],
)
def test_versions_that_corrupt(number: int, prepared: bool, unsafe: bool) -> None:
    assert bool(unsafe_server(server(number=number, version="x"), prepared)) is unsafe


@pytest.mark.parametrize(
    ("changes", "kind", "reason"),
    [
        ({"system": True}, "system", "catalogue"),
        ({"temporary": True}, "temporary", "temporary table"),
        ({"excludes": True}, "exclusion", "exclusion constraint"),
        ({"toast": True, "usable": False}, "toast", "TOAST"),
        ({"may_rebuild": False}, "right", "MAINTAIN"),
        ({"may_rebuild": False, "toast": True}, "right", "pg_toast"),
    ],
)
def test_refusals(changes: dict[str, Any], kind: str, reason: str) -> None:
    found = refusal_of(index(**changes))
    assert found is not None
    assert found[0] == kind
    assert reason in found[1]


@pytest.mark.parametrize("changes", [{}, {"toast": True}, {"usable": False}])
def test_no_refusals(changes: dict[str, Any]) -> None:
    assert refusal_of(index(**changes)) is None


@pytest.mark.parametrize(("pace", "left", "late"), [(0, 0.1, False), (10 * MIB, 10.0, False), (10 * MIB, 9.9, True)])
def test_time_that_is_left(pace: float, left: float, late: bool) -> None:
    assert bool(too_late(index(), pace, left)) is late
