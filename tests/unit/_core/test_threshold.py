# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits, their overrides and the findings they make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._core.severity import Severity
from ansible_collections.dataops.upkeep.plugins.module_utils._core.threshold import Threshold, Thresholds

ABOVE = Threshold("used_percent", "percent", 80, 95, remedy="Make room.")
BELOW = Threshold("days_left", "days", 20, 3, below=True)


@pytest.mark.parametrize(
    ("threshold", "value", "severity"),
    [
        (ABOVE, 80, Severity.OK),
        (ABOVE, 80.01, Severity.WARNING),
        (ABOVE, 95, Severity.WARNING),
        (ABOVE, 95.01, Severity.CRITICAL),
        (BELOW, 20, Severity.OK),
        (BELOW, 19.9, Severity.WARNING),
        (BELOW, 3, Severity.WARNING),
        (BELOW, 2.9, Severity.CRITICAL),
    ],
)
def test_both_sides_of_both_limits(threshold: Threshold, value: float, severity: Severity) -> None:
    assert threshold.severity(value) is severity


def test_a_finding_carries_value_limit_and_remedy() -> None:
    (finding,) = ABOVE.judge("disk.used", "/var", 91.234, "space in use")
    assert finding.as_dict() == {
        "id": "disk.used",
        "severity": "warning",
        "subject": "/var",
        "message": "/var: space in use 91.23 %, above 80 %",
        "value": 91.23,
        "threshold": 80,
        "remedy": "Make room.",
    }


def test_what_was_not_measured_is_no_finding() -> None:
    assert ABOVE.judge("disk.used", "/var", None, "space in use") == []


@pytest.mark.parametrize(
    ("setting", "warning", "critical"),
    [
        ("70", 70, 95),
        (97, 97, 97),
        ("85%", 85, 95),
        ({"warning": 50, "critical": "60"}, 50, 60),
        ({"critical": 99}, 80, 99),
        ({"critical": "off"}, 80, None),
        ("off", None, None),
        ({"warning": None}, None, 95),
    ],
)
def test_settings(setting: object, warning: float | None, critical: float | None) -> None:
    changed = ABOVE.overridden(setting)
    assert (changed.warning, changed.critical) == (warning, critical)


def test_settings_with_units() -> None:
    assert Threshold("age", "seconds", 60).overridden("10min").warning == 600
    assert Threshold("size", "bytes", 60).overridden("1GiB").warning == 2**30


@pytest.mark.parametrize("setting", ["a lot", {"alarm": 3}, {"warning": 90, "critical": 85}, True, "nan"])
def test_what_cannot_be_understood_is_refused_with_its_name(setting: object) -> None:
    with pytest.raises(InvalidInput, match=r"thresholds\.used_percent"):
        ABOVE.overridden(setting)


def test_a_warning_below_before_critical_is_in_order_and_beyond_is_not() -> None:
    assert BELOW.overridden({"warning": 10, "critical": 5}).warning == 10
    with pytest.raises(InvalidInput):
        BELOW.overridden({"warning": 2, "critical": 5})


def test_an_unknown_name_is_refused_and_the_known_are_listed() -> None:
    with pytest.raises(InvalidInput, match=r"used_percent.*There are: days_left, used_percent"):
        Thresholds([ABOVE, BELOW], {"no_used_percent": 4})


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9), st.booleans())
def test_raising_a_single_limit_never_pages_earlier_than_it_warns(limit: float, value: float, below: bool) -> None:
    changed = Threshold("x", "count", 10, 20 if not below else 5, below=below).overridden(limit)
    if changed.severity(value) is Severity.CRITICAL:
        assert changed.crossed(value, changed.warning)
