# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads which tables are bloated, how they could be rewritten, and what an interrupted pg_repack left behind."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from ..._core.errors import StoreError
from ..._core.runner import Context
from ..bloat import BLOCK
from ..client import PostgresqlClient
from ..locked import LockedTable
from ..observe_horizon import observe_holders
from ..observe_locked import observe_locked
from ..observe_shapes import LOCKED, observe_table_shapes
from ..observe_spaces import observe_spaces
from ..shapes import ShapedTable
from ..statement import Statement
from .act_repack import find_program
from .decide_bloat import worth_measuring
from .observation_rewrite import Leftover, Measured, Repack, Rewrites, Sized
from .observe_tables import MOST_HOLDERS
from .policy import Policy

__all__ = ["observe_leftovers", "observe_rewrites", "observe_sizes"]

# Sizes only of what nobody has locked, for to ask is to wait.
SIZES = """
WITH locked AS MATERIALIZED {locked}
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name,
    pg_total_relation_size(c.oid) AS bytes, pg_stat_get_dead_tuples(c.oid) AS dead,
    EXISTS (
        SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
            AND i.indpred IS NULL AND i.indexprs IS NULL AND NOT EXISTS (
                SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey) AND NOT a.attnotnull)
    ) AS keyed,
    c.reltablespace::bigint AS tablespace, {permitted} OR pg_has_role(d.datdba, 'USAGE') AS permitted,
    c.relfilenode::bigint AS filenode
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_database d ON d.datname = current_database()
WHERE c.oid = ANY (%(oids)s::oid[]) AND c.relkind IN ('r', 'm') AND c.oid NOT IN (SELECT relation FROM locked)
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')"""

TOOL = """
SELECT n.nspname::text AS schema, p.proname::text AS name FROM pg_extension e
    JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
    JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE e.extname = 'pgstattuple' AND p.proname = 'pgstattuple_approx' AND p.proargtypes[0] = 'regclass'::regtype
    AND has_function_privilege(p.oid, 'EXECUTE') AND has_schema_privilege(n.oid, 'USAGE')"""

MEASURE = """
SELECT c.oid::bigint AS oid, table_len AS bytes, approx_free_space AS free_bytes, dead_tuple_len AS dead_bytes
FROM pg_class c, LATERAL {function}(c.oid::regclass)
WHERE c.oid = ANY (%(oids)s::oid[]) AND c.oid NOT IN {locked}"""

MEASURE_SECONDS = 60.0

REPACK = """
SELECT (SELECT extversion FROM pg_extension WHERE extname = 'pg_repack') AS extension,
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser"""

# pg_repack holds this lock on a table from its first step to its last; the second half of its key is the table's oid,
# moved by 2^31 to fit a signed number. Names of what it makes: its sources, lib/pg_repack.sql.in and bin/pg_repack.c.
LEFTOVERS = """
SELECT m.table_oid::bigint AS table_oid, n.nspname::text AS schema, c.relname::text AS name,
    bool_or(m.kind = 'log') AS log, bool_or(m.kind = 'table') AS copy, bool_or(m.kind = 'pk') AS type,
    bool_or(m.kind = 'trigger') AS trigger,
    EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = {prefix}
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.objid::bigint = (m.table_oid::bigint + 2147483648) % 4294967296) AS busy,
    bool_and(m.permitted) AS permitted
FROM (
    SELECT split_part(o.relname, '_', 2)::bigint::oid AS table_oid, split_part(o.relname, '_', 1) AS kind,
        pg_has_role(o.relowner, 'USAGE') AS permitted
    FROM pg_class o JOIN pg_namespace s ON s.oid = o.relnamespace
    WHERE s.nspname = 'repack' AND o.relkind IN ('r', 'c') AND o.relname ~ '^(log|table|pk)_[0-9]{{1,10}}$'
    UNION ALL
    SELECT t.tgrelid, 'trigger', pg_has_role(r.relowner, 'USAGE') FROM pg_trigger t JOIN pg_class r ON r.oid = t.tgrelid
    WHERE t.tgname = 'repack_trigger' AND NOT t.tgisinternal
) m LEFT JOIN pg_class c ON c.oid = m.table_oid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
GROUP BY 1, 2, 3, m.table_oid ORDER BY 1"""

REPACK_LOCK = 16185446
"""First half of the key of pg_repack's advisory lock, REPACK_LOCK_PREFIX in its source."""


class _Function(NamedTuple):
    schema: str
    name: str


def observe_rewrites(
    client: PostgresqlClient, context: Context, policy: Policy, oids: Collection[int] | None
) -> Rewrites:
    """Read what is large enough, and measure what seems bloated or cannot be estimated.

    :param oids: the tables that are asked for; None for all.
    """
    # Of a table and its TOAST table that are large enough together, one has half of it at least.
    least = max(1, policy.min_size // (2 * BLOCK))
    shapes = tuple(
        shape
        for shape in observe_table_shapes(client, least)
        if oids is None or (shape.owner_oid if shape.toast else shape.oid) in oids
    )
    sized = observe_sizes(client, {shape.owner_oid or shape.oid for shape in shapes})
    repack = client.row("look for pg_repack", REPACK, Repack)
    if repack.extension and "pg_repack" in policy.rewrite_methods:
        path, version = find_program(client.server.major, context)
        repack = repack._replace(program=version, path=path)
    return Rewrites(
        client.server,
        shapes,
        _measure(client, context, worth_measuring(shapes, policy)),
        {row.oid: row for row in sized},
        repack,
        observe_leftovers(client),
        observe_spaces(client),
        observe_holders(client, MOST_HOLDERS, here=True),
        tuple(table for table in observe_locked(client) if _is_meant(table, least, oids)),
    )


def _is_meant(table: LockedTable, least: int, oids: Collection[int] | None) -> bool:
    """Whether a locked table would be looked at; one that was never analyzed may be of any size."""
    return table.oid in oids if oids is not None else table.pages >= least or not table.pages


def observe_sizes(client: PostgresqlClient, oids: Collection[int]) -> list[Sized]:
    """Read the size of tables, less those that somebody has locked."""
    own = "pg_has_role(c.relowner, 'USAGE')"
    maintain = f"{own} OR has_table_privilege(c.oid, 'MAINTAIN')" if client.server.major >= 17 else own
    parts = {"locked": LOCKED, "permitted": maintain}
    return client.rows("read the sizes of tables", SIZES, Sized, {"oids": sorted(oids)}, parts)


def observe_leftovers(client: PostgresqlClient) -> tuple[Leftover, ...]:
    """Read what pg_repack has made and not removed, as it is or by an interrupted run."""
    # The driver takes a percent sign for the beginning of a parameter only where there are any.
    parts = {"prefix": str(REPACK_LOCK)}
    return tuple(client.rows("look for what pg_repack left", LEFTOVERS, Leftover, None, parts))


def _measure(client: PostgresqlClient, context: Context, shapes: Collection[ShapedTable]) -> dict[int, Measured]:
    """Measure tables with pgstattuple_approx, where it can be used; where it fails, estimates have to do."""
    oids = sorted(shape.oid for shape in shapes)
    tools = client.rows("look for pgstattuple", TOOL, _Function) if oids else []
    if not tools:
        return {}
    statement = Statement(MEASURE, {"function": tuple(tools[0])}, parts={"locked": LOCKED}, parameters={"oids": oids})
    limit = min(MEASURE_SECONDS, context.deadline.remaining / 4)
    try:
        found = client.fetch("measure bloat", statement, Measured, limit)
    except StoreError:
        if client.lost:
            raise
        return {}
    return {row.oid: row for row in found}
