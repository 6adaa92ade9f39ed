# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with the plans of declared queries. Pure.

A plan that was not run has the planner's own estimates; one that was run has real numbers of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.result import metric_name
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..identifier import quoted
from ..literals import redacted, tokens
from .observation_plans import Node, Plan, Plans, TableRead, steps

__all__ = ["decide_plans"]

MOST_FINDINGS = 3
"""Findings of one kind for one query: the partitions of a table are all alike."""

FEWEST_ROWS = 1000
"""Rows, estimated or real; below that a wrong estimate does no harm."""

SORT_OVERHEAD = 24
"""Bytes that a row takes in a sort beside its columns: a tuple's header. Source: src/include/access/htup_details.h."""

PASSES_ON = ("Gather", "Gather Merge", "Sort", "Hash", "Materialize", "Memoize", "Append", "Subquery Scan")
"""Nodes that hand on the rows of a table read below them, all of them."""


def decide_plans(seen: Plans, situation: Situation) -> Decision:
    """Judge every plan."""
    decision = Decision(metrics={"postgresql_plans_total": len(seen.plans)})
    for plan in seen.plans:
        subject = f"{situation.subject} query {seen.server.database}.{plan.name}"
        if plan.root is None:
            decision.findings.append(_no_plan(plan, subject, seen.server.user))
            continue
        decision.metrics[metric_name("postgresql_plan_cost", query=plan.name)] = plan.root.get("Total Cost", 0)
        by_kind: dict[str, int] = {}
        for finding in _judge(plan.root, subject, seen, situation):
            by_kind[finding.id] = by_kind.get(finding.id, 0) + 1
            if by_kind[finding.id] <= MOST_FINDINGS:
                decision.findings.append(finding)
    return decision


def _no_plan(plan: Plan, subject: str, user: str) -> Finding:
    message = f"{subject}: it has no plan: {plan.problem}"
    remedy = "Declare it as the application sends it, and let search_path and the user's rights be the application's."
    if plan.denied:
        remedy = f"Let an administrator run: GRANT SELECT ON the query's tables TO {quoted(user)} (and what it writes)."
    return Finding("postgresql.plan_failed", Severity.WARNING, subject, message, None, None, remedy)


def _judge(root: Node, subject: str, seen: Plans, situation: Situation) -> Iterator[Finding]:
    tables = {(table.schema, table.name): table for table in seen.tables}
    for node, above in steps(root):
        if node["Node Type"] == "Sort":
            yield from _sort(node, above, subject, seen, situation)
        if node["Node Type"] != "Seq Scan":
            continue
        table = tables.get((str(node.get("Schema")), str(node.get("Relation Name"))))
        if table:
            place = f"{subject} on {table.schema}.{table.name}"
            yield from _nested(node, above, table, place, situation) or _scan(node, above, table, place, situation)
    yield from _estimate(root, subject, situation)


def _rows(node: Node, above: Sequence[Node]) -> float:
    """Return how many rows come out of a node: in all if it was run, at one time if that was estimated.

    An estimate below a Gather is of one process of several. Source: get_parallel_divisor in the server's costsize.c.
    """
    if "Actual Rows" in node:
        return float(node["Actual Rows"]) * float(node.get("Actual Loops", 1))
    rows = float(node.get("Plan Rows", 0))
    for parent in above:
        workers = parent.get("Workers Planned", 0)
        rows *= workers + max(0.0, 1 - 0.3 * workers) if workers else 1
    return rows


def _scan(node: Node, above: tuple[Node, ...], table: TableRead, place: str, situation: Situation) -> list[Finding]:
    """Judge that a table is read whole, by the share of it that is wanted."""
    limit = situation.thresholds["plan_table_rows"]
    read, wanted = table.rows, _rows(node, above)
    condition, why = str(node.get("Filter", "")), "reads the whole table"
    if condition and "Actual Rows" in node:
        # Whoever takes the first rows only does not read it all.
        read = wanted + float(node.get("Rows Removed by Filter", 0)) * float(node.get("Actual Loops", 1))
    if not limit.crossed(min(read, table.rows), limit.warning):
        return []
    if not condition:
        consumer = _consumer(above)
        if consumer is None:
            return []
        condition, why = _wish(consumer[0], above)
        wanted = _rows(*consumer)
    what = f"{why} of {table.rows:.0f} rows ({redacted(condition, 200)}), of which are wanted:"
    return [
        _with_hint(finding, condition, node, table)
        for finding in situation.thresholds.judge(
            "plan_returned_percent", "postgresql.plan_seq_scan", place, min(100.0, 100 * wanted / read), what
        )
    ]


def _wish(consumer: Node, above: tuple[Node, ...]) -> tuple[str, str]:
    """Return by which columns a consumer chooses among the rows of a table, and in words what is done instead."""
    if consumer["Node Type"] == "Limit":
        keys = next(step["Sort Key"] for step in reversed(above) if "Sort Key" in step)
        return ", ".join(keys), "reads and sorts the whole table"
    condition = str(consumer.get("Hash Cond") or consumer.get("Merge Cond") or "")
    return condition, "reads the whole table for a join"


