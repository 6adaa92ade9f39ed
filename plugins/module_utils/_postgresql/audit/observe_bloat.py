# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what sizes should be, and measures the few relations that seem to be bloated, if pgstattuple is there."""

from __future__ import annotations

from typing import Any, TypeVar

from ..._core.errors import StoreError
from ..._core.runner import Context
from ..._core.threshold import Thresholds
from ..._core.units import parse_size
from ..client import PostgresqlClient
from ..observe_locked import observe_locked
from ..observe_shapes import LOCKED, observe_index_shapes, observe_table_shapes
from ..shapes import ShapedIndex, ShapedTable
from ..statement import Statement
from .decide_bloat import judge_index, judge_table, worth_measuring
from .observation_bloat import Bloat, MeasuredIndex, MeasuredTable, Tool
from .thresholds import AUDIT_THRESHOLDS

__all__ = ["LEAST_PAGES", "observe_bloat"]

Row = TypeVar("Row")

LEAST_PAGES = 128
"""Relations below 1 MiB are not looked at: all of them together do not hurt."""

MEASURE_SECONDS = 30.0
"""For each of the queries that measure; half of what is left of the deadline, if that is less."""

TOOLS = """
SELECT n.nspname::text AS schema, p.proname::text AS name, has_function_privilege(p.oid, 'EXECUTE') AS usable
FROM pg_extension e JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
    JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE e.extname = 'pgstattuple' AND p.proname IN ('pgstattuple', 'pgstattuple_approx', 'pgstatindex')
    AND p.proargtypes[0] = 'regclass'::regtype"""

APPROXIMATE = """
SELECT c.oid::bigint AS oid, table_len AS bytes, approx_free_space AS free_bytes, dead_tuple_len AS dead_bytes,
    false AS exact
FROM pg_class c, LATERAL {function}(c.oid::regclass)
WHERE c.oid = ANY (%(oids)s::oid[]) AND c.oid NOT IN {locked}"""

EXACT = """
SELECT c.oid::bigint AS oid, table_len AS bytes, free_space AS free_bytes, dead_tuple_len AS dead_bytes, true AS exact
FROM pg_class c, LATERAL {function}(c.oid::regclass)
WHERE c.oid = ANY (%(oids)s::oid[]) AND c.oid NOT IN {locked}"""

# An index without leaves has the density NaN.
INDEX = """
SELECT c.oid::bigint AS oid, (index_size / current_setting('block_size')::int)::int AS pages,
    leaf_pages::int AS leaf_pages, internal_pages::int AS inner_pages,
    nullif(avg_leaf_density, 'NaN')::float8 AS leaf_density
FROM pg_class c, LATERAL {function}(c.oid::regclass)
WHERE c.oid = ANY (%(oids)s::oid[]) AND c.oid NOT IN {locked}"""


def observe_bloat(client: PostgresqlClient, context: Context) -> Bloat:
    """Read the shapes of all relations, and measure: tables by their maps of free space, or on request whole.

    Indexes can only be measured whole, so that is done on request alone.
    """
    tables = observe_table_shapes(client, LEAST_PAGES)
    indexes = observe_index_shapes(client, LEAST_PAGES)
    tools = {tool.name: tool for tool in client.rows("look for pgstattuple", TOOLS, Tool)}
    usable = {name: (tool.schema, tool.name) for name, tool in tools.items() if tool.usable}
    locked = observe_locked(client, LEAST_PAGES)
    seen = Bloat(client.server, tables, indexes, {}, {}, "pgstattuple_approx" in usable, locked=locked)
    try:
        return _measure(client, context, seen, usable)
    except StoreError as error:
        if client.lost:
            raise
        return seen._replace(trouble=error.why)


def _measure(client: PostgresqlClient, context: Context, seen: Bloat, usable: dict[str, tuple[str, str]]) -> Bloat:
    exact = bool(context.params["exact"])
    most = parse_size(context.params["exact_max_size"], "exact_max_size")
    thresholds = Thresholds(AUDIT_THRESHOLDS, context.params["thresholds"])
    name = "pgstattuple" if exact else "pgstattuple_approx"
    if name in usable:
        chosen: list[ShapedTable] = worth_measuring(seen.tables, judge_table, "table", thresholds, most)
        query = EXACT if exact else APPROXIMATE
        found = _ask(client, context, query, usable[name], MeasuredTable, [each.oid for each in chosen])
        seen = seen._replace(measured={row.oid: row for row in found})
    if exact and "pgstatindex" in usable:
        wanted: list[ShapedIndex] = worth_measuring(seen.indexes, judge_index, "index", thresholds, most)
        oids = [index.oid for index in wanted if index.method == "btree"]
        densities = _ask(client, context, INDEX, usable["pgstatindex"], MeasuredIndex, oids)
        seen = seen._replace(densities={row.oid: row.density for row in densities})
    return seen


def _ask(
    client: PostgresqlClient, context: Context, query: str, function: tuple[str, str], row: type[Row], oids: list[int]
) -> list[Row]:
    if not oids:
        return []
    statement = Statement(query, names={"function": function}, parts={"locked": LOCKED}, parameters={"oids": oids})
    limit = min(MEASURE_SECONDS, context.deadline.remaining / 2)
    found: list[Any] = client.fetch("measure bloat", statement, row, limit)
    return found
