# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cache, deadlocks, temporary files, damaged pages, sizes."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.decide_databases import (
    MOST_DATABASES,
    MOST_SAMPLES,
    decide_activity,
    decide_cache,
    decide_sizes,
    remember_counters,
    remember_sizes,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.observation import Database, Size
from tests.unit._postgresql.making import NOW, ids, one, situation

GIB = 1024**3
COUNTERS = ("hit", "read", "deadlocks", "temporary_files", "temporary_bytes", "checksum_failures")


def database(name: str = "app", reset: float | None = 1.0, **counters: int) -> Database:
    return Database(name, **{**dict.fromkeys(COUNTERS, 0), **counters}, reset=reset)


def since(*seen: Database) -> Any:
    """The situation of a run a day after one that saw this."""
    return situation(remember_counters(seen, situation()))


@pytest.mark.parametrize(
    ("hit", "read", "severity", "percent"),
    [
        (90_000, 10_000, None, 90),
        (89_999, 10_001, "warning", 90),
        (0, 9_999, None, 0),  # too few to judge
        (0, 10_000, "warning", 0),
    ],
)
def test_cache(hit: int, read: int, severity: str | None, percent: float) -> None:
    before = database(hit=500, read=500)
    decision = decide_cache((database(hit=500 + hit, read=500 + read),), since(before))
    assert ids(decision) == ([("postgresql.cache_hit", severity)] if severity else [])
    assert decision.metrics["postgresql_cache_hit_percent"] == pytest.approx(percent, abs=0.01)


def test_cache_is_unknown_without_reads_and_without_an_earlier_run() -> None:
    idle = database(hit=500, read=500)
    assert "postgresql_cache_hit_percent" not in decide_cache((idle,), since(idle)).metrics
    assert decide_cache((idle,), situation()).metrics == {}


def test_a_new_database_counts_from_zero_and_a_dropped_one_is_forgotten() -> None:
    before = since(database(deadlocks=5), database("gone", deadlocks=100))
    decision = decide_activity((database(deadlocks=5), database("new", deadlocks=2)), before)
    assert decision.metrics["postgresql_new_deadlocks_total"] == 2
    assert "most in new" in one(decision).message


@pytest.mark.parametrize(("count", "severity"), [(0, None), (1, "warning"), (50, "warning"), (51, "critical")])
def test_deadlocks(count: int, severity: str | None) -> None:
    decision = decide_activity((database(deadlocks=7 + count),), since(database(deadlocks=7)))
    assert ids(decision) == ([("postgresql.deadlocks", severity)] if severity else [])


@pytest.mark.parametrize(
    ("written", "hours", "crossed"),
    [(24 * GIB, 24, False), (25 * GIB, 24, True), (GIB, 0.01, False), (2 * GIB, 0.01, True)],
)
def test_temporary_files(written: int, hours: float, crossed: bool) -> None:
    previous = remember_counters((database(),), situation())
    decision = decide_activity((database(temporary_bytes=written, temporary_files=3),), situation(previous, hours))
    assert ids(decision) == [("postgresql.temporary_files", "warning")] * crossed


def test_damaged_pages_are_critical_even_at_the_first_run() -> None:
    decision = decide_activity((database(checksum_failures=1), database("")), situation())
    assert ids(decision) == [("postgresql.checksum", "critical")]
    assert one(decision).subject == "db:5432 database app"


def history(*bytes_by_day: int) -> dict[str, Any]:
    """What earlier runs, a day apart, remembered."""
    days = len(bytes_by_day)
    return {
        "samples": {"app": [[NOW.timestamp() - 86400 * (days - day), size] for day, size in enumerate(bytes_by_day)]}
    }


@pytest.mark.parametrize(
    ("sizes", "now", "crossed"),
    [
        ((GIB, 2 * GIB), 3 * GIB, True),
        ((100 * GIB, 101 * GIB), 102 * GIB, False),
        ((GIB,), 2 * GIB, False),  # two sizes make no trend
        ((1000, 2000), 3000, False),  # small: whatever it grows by
        ((3 * GIB, 2 * GIB), GIB, False),  # it shrinks
    ],
)
def test_growth_of_a_database(sizes: tuple[int, ...], now: int, crossed: bool) -> None:
    decision = decide_sizes((Size("app", now),), situation(history(*sizes)))
    assert ids(decision) == [("postgresql.growth", "warning")] * crossed


def test_a_size_is_judged_only_where_a_user_sets_a_limit() -> None:
    assert ids(decide_sizes((Size("app", 10**15),), situation())) == []
    limited = situation(thresholds={"database_bytes": {"warning": "1GiB", "critical": "2GiB"}})
    assert ids(decide_sizes((Size("app", GIB),), limited)) == []
    assert ids(decide_sizes((Size("app", GIB + 1),), limited)) == [("postgresql.database_size", "warning")]
    assert ids(decide_sizes((Size("app", 2 * GIB + 1),), limited)) == [("postgresql.database_size", "critical")]


def test_a_size_that_is_hidden_is_said_to_be() -> None:
    decision = decide_sizes((Size("app", 5), Size("secret", None)), situation())
    assert ids(decision) == [("postgresql.access_denied", "warning")]
    assert decision.metrics["postgresql_size_bytes"] == 5


def test_memory_stays_small() -> None:
    sizes = tuple(Size(f"d{number}", number) for number in range(200))
    kept: Any = {}
    for _run in range(60):
        kept = remember_sizes(sizes, situation(kept))
    assert len(kept["samples"]) == MOST_DATABASES
    assert "d199" in kept["samples"]
    assert {len(samples) for samples in kept["samples"].values()} == {MOST_SAMPLES}
