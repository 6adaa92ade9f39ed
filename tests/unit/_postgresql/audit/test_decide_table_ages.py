# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The age of tables and databases, and what holds it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.decide_table_ages import (
    MOST_FINDINGS,
    REMEDIES,
    decide_table_ages,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.observation_vacuum import Ages, TableAge
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.horizon import DatabaseAge, Holder
from tests.unit._postgresql.audit.making import situation
from tests.unit._postgresql.making import ids, one, server

M = 1_000_000


def table(transactions: int = 0, multixacts: int = 0, **changes: Any) -> TableAge:
    return TableAge("public", "t", False, False, transactions, multixacts, ())._replace(**changes)


def seen(*tables: TableAge, databases: tuple[DatabaseAge, ...] = (), holders: tuple[Holder, ...] = ()) -> Ages:
    return Ages(server(), tables, databases, holders)


@pytest.mark.parametrize(
    ("aged", "expected"),
    [
        (table(300 * M), []),
        (table(300 * M + 100_000), [("postgresql.freeze_transactions", "warning")]),
        (table(1_300 * M + 1), [("postgresql.wraparound", "warning")]),
        (table(1_400 * M + 1), [("postgresql.wraparound", "critical")]),
        (table(multixacts=600 * M), []),
        (table(multixacts=600 * M + 100_000), [("postgresql.freeze_multixacts", "warning")]),
        (table(multixacts=1_400 * M + 1), [("postgresql.wraparound", "critical")]),
        (
            table(16 * M, options=("autovacuum_freeze_max_age=10000000",)),
            [("postgresql.freeze_transactions", "warning")],
        ),
        (table(14 * M, options=("autovacuum_freeze_max_age=10000000",)), []),
        (table(290 * M, options=("autovacuum_freeze_max_age=2000000000",)), []),  # it can only be lower
        (
            table(310 * M, options=("autovacuum_freeze_max_age=2000000000",)),
            [("postgresql.freeze_transactions", "warning")],
        ),
    ],
)
def test_tables(aged: TableAge, expected: list[tuple[str, str]]) -> None:
    assert ids(decide_table_ages(seen(aged), situation())) == expected


def test_other_databases_and_not_this_one_twice() -> None:
    databases = (DatabaseAge("app", 1_500 * M, 0), DatabaseAge("other", 1_500 * M, 0), DatabaseAge("young", 1, 1))
    found = one(decide_table_ages(seen(databases=databases), situation()))
    assert found.subject == "db:5432 database other"


def test_toast_and_temporary_tables_say_what_they_are() -> None:
    old = decide_table_ages(seen(table(1_500 * M, toast=True, temporary=True)), situation())
    assert one(old).subject == "db:5432 TOAST table of app.public.t"
    assert "only its own session can freeze" in one(old).message


@pytest.mark.parametrize("kind", sorted(REMEDIES))
@pytest.mark.parametrize(
    ("age", "severity"), [(10 * M, None), (10 * M + 1, "warning"), (150 * M, "warning"), (150 * M + 1, "critical")]
)
def test_holders(kind: str, age: int, severity: str | None) -> None:
    holder = Holder(kind, "it", "app", age, 7200.0, 4711)
    found = decide_table_ages(seen(holders=(holder,)), situation()).findings
    assert [(finding.id, finding.severity.value) for finding in found] == (
        [("postgresql.vacuum_held", severity)] if severity else []
    )
    for finding in found:
        assert "for 2h" in finding.message
        assert finding.remedy == REMEDIES[kind].format(pid=4711)


def test_what_holds_a_table_is_named_with_it() -> None:
    near, far = Holder("session", "pid 1", None, 900 * M), Holder("session", "pid 1", None, 100 * M)
    for holder, named in ((near, True), (far, False)):
        found = decide_table_ages(seen(table(1_500 * M), holders=(holder,)), situation(held_age="off"))
        assert ("held back by session pid 1" in one(found).message) is named


def test_what_a_user_may_not_see_is_said() -> None:
    blind = Ages(server(sees_all=False), (), (), ())
    assert ids(decide_table_ages(blind, situation())) == [("postgresql.access_denied", "warning")]


def test_the_others_are_counted() -> None:
    old = [table(1_500 * M + number, name=f"t{number}") for number in range(MOST_FINDINGS + 3)]
    found = decide_table_ages(seen(*old), situation()).findings
    assert len(found) == MOST_FINDINGS + 1
    assert found[0].subject.endswith("t12")
    assert found[-1].severity.value == "critical"
    assert "(public.t2, public.t1, public.t0)" in found[-1].message
