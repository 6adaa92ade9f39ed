# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every threshold's two sides, and what is unknown, reset or new."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._host.decide_clock import decide_clock
from ansible_collections.dataops.upkeep.plugins.module_utils._host.decide_cpu import (
    decide_cpu,
    decide_load,
    remember_cpu,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._host.decide_memory import (
    decide_memory,
    decide_oom_kills,
    decide_open_files,
    decide_swap,
    remember_oom_kills,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._host.facts import (
    ClockState,
    CpuTimes,
    CpuUse,
    Load,
    Memory,
    OomKills,
    OpenFiles,
    Swap,
)
from tests.unit._host.hosts import found, situation

BOOT = 1795320000


def use(busy: int, total: int = 1000, **more: Any) -> CpuUse:
    return CpuUse(CpuTimes(500, 10, 0, 5000), CpuTimes(500 + busy, 10, 0, 5000 + total), 1.0, BOOT, **more)


@pytest.mark.parametrize(
    ("busy", "expected"),
    [
        (800, {}),
        (801, {"host.cpu": "warning"}),
        (950, {"host.cpu": "warning"}),
        (951, {"host.cpu": "warning"}),
    ],
)
def test_cpu(busy: int, expected: dict[str, str]) -> None:
    decision = decide_cpu(use(busy), situation())
    assert found(decision) == expected
    assert decision.metrics["host_cpu_used_percent"] == busy / 10
    assert "host_cpu_used_since_last_run_percent" not in decision.metrics


def test_no_time_has_passed() -> None:
    decision = decide_cpu(use(0, total=0), situation())
    assert found(decision) == {}
    assert "host_cpu_used_percent" not in decision.metrics


def test_cpu_in_the_mean_since_the_last_run() -> None:
    before = remember_cpu(use(0, 0), situation())
    decision = decide_cpu(use(900), situation(dict(before)))
    assert found(decision) == {"host.cpu": "warning", "host.cpu_sustained": "warning"}
    assert decision.metrics["host_cpu_used_since_last_run_percent"] == 90


@pytest.mark.parametrize(("busy", "severity"), [(950, "warning"), (951, "critical")])
def test_only_a_mean_since_the_last_run_is_critical(busy: int, severity: str) -> None:
    before = remember_cpu(use(0, 0), situation())
    assert found(decide_cpu(use(busy), situation(dict(before))))["host.cpu_sustained"] == severity


@pytest.mark.parametrize("previous", [{"busy": 0, "total": 0, "booted": BOOT - 7}, {"booted": BOOT}, {}])
def test_counters_of_another_boot_are_not_compared_with(previous: dict[str, int]) -> None:
    decision = decide_cpu(use(10), situation(previous))
    assert "host_cpu_used_since_last_run_percent" not in decision.metrics


def test_a_container_is_measured_by_its_limit() -> None:
    decision = decide_cpu(use(10, limit=0.5, container_seconds=0.45), situation())
    assert found(decision) == {"host.cpu": "warning"}
    assert decision.metrics["host_cpu_used_percent"] == 90
    assert decision.metrics["host_cpu_limit_count"] == 0.5


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_share_is_a_percentage_whatever_the_counters_say(a: int, b: int, c: int, d: int) -> None:
    decision = decide_cpu(CpuUse(CpuTimes(a, 0, 0, b), CpuTimes(c, 0, 0, d), 1.0, BOOT), situation())
    assert 0 <= decision.metrics.get("host_cpu_used_percent", 0) <= 100


@pytest.mark.parametrize(
    ("five", "expected"),
    [(3.0, {}), (3.1, {"host.load": "warning"}), (99.0, {"host.load": "warning"})],
)
def test_load_is_judged_per_cpu_and_over_five_minutes(five: float, expected: dict[str, str]) -> None:
    assert found(decide_load(Load(99, five, 0, 2, 100.0), situation())) == expected


@pytest.mark.parametrize(
    ("available", "expected"),
    [(150, {}), (149, {"host.memory": "warning"}), (50, {"host.memory": "warning"}), (49, {"host.memory": "critical"})],
)
def test_memory(available: int, expected: dict[str, str]) -> None:
    assert found(decide_memory(Memory(1000, available), situation())) == expected


def test_memory_of_which_nothing_is_known_is_a_warning() -> None:
    assert found(decide_memory(Memory(1000, None), situation())) == {"host.memory_unknown": "warning"}


def test_the_message_says_when_a_container_is_meant() -> None:
    [finding] = decide_memory(Memory(1000, 10, limited=True), situation()).findings
    assert "the container's limit" in finding.message
    assert "99 %" in finding.message


@pytest.mark.parametrize(
    ("free", "expected"), [(200, {}), (199, {"host.swap": "warning"}), (0, {"host.swap": "warning"})]
)
def test_swap(free: int, expected: dict[str, str]) -> None:
    assert found(decide_swap(Swap(1000, free), situation())) == expected


def test_no_swap_is_nothing_to_judge() -> None:
    decision = decide_swap(Swap(0, 0), situation())
    assert found(decision) == {}
    assert "host_swap_used_percent" not in decision.metrics


def oom(count: int | None, previous: dict[str, int]) -> float | None:
    return decide_oom_kills(OomKills(count, BOOT), situation(previous)).metrics.get(
        "host_oom_kills_since_last_run_count"
    )


def test_kills_are_counted_since_the_last_run() -> None:
    seen = dict(remember_oom_kills(OomKills(3, BOOT), situation()))
    assert oom(3, {}) is None
    assert oom(3, seen) == 0
    assert oom(5, seen) == 2
    assert oom(None, seen) is None
    assert oom(2, {"count": 3, "booted": BOOT - 100}) == 2
    assert oom(2, seen) == 2


def test_a_kill_since_the_last_run_is_a_warning() -> None:
    seen = {"count": 3, "booted": BOOT}
    assert found(decide_oom_kills(OomKills(3, BOOT), situation(seen))) == {}
    assert found(decide_oom_kills(OomKills(4, BOOT), situation(seen))) == {"host.oom_kill": "warning"}


@pytest.mark.parametrize(
    ("used", "maximum", "expected"),
    [
        (80, 100, {}),
        (81, 100, {"host.open_files": "warning"}),
        (96, 100, {"host.open_files": "critical"}),
        (651, 9223372036854775807, {}),
        (5, 0, {}),
    ],
)
def test_open_files(used: int, maximum: int, expected: dict[str, str]) -> None:
    assert found(decide_open_files(OpenFiles(used, maximum), situation())) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ClockState(5.0), {}),
        (ClockState(5.1), {"host.clock_unsynchronised": "warning"}),
        (ClockState(None), {}),
        (ClockState(16.0, 0.05), {}),
        (ClockState(16.0, 0.051), {"host.clock_skew": "warning"}),
        (ClockState(0.0, -0.051), {"host.clock_skew": "warning"}),
        (ClockState(None, -1.1), {"host.clock_skew": "critical"}),
    ],
)
def test_clock(state: ClockState, expected: dict[str, str]) -> None:
    assert found(decide_clock(state, situation())) == expected


def test_a_threshold_can_be_switched_off() -> None:
    assert found(decide_clock(ClockState(16.0), situation(clock_error_seconds="off"))) == {}
