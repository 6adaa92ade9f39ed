# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.action import Action, ActionState
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.spaces import Spaces
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.decide_bloat import (
    wastes,
    worth_measuring,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.decide_leftovers import decide_leftovers
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.decide_rewrite import decide_rewrite
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.observation_rewrite import (
    Repack,
    Rewrites,
)
from tests.unit._postgresql.making import ids
from tests.unit._postgresql.vacuum.making import MIB, holder, leftover, measured, policy, rewrites, shape, sized

FULL = {"allow_exclusive_lock": True}
REPACK = Repack("1.5.3", True, "1.5.3", "/opt/bin/pg_repack")


def actions(seen: Rewrites, **params: Any) -> list[Action]:
    return decide_rewrite(seen, policy(**params), "postgresql db").actions


def only(seen: Rewrites, **params: Any) -> Action:
    (action,) = actions(seen, **params)
    return action


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"measured": {1: measured(free=100)}}, 1),
        ({"measured": {1: measured(free=99)}}, 0),
        ({"measured": {1: measured(free=60, dead=40)}}, 1),
        ({"measured": {1: measured(megabytes=99, free=90)}}, 0),
        ({"measured": {1: measured(megabytes=100, free=90)}}, 1),
        ({}, 1),
    ],
)
def test_a_table_is_rewritten_if_it_is_large_and_mostly_waste(found: dict[str, Any], expected: int) -> None:
    assert len(actions(rewrites(**found), **FULL)) == expected


def test_the_fill_factor_is_no_waste() -> None:
    half = shape(fillfactor=50.0)
    assert actions(rewrites(half, measured={1: measured(free=199)}), **FULL) == []
    assert len(actions(rewrites(half, measured={1: measured(free=200)}), **FULL)) == 1


@pytest.mark.parametrize(
    "doubtful", [{"rows": -1.0}, {"changed": 20_001}, {"columns": [[8, 0, 8, 8], [None, 0, -1, 4]]}]
)
def test_what_is_not_known_is_not_rewritten_but_measured(doubtful: dict[str, Any]) -> None:
    table = shape(**doubtful)
    decision = decide_rewrite(rewrites(table), policy(**FULL), "db")
    assert decision.actions == []
    assert decision.metrics["postgresql_bloat_unknown_tables"] == 1
    assert worth_measuring([table], policy()) == [table]


def test_what_is_measured() -> None:
    small, dense = shape(2, megabytes=40), shape(3, rows=1_400_000)
    assert worth_measuring([small, dense, shape()], policy()) == [shape()]
    many = [shape(oid, megabytes=200 + oid) for oid in range(1, 40)]
    assert [one.oid for one in worth_measuring(many, policy())] == list(range(39, 19, -1))


def test_a_toast_table_counts_with_its_table() -> None:
    main = shape(megabytes=20, rows=150_000)
    side = shape(9, megabytes=180, rows=1000, toast=True, owner_oid=1, columns=[[4, 0, 4, 4], [2000, 0, 2000, 4]])
    found = list(wastes(rewrites(main, side)).values())
    assert len(found) == 1
    waste = found[0]
    assert (waste.oid, waste.bytes) == (1, 200 * MIB)
    assert waste.percent > 80
    assert len(actions(rewrites(main, side), **FULL)) == 1
    empty = shape(9, megabytes=0, rows=-1.0, toast=True, owner_oid=1)
    assert wastes(rewrites(shape(), empty))[1].known


@pytest.mark.parametrize(
    ("seen", "params", "expected"),
    [
        (rewrites(), FULL, 'VACUUM (FULL, ANALYZE, SKIP_LOCKED) "public"."events"'),
        (
            rewrites(repack=REPACK),
            FULL,
            '/opt/bin/pg_repack --no-kill-backend --wait-timeout=1 --no-order --table="public"."events"',
        ),
        (
            rewrites(repack=REPACK._replace(superuser=False)),
            {},
            (
                "/opt/bin/pg_repack --no-kill-backend --wait-timeout=1 --no-order --no-superuser-check "
                '--table="public"."events"'
            ),
        ),
        (rewrites(repack=REPACK, facts={"number": 190000}), FULL, 'REPACK (CONCURRENTLY) "public"."events"'),
        (
            rewrites(repack=REPACK, facts={"number": 190000}),
            {**FULL, "rewrite_methods": ["vacuum_full"]},
            'VACUUM (FULL, ANALYZE, SKIP_LOCKED) "public"."events"',
        ),
        (rewrites(repack=REPACK, sized={1: sized(keyed=False)}), FULL, "VACUUM (FULL"),
    ],
)
def test_the_gentlest_method_that_can_be_used(seen: Rewrites, params: dict[str, Any], expected: str) -> None:
    action = only(seen, **params)
    assert action.state is ActionState.PLANNED
    assert action.statement.startswith(expected)


