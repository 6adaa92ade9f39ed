# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.action import ActionState
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Decision
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.decide_statement import vacuum_full
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.decide_work import decide_work, named
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.observation import Row
from tests.unit._postgresql.making import ids, one
from tests.unit._postgresql.vacuum.making import holder, policy, row, seen

DUE = {"dead": 9000}


def decide(*rows: Row, params: dict[str, Any] | None = None, **facts: Any) -> Decision:
    return decide_work(seen(*rows, **facts), policy(**(params or {})), "postgresql db")


def subjects(decision: Decision) -> list[str]:
    return [action.subject.partition(".")[2] for action in decision.actions]


def statement(*rows: Row, params: dict[str, Any] | None = None, **facts: Any) -> str:
    (action,) = decide(*rows, params=params, **facts).actions
    assert action.work.statement.text == action.statement
    return action.statement


def test_nothing_is_due() -> None:
    decision = decide(row())
    assert (decision.actions, decision.findings) == ([], [])
    assert decision.metrics == {
        "postgresql_vacuum_needed_tables": 0,
        "postgresql_freeze_needed_tables": 0,
        "postgresql_analyze_needed_tables": 0,
        "postgresql_dead_rows": 0,
    }


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("need", ["forced", "worst", "bad", "aged", "small"]),
        ("smallest", ["forced", "small", "bad", "worst", "aged"]),
        ("largest", ["forced", "aged", "worst", "bad", "small"]),
    ],
)
def test_what_is_about_to_be_frozen_by_force_comes_first(order: str, expected: list[str]) -> None:
    tables = (
        row("small", 1, dead=1025, pages=10),
        row("bad", 2, dead=4000, pages=100),
        row("worst", 3, dead=8000, pages=200),
        row("aged", 4, transactions=160_000_000, pages=900),
        row("forced", 5, transactions=200_000_000, pages=500),
    )
    assert subjects(decide(*tables, params={"order": order})) == expected


def test_a_partitioned_table_comes_after_its_partitions() -> None:
    whole = row("whole", 1, kind="p", analyzed=None, pages=0)
    assert subjects(decide(whole, row("part", 2, dead=1025), links=[(1, 2)])) == ["part", "whole"]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (130000, "VACUUM (ANALYZE, SKIP_LOCKED) "),
        (150000, "VACUUM (ANALYZE, SKIP_LOCKED) "),
        (160000, "VACUUM (ANALYZE, SKIP_LOCKED, SKIP_DATABASE_STATS) "),
        (180006, "VACUUM (ANALYZE, SKIP_LOCKED, SKIP_DATABASE_STATS) "),
    ],
)
def test_options_by_version(number: int, expected: str) -> None:
    assert statement(row(dead=9000, modified=9000), number=number) == f'{expected}"public"."events"'


@pytest.mark.parametrize(
    ("table", "params", "facts", "expected"),
    [
        (row(**DUE), {}, {"standbys": 1}, "VACUUM (SKIP_LOCKED, TRUNCATE false, SKIP_DATABASE_STATS)"),
        (row(**DUE), {"truncate": "allow"}, {"standbys": 1}, "VACUUM (SKIP_LOCKED, SKIP_DATABASE_STATS)"),
        (row(**DUE), {"truncate": "avoid"}, {}, "VACUUM (SKIP_LOCKED, TRUNCATE false, SKIP_DATABASE_STATS)"),
        (row(**DUE, indexes=1), {"index_workers": 2}, {}, "VACUUM (SKIP_LOCKED, SKIP_DATABASE_STATS)"),
        (row(**DUE, indexes=2), {"index_workers": 2}, {}, "VACUUM (SKIP_LOCKED, PARALLEL 2, SKIP_DATABASE_STATS)"),
        (row(**DUE, indexes=2), {"index_workers": 0}, {}, "VACUUM (SKIP_LOCKED, PARALLEL 0, SKIP_DATABASE_STATS)"),
        (
            row(**DUE),
            {"buffer_usage_limit": "2MiB"},
            {},
            "VACUUM (SKIP_LOCKED, BUFFER_USAGE_LIMIT '2048 kB', SKIP_DATABASE_STATS)",
        ),
        (row(**DUE), {"buffer_usage_limit": "2MiB"}, {"number": 150000}, "VACUUM (SKIP_LOCKED)"),
        # The database's oldest age is to move with a table that is frozen.
        (row(transactions=160_000_000), {}, {}, "VACUUM (FREEZE, SKIP_LOCKED)"),
        (row(modified=9000), {"truncate": "avoid", "index_workers": 2}, {}, "ANALYZE (SKIP_LOCKED)"),
        (row(modified=9000), {"buffer_usage_limit": 0}, {}, "ANALYZE (SKIP_LOCKED, BUFFER_USAGE_LIMIT '0 kB')"),
    ],
)
def test_options_by_need(table: Row, params: dict[str, Any], facts: dict[str, Any], expected: str) -> None:
    assert statement(table, params=params, **facts) == f'{expected} "public"."events"'


def test_vacuum_full_never_queues_for_its_lock() -> None:
    assert vacuum_full("app", 'a"b').text == 'VACUUM (FULL, ANALYZE, SKIP_LOCKED) "app"."a""b"'


def test_who_may_not_is_told_so() -> None:
    decision = decide(row("mine", 1, **DUE), row("theirs", 2, **DUE, permitted=False), row("calm", 3, permitted=False))
    assert {action.subject: action.state for action in decision.actions} == {
        "public.mine": ActionState.PLANNED,
        "public.theirs": ActionState.SKIPPED,
    }
    assert ids(decision) == [("postgresql.maintain_denied", "warning")]
    assert "public.theirs" in one(decision).message


def test_a_table_that_is_being_vacuumed_is_left_alone() -> None:
    (action,) = decide(row(**DUE, worker=4711)).actions
    assert action.state is ActionState.SKIPPED
    assert "process 4711" in action.detail


def test_what_makes_the_work_useless_is_named() -> None:
    decision = decide(row(**DUE), holders=[holder()])
    (action,) = decision.actions
    assert (action.kind, action.state) == ("vacuum", ActionState.SKIPPED)
    assert "blocked_by: session pid 7 (web, api)" in action.detail
    finding = one(decision)
    assert (finding.id, finding.value) == ("postgresql.rows_held", 9000)
    assert "for 7200 s now" in finding.message


@pytest.mark.parametrize(("age", "severity"), [(160_000_000, "warning"), (200_000_000, "critical")])
def test_freezing_that_is_blocked_is_graver_when_autovacuum_would_force_it(age: int, severity: str) -> None:
    decision = decide(row(transactions=age), holders=[holder(10, age=155_000_000)])
    (action,) = decision.actions
    assert (action.kind, action.state) == ("freeze", ActionState.SKIPPED)
    assert ids(decision) == [("postgresql.freeze_blocked", severity)]
    assert one(decision).value == 155_000_000


def test_a_table_whose_age_is_held_is_vacuumed_if_that_helps() -> None:
    table = row(transactions=160_000_000, dead=9000)
    decision = decide(table, holders=[holder(10, age=155_000_000)])
    (action,) = decision.actions
    assert (action.kind, action.state) == ("vacuum", ActionState.PLANNED)
    assert ids(decision) == [("postgresql.freeze_blocked", "warning")]


def test_names_of_many_tables() -> None:
    assert named(["a", "b", "c"]) == "a, b, c"
    assert named(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more tables"
