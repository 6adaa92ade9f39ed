# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes, growth and the day the volume is full."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health.decide_storage import (
    KEPT_SAMPLES,
    decide_storage,
    remember_storage,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health.observation import (
    DatabaseSize,
    Disk,
    Storage,
)
from tests.unit._mongodb.samples import NOW, found, situation

GIB, BILLION = 1024**3, 10**9


def storage(data: int = GIB, disk: Disk | None = None, unmeasured: int = 0) -> Storage:
    return Storage((DatabaseSize("shop", data, data // 2, data // 4, 3),), unmeasured, disk)


def runs(*observations: Storage) -> dict[str, Any]:
    """What is remembered after one run a day, the last of them a day before now."""
    remembered: dict[str, Any] = {}
    for days, observation in zip(range(len(observations), 0, -1), observations, strict=True):
        remembered = remember_storage(observation, situation(remembered, NOW - timedelta(days=days)))
    return json.loads(json.dumps(remembered))


def test_sizes_are_metrics() -> None:
    metrics = decide_storage(storage(1000, unmeasured=2), situation()).metrics
    assert metrics == {
        "mongodb_databases": 3,
        'mongodb_database_data_bytes{database="shop"}': 1000,
        'mongodb_database_storage_bytes{database="shop"}': 500,
        'mongodb_database_index_bytes{database="shop"}': 250,
        'mongodb_database_collections{database="shop"}': 3,
    }


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (85, []),
        (86, [("mongodb.disk", "warning")]),
        (95, [("mongodb.disk", "warning")]),
        (96, [("mongodb.disk", "critical")]),
    ],
)
def test_volume(used: int, expected: list[tuple[str, str]]) -> None:
    assert found(decide_storage(storage(disk=Disk(used, 100)), situation())) == expected


@pytest.mark.parametrize(
    ("daily", "expected"),
    [
        (0, []),
        (-2, []),
        (2, []),  # 28 of 100 left: 14 days
        (2.1, [("mongodb.disk_full", "warning")]),
        (10, [("mongodb.disk_full", "critical")]),
    ],
)
def test_the_day_the_volume_is_full(daily: float, expected: list[tuple[str, str]]) -> None:
    unit = 1000
    today = 72 * unit
    before = [storage(disk=Disk(round(today - daily * unit * days), 100 * unit)) for days in (3, 2, 1)]
    decision = decide_storage(storage(disk=Disk(today, 100 * unit)), situation(runs(*before)))
    assert found(decision) == expected


@pytest.mark.parametrize(
    ("today", "daily_percent", "expected"),
    [
        (BILLION, 20, []),
        (BILLION, 21, [("mongodb.growth", "warning")]),
        (BILLION, -50, []),
        (50 * 1024**2, 30, []),
    ],
    ids=["in order", "grows", "shrinks", "grows, but is small"],
)
def test_growth(today: int, daily_percent: float, expected: list[tuple[str, str]]) -> None:
    before = [storage(round(today * (1 - daily_percent / 100 * days))) for days in (3, 2, 1)]
    decision = decide_storage(storage(today), situation(runs(*before)))
    assert found(decision) == expected
    a_day = decision.metrics['mongodb_database_growth_bytes_per_day{database="shop"}']
    assert a_day == pytest.approx(today * daily_percent / 100, rel=0.01)


def test_growth_needs_three_measurements() -> None:
    decision = decide_storage(storage(10 * GIB), situation(runs(storage(GIB))))
    assert found(decision) == []
    assert 'mongodb_database_growth_bytes_per_day{database="shop"}' not in decision.metrics


def test_an_empty_database_is_no_division_by_zero() -> None:
    assert found(decide_storage(storage(0), situation(runs(storage(0), storage(0))))) == []


def test_the_volumes_history_outlives_a_run_that_was_not_told_of_it() -> None:
    previous = runs(storage(disk=Disk(1, 100)))
    assert remember_storage(storage(), situation(previous))["disk"] == previous["disk"]


def test_a_dropped_database_is_forgotten() -> None:
    assert remember_storage(Storage((), 0, None), situation(runs(storage())))["databases"] == {}


@given(st.lists(st.integers(0, 2**50), min_size=1, max_size=80))
def test_memory_stays_small(sizes: list[int]) -> None:
    remembered = runs(*(storage(size, Disk(size, 2**50 + 1)) for size in sizes))
    assert len(remembered["databases"]["shop"]) <= KEPT_SAMPLES
    assert len(remembered["disk"]) <= KEPT_SAMPLES
