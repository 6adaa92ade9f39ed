# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of an action whose statement the server refused."""

from __future__ import annotations

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.action import Action
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import StoreError, StoreTimeout
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.act_vacuum import left_undone

ACTION = Action("vacuum", "public.orders", "1500 dead rows")


def refused(code: str, kind: type[StoreError] = StoreError) -> StoreError:
    error = kind("vacuum public.orders", "the server said no")
    error.code = code
    return error


@pytest.mark.parametrize(
    ("error", "late", "detail"),
    [
        (refused("55P03"), False, "the server said no; the next run tries again"),
        (refused("42P01"), False, "the table is gone"),
        (refused("57014"), True, "over"),
        (refused("", StoreTimeout), True, "over"),
    ],
)
def test_what_nobody_has_to_mend_is_skipped(error: StoreError, late: bool, detail: str) -> None:
    left = left_undone(ACTION, error, late, "over")
    assert (left.state.value, left.detail) == ("skipped", detail)


@pytest.mark.parametrize(("code", "late"), [("57014", False), ("42501", True), ("53100", False)])
def test_all_else_is_an_error(code: str, late: bool) -> None:
    with pytest.raises(StoreError, match="the server said no"):
        left_undone(ACTION, refused(code), late, "over")
