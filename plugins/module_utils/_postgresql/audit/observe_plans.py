# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks the server for the plans of declared queries, in read-only transactions that are rolled back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from ..._core.dependency import PSYCOPG
from ..._core.errors import StoreError
from ..._core.runner import Context
from ..client import PostgresqlClient
from ..statement import Statement
from .declared_plans import Declared, declared_queries, search_path
from .observation_plans import Plan, Plans, TableRead, steps

__all__ = ["observe_plans"]

PLANNING_SECONDS = 5.0
RUNNING_SECONDS = 60.0

PREPARED = "upkeep_plan"
"""What a declared query is called while its plan is asked for."""

INSUFFICIENT_PRIVILEGE = "42501"
"""SQLSTATE of what the user may not do."""

GENERIC_PLAN_SINCE = 160000
"""Server version whose EXPLAIN makes the plan for any parameters by itself."""

MEMORY = "SELECT pg_size_bytes(current_setting('work_mem')) AS bytes"

TABLES = """
SELECT n.nspname::text AS schema, c.relname::text AS name, c.reltuples::float8 AS rows,
    ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns,
    ARRAY(SELECT DISTINCT a.attname::text FROM pg_index i
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = c.oid AND i.indisvalid) AS leading
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS read(schema, name)
    JOIN pg_namespace n ON n.nspname = read.schema
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = read.name"""


class _Memory(NamedTuple):
    bytes: int


def observe_plans(client: PostgresqlClient, context: Context) -> Plans:
    """Ask for every plan, then for the tables in them."""
    queries = declared_queries(context.params["queries"])
    if not queries:
        return Plans(client.server, ())
    path = search_path(context.params["search_path"])
    plans = [_plan(client, context, query, path) for query in queries]
    read = {
        (str(node["Schema"]), str(node["Relation Name"]))
        for plan in plans
        if plan.root
        for node, _above in steps(plan.root)
        if "Schema" in node and "Relation Name" in node
    }
    names = {"schemas": [schema for schema, _name in sorted(read)], "names": [name for _schema, name in sorted(read)]}
    tables = client.rows("read the tables of the plans", TABLES, TableRead, names) if read else []
    memory = client.row("read work_mem", MEMORY, _Memory).bytes
    return Plans(client.server, tuple(plans), tuple(tables), memory)


def _plan(client: PostgresqlClient, context: Context, query: Declared, path: str) -> Plan:
    """Ask for one plan; what the server refuses is part of what was seen."""
    if context.deadline.expired:
        return Plan(query.name, None, "no time was left for it")
    tried = f"explain the query {query.name}"
    try:
        with (
            ExitStack() as after,
            client.guarded(tried, RUNNING_SECONDS if query.analyze else PLANNING_SECONDS),
            client.connection.transaction(force_rollback=True),
            client.connection.cursor() as cursor,
        ):
            cursor.execute("SELECT set_config('search_path', %s, true)", [path])
            return Plan(
                query.name, _explain(cursor, client.server.number, query, lambda: after.callback(_forget, client))
            )
    except StoreError as error:
        if client.lost:
            raise
        return Plan(query.name, None, _problem(error), error.code == INSUFFICIENT_PRIVILEGE)


def _forget(client: PostgresqlClient) -> None:
    """Let go of the prepared query, which outlives the transaction that it was prepared in."""
    if not client.lost:
        client.execute(
            "forget a prepared query", Statement("DEALLOCATE {name}", {"name": (PREPARED,)}), PLANNING_SECONDS
        )


def _explain(cursor: Any, version: int, query: Declared, prepared: Callable[[], Any]) -> Any:
    """Return the topmost node of a query's plan.

    In binary format the driver uses the extended protocol, in which the server takes one statement only. The plan for
    any values needs the other protocol, so such a query is first prepared in this one.

    :param prepared: called once it is.
    """
    options = "VERBOSE, FORMAT JSON" + (", ANALYZE, TIMING OFF" if query.analyze else "")
    if not query.places:
        return _root(cursor.execute(f"EXPLAIN ({options}) {query.sql}".encode(), binary=True))
    cursor.execute(f"PREPARE {PREPARED} AS {query.sql}".encode(), binary=True)
    prepared()
    begin = f"EXPLAIN ({options}) EXECUTE {PREPARED}"
    if query.parameters is not None:
        cursor.execute("SELECT set_config('plan_cache_mode', 'force_custom_plan', true)")
        return _root(cursor.execute(_executed(begin, query.parameters)))
    if version >= GENERIC_PLAN_SINCE:
        return _root(cursor.execute(f"EXPLAIN ({options}, GENERIC_PLAN) {query.sql}".encode()))
    cursor.execute("SELECT set_config('plan_cache_mode', 'force_generic_plan', true)")
    unknown = _executed(begin, (None,) * query.places)
    root = _root(cursor.execute(unknown))
    if any("Subplans Removed" in node for node, _above in steps(root)):
        # No partition holds NULL, so none is left in the plan: it has to be made anew, without leaving any out.
        cursor.execute("SELECT set_config('enable_partition_pruning', 'off', true)")
        cursor.execute("DISCARD PLANS")
        root = _root(cursor.execute(unknown))
    return root


def _root(cursor: Any) -> Any:
    (document,) = cursor.fetchone()
    return document[0]["Plan"]


def _executed(begin: str, values: Sequence[Any]) -> Any:
    """Return the statement that executes a prepared query with these values."""
    sql = PSYCOPG.load().sql
    return sql.SQL(f"{begin} ({{}})").format(sql.SQL(", ").join(sql.Literal(_plain(value)) for value in values))


def _plain(value: Any) -> Any:
    """Return a value as SQL's own text, whose type the server infers; a list would need to name its own."""
    return value if value is None or isinstance(value, bool) else str(value)


def _problem(error: StoreError) -> str:
    """Return why there is no plan. Texts that repeat the query's data (syntax, conversion) give way to their code."""
    code = error.code or ""
    if code.startswith("42") and code != "42601":
        return error.why
    known = {"42601": "it is no single correct statement", "57014": "planning or running it took too long"}
    known["55P03"] = "a table of it is locked"
    return f"{known.get(code, 'the server refused it')} (SQLSTATE {code})"
