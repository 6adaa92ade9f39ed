# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The size of tables, and what they will come to."""

from __future__ import annotations

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.decide_growth import (
    MOST_FINDINGS,
    MOST_METRICS,
    MOST_REMEMBERED,
    decide_growth,
    remember_growth,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.observation import Sizes, TableSize
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.locked import LockedTable
from tests.unit._postgresql.audit.making import situation
from tests.unit._postgresql.making import NOW, ids, one, server

MIB = 1024**2
DAY = 86400


def seen(*sizes: int) -> Sizes:
    tables = tuple(
        TableSize("public", f"t{number}", size, size // 2, 0, size - size // 2, sum(sizes))
        for number, size in enumerate(sizes)
    )
    return Sizes(server(), tables)


def grown(size: float, per_day: float, days: int = 4) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """What earlier runs remember of a table that has now this size."""
    now = NOW.timestamp()
    return {"samples": {"app public.t0": [(now - day * DAY, size - day * per_day) for day in range(days, 0, -1)]}}


@pytest.mark.parametrize(
    ("size", "percent", "expected"),
    [
        (200 * MIB, 10, []),
        (200 * MIB, 10.1, [("postgresql.table_growth", "warning")]),
        (100 * MIB, 20, [("postgresql.table_growth", "warning")]),
        (100 * MIB - 1, 20, []),  # small tables may double
        (200 * MIB, -20, []),
    ],
)
def test_growth(size: int, percent: float, expected: list[tuple[str, str]]) -> None:
    previous = grown(size, size * percent / 100)
    assert ids(decide_growth(seen(size), situation(previous))) == expected


def test_tables_that_could_not_be_looked_at_are_said() -> None:
    found = one(decide_growth(seen(200 * MIB)._replace(locked=(LockedTable(1, "app", "t1", 7, 200, []),)), situation()))
    assert (found.id, found.severity.value, found.value) == ("postgresql.table_locked", "warning", 1)
    assert found.subject.endswith(" growth")
    assert "app.t1 (process 7)" in found.message


def test_the_forecast() -> None:
    size = 200 * MIB
    decision = decide_growth(seen(size), situation(grown(size, size / 5)))
    assert decision.metrics['postgresql_table_growth_bytes_per_day{table="public.t0"}'] == size / 5
    assert decision.metrics['postgresql_table_forecast_bytes{table="public.t0"}'] == size + 90 * size / 5
    assert "will be 3.7GiB in 90 days" in one(decision).message
    shrinking = decide_growth(seen(size), situation(grown(size, -size / 5)))
    assert shrinking.metrics['postgresql_table_forecast_bytes{table="public.t0"}'] == 0


def test_no_forecast_from_less_than_a_day_or_three_samples() -> None:
    size = 200 * MIB
    assert len(decide_growth(seen(size), situation(grown(size, size, days=1))).metrics) == 2
    assert len(decide_growth(seen(size), situation()).metrics) == 2


def test_size() -> None:
    assert ids(decide_growth(seen(MIB), situation())) == []
    assert ids(decide_growth(seen(MIB), situation(table_bytes=MIB))) == []
    found = one(decide_growth(seen(MIB + 1), situation(table_bytes=MIB)))
    assert (found.id, found.subject) == ("postgresql.table_size", "db:5432 table app.public.t0")


def test_what_is_named_remembered_and_measured_is_bounded() -> None:
    many = seen(*(1000 * MIB - number for number in range(150)))
    decision = decide_growth(many, situation(table_bytes=1))
    assert len(decision.findings) == MOST_FINDINGS + 1
    assert decision.findings[-1].value == 140
    assert len(decision.metrics) == 1 + MOST_METRICS
    kept = remember_growth(many, situation())["samples"]
    assert len(kept) == MOST_REMEMBERED
    for _run in range(60):
        kept = remember_growth(many, situation({"samples": kept}))["samples"]
    assert len(kept["app public.t0"]) == 40


def test_an_empty_database() -> None:
    assert decide_growth(seen(), situation()).metrics == {"postgresql_tables_size_bytes": 0}
