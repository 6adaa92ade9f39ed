# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables overdue for vacuum and analyze."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.autovacuum import Table, Tables, need_of
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.decide_overdue import (
    MOST_FINDINGS,
    remember_overdue,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.decide_vacuum import decide_vacuum
from tests.unit._postgresql.making import NOW, ids, server, situation, table

DAY = 86400.0
DISABLED = ("autovacuum_enabled=false",)


def seen(*tables: Table, **facts: Any) -> Tables:
    return Tables(server(**facts), tables)


@pytest.mark.parametrize(
    ("changes", "ratio"),
    [
        ({"dead": 2050}, 1.0),  # 50 + 0.2 * 10000
        ({"dead": 4100}, 2.0),
        ({"dead": 4100, "options": ["autovacuum_vacuum_scale_factor=0", "autovacuum_vacuum_threshold=100"]}, 41.0),
        ({"rows": -1.0, "dead": 100}, 2.0),  # never counted: no rows
        ({"rows": 1e12, "dead": 200_000_000}, 2.0),  # from version 18 on at most 100 million
        ({"inserted": 3000}, 1.0),  # 1000 + 0.2 * 10000
        ({"inserted": 3000, "frozen_pages": 100}, 3.0),  # all frozen: 1000
        ({"inserted": 3000, "frozen_pages": 50}, 1.5),
        ({"inserted": 3000, "frozen_pages": None}, 1.0),  # before version 18
        ({"inserted": 3000, "options": ["autovacuum_vacuum_insert_threshold=-1"]}, 0.0),
    ],
)
def test_the_need_for_vacuum(changes: dict[str, Any], ratio: float) -> None:
    assert need_of(table(**changes), server()).vacuum == pytest.approx(ratio)


def test_no_upper_limit_before_version_18() -> None:
    older = server(settings={"autovacuum_vacuum_max_threshold": None})
    assert need_of(table(rows=1e12, dead=200_000_000), older).vacuum == pytest.approx(0.001)


def test_the_need_for_analyze() -> None:
    assert need_of(table(modified=2100), server()).analyze == pytest.approx(2.0)  # 50 + 0.1 * 10000
    own = ["autovacuum_analyze_scale_factor=0", "autovacuum_analyze_threshold=0"]
    assert need_of(table(modified=5, options=own), server()).analyze == 5, "no division by zero"


@given(
    rows=st.floats(-1, 1e15),
    dead=st.integers(0, 10**12),
    pages=st.integers(0, 10**6),
    frozen=st.one_of(st.none(), st.integers(0, 10**6)),
    factor=st.floats(0, 100),
)
def test_any_table_has_a_need(rows: float, dead: int, pages: int, frozen: int | None, factor: float) -> None:
    options = [f"autovacuum_vacuum_scale_factor={factor}"]
    one = table(rows=rows, dead=dead, inserted=dead, pages=pages, frozen_pages=frozen, options=options)
    more = table(rows=rows, dead=dead + 1, inserted=dead, pages=pages, frozen_pages=frozen, options=options)
    need = need_of(one, server())
    assert need.vacuum >= 0
    assert need_of(more, server()).vacuum >= need.vacuum, "one more dead row never makes it less"


@pytest.mark.parametrize(("dead", "late"), [(4100, False), (4120, True)])
def test_the_factor(dead: int, late: bool) -> None:
    decision = decide_vacuum(seen(table(dead=dead, options=DISABLED)), situation())
    assert ids(decision) == [("postgresql.vacuum_overdue", "warning")] * late
    assert decision.metrics["postgresql_vacuum_overdue_tables"] == int(late)


@pytest.mark.parametrize("off", ["false", "off", "no", "0", "FALSE"])
def test_autovacuum_off_for_a_table(off: str) -> None:
    assert not need_of(table(options=[f"autovacuum_enabled={off}"]), server()).automatic
    assert need_of(table(options=["autovacuum_enabled=true"]), server()).automatic


@pytest.mark.parametrize("setting", ["autovacuum", "track_counts"])
def test_autovacuum_off_for_all(setting: str) -> None:
    decision = decide_vacuum(seen(table(dead=9000), settings={setting: "off"}), situation())
    assert ids(decision) == [("postgresql.autovacuum_off", "warning"), ("postgresql.vacuum_overdue", "warning")]


@pytest.mark.parametrize(
    ("vacuum_seconds", "uptime", "late"),
    [(DAY / 2, 10 * DAY, False), (DAY / 2 + 1, 10 * DAY, True), (None, 10 * DAY, True), (None, DAY / 2, False)],
)
def test_for_how_long_without_an_earlier_run(vacuum_seconds: float | None, uptime: float, late: bool) -> None:
    tables = seen(table(dead=9000, vacuum_seconds=vacuum_seconds), started=NOW.timestamp() - uptime)
    assert ids(decide_vacuum(tables, situation())) == [("postgresql.vacuum_overdue", "warning")] * late


def test_for_how_long_earlier_runs_have_seen_it() -> None:
    tables = seen(table(dead=9000, vacuum_seconds=None))
    first = remember_overdue(seen(), situation())
    assert ids(decide_vacuum(tables, situation(first))) == [], "it has just become so"
    kept = remember_overdue(tables, situation(first))
    assert ids(decide_vacuum(tables, situation(kept))) == []
    old = {"vacuum": {"app public.events": NOW.timestamp() - DAY}, "analyze": {}}
    assert ids(decide_vacuum(tables, situation(old))) == [("postgresql.vacuum_overdue", "warning")]
    assert remember_overdue(tables, situation(old)) == old
    assert remember_overdue(seen(table()), situation(old)) == {"vacuum": {}, "analyze": {}}, "it was vacuumed"


def test_a_table_that_is_being_vacuumed_is_not_late() -> None:
    assert ids(decide_vacuum(seen(table(dead=9000, options=DISABLED, running=True)), situation())) == []


def test_many_tables_make_few_findings() -> None:
    tables = [table(f"t{number}", dead=9000 + number, options=DISABLED) for number in range(MOST_FINDINGS + 5)]
    decision = decide_vacuum(seen(*tables), situation())
    assert len(decision.findings) == MOST_FINDINGS + 1
    assert decision.findings[0].subject == f"db:5432 table app.public.t{MOST_FINDINGS + 4}", "the worst first"
    assert decision.findings[-1].value == 5
    assert decision.metrics["postgresql_vacuum_overdue_tables"] == MOST_FINDINGS + 5


def test_nothing_there() -> None:
    decision = decide_vacuum(seen(), situation())
    assert ids(decision) == []
    assert decision.metrics["postgresql_vacuum_need_ratio"] == 0
