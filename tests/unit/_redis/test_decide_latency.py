# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._redis.decide_latency import (
    decide_latency,
    decide_slow_log,
    remember_latency,
    remember_slow_log,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.observations import (
    LatencyEvent,
    SlowCommand,
    SlowLog,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.observe_latency import command_name
from tests.unit._redis.situations import NOW, found, situation

RECENT, OLD = NOW.timestamp() - 60, NOW.timestamp() - 2 * 86400


def log(*numbers: int, at: float = RECENT, milliseconds: float = 20.0, run_id: str = "a") -> SlowLog:
    commands = [SlowCommand(number, at, milliseconds, "KEYS") for number in sorted(numbers, reverse=True)]
    return SlowLog(run_id, commands)


def count(slow: SlowLog, previous: dict[str, Any]) -> float:
    return decide_slow_log(slow, situation(previous)).metrics["redis_slow_commands"]


@pytest.mark.parametrize(("entries", "expected"), [(10, {}), (11, {"redis.slow_commands": "warning"})])
def test_many_slow_commands(entries: int, expected: dict[str, str]) -> None:
    assert found(decide_slow_log(log(*range(entries)), situation())) == expected


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [(100, {}), (100.1, {"redis.slow_command": "warning"}), (1000.1, {"redis.slow_command": "critical"})],
)
def test_one_very_slow_command(milliseconds: float, expected: dict[str, str]) -> None:
    decision = decide_slow_log(log(1, milliseconds=milliseconds), situation())
    assert found(decision) == expected
    assert all("KEYS" in finding.message for finding in decision.findings)


def test_a_first_run_looks_back_a_day() -> None:
    assert count(log(1, 2, at=OLD), {}) == 0
    assert count(log(1, 2, at=RECENT), {}) == 2


def test_only_entries_since_the_last_run_count_and_those_that_fell_out_do_too() -> None:
    seen = remember_slow_log(log(1, 2, 3), situation())
    assert count(log(1, 2, 3), seen) == 0
    assert count(log(2, 3, 4), seen) == 1
    assert count(log(500, 501), seen) == 498


def test_after_a_restart_every_entry_is_new() -> None:
    seen = remember_slow_log(log(7), situation())
    assert count(log(0, 1, 2, run_id="b"), seen) == 3
    assert count(log(*range(9), run_id="b"), seen) == 9
    assert count(SlowLog("b", ()), seen) == 0


def test_emptying_the_log_does_not_count_old_entries_again() -> None:
    seen = remember_slow_log(log(7), situation())
    emptied = remember_slow_log(SlowLog("a", ()), situation(seen))
    assert emptied["number"] == 7
    assert count(log(8), emptied) == 1
    assert remember_slow_log(SlowLog("b", ()), situation(seen))["number"] == -1


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [(100, {}), (101, {"redis.latency_event": "warning"}), (1001, {"redis.latency_event": "critical"})],
)
def test_latency_spikes(milliseconds: float, expected: dict[str, str]) -> None:
    assert found(decide_latency([LatencyEvent("fork", RECENT, milliseconds)], situation())) == expected


def test_a_spike_is_reported_once() -> None:
    event = LatencyEvent("fork", RECENT, 500)
    seen = situation(remember_latency([event], situation()))
    assert found(decide_latency([event], seen)) == {}
    assert found(decide_latency([LatencyEvent("fork", RECENT + 1, 500)], seen)) == {"redis.latency_event": "warning"}
    assert found(decide_latency([LatencyEvent("command", OLD, 500)], seen)) == {"redis.latency_event": "warning"}
    assert found(decide_latency([LatencyEvent("command", OLD, 500)], situation())) == {}


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (b"EVAL return redis.call('get', 'secret')", "EVAL"),
        ("hgetall user:17", "HGETALL"),
        ("json.set doc $ {}", "JSON.SET"),
        (b"\xff\xfe", "UNKNOWN"),
        ("", "UNKNOWN"),
        ("my secret text", "MY"),
        ("x" * 40, "UNKNOWN"),
    ],
)
def test_only_a_commands_name_is_kept(command: Any, name: str) -> None:
    assert command_name(command) == name
