# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is bloat, how sure that is, and what is worth measuring."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.decide_bloat import (
    MOST_FINDINGS,
    MOST_MEASURED,
    decide_bloat,
    judge_index,
    judge_table,
    remember_ratios,
    worth_measuring,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.observation_bloat import (
    Bloat,
    MeasuredTable,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.bloat import Density
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.locked import LockedTable
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.shapes import ShapedIndex, ShapedTable
from tests.unit._postgresql.audit.making import situation
from tests.unit._postgresql.making import ids, one, server

MIB = 1024**2
PAGES = 4000
ROWS_OF_A_PAGE = 226
BOOL = [[1, 0, 1, 1]]


def table(oid: int = 1, full: float = 1.0, pages: int = PAGES, **changes: Any) -> ShapedTable:
    """A table of booleans, of which so much is full."""
    usual = ShapedTable(
        oid, "public", f"t{oid}", False, None, None, None, ROWS_OF_A_PAGE * pages * full, pages, pages * 8192, 100, 0,
        True, BOOL,
    )  # fmt: skip
    return usual._replace(**changes)


def index(oid: int = 9, **changes: Any) -> ShapedIndex:
    """An index of 4000 pages over a million rows of int8, which a rebuild brings to some 2750."""
    usual = ShapedIndex(
        oid, "public", f"i{oid}", "t", False, "btree", 1e6, 4000, 4000 * 8192, 90, False, 1e6, 0,
        [[8, 0, -1, 8, 8, False]],
    )  # fmt: skip
    return usual._replace(**changes)


def seen(*relations: ShapedTable | ShapedIndex, **changes: Any) -> Bloat:
    tables = tuple(each for each in relations if isinstance(each, ShapedTable))
    indexes = tuple(each for each in relations if isinstance(each, ShapedIndex))
    return Bloat(server(), tables, indexes, {}, {}, False)._replace(**changes)


@pytest.mark.parametrize(
    ("full", "pages", "expected"),
    [
        (0.49, PAGES, [("postgresql.table_bloat", "warning")]),
        (0.51, PAGES, []),  # half is in order
        (0.30, 1800, []),  # 9.8 MiB are no matter
        (0.30, 1900, [("postgresql.table_bloat", "warning")]),
        (1.00, PAGES, []),
        (0.00, PAGES, [("postgresql.table_bloat", "warning")]),
    ],
)
def test_a_table_beyond_both_limits(full: float, pages: int, expected: list[tuple[str, str]]) -> None:
    assert ids(decide_bloat(seen(table(full=full, pages=pages)), situation())) == expected


def test_tables_that_could_not_be_looked_at_are_said() -> None:
    found = one(decide_bloat(seen(locked=(LockedTable(1, "app", "t1", 7, 200, []),)), situation()))
    assert (found.id, found.severity.value, found.value) == ("postgresql.table_locked", "warning", 1)
    assert found.subject.endswith(" bloat")


def test_either_limit_can_be_switched_off() -> None:
    empty = seen(table(full=0))
    assert ids(decide_bloat(empty, situation(table_bloat_percent="off"))) == []
    assert ids(decide_bloat(empty, situation(table_bloat_bytes="off"))) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"changed": 10**9},
        {"rows": -1},
        {"columns": [[None, 0, -1, 4]]},
        {"bytes": PAGES * 8192 * 2},  # it has another size than when rows were counted
    ],
)
def test_what_rests_on_nothing_is_counted_and_no_bloat(changes: dict[str, Any]) -> None:
    decision = decide_bloat(seen(table(full=0.1, **changes)), situation())
    assert ids(decision) == []
    assert decision.metrics["postgresql_bloat_unknown_relations"] == 1


