# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.decide_roots import root_needs
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.decide_work import decide_work
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.observation import Row
from tests.unit._postgresql.making import NOW
from tests.unit._postgresql.vacuum.making import ago, holder, policy, row, seen

LINKS = ((1, 2), (1, 3))
# Two partitions of 10000 rows: the whole is analyzed from 50 + 0.1 * 20000 changed rows on; half of that is enough.


def root(**changes: Any) -> Row:
    facts = {"kind": "p", "rows": -1.0, "live": 0, "pages": 0, "transactions": 0, "multixacts": 0, "vacuumed": None}
    return row("root", 1, **{**facts, **changes})


def due(first: Row, *leaves: Row, number: int = 180006, links: Any = LINKS, mode: str = "auto") -> list[int]:
    """Oids of the partitioned tables to be analyzed."""
    return sorted(root_needs(seen(first, *leaves, links=links, number=number), policy(mode=mode)))


@pytest.mark.parametrize(
    ("changes", "leaf", "expected"),
    [
        ({"analyzed": None}, {}, [1]),
        ({"analyzed": None}, {"live": 0, "rows": 0.0}, []),
        ({"analyzed": None}, {"live": 0, "rows": -1.0}, []),
        ({}, {}, []),
        ({}, {"modified": 512}, []),
        ({}, {"modified": 513}, [1]),
    ],
)
def test_a_partitioned_table_is_due_when_its_partitions_changed(
    changes: dict[str, Any], leaf: dict[str, Any], expected: list[int]
) -> None:
    assert due(root(**changes), row("a", 2, **leaf), row("b", 3, **leaf)) == expected


def test_a_partition_that_was_analyzed_later_counts_with_what_made_that_due() -> None:
    # 0.5 * (50 + 0.1 * 10000) = 525 rows each, of 1025 that make the whole due.
    later = row("a", 2, analyzed=ago(60))
    assert due(root(), later, row("b", 3)) == []
    assert due(root(), later, row("b", 3, analyzed=ago(60))) == [1]
    assert due(root(), later, row("b", 3, modified=499)) == []
    assert due(root(), later, row("b", 3, modified=500)) == [1]


@pytest.mark.parametrize(("number", "gap", "expected"), [(170000, 3600, []), (170000, 3601, [1]), (180000, 1, [1])])
def test_before_version_18_partitions_are_analyzed_along(number: int, gap: float, expected: list[int]) -> None:
    leaves = [row(name, oid, analyzed=ago(36_000 - gap)) for name, oid in (("a", 2), ("b", 3))]
    assert due(root(analyzed=ago(36_000)), *leaves, number=number) == expected


def test_version_13_does_not_record_it() -> None:
    assert due(root(analyzed=None), row("a", 2), row("b", 3), number=130000) == []
    assert due(root(analyzed=None), row("a", 2, modified=2000), row("b", 3), number=130000) == [1]
    nothing = {"analyzed": None}
    assert due(root(analyzed=None), row("a", 2, **nothing), row("b", 3, **nothing), number=130000) == [1]


@pytest.mark.parametrize(("mode", "expected"), [("auto", [1]), ("analyze", [1]), ("vacuum", []), ("freeze", [])])
def test_modes(mode: str, expected: list[int]) -> None:
    assert due(root(analyzed=None), row("a", 2), mode=mode) == expected


@pytest.mark.parametrize(("number", "expected"), [(170000, [1]), (180000, [1, 4])])
def test_partitions_of_partitions(number: int, expected: list[int]) -> None:
    middle = root(analyzed=None)._replace(oid=4, name="middle")
    links = ((1, 4), (1, 2), (4, 2))
    assert due(root(analyzed=None), middle, row("a", 2), links=links, number=number) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (170000, ["VACUUM (SKIP_LOCKED, SKIP_DATABASE_STATS)", "ANALYZE (SKIP_LOCKED)"]),
        (
            180000,
            [
                "VACUUM (ANALYZE, SKIP_LOCKED, SKIP_DATABASE_STATS)",
                "ANALYZE (SKIP_LOCKED)",
                "ANALYZE (SKIP_LOCKED) ONLY",
            ],
        ),
    ],
)
def test_what_is_analyzed_along_is_not_analyzed_twice(number: int, expected: list[str]) -> None:
    leaves = (row("a", 2, modified=9000, dead=9000), row("b", 3, modified=9000))
    decision = decide_work(seen(root(), *leaves, links=LINKS, number=number), policy(), "db")
    assert [action.statement.split(' "')[0] for action in decision.actions] == expected


def test_partitions_are_analyzed_by_themselves_where_the_whole_may_not_be() -> None:
    leaves = (row("a", 2, modified=9000), row("b", 3, modified=9000))
    theirs = decide_work(seen(root(permitted=False), *leaves, links=LINKS, number=170000), policy(), "db")
    assert {action.subject: action.state.value for action in theirs.actions} == {
        "public.root": "skipped",
        "public.a": "planned",
        "public.b": "planned",
    }


def test_held_rows_of_a_partition_are_said_though_it_is_analyzed_along() -> None:
    leaf = row("a", 2, modified=9000, dead=9000)
    decision = decide_work(seen(root(), leaf, links=LINKS, number=170000, holders=[holder()]), policy(), "db")
    assert {action.subject: action.state.value for action in decision.actions} == {
        "public.root": "planned",
        "public.a": "skipped",
    }


@given(
    changed=st.lists(st.integers(0, 20_000), min_size=1, max_size=6),
    analyzed=st.lists(st.one_of(st.none(), st.floats(0, 10**6)), min_size=6, max_size=6),
    ratio=st.floats(0.05, 5),
    root_analyzed=st.floats(0, 10**6),
)
def test_what_was_done_is_not_needed_again(
    changed: list[int], analyzed: list[float | None], ratio: float, root_analyzed: float
) -> None:
    """On version 18, where each is analyzed by itself: analyzing partitions does not make the whole due."""
    leaves = [
        row(f"p{oid}", oid, modified=number, analyzed=None if seconds is None else ago(seconds))
        for oid, (number, seconds) in enumerate(zip(changed, analyzed, strict=False), 2)
    ]
    links = [(1, leaf.oid) for leaf in leaves]
    first = root(analyzed=ago(root_analyzed))
    rules = policy(mode="analyze", need_ratio=ratio)
    done = {action.work.row.oid for action in decide_work(seen(first, *leaves, links=links), rules, "db").actions}
    now = NOW.timestamp()
    # Partitions first, as the order of work is.
    after = [leaf._replace(modified=0, analyzed=now - 1) if leaf.oid in done else leaf for leaf in leaves]
    whole = first._replace(analyzed=now) if 1 in done else first
    assert decide_work(seen(whole, *after, links=links), rules, "db").actions == []
