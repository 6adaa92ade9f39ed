# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.decide_proof import (
    decide_proof,
    decide_rewrite_proof,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.observation import Row
from tests.unit._postgresql.vacuum.making import ago, holder, policy, rewrites, row, seen, shape, sized


def proof(table: Row, kind: str = "vacuum", **facts: Any) -> list[str]:
    return [finding.id for finding in decide_proof(seen(table, **facts), [(1, kind)], policy(), "postgresql db")]


def test_what_has_helped_is_no_finding() -> None:
    assert proof(row()) == []


@pytest.mark.parametrize(
    ("table", "kind", "expected"),
    [
        (row(dead=9000), "vacuum", ["postgresql.vacuum_unproved"]),
        (row(modified=9000), "vacuum", []),
        (row(dead=9000), "analyze", []),
        (row(modified=9000), "analyze", ["postgresql.vacuum_unproved"]),
        (row(transactions=160_000_000), "freeze", ["postgresql.vacuum_unproved"]),
        (row(dead=9000), "freeze", []),
        (row(kind="p", modified=9000), "analyze", []),
    ],
)
def test_the_very_thing_that_was_done_is_looked_at(table: Row, kind: str, expected: list[str]) -> None:
    assert proof(table, kind) == expected


def test_what_holds_the_rest_is_named() -> None:
    assert proof(row(dead=9000, vacuumed=ago(0)), holders=[holder(60)]) == ["postgresql.rows_held"]
    assert proof(row(transactions=160_000_000), "freeze", holders=[holder(60, age=155_000_000)]) == [
        "postgresql.freeze_blocked"
    ]


def test_a_table_that_is_gone_proves_nothing() -> None:
    assert decide_proof(seen(), [(1, "vacuum")], policy(), "db") == []


@pytest.mark.parametrize(("megabytes", "expected"), [(200, 1), (101, 1), (99, 0), (14, 0)])
def test_a_rewrite_that_left_the_table_as_bloated(megabytes: int, expected: int) -> None:
    after = rewrites(shape(megabytes=megabytes))
    assert len(decide_rewrite_proof(after, [sized()], policy(), "db")) == expected
