# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from what statements have cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.health import Situation
from ansible_collections.dataops.upkeep.plugins.module_utils._core.threshold import Thresholds
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.decide_statements import (
    decide_statements,
    remember_statements,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.observation_statements import (
    MOST_STATEMENTS,
    Recorded,
    Recording,
    Statements,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.thresholds_statements import (
    STATEMENT_THRESHOLDS,
)
from tests.unit._postgresql.making import NOW, ids, one, server

HOUR = 3600
MS_PER_HOUR = 3_600_000
GIB = 1024**3
RECORDING = Recording("1.12", "public.pg_stat_statements", ("calls",), True, True, "top", "auto")
STARTED = NOW.timestamp() - 24 * HOUR


def row(**fields: Any) -> Recorded:
    """A statement called a thousand times for one millisecond."""
    usual = Recorded(7, 10, True, 1000, 1000.0, 500, 0, 0, None, "SELECT a FROM t WHERE b = 'secret'")
    return usual._replace(**fields)


def seen(*rows: Recorded, **fields: Any) -> Statements:
    """Statements recorded for a day."""
    usual = Statements(server(), RECORDING, STARTED, 0, rows)
    return usual._replace(**fields)


def situation(previous: Mapping[str, Any] | None = None, hours: float = 1, **thresholds: Any) -> Situation:
    """The situation at NOW, the last run ``hours`` ago if there was one."""
    at = None if previous is None else NOW - timedelta(hours=hours)
    return Situation("db:5432", Thresholds(STATEMENT_THRESHOLDS, thresholds), NOW, previous or {}, at)


def memory(*rows: Recorded, **fields: Any) -> dict[str, Any]:
    """What a run that saw these statements remembers, by way of JSON."""
    kept: dict[str, Any] = json.loads(json.dumps(remember_statements(seen(*rows, **fields), situation())))
    return kept


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"view": None, "version": None}, "absent"),
        ({"loaded": False}, "not_loaded"),
        ({"loaded": False, "view": None, "version": None}, "not_loaded"),
        ({"tracks": "none"}, "not_tracking"),
        ({"computes": "off"}, "not_tracking"),
    ],
)
def test_nothing_is_recorded(changes: dict[str, Any], reason: str) -> None:
    finding = one(decide_statements(seen(recording=RECORDING._replace(**changes)), situation()))
    assert (finding.id, finding.value) == ("postgresql.statements_not_recorded", reason)
    assert "postgresql_slow_log" in finding.remedy


def test_before_version_14_the_library_computes_ids_itself() -> None:
    assert decide_statements(seen(row(), recording=RECORDING._replace(computes=None)), situation()).findings == []


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, []),
        ({"calls": 100, "milliseconds": 2000.0}, []),
        ({"calls": 100, "milliseconds": 2001.0}, ["postgresql.slow_statement"]),
        ({"calls": 99, "milliseconds": 50_000.0}, []),
        ({"calls": 1, "milliseconds": 0.25 * 24 * MS_PER_HOUR}, []),
        ({"calls": 1, "milliseconds": 0.25 * 24 * MS_PER_HOUR + 1000}, ["postgresql.heavy_statement"]),
        ({"temporary": 24 * GIB}, []),
        ({"temporary": 24 * GIB + 100}, ["postgresql.statement_temporary_files"]),
        ({"hit": 90_000, "read": 10_000}, []),
        ({"hit": 89_999, "read": 10_001}, ["postgresql.statement_cache_hit"]),
        ({"hit": 50_000, "read": 49_999}, []),
        ({"hit": 0, "read": 200_000, "calls": 99}, []),
        ({"calls": 0, "milliseconds": 0.0}, []),
    ],
)
def test_limits_since_the_statistics_began(fields: dict[str, Any], found: list[str]) -> None:
    assert [name for name, _severity in ids(decide_statements(seen(row(**fields)), situation()))] == found


def test_more_than_one_connection_kept_busy_is_critical() -> None:
    decision = decide_statements(seen(row(calls=5, milliseconds=25.0 * MS_PER_HOUR)), situation())
    assert ids(decision) == [("postgresql.heavy_statement", "critical")]


def test_a_finding_says_the_period_the_share_and_the_query_without_its_data() -> None:
    quick = row(id=8, milliseconds=3000.0)
    message = one(decide_statements(seen(row(milliseconds=27_000.0), quick), situation())).message
    assert "SELECT a FROM t WHERE b = ?" in message
    assert "1000 calls since the statistics began 1d ago" in message
    assert "90 % of all statements' time" in message
    assert "secret" not in message
    later = decide_statements(seen(row(calls=2000, milliseconds=61_000.0)), situation(memory(row())))
    assert "1000 calls since the last run 1h ago" in one(later).message


def test_only_what_came_since_the_last_run_counts() -> None:
    before = row(calls=5000, milliseconds=900_000.0, temporary=90 * GIB, hit=0, read=10**6)
    after = before._replace(calls=6000, milliseconds=901_000.0)
    decision = decide_statements(seen(after), situation(memory(before)))
    assert decision.findings == []
    assert decision.metrics["postgresql_statement_calls_total"] == 1000
    assert decision.metrics["postgresql_statements_seconds"] == 1
    assert decision.metrics['postgresql_statement_mean_milliseconds{query_id="7"}'] == 1


