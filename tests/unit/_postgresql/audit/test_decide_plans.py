# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from plans, on both sides of every limit."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._core.health import Situation
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Decision
from ansible_collections.dataops.upkeep.plugins.module_utils._core.threshold import Thresholds
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.decide_plans import decide_plans
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.declared_plans import (
    declared_queries,
    search_path,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.observation_plans import (
    Node,
    Plan,
    Plans,
    TableRead,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.thresholds_plans import PLAN_THRESHOLDS
from tests.unit._postgresql.making import NOW, ids, one, server

ROWS = 100_000
MIB = 1024**2


def scan(rows: float = 100, **fields: Any) -> Node:
    """A table read whole for some of its rows."""
    usual = {"Schema": "app", "Relation Name": "events", "Alias": "e", "Filter": "(e.kind = 'Zq7'::text)"}
    return node("Seq Scan", rows=rows, **{**usual, **fields})


def node(kind: str, *below: Node, rows: float = 100, **fields: Any) -> Node:
    """A node of a plan; of several below it the last is the inner one."""
    children = [
        {"Parent Relationship": "Inner" if place and place == len(below) - 1 else "Outer", **child}
        for place, child in enumerate(below)
    ]
    return {"Node Type": kind, "Plan Rows": rows, "Plan Width": 76, "Total Cost": 12.5, "Plans": children, **fields}


def decide(root: Node | None, *, table: dict[str, Any] | None = None, **limits: Any) -> Decision:
    """Judge one plan over a table of a hundred thousand rows."""
    events = TableRead("app", "events", ROWS, ("id", "kind", "user id", "at"), ("id",))._replace(**(table or {}))
    seen = Plans(server(), (Plan("q", root, "why"),), (events,))
    return decide_plans(seen, Situation("db:5432", Thresholds(PLAN_THRESHOLDS, limits), NOW))


def test_a_plan_that_there_is_not() -> None:
    assert "why" in one(decide(None)).message


@pytest.mark.parametrize(
    ("rows", "table_rows", "found"),
    [(9_999, ROWS, True), (10_000, ROWS, False), (9, 10_000, False), (9, 10_001, True), (0, -1, False)],
)
def test_a_table_read_whole(rows: float, table_rows: float, found: bool) -> None:
    expected = [("postgresql.plan_seq_scan", "warning")] if found else []
    assert ids(decide(scan(rows), table={"rows": table_rows})) == expected


def test_the_finding_names_table_condition_and_an_index_that_could_serve() -> None:
    finding = one(decide(scan(Filter="((e.kind = 'Zq7'::text) AND (e.\"user id\" > 5) AND (x.at < e.id2))")))
    assert finding.subject == "db:5432 query app.q on app.events"
    assert "(e.kind = ?::text) AND" in finding.message
    assert 'ON "app"."events" ("kind", "user id")' in finding.remedy
    assert "Zq7" not in str(finding)
    assert '"kind"' in one(decide(scan(), table={"leading": ("kind",)})).remedy
    assert "function or a cast" in one(decide(scan(), table={"leading": ("kind",)})).remedy
    assert one(decide(scan(Filter="(random() < 0.1)"))).remedy == "Let an index lead to the rows that are wanted."


def test_a_table_that_the_catalogue_does_not_show_is_not_judged() -> None:
    assert decide(scan(Schema="pg_temp_3")).findings == []


@pytest.mark.parametrize(("workers", "rows", "found"), [(2, 4_166, True), (2, 4_167, False), (4, 2_500, False)])
def test_below_a_gather_each_process_has_its_part(workers: int, rows: float, found: bool) -> None:
    root = node("Gather", scan(rows), **{"Workers Planned": workers})
    assert bool(decide(root).findings) is found


@pytest.mark.parametrize(
    ("rows", "loops", "removed", "found"),
    [
        (9_999, 1, 90_001, True),
        (10_000, 1, 90_000, False),
        (3_000, 3, 30_333, True),
        (10, 1, 500, False),  # it stopped when there were enough
        (10, 1, 9_990, False),
        (10, 1, 9_991, True),
    ],
)
def test_a_query_that_was_run_is_judged_by_what_came(rows: int, loops: int, removed: int, found: bool) -> None:
    real = {"Actual Rows": rows, "Actual Loops": loops, "Rows Removed by Filter": removed}
    assert bool(decide(scan(50_000, **real), plan_estimate_ratio="off").findings) is found


@pytest.mark.parametrize(
    ("root", "found"),
    [
        (node("Limit", node("Sort", scan(ROWS, Filter=""), **{"Sort Key": ["e.at DESC"]}), rows=20), '("at")'),
        (
            node(
                "Limit",
                node(
                    "Gather Merge",
                    node("Sort", scan(ROWS, Filter=""), **{"Sort Key": ["e.at"]}),
                    **{"Workers Planned": 2},
                ),
                rows=20,
            ),
            '("at")',
        ),
        (node("Limit", node("Sort", scan(ROWS, Filter=""), **{"Sort Key": ["e.at"]}), rows=ROWS / 5), None),
        (node("Limit", scan(ROWS, Filter=""), rows=20), None),
        (node("Sort", scan(ROWS, Filter=""), rows=ROWS, **{"Sort Key": ["e.at"]}), None),
        (node("Aggregate", scan(ROWS, Filter=""), rows=1), None),
        (node("Limit", node("Sort", node("Aggregate", scan(ROWS, Filter="")), **{"Sort Key": ["e.at"]}), rows=5), None),
        (
            node(
                "Hash Join",
                scan(ROWS, Filter=""),
                node("Hash", node("Index Scan", rows=5)),
                rows=50,
                **{"Hash Cond": '(e."user id" = u.id)'},
            ),
            '("user id")',
        ),
        (
            node(
                "Merge Join", node("Index Scan"), node("Sort", scan(ROWS, Filter="")), **{"Merge Cond": "u.id = e.at"}
            ),
            '("at")',
        ),
        (node("Hash Join", scan(ROWS, Filter=""), node("Hash", node("Seq Scan")), rows=ROWS), None),
    ],
)
def test_a_table_read_whole_without_a_condition(root: Node, found: str | None) -> None:
    findings = decide(root, plan_sort_bytes="off").findings
    assert [finding.id for finding in findings] == ([] if found is None else ["postgresql.plan_seq_scan"])
    assert found is None or found in findings[0].remedy


@pytest.mark.parametrize(
    ("inner", "times", "found"),
    [
        (scan(50_000), 10, False),
        (scan(50_000), 11, True),
        (node("Materialize", scan(ROWS, Filter="")), 11, True),
        (node("Materialize", scan(ROWS, Filter="")), 10, False),
        (node("Index Scan"), 10**6, False),
    ],
)
def test_a_table_gone_through_for_each_row_of_another(inner: Node, times: float, found: bool) -> None:
    root = node("Nested Loop", node("Index Scan", rows=times), inner, rows=ROWS)
    assert ids(decide(root)) == ([("postgresql.plan_nested_scan", "warning")] if found else [])


def test_it_is_not_said_twice_that_a_table_is_read_whole() -> None:
    root = node("Nested Loop", node("Index Scan", rows=20), scan(1), **{"Join Filter": "(e.at = u.at)"})
    finding = one(decide(root))
    assert (finding.id, finding.value) == ("postgresql.plan_nested_scan", 2_000_000)
    assert '("at", "kind")' in finding.remedy


@pytest.mark.parametrize(("shown", "found"), [("(SubPlan 1)", True), ("(ANY (id = (hashed SubPlan 1).col1))", False)])
def test_a_subquery_for_each_row(shown: str, found: bool) -> None:
    inner = {**scan(50_000), "Parent Relationship": "SubPlan", "Subplan Name": "SubPlan 1"}
    root = {**node("Index Scan", rows=11, Output=[shown]), "Plans": [inner]}
    assert bool(decide(root).findings) is found


@pytest.mark.parametrize(
    ("fields", "above", "found"),
    [
        ({"rows": 671_088}, None, False),
        ({"rows": 671_089}, None, True),
        ({"rows": 671_089}, "Limit", False),
        ({"Sort Space Used": 65_536, "Sort Space Type": "Disk"}, None, False),
        ({"Sort Space Used": 65_537, "Sort Space Type": "Disk"}, None, True),
        ({"Sort Space Used": 65_537, "Sort Space Type": "Memory"}, None, False),
    ],
)
def test_a_sort_on_disk(fields: dict[str, Any], above: str | None, found: bool) -> None:
    sort = node("Sort", node("Index Scan"), **{"Sort Key": ["e.at", "('Zq7' || e.kind)"], **fields})
    decision = decide(node(above, sort) if above else sort)
    assert ids(decision) == ([("postgresql.plan_sort", "warning")] if found else [])
    assert "Zq7" not in str(decision.findings)


def test_a_sort_that_work_mem_holds_is_in_order() -> None:
    sort = node("Sort", node("Index Scan"), rows=100, **{"Sort Key": ["e.at"]})
    assert decide(sort, plan_sort_bytes=1).findings == []


@pytest.mark.parametrize(
    ("thought", "real", "found"),
    [(10, 1_000, False), (10, 1_001, True), (1_001, 10, True), (9, 999, False), (0, 1_001, True), (101_000, 0, True)],
)
def test_a_wrong_estimate(thought: float, real: float, found: bool) -> None:
    fields = {"Actual Rows": real, "Actual Loops": 1, "Relation Name": "events"}
    root = node("Hash Join", node("Index Scan", rows=thought, **fields), rows=1)
    assert ids(decide(root)) == ([("postgresql.plan_estimate", "warning")] if found else [])


def test_what_never_ran_has_no_estimate_to_judge() -> None:
    assert (
        decide(node("Index Scan", rows=10**6, **{"Actual Rows": 0, "Actual Loops": 0, "Relation Name": "e"})).findings
        == []
    )


def test_partitions_are_named_three_times_at_most() -> None:
    assert len(decide(node("Append", *[scan() for _turn in range(9)])).findings) == 3


@pytest.mark.parametrize(
    ("entry", "option"),
    [
        ({"sql": "DROP TABLE t"}, "queries[0].sql"),
        ({"sql": "SELECT 1; SELECT 2"}, "queries[0].sql"),
        ({"sql": "SELECT 'a\\'"}, "queries[0].sql"),
        ({"sql": "DELETE FROM t", "analyze": True}, "queries[0].sql"),
        ({"sql": "SELECT $1", "analyze": True}, "queries[0].analyze"),
        ({"sql": "SELECT $2", "parameters": [1]}, "queries[0].parameters"),
        ({"sql": "SELECT 1", "parameters": [1]}, "queries[0].parameters"),
    ],
)
def test_what_cannot_be_declared(entry: dict[str, Any], option: str) -> None:
    with pytest.raises(InvalidInput, match=option.replace("[", r"\[")):
        declared_queries([{"name": "q", **entry}])


def test_what_can_be_declared() -> None:
    (query,) = declared_queries([{"name": "q", "sql": "/* ; */ SELECT ';', $2, E'\\'' ; ", "parameters": [1, None]}])
    assert (query.sql, query.parameters, query.places) == ("/* ; */ SELECT ';', $2, E'\\'' ", (1, None), 2)
    (query,) = declared_queries([{"name": "q", "sql": "with x as (select $1) delete from t"}])
    assert (query.parameters, query.places, query.analyze) == (None, 1, False)
    with pytest.raises(InvalidInput, match="two queries"):
        declared_queries([{"name": "q", "sql": "SELECT 1"}] * 2)


def test_a_search_path_of_any_names() -> None:
    assert search_path(["$user", 'a"b, c']) == '"$user", "a""b, c"'
