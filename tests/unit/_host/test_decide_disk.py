# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks: how full, from when on, and what became read-only, hangs or is missing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._host.decide_disk import (
    KEEP,
    decide_disk,
    remember_disk,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._host.facts import MountUse
from tests.unit._host.hosts import NOW, found, situation

DAY = timedelta(days=1)


def past(used_by_day: dict[int, int], **more: Any) -> dict[str, Any]:
    """What earlier runs remember of /data: bytes in use by days ago."""
    samples = [[(NOW - ago * DAY).timestamp(), used] for ago, used in sorted(used_by_day.items(), reverse=True)]
    return {"mounts": {"/data": {"samples": samples, "read_only": False, **more}}}


@pytest.mark.parametrize(
    ("used", "expected"),
    [(850, {}), (851, {"host.disk": "warning"}), (950, {"host.disk": "warning"}), (951, {"host.disk": "critical"})],
)
def test_disk(used: int, expected: dict[str, str]) -> None:
    assert found(decide_disk([MountUse("/data", used, 1000 - used)], situation())) == expected


@pytest.mark.parametrize(
    ("used", "expected"), [(85, {}), (86, {"host.inodes": "warning"}), (96, {"host.inodes": "critical"})]
)
def test_inodes(used: int, expected: dict[str, str]) -> None:
    assert found(decide_disk([MountUse("/data", 1, 999, used, 100 - used)], situation())) == expected


def test_a_file_system_without_a_number_of_inodes_has_none_to_judge() -> None:
    decision = decide_disk([MountUse("/data", 1, 999)], situation())
    assert found(decision) == {}
    assert 'host_inodes_used_percent{mount="/data"}' not in decision.metrics


def test_an_empty_file_system_is_not_divided_by() -> None:
    assert found(decide_disk([MountUse("/data", 0, 0)], situation())) == {}


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (140, {}),
        (139, {"host.disk_forecast": "warning"}),
        (30, {"host.disk_forecast": "warning"}),
        (29, {"host.disk_forecast": "critical"}),
    ],
)
def test_the_day_of_full_at_ten_bytes_a_day(left: int, expected: dict[str, str]) -> None:
    previous = past({1: 490, 2: 480, 3: 470})
    decision = decide_disk([MountUse("/data", 500, left)], situation(previous, disk_percent="off"))
    assert found(decision) == expected
    assert decision.metrics['host_disk_days_until_full{mount="/data"}'] == pytest.approx(left / 10)


def test_the_message_names_the_day() -> None:
    decision = decide_disk([MountUse("/data", 500, 50)], situation(past({1: 490, 2: 480, 3: 470}), disk_percent="off"))
    assert "full on 2026-11-27 at the present growth" in decision.findings[0].message


@pytest.mark.parametrize("earlier", [{}, {1: 490}, {1: 500, 2: 510, 3: 520}, {1: 500, 2: 500, 3: 500}])
def test_no_forecast_without_history_or_growth(earlier: dict[int, int]) -> None:
    previous = past(earlier) if earlier else {}
    decision = decide_disk([MountUse("/data", 500, 500)], situation(previous))
    assert 'host_disk_days_until_full{mount="/data"}' not in decision.metrics


def test_a_read_only_file_system_cannot_fill() -> None:
    assert found(decide_disk([MountUse("/data", 999, 1, read_only=True)], situation())) == {}


def test_one_that_has_become_read_only_is_critical_in_every_run_until_it_is_repaired() -> None:
    broken = MountUse("/data", 500, 500, read_only=True)
    first = dict(remember_disk([MountUse("/data", 500, 500)], situation()))
    assert found(decide_disk([broken], situation(first))) == {"host.read_only": "critical"}
    second = dict(remember_disk([broken], situation(first)))
    assert found(decide_disk([broken], situation(second))) == {"host.read_only": "critical"}


def test_one_that_always_was_read_only_is_in_order() -> None:
    image = MountUse("/data", 500, 0, read_only=True)
    seen = dict(remember_disk([image], situation()))
    assert found(decide_disk([image], situation(seen))) == {}


def test_one_that_hangs_and_one_that_is_missing() -> None:
    uses = [
        MountUse("/nfs", error="no answer within 5s", hangs=True),
        MountUse("/srv", error="nothing is mounted there"),
    ]
    assert found(decide_disk(uses, situation())) == {"host.mount_hangs": "critical", "host.mount_missing": "critical"}


def test_the_past_of_a_mount_that_was_not_asked_is_kept_for_a_while() -> None:
    previous = past({1: 490, 2: 480})
    assert remember_disk([MountUse("/data", error="no answer", hangs=True)], situation(previous)) == previous
    assert remember_disk([], situation(past({31: 490}))) == {"mounts": {}}


def test_memory_is_small_and_is_json() -> None:
    previous: dict[str, Any] = {}
    for hour in range(2 * KEEP):
        now = NOW + timedelta(hours=hour)
        previous = json.loads(json.dumps(remember_disk([MountUse("/data", hour, 1)], situation(previous, now))))
    samples = previous["mounts"]["/data"]["samples"]
    assert len(samples) == KEEP
    assert samples[-1] == [(NOW + timedelta(hours=2 * KEEP - 1)).timestamp(), 2 * KEEP - 1]
