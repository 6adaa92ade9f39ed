# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which indexes are tried for a plan that reads a table whole, and what is made of the plans with them."""

from __future__ import annotations

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.candidates import (
    Candidate,
    candidates,
    suggestions,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.observation_plans import (
    Plan,
    Plans,
    TableRead,
)
from tests.unit._postgresql.index.making import SERVER

TABLE = TableRead("public", "orders", 60000.0, ["id", "a", "b", "c", "Odd N", "lower"], ["id"])


def plans(text: str, kind: str = "Seq Scan", cost: float = 1000.0, **more: object) -> Plans:
    node = {
        "Node Type": kind,
        "Schema": "public",
        "Relation Name": "orders",
        "Filter": text,
        "Total Cost": cost,
        **more,
    }
    return Plans(SERVER, (Plan("q", {"Node Type": "Limit", "Total Cost": cost, "Plans": [node]}),), (TABLE,))


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("(orders.a = 5)", [("a",)]),
        ("((orders.b > 5) AND (orders.a = $1))", [("a",), ("b",), ("a", "b")]),
        ("((a = 1) AND (b = 2) AND (c = 3) AND (id = 4))", [("a",), ("b",), ("c",), ("a", "b", "c")]),
        ("(orders.\"Odd N\" ~~ 'x%'::text)", [("Odd N",)]),
        ("((orders.a)::text = 'b'::text)", [("a",)]),
        ("(lower(orders.a) = 'x'::text)", [("a",)]),
        ("(orders.unknown = 5)", []),
        ("('a = 5'::text = 'b'::text)", []),
    ],
)
def test_columns_of_a_filter(text: str, columns: list[tuple[str, ...]]) -> None:
    assert candidates(plans(text)) == [Candidate("public", "orders", names) for names in columns]
    assert candidates(plans(text, kind="Index Scan")) == []


def test_no_more_than_thirty() -> None:
    tables = tuple(TableRead("public", f"t{number}", 1e6, ["a", "b"], []) for number in range(40))
    many = [plans("(a = 1)").plans[0]._replace(name=str(number)) for number in range(40)]
    for number, plan in enumerate(many):
        assert plan.root
        plan.root["Plans"][0]["Relation Name"] = f"t{number}"
    assert len(candidates(Plans(SERVER, tuple(many), tables))) == 30


def test_only_an_index_that_the_planner_takes_is_suggested() -> None:
    before = plans("(a = 5)")
    made = {"<1>a": (Candidate("public", "orders", ("a",)), 5000), "<2>b": (Candidate("public", "orders", ("b",)), 1)}
    after = plans("", kind="Index Scan", cost=100.0, **{"Index Name": "<1>a"})
    (found,) = suggestions(before, after, made)
    assert (found.before, found.after, found.bytes, found.table) == (1000.0, 100.0, 5000, "public.orders")
    assert found.definitions == ('CREATE INDEX ON "public"."orders" ("a")',)
    assert suggestions(before, before, made) == ()
    assert suggestions(before, after._replace(plans=(Plan("q", None, "it failed"),)), made) == ()
