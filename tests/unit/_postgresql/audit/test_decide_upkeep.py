# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables that autovacuum leaves out."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.decide_upkeep import (
    MOST_FINDINGS,
    decide_upkeep,
    remember_upkeep,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.observation_vacuum import (
    Neglected,
    Upkeep,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.autovacuum import Tables
from tests.unit._postgresql.audit.making import situation
from tests.unit._postgresql.making import ids, one, server, table

MIB = 1024**2


def neglected(name: str = "t", **changes: Any) -> Neglected:
    """A table in which all is well, if it is neglected at all."""
    usual = Neglected("public", name, False, 10_000.0, 0.0, True, False, 0, 0, 100 * MIB, ())
    return usual._replace(**changes)


def seen(*tables: Neglected, **facts: Any) -> Upkeep:
    return Upkeep(Tables(server(**facts), ()), tables)


DISABLED = {"disabled": True, "options": ("autovacuum_enabled=false",)}
NEVER = {"analyzed": False, "rows": -1.0}
ROOT = {"partitioned": True, "leaf_rows": 10_000.0}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({**DISABLED, "written": 999}, None),
        ({**DISABLED, "written": 1000}, "postgresql.autovacuum_disabled"),
        ({"written": 10**9}, None),
        ({**NEVER, "bytes": 8 * MIB}, "postgresql.never_analyzed"),
        ({**NEVER, "bytes": 8 * MIB - 1}, None),
        ({**NEVER, "modified": 50}, "postgresql.never_analyzed"),  # autovacuum begins beyond 50
        ({**NEVER, "modified": 51}, None),
        ({**NEVER, **DISABLED, "modified": 51}, "postgresql.never_analyzed"),
        (ROOT, None),
        ({**ROOT, "analyzed": False}, "postgresql.partitions_not_analyzed"),
        ({**ROOT, "analyzed": False, "leaf_rows": 999.0}, None),
        ({**ROOT, "leaf_rows": 15_000.0}, None),
        ({**ROOT, "leaf_rows": 15_001.0}, "postgresql.partitions_not_analyzed"),
        ({**ROOT, "leaf_rows": 4_999.0}, "postgresql.partitions_not_analyzed"),
        ({**ROOT, "leaf_rows": 5_000.0}, None),
    ],
)
def test_each_kind_of_neglect(changes: dict[str, Any], expected: str | None) -> None:
    found = ids(decide_upkeep(seen(neglected(**changes)), situation()))
    assert found == ([] if expected is None else [(expected, "warning")])


def test_a_version_that_does_not_count_the_rows_of_partitioned_tables() -> None:
    old = seen(neglected(**{**ROOT, "rows": 0.0}), number=130020)
    assert ids(decide_upkeep(old, situation())) == []


def test_the_others_are_counted() -> None:
    many = [neglected(f"t{number}", **NEVER) for number in range(MOST_FINDINGS + 2)]
    found = decide_upkeep(seen(*many), situation()).findings
    assert len(found) == MOST_FINDINGS + 1
    assert found[-1].message == "db:5432 database app: 2 more tables that were never analyzed (public.t10, public.t11)"


def test_what_is_due_by_the_formula_is_judged_as_every_day() -> None:
    late = table(dead=50_000, vacuum_seconds=10 * 86400.0)
    upkeep = Upkeep(Tables(server(), (late,)), ())
    assert one(decide_upkeep(upkeep, situation())).id == "postgresql.vacuum_overdue"
    assert remember_upkeep(upkeep, situation())["vacuum"] == {"app public.events": server().now}


@pytest.mark.parametrize("changes", [{**DISABLED, "written": 1000}, NEVER, {**ROOT, "analyzed": False}])
def test_the_statement_to_run_holds_names_as_sql_wants_them(changes: dict[str, Any]) -> None:
    decision = decide_upkeep(seen(neglected('Order "Items"', schema="My.App", **changes)), situation())
    assert '"My.App"."Order ""Items"""' in one(decision).remedy