def _consumer(above: tuple[Node, ...]) -> tuple[Node, tuple[Node, ...]] | None:
    """Return the node that takes the rows of a table read whole and may want few of them: a join, a Limit over a sort.

    Whoever aggregates rows wants all of them; whoever takes any rows stops when there are enough.
    """
    is_sorted = False
    for position in range(len(above) - 1, -1, -1):
        kind = str(above[position]["Node Type"])
        is_sorted |= kind == "Sort"
        if kind in ("Hash Join", "Merge Join") or (kind == "Limit" and is_sorted):
            return above[position], above[:position]
        if kind not in PASSES_ON:
            return None
    return None


def _nested(node: Node, above: tuple[Node, ...], table: TableRead, place: str, situation: Situation) -> list[Finding]:
    """Judge that a table is read anew for each row of another."""
    found = _repeated(node, above)
    if found is None:
        return []
    times, condition = found
    what = f"for each of {times:.0f} rows it goes through the {table.rows:.0f} rows of the table; in all"
    total = times * max(0.0, table.rows)
    return [
        _with_hint(finding, f"{condition} {node.get('Filter', '')}", node, table)
        for finding in situation.thresholds.judge("plan_nested_rows", "postgresql.plan_nested_scan", place, total, what)
    ]


def _repeated(node: Node, above: tuple[Node, ...]) -> tuple[float, str] | None:
    """Return how often a nested loop or a subquery goes through a node's rows, and the join's condition."""
    inner = node
    for position in range(len(above) - 1, -1, -1):
        parent, relationship = above[position], inner.get("Parent Relationship")
        if parent["Node Type"] == "Nested Loop" and relationship == "Inner":
            return _rows(parent["Plans"][0], above[: position + 1]), str(parent.get("Join Filter", ""))
        if relationship == "SubPlan" and f"hashed {inner.get('Subplan Name')}" not in str(
            [value for name, value in parent.items() if name != "Plans"]
        ):
            return _rows(parent, above[:position]), ""
        if parent["Node Type"] not in (*PASSES_ON, "Aggregate", "Limit"):
            return None
        inner = parent
    return None


def _with_hint(finding: Finding, condition: str, node: Node, table: TableRead) -> Finding:
    """Return the finding with the index that could serve in its remedy."""
    columns = _columns(condition, str(node.get("Alias", table.name)), table)
    if not columns:
        return finding
    served = [column for column in columns if column in table.leading]
    if served:
        hint = (
            f"There is an index that begins with {quoted(served[0])}, and the planner does not use it: look for a "
            "function or a cast around the column, another collation, or old statistics (ANALYZE)."
        )
    else:
        names = ", ".join(quoted(column) for column in columns)
        hint = f"Consider CREATE INDEX CONCURRENTLY ON {quoted(table.schema, table.name)} ({names})."
    return Finding(
        finding.id, finding.severity, finding.subject, finding.message, finding.value, finding.threshold, hint
    )


def _columns(condition: str, alias: str, table: TableRead) -> list[str]:
    """Return the table's columns in a condition, which writes each as ``alias.column``."""
    words = [token for token in tokens(condition) if token.kind != "space"]
    names = [word.text[1:-1].replace('""', '"') if word.text.startswith('"') else word.text for word in words]
    found = [
        names[position + 2]
        for position in range(len(words) - 2)
        if names[position] == alias and words[position + 1].text == "." and names[position + 2] in table.columns
    ]
    return list(dict.fromkeys(found))


def _sort(node: Node, above: tuple[Node, ...], subject: str, seen: Plans, situation: Situation) -> list[Finding]:
    """Judge that a sort goes to disk. The first rows of a Limit are sorted in memory, however many there are in all."""
    if "Sort Space Used" in node:
        size = float(node["Sort Space Used"]) * 1024 if node.get("Sort Space Type") == "Disk" else 0.0
    elif above and above[-1]["Node Type"] == "Limit":
        size = 0.0
    else:
        size = float(node.get("Plan Rows", 0)) * (float(node.get("Plan Width", 0)) + SORT_OVERHEAD)
    if size <= seen.work_memory:
        return []
    keys = redacted(", ".join(node.get("Sort Key", ())), 200)
    what = f"it sorts by {keys}, with work_mem {seen.work_memory // 1024} kB, on disk:"
    return situation.thresholds.judge("plan_sort_bytes", "postgresql.plan_sort", subject, size, what)


def _estimate(root: Node, subject: str, situation: Situation) -> list[Finding]:
    """Judge the worst estimate of a query that was run, where it first goes wrong: at the reading of a table."""
    worst, found = 0.0, None
    for node, _above in steps(root):
        if "Actual Rows" not in node or "Relation Name" not in node or not node.get("Actual Loops"):
            continue
        real, thought = max(1.0, float(node["Actual Rows"])), max(1.0, float(node["Plan Rows"]))
        ratio = max(real / thought, thought / real)
        if max(real, thought) >= FEWEST_ROWS and ratio > worst:
            worst, found = ratio, (node, real, thought)
    if found is None:
        return []
    node, real, thought = found
    what = f"of {node['Relation Name']} {thought:.0f} rows were expected and {real:.0f} came; wrong by the factor"
    return situation.thresholds.judge("plan_estimate_ratio", "postgresql.plan_estimate", subject, worst, what)
