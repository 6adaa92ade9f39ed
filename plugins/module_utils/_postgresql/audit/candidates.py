# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which indexes might help a plan that reads a table whole, and what they would save. Pure.

The reach: btree indexes over plain columns that stand in the filter of a sequential scan; those that are compared with
``=`` first, then one other. Expressions, joins without a filter and other access methods are not thought of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..identifier import quoted, split_name
from ..index.observation import Suggestion
from ..literals import tokens
from .observation_plans import Plans, TableRead, steps

__all__ = ["Candidate", "candidates", "suggestions"]

MOST_CANDIDATES = 30
MOST_COLUMNS = 3


class Candidate(NamedTuple):
    """An index that might help."""

    schema: str
    table: str
    columns: tuple[str, ...]

    @property
    def definition(self) -> str:
        """What would make it."""
        return f"CREATE INDEX ON {quoted(self.schema, self.table)} ({', '.join(map(quoted, self.columns))})"


def candidates(plans: Plans) -> list[Candidate]:
    """Return the indexes worth a try, in the order of the queries."""
    tables = {(table.schema, table.name): table for table in plans.tables}
    found: dict[Candidate, None] = {}
    for plan in plans.plans:
        for node, _above in steps(plan.root) if plan.root else ():
            table = tables.get((str(node.get("Schema")), str(node.get("Relation Name"))))
            if node["Node Type"] == "Seq Scan" and "Filter" in node and table:
                found.update(dict.fromkeys(_of_filter(str(node["Filter"]), table)))
    return list(found)[:MOST_CANDIDATES]


def _of_filter(text: str, table: TableRead) -> list[Candidate]:
    equal, other = _columns(text, table)
    lists: list[tuple[str, ...]] = [(column,) for column in (*equal, *other)[:MOST_COLUMNS]]
    together = (*equal[:MOST_COLUMNS], *other[:1])[:MOST_COLUMNS]
    if len(together) > 1:
        lists.append(together)
    return [Candidate(table.schema, table.name, columns) for columns in lists]


def _columns(text: str, table: TableRead) -> tuple[list[str], list[str]]:
    """Return the table's columns in a filter: those that are compared with ``=``, and the others."""
    pieces = [token for token in tokens(text) if token.kind != "space"]
    equal: dict[str, None] = {}
    other: dict[str, None] = {}
    for position, token in enumerate(pieces):
        following = [piece.text for piece in pieces[position + 1 : position + 3]]
        if token.kind != "name" or following[:1] in ([("(")], ["."]):
            continue
        name = split_name(token.text, "filter")[0]
        if name in table.columns:
            is_equal = following[:1] == ["="] or (following[:1] == [")"] and following[1:] == ["="])
            (equal if is_equal else other)[name] = None
    return list(equal), [name for name in other if name not in equal]


def suggestions(before: Plans, after: Plans, made: Mapping[str, tuple[Candidate, int]]) -> tuple[Suggestion, ...]:
    """Return for each query whose plan became cheaper the indexes that it would use.

    :param made: the hypothetical indexes and their sizes, by the names that the plans have for them.
    """
    costs = {plan.name: float(plan.root["Total Cost"]) for plan in before.plans if plan.root}
    found = []
    for plan in after.plans:
        if plan.root is None or plan.name not in costs:
            continue
        used = [str(node["Index Name"]) for node, _above in steps(plan.root) if node.get("Index Name") in made]
        if used:
            each = [made[name] for name in dict.fromkeys(used)]
            definitions = tuple(candidate.definition for candidate, _bytes in each)
            table = f"{each[0][0].schema}.{each[0][0].table}"
            size = sum(size for _candidate, size in each)
            found.append(
                Suggestion(plan.name, table, definitions, size, costs[plan.name], float(plan.root["Total Cost"]))
            )
    return tuple(found)