@pytest.mark.parametrize(
    ("seen", "params", "expected"),
    [
        (rewrites(), {}, "needs allow_exclusive_lock"),
        (rewrites(), {}, "REPACK (CONCURRENTLY) comes with version 19, this is 18"),
        (rewrites(), {}, "pg_repack needs its extension"),
        (rewrites(repack=Repack("1.5.3", True)), {}, "pg_repack needs its program, of version 1.5.3"),
        (rewrites(repack=Repack("1.5.3", True, "1.4.8")), {}, "program has version 1.4.8 and its extension 1.5.3"),
        (rewrites(repack=REPACK, sized={1: sized(keyed=False)}), {}, "pg_repack needs a primary key"),
        (rewrites(), {**FULL, "rewrite_max_size": "219MiB"}, "above rewrite_max_size"),
        (rewrites(facts={"number": 190000}, sized={1: sized(keyed=False)}), {}, "(CONCURRENTLY) needs a primary key"),
        (rewrites(), {**FULL, "rewrite_methods": ["pg_repack"]}, "vacuum_full is not among the methods"),
        (rewrites(sized={1: sized(permitted=False)}), FULL, "the user monitor may not"),
        (rewrites(spaces=Spaces({}, "it is elsewhere")), FULL, "unknown: it is elsewhere; set free_space"),
        (rewrites(spaces=Spaces({0: 242 * MIB - 1})), FULL, "it takes 242.0MiB of free disk"),
        (rewrites(sized={1: sized(tablespace=5)}), FULL, "set free_space"),
        (rewrites(), {**FULL, "free_space": "241MiB"}, "and 241.0MiB is free"),
    ],
)
def test_what_speaks_against_it_is_said(seen: Rewrites, params: dict[str, Any], expected: str) -> None:
    action = only(seen, **params)
    assert action.state is ActionState.SKIPPED
    assert expected in action.detail


@pytest.mark.parametrize(
    ("seen", "params"),
    [
        (rewrites(), {**FULL, "rewrite_max_size": "220MiB"}),
        (rewrites(spaces=Spaces({0: 242 * MIB + 1})), FULL),
        (rewrites(sized={1: sized(tablespace=5)}, spaces=Spaces({5: 10**12})), FULL),
        (rewrites(spaces=Spaces({}, "?")), {**FULL, "free_space": "243MiB"}),
    ],
)
def test_just_enough_is_enough(seen: Rewrites, params: dict[str, Any]) -> None:
    assert only(seen, **params).state is ActionState.PLANNED


@pytest.mark.parametrize(
    ("free", "dead", "held_for", "state"),
    [
        (90, 100, 60, ActionState.SKIPPED),
        (90, 100, None, ActionState.SKIPPED),
        (90, 100, 59, ActionState.PLANNED),
        (100, 90, 60, ActionState.PLANNED),
    ],
)
def test_dead_rows_that_somebody_may_see_would_be_copied(
    free: int, dead: int, held_for: float | None, state: ActionState
) -> None:
    seen = rewrites(measured={1: measured(free=free, dead=dead)}, holders=(holder(held_for),))
    assert only(seen, **FULL).state is state


@pytest.mark.parametrize(("dead", "state"), [(0, ActionState.PLANNED), (2_000_000, ActionState.SKIPPED)])
def test_dead_rows_are_estimated_where_they_are_not_measured(dead: int, state: ActionState) -> None:
    assert only(rewrites(sized={1: sized(dead=dead)}, holders=(holder(60),)), **FULL).state is state


def test_the_order_is_by_what_comes_back() -> None:
    shapes = [shape(1, 200, name="a"), shape(2, 400, name="b", rows=1_200_000), shape(3, 300, name="c")]
    tables = {
        oid: sized(oid, megabytes, name=name) for oid, megabytes, name in ((1, 220, "a"), (2, 440, "b"), (3, 330, "c"))
    }
    seen = rewrites(*shapes, sized=tables)
    for order, expected in (("need", "cba"), ("smallest", "acb"), ("largest", "bca")):
        assert "".join(action.subject[-1] for action in actions(seen, order=order, **FULL)) == expected


def test_who_may_not_is_told_so() -> None:
    decision = decide_rewrite(rewrites(sized={1: sized(permitted=False)}), policy(**FULL), "db")
    assert ids(decision) == [("postgresql.maintain_denied", "warning")]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {},
            (
                'DROP TRIGGER IF EXISTS repack_trigger ON "app"."Order Items"; '
                'DROP TABLE IF EXISTS "repack"."log_16385"; DROP TABLE IF EXISTS "repack"."table_16385"; '
                'DROP TYPE IF EXISTS "repack"."pk_16385"'
            ),
        ),
        ({"schema": None, "name": None, "copy": False, "type": False}, 'DROP TABLE IF EXISTS "repack"."log_16385"'),
        (
            {"log": False, "copy": False, "type": False},
            'DROP TRIGGER IF EXISTS repack_trigger ON "app"."Order Items"',
        ),
    ],
)
def test_what_an_interrupted_pg_repack_left_is_removed(changes: dict[str, Any], expected: str) -> None:
    (action,) = decide_leftovers([leftover(**changes)]).actions
    assert action.statement == expected
    assert action.state is ActionState.PLANNED


def test_what_a_pg_repack_is_at_work_on_is_left_alone() -> None:
    assert decide_leftovers([leftover(busy=True)]).actions == []
    (action,) = decide_leftovers([leftover(permitted=False)]).actions
    assert action.state is ActionState.SKIPPED


def test_leftovers_go_before_anything_is_rewritten() -> None:
    assert [action.kind for action in actions(rewrites(leftovers=(leftover(),)), **FULL)] == ["clean", "rewrite"]
