# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A call without a time limit of its own gets one."""

from __future__ import annotations

import threading

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.bounded import bounded
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import StoreTimeout


def test_an_answer_is_passed_on() -> None:
    assert bounded(lambda: 7, 10, "count") == 7


def test_none_is_an_answer_too() -> None:
    assert bounded(lambda: None, 10, "ask") is None


def test_an_error_is_passed_on() -> None:
    def fail() -> int:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        bounded(fail, 10, "count")


def test_work_that_does_not_end_is_left_behind() -> None:
    gate = threading.Event()
    with pytest.raises(StoreTimeout, match="Could not wait for the gate: no answer within 50ms"):
        bounded(lambda: gate.wait(60), 0.05, "wait for the gate")
    gate.set()
