# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Latency, version and restarts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timezone

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health.decide_server import (
    decide_latency,
    decide_uptime,
    decide_version,
    remember_process,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health.releases import END_OF_LIFE, end_of_life
from tests.unit._mongodb.samples import SERVER, STATUS, found, situation


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, []),
        (1.0, []),
        (1.001, [("mongodb.latency", "warning")]),
        (3.0, [("mongodb.latency", "warning")]),
        (3.001, [("mongodb.latency", "critical")]),
    ],
)
def test_latency(seconds: float, expected: list[tuple[str, str]]) -> None:
    decision = decide_latency(seconds, situation())
    assert found(decision) == expected
    assert decision.metrics == {"mongodb_ping_seconds": seconds}


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2025, 7, 31), []), (date(2025, 8, 1), [("mongodb.version_unsupported", "warning")])],
)
def test_a_release_is_supported_up_to_its_last_day(day: date, expected: list[tuple[str, str]]) -> None:
    now = datetime(day.year, day.month, day.day, 23, tzinfo=timezone.utc)
    decision = decide_version(replace(SERVER, version="6.0.5"), situation(now=now))
    assert found(decision) == expected


def test_the_support_of_a_release_can_be_no_matter() -> None:
    decision = decide_version(replace(SERVER, version="4.4.1"), situation(unsupported_days="off"))
    assert found(decision) == []
    assert decision.metrics["mongodb_support_days_left"] < 0


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("7.0.12", date(2027, 8, 31)),
        ("8.0.0-rc3", date(2029, 10, 31)),
        ("99.0.1", None),
        ("", None),
        ("unknown", None),
        ("2.6.1", min(END_OF_LIFE.values())),
    ],
)
def test_end_of_life(version: str, expected: date | None) -> None:
    assert end_of_life(version) == expected


def test_an_unknown_release_is_no_finding_and_no_number() -> None:
    decision = decide_version(replace(SERVER, version="99.1.0"), situation())
    assert (decision.findings, decision.metrics) == ([], {})


def test_a_first_run_knows_of_no_restart() -> None:
    decision = decide_uptime(STATUS, situation())
    assert (found(decision), decision.metrics) == ([], {"mongodb_uptime_seconds": 10_000.0})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"process": "p2", "uptime": 60.0}, [("mongodb.restarted", "warning")]),
        ({"process": "p2", "uptime": 99_999.0}, [("mongodb.restarted", "warning")]),
        ({"process": "p2", "host": "b:27017"}, []),
    ],
)
def test_restart(changes: dict[str, object], expected: list[tuple[str, str]]) -> None:
    previous = remember_process(STATUS, situation())
    decision = decide_uptime(replace(STATUS, **changes), situation(previous))  # type: ignore[arg-type]
    assert found(decision) == expected


def test_without_statistics_nothing_is_said_and_nothing_forgotten() -> None:
    previous = remember_process(STATUS, situation())
    assert decide_uptime(None, situation(previous)).metrics == {}
    assert remember_process(None, situation(previous)) == previous
