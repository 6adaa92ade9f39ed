# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.action import Action, ActionState
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Decision
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.reindex.decide_proof import doubt_of, left_by
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.reindex.decide_reindex import (
    Work,
    decide_reindex,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.reindex.observation import Index
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.statement import Statement
from tests.unit._postgresql.reindex.making import LIMITS, MIB, index, seen


def plan(decision: Decision) -> list[tuple[str, str, str]]:
    return [(action.kind, action.subject, action.state.value) for action in decision.actions]


def leftover(name: str = "orders_code_ccnew", **changes: Any) -> Index:
    facts = {"oid": 9, "usable": False, "definition": "CREATE INDEX x", **changes}
    return index(name, **facts)


def test_leftovers_come_first_then_the_smallest() -> None:
    large, small = index("large", oid=2, bytes=300 * MIB), index("small", oid=3, bytes=20 * MIB)
    found = seen(large, small, index(), leftover(), percents={1: 50, 2: 90, 3: 35})
    decision = decide_reindex(found, LIMITS)
    assert plan(decision) == [
        ("drop_leftover", "public.orders_code_ccnew", "planned"),
        ("reindex", "public.small", "planned"),
        ("reindex", "public.orders_code", "planned"),
        ("reindex", "public.large", "planned"),
    ]
    assert decision.actions[0].statement == 'DROP INDEX CONCURRENTLY "public"."orders_code_ccnew"'
    assert decision.actions[0].undo == "CREATE INDEX x"
    assert decision.actions[1].statement == 'REINDEX INDEX CONCURRENTLY "public"."small"'
    assert decision.metrics["postgresql_indexes_bloated_total"] == 3
    wasted = (0.35 * 20 + 0.5 * 100 + 0.9 * 300) * MIB
    assert decision.metrics["postgresql_index_bloat_bytes"] == pytest.approx(wasted, rel=0.01)


@pytest.mark.parametrize(("size", "planned"), [(10 * MIB - 1, 0), (10 * MIB, 1)])
def test_small_indexes_are_left_alone(size: int, planned: int) -> None:
    one = index(bytes=size)
    assert len(decide_reindex(seen(one, percents={1: 80}), LIMITS).actions) == planned


def test_leftovers_while_somebody_is_at_work_on_the_table_are_nobodys_business() -> None:
    decision = decide_reindex(seen(index(), leftover(), busy=[100]), LIMITS)
    assert decision.actions == []
    assert decision.findings == []
    asked = decide_reindex(seen(index(), leftover(), busy=[100], chosen=[9]), LIMITS)
    assert plan(asked) == [("drop_leftover", "public.orders_code_ccnew", "skipped")]


@pytest.mark.parametrize(("clean", "may_drop"), [(False, True), (True, False)])
def test_leftovers_that_stay_are_reported(clean: bool, may_drop: bool) -> None:
    found = seen(index(), leftover(may_drop=may_drop))
    decision = decide_reindex(found, LIMITS._replace(clean=clean))
    assert decision.actions == []
    assert [finding.id for finding in decision.findings] == ["postgresql.invalid_index"]
    assert "left over from a REINDEX of orders_code" in decision.findings[0].message


def test_other_invalid_indexes_are_reported_or_made_valid() -> None:
    broken = index("broken", oid=4, usable=False, bytes=0)
    decision = decide_reindex(seen(index(), broken), LIMITS)
    assert decision.actions == []
    assert "Name it in indexes" in decision.findings[0].remedy
    assert decide_reindex(seen(index(), broken, busy=[100]), LIMITS).findings == []
    asked = decide_reindex(seen(index(), broken, chosen=[4]), LIMITS)
    assert plan(asked) == [("reindex", "public.broken", "planned")]
    assert asked.findings == []
    busy = decide_reindex(seen(index(), broken, chosen=[4], busy=[100]), LIMITS)
    assert plan(busy) == [("reindex", "public.broken", "skipped")]


def test_the_leftover_of_a_named_index_is_dropped_not_rebuilt() -> None:
    asked = decide_reindex(seen(index(), leftover(), chosen=[9]), LIMITS)
    assert plan(asked) == [("drop_leftover", "public.orders_code_ccnew", "planned")]


@pytest.mark.parametrize("changes", [{"system": True}, {"excludes": True}, {"temporary": True}, {"may_rebuild": False}])
def test_refused_indexes_are_counted_and_skipped_if_named(changes: dict[str, Any]) -> None:
    one = index(**changes)
    decision = decide_reindex(seen(one, percents={1: 80}), LIMITS)
    assert decision.actions == []
    assert sum(number for name, number in decision.metrics.items() if "refused" in name) == 1
    denied = "may_rebuild" in changes
    assert [finding.id for finding in decision.findings] == (["postgresql.access_denied"] if denied else [])
    asked = decide_reindex(seen(one, percents={1: 80}, chosen=[1]), LIMITS)
    assert plan(asked) == [("reindex", "public.orders_code", "skipped")]
    assert asked.actions[0].detail


def test_a_right_that_nothing_is_missed_by_is_no_finding() -> None:
    assert decide_reindex(seen(index(may_rebuild=False), percents={1: 10}), LIMITS).findings == []


def test_unsafe_versions_rebuild_nothing() -> None:
    found = seen(index(), leftover(), percents={1: 80}, number=140003)
    decision = decide_reindex(found, LIMITS)
    assert plan(decision) == [("drop_leftover", "public.orders_code_ccnew", "planned")]
    assert [finding.id for finding in decision.findings] == ["postgresql.reindex_unsafe"]
    asked = decide_reindex(found._replace(chosen=frozenset({1})), LIMITS)
    assert ("reindex", "public.orders_code", "skipped") in plan(asked)
    assert "14.4" in next(action.detail for action in asked.actions if action.kind == "reindex")


@pytest.mark.parametrize(("free", "state"), [(111 * MIB, "planned"), (109 * MIB, "skipped"), (None, "planned")])
def test_disk(free: int | None, state: str) -> None:
    decision = decide_reindex(seen(index(), percents={1: 80}, free=free), LIMITS)
    assert plan(decision) == [("reindex", "public.orders_code", state)]


def test_what_is_unknown_is_skipped_only_if_named() -> None:
    one = index(method="gin")
    assert decide_reindex(seen(one), LIMITS).metrics["postgresql_indexes_unknown_total"] == 1
    assert decide_reindex(seen(one), LIMITS).actions == []
    assert plan(decide_reindex(seen(one, chosen=[1]), LIMITS)) == [("reindex", "public.orders_code", "skipped")]
    every = decide_reindex(seen(one), LIMITS._replace(percent=0))
    assert plan(every) == [("reindex", "public.orders_code", "planned")]


def test_most_changes_count_what_is_done_only() -> None:
    some = [index(f"i{number}", oid=number, bytes=(20 + number) * MIB) for number in range(1, 5)]
    found = seen(*some, percents=dict.fromkeys(range(1, 5), 80))
    decision = decide_reindex(found, LIMITS._replace(most_changes=2))
    assert [action.state.value for action in decision.actions] == ["planned", "planned", "skipped", "skipped"]
    none = decide_reindex(found, LIMITS._replace(most_changes=0))
    assert {action.state.value for action in none.actions} == {"skipped"}


def done(kind: str = "reindex", before: Index | None = None) -> Action:
    work = Work(before or index(), Statement("x"))
    return Action(kind, "public.orders_code", "why", state=ActionState.DONE, work=work)


NEW = index(oid=7, bytes=40 * MIB)


@pytest.mark.parametrize(
    ("after", "doubt"),
    [
        ([NEW], ""),
        ([], "is gone"),
        ([NEW._replace(usable=False)], "not valid"),
        ([NEW._replace(oid=1)], "same index"),
        ([NEW._replace(bytes=105 * MIB)], ""),
        ([NEW._replace(bytes=106 * MIB)], "was 100.0MiB before"),
    ],
)
def test_proof_of_a_rebuild(after: list[Index], doubt: str) -> None:
    found = doubt_of(done(), after)
    assert doubt in found
    assert bool(found) == bool(doubt)


def test_what_a_rebuild_left() -> None:
    old = leftover("orders_code_ccold")
    assert left_by(done(), [NEW, old, leftover("other_ccold", oid=8), index("other", oid=10)]) == [old]
    assert left_by(done(), [NEW]) == []


def test_proof_of_a_drop() -> None:
    gone = leftover()
    assert doubt_of(done("drop_leftover", gone), [index()]) == ""
    assert "still there" in doubt_of(done("drop_leftover", gone), [index(), gone])


def test_an_index_that_was_invalid_may_become_larger() -> None:
    assert doubt_of(done(before=index(usable=False, bytes=0)), [NEW._replace(bytes=500 * MIB)]) == ""


@pytest.mark.parametrize("toast", [False, True])
def test_the_schema_of_toast_tables_is_a_right_of_its_own(toast: bool) -> None:
    decision = decide_reindex(seen(index(may_rebuild=False, toast=toast), percents={1: 80}), LIMITS)
    assert ("GRANT USAGE ON SCHEMA pg_toast" in decision.findings[0].remedy) == toast