def test_what_was_measured_beats_all() -> None:
    bloated = table(full=0.1)
    measured = MeasuredTable(1, bloated.bytes, bloated.bytes // 10, 0, False)
    assert judge_table(bloated, measured).percent == pytest.approx(10, abs=0.1)
    assert judge_table(bloated, measured).confidence == "measured"
    sparse = bloated._replace(fillfactor=50)
    assert judge_table(sparse, measured._replace(free_bytes=bloated.bytes // 2)).percent == 0
    assert judge_table(bloated, measured._replace(dead_bytes=bloated.bytes // 2)).percent == pytest.approx(60, abs=0.1)
    assert judge_table(bloated, measured._replace(bytes=0)).confidence == "estimated"


def test_an_index_by_its_density() -> None:
    verdict = judge_index(index(), Density(4000, 3990, 9, 30.0))
    assert verdict.confidence == "measured"
    assert verdict.percent == pytest.approx(66.7, abs=0.1)


def test_an_index_by_estimate_and_by_memory() -> None:
    assert judge_index(index()).percent == pytest.approx(31, abs=2)
    assert judge_index(index(), best=index().bytes / 1e6 / 1.9).confidence == "estimated"
    remembered = judge_index(index(), best=index().bytes / 1e6 / 2)
    assert (remembered.confidence, remembered.percent) == ("remembered", pytest.approx(50))
    gin = index(method="gin", columns=None)
    assert judge_index(gin).percent is None
    assert judge_index(gin, best=gin.bytes / 1e6 / 4).percent == pytest.approx(75)
    assert judge_index(gin._replace(method="brin"), best=1).percent is None


def test_why_it_could_not_be_measured_is_said() -> None:
    trouble = "the server broke the query off"
    found = decide_bloat(seen(table(full=0.1), trouble=trouble), situation()).findings
    assert [finding.id for finding in found] == ["postgresql.table_bloat", "postgresql.bloat_not_measured"]
    assert all(f"could not be measured: {trouble}" in finding.message for finding in found)


def test_memory_keeps_the_best_ever() -> None:
    first = remember_ratios(seen(index()), situation())
    key = f"{server().database} 9"
    assert first["bytes_per_row"] == {key: pytest.approx(32.768)}
    again = remember_ratios(seen(index(rows=2e5)), situation(first))
    assert again["bytes_per_row"] == {key: pytest.approx(32.768)}
    better = remember_ratios(seen(index(rows=2e6)), situation(first))
    assert better["bytes_per_row"] == {key: pytest.approx(16.384)}
    assert remember_ratios(seen(index(rows=0), index(8, changed=10**7)), situation())["bytes_per_row"] == {}
    small = index(bytes=MIB - 1, pages=128)
    assert remember_ratios(seen(small), situation())["bytes_per_row"] == {}


def test_toast_is_told_beside_its_table_and_by_itself() -> None:
    owner = table(1, full=0.1)
    toast = table(2, full=0.1, toast=True, owner_oid=1, owner_schema="public", owner_name="t1")
    found = decide_bloat(seen(owner, toast), situation()).findings
    assert [finding.subject.partition(" ")[2] for finding in found] == [
        "table app.public.t1",
        "TOAST table of app.public.t1",
    ]
    assert "beside 31.2MiB of TOAST" in found[0].message


def test_the_worst_are_named_and_the_others_counted() -> None:
    tables = [table(number, full=0.3, pages=PAGES + number) for number in range(1, MOST_FINDINGS + 4)]
    found = decide_bloat(seen(*tables), situation()).findings
    assert len(found) == MOST_FINDINGS + 1
    assert found[0].subject.endswith("public.t13")
    assert found[-1].value == 3


def test_statistics_that_may_not_be_seen() -> None:
    blind = table(readable=False, columns=[[None, 0, -1, 4]])
    assert "CREATE EXTENSION" in one(decide_bloat(seen(blind), situation())).remedy
    assert "exact_max_size" in one(decide_bloat(seen(blind, installed=True), situation())).remedy
    small = blind._replace(bytes=MIB, pages=128)
    assert ids(decide_bloat(seen(small), situation())) == []
    measured = {1: MeasuredTable(1, blind.bytes, 0, 0, False)}
    assert ids(decide_bloat(seen(blind, measured=measured), situation())) == []


def test_what_is_worth_measuring() -> None:
    limits = situation().thresholds
    bloated, worse = table(1, full=0.4), table(2, full=0.1)
    unknown, small, tidy = table(3, rows=-1), table(4, full=0.1, pages=300), table(5)
    relations = [unknown, small, tidy, bloated, worse]

    def chosen(most: int) -> list[int]:
        return [each.oid for each in worth_measuring(relations, judge_table, "table", limits, most)]

    assert chosen(10**12) == [2, 1, 3]
    assert chosen(2 * PAGES * 8192) == [2, 1]
    assert chosen(PAGES * 8192) == [2]
    assert chosen(PAGES * 8192 - 1) == []
    many = [table(number, full=0.1) for number in range(MOST_MEASURED + 5)]
    assert len(worth_measuring(many, judge_table, "table", limits, 10**12)) == MOST_MEASURED
