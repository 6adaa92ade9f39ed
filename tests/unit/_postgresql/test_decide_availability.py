# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Latency, version, restart and role."""

from __future__ import annotations

from datetime import date

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.decide_availability import (
    decide_availability,
    remember_start,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.observation import Availability
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.releases import (
    END_OF_LIFE,
    unsupported_days,
)
from tests.unit._postgresql.making import NOW, ids, one, server, situation


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        (0.4, []),
        (1000, []),
        (1000.1, [("postgresql.latency", "warning")]),
        (3000, [("postgresql.latency", "warning")]),
        (3000.1, [("postgresql.latency", "critical")]),
    ],
)
def test_latency(milliseconds: float, expected: list[tuple[str, str]]) -> None:
    assert ids(decide_availability(Availability(server(), milliseconds), situation())) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (180006, []),
        (190000, []),  # newer than the table: unknown, and surely not out of support
        (150018, []),
        (140022, [("postgresql.version", "warning")]),  # ended ten days before NOW
        (130023, [("postgresql.version", "warning")]),
        (120022, [("postgresql.version", "warning")]),
        (90624, [("postgresql.version", "warning")]),
    ],
)
def test_version(number: int, expected: list[tuple[str, str]]) -> None:
    seen = Availability(server(number=number, version="of the test"), 1)
    assert ids(decide_availability(seen, situation())) == expected


def test_the_last_day_of_support_is_supported() -> None:
    assert unsupported_days(14, END_OF_LIFE[14]) == 0
    assert unsupported_days(14, date(2026, 11, 22)) == 10
    assert unsupported_days(99, date(2026, 11, 22)) is None
    assert (unsupported_days(9, date(2026, 11, 22)) or 0) > 1000


def test_a_restart_is_reported_once() -> None:
    seen = Availability(server(started=NOW.timestamp() - 60), 1)
    assert ids(decide_availability(seen, situation())) == [], "the first run compares with nothing"
    before = {"started": NOW.timestamp() - 864000}
    finding = one(decide_availability(seen, situation(before)))
    assert (finding.id, finding.severity) == ("postgresql.restarted", "warning")
    assert "1min ago" in finding.message
    assert ids(decide_availability(seen, situation(remember_start(seen, situation())))) == []


@pytest.mark.parametrize(
    ("in_recovery", "expected_role", "wrong"),
    [
        (False, "any", False),
        (True, "any", False),
        (False, "primary", False),
        (True, "standby", False),
        (True, "primary", True),
        (False, "standby", True),
    ],
)
def test_role(in_recovery: bool, expected_role: str, wrong: bool) -> None:
    seen = Availability(server(in_recovery=in_recovery), 1, expected_role)
    assert ids(decide_availability(seen, situation())) == [("postgresql.role", "critical")] * wrong