def test_a_statement_new_since_a_run_that_remembered_all_is_of_that_time() -> None:
    # Of a day it would be 1 %, of the last hour it is more than a quarter.
    decision = decide_statements(seen(row(calls=10, milliseconds=0.26 * MS_PER_HOUR)), situation(memory()))
    assert "since the last run" in one(decision).message


def test_a_statement_that_a_full_memory_does_not_have_is_taken_for_all_its_life() -> None:
    many = [row(id=number, milliseconds=1.0) for number in range(100, 100 + MOST_STATEMENTS)]
    full = memory(*many)
    assert full["complete"] is False
    assert memory(*many[1:])["complete"] is True
    assert decide_statements(seen(row(calls=10, milliseconds=0.26 * MS_PER_HOUR)), situation(full)).findings == []


@pytest.mark.parametrize(
    ("former", "now", "calls"),
    [
        (row(calls=400), row(calls=1000), 600),
        (row(calls=1000), row(calls=400), 400),  # a crash or reset without a sign of it
        (row(calls=400, since=5.0), row(calls=1000, since=6.0), 1000),  # evicted, or reset by itself, and back again
        (row(calls=400, since=5.0), row(calls=1000, since=5.0), 600),
        (row(calls=400), row(calls=1000, user=11), 1000),
        (row(calls=400), row(calls=1000, toplevel=False), 1000),
    ],
)
def test_counters_that_began_anew_count_from_zero(former: Recorded, now: Recorded, calls: int) -> None:
    decision = decide_statements(seen(now), situation(memory(former)))
    assert decision.metrics["postgresql_statement_calls_total"] == calls


def test_a_reset_of_all_statistics_makes_all_counters_new() -> None:
    decision = decide_statements(seen(row(calls=1000), reset=STARTED + 1), situation(memory(row(calls=400))))
    assert decision.metrics["postgresql_statement_calls_total"] == 1000


def test_users_of_one_statement_are_judged_together() -> None:
    decision = decide_statements(
        seen(row(calls=60, milliseconds=1300.0), row(user=11, calls=60, milliseconds=1300.0)), situation()
    )
    assert "120 calls" in one(decision).message
    assert decision.metrics["postgresql_statements_total"] == 1


def test_what_functions_run_is_no_part_of_the_whole() -> None:
    inner = row(id=8, toplevel=False, milliseconds=40_000.0)
    decision = decide_statements(seen(row(milliseconds=50_000.0), inner), situation())
    assert decision.metrics["postgresql_statements_seconds"] == 50
    messages = {finding.subject.rpartition(".")[2]: finding.message for finding in decision.findings}
    assert "100 %" in messages["7"]
    assert "0 % of all" in messages["8"]


def test_of_many_the_costliest_are_named() -> None:
    rows = [row(id=number, milliseconds=50_000.0 + number) for number in range(15)]
    decision = decide_statements(seen(*rows), situation())
    assert [finding.subject.rpartition(".")[2] for finding in decision.findings[:2]] == ["14", "13"]
    assert len(decision.findings) == 11
    assert "5 more statements" in decision.findings[-1].message


@pytest.mark.parametrize(
    ("previous", "evicted", "value"),
    [
        (None, 0, None),
        (None, 3, 3),
        (None, None, None),
        (memory(evicted=3), 3, None),
        (memory(evicted=3), 5, 2),
        (memory(evicted=3, reset=1.0), 2, 2),
        (memory(evicted=None), None, None),
    ],
)
def test_evictions(previous: dict[str, Any] | None, evicted: int | None, value: int | None) -> None:
    findings = decide_statements(seen(row(), evicted=evicted), situation(previous)).findings
    assert [(found.id, found.value) for found in findings] == (
        [] if value is None else [("postgresql.statements_evicted", value)]
    )


def test_hidden_statements_are_said_and_not_remembered() -> None:
    unseen = row(id=None, text="<insufficient privilege>")
    assert ids(decide_statements(seen(row(), unseen), situation())) == [("postgresql.access_denied", "warning")]
    assert len(memory(row(), unseen)["counters"]) == 1


def test_the_memory_holds_no_text() -> None:
    assert "secret" not in json.dumps(memory(row()))


def test_without_a_moment_of_reset_there_is_no_rate() -> None:
    old = seen(row(calls=5, milliseconds=90.0 * MS_PER_HOUR, temporary=900 * GIB), reset=None, evicted=None)
    assert decide_statements(old, situation()).findings == []
    assert ids(decide_statements(old, situation(memory(reset=None, evicted=None)))) == [
        ("postgresql.heavy_statement", "critical"),
        ("postgresql.statement_temporary_files", "warning"),
    ]


@pytest.mark.parametrize(("seconds", "expected"), [(150.0, []), (150.1, [("postgresql.heavy_statement", "warning")])])
def test_a_short_time_is_taken_for_ten_minutes(seconds: float, expected: list[tuple[str, str]]) -> None:
    young = seen(row(calls=5, milliseconds=seconds * 1000), reset=server().now - 160)
    assert ids(decide_statements(young, situation())) == expected
