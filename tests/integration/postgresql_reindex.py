# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real bloat, real leftovers, and the task of postgresql_reindex in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.reindex.task import PostgresqlReindex
from tests.integration.postgresql_health import session
from tests.integration.postgresql_work import do
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

OPTIONS: dict[str, Any] = {
    "indexes": [],
    "tables": [],
    "min_bloat_percent": 30,
    "min_size": "50kB",
    "measure_max_size": "1GB",
    "clean_leftovers": True,
    "max_changes": None,
    "wait_for_transactions": "1s",
    "retries": 1,
    "lock_timeout": "0.3",
}
ROWS = 40_000

STATE = """
SELECT c.relname::text, c.oid::int, i.indisvalid AND i.indisready AND i.indislive, pg_relation_size(c.oid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
WHERE t.relname = %s ORDER BY 1"""


def reindex(endpoint: Endpoint, *, check: bool = False, state: Path | None = None, **params: Any) -> dict[str, Any]:
    """Run the module, with the defaults above."""
    return do(PostgresqlReindex, endpoint, check=check, state=state, **{**OPTIONS, **params})


def make_bloat(endpoint: Endpoint, table: str = "orders", keep: int = 8, measured: bool = True) -> None:
    """A table with three bloated indexes (the primary key's, ``<table>_customer``, ``<table>_code``) and a new one.

    :param keep: one row of so many is left, scattered, so that no page becomes empty.
    :param measured: whether pgstattuple is installed.
    """
    name = sql.Identifier(table)
    names = {suffix: sql.Identifier(f"{table}_{suffix}") for suffix in ("customer", "code", "fresh")}
    with connect(endpoint) as opened:
        if measured:
            opened.execute("CREATE EXTENSION IF NOT EXISTS pgstattuple")
        opened.execute(
            sql.SQL(
                "CREATE TABLE {} (id int PRIMARY KEY, customer int, code text) WITH (autovacuum_enabled = off)"
            ).format(name)
        )
        opened.execute(
            sql.SQL("INSERT INTO {} SELECT i, i / 3, md5(i::text) FROM generate_series(1, {}) AS i").format(
                name, sql.Literal(ROWS)
            )
        )
        opened.execute(sql.SQL("CREATE INDEX {customer} ON {table} (customer)").format(table=name, **names))
        opened.execute(sql.SQL("CREATE INDEX {code} ON {table} (code)").format(table=name, **names))
        opened.execute(sql.SQL("DELETE FROM {} WHERE id % {} <> 0").format(name, sql.Literal(keep)))
        vacuum(opened, table)
        opened.execute(sql.SQL("CREATE INDEX {fresh} ON {table} (code, id)").format(table=name, **names))


def vacuum(opened: psycopg.Connection[Any], table: str) -> None:
    """Vacuum and analyze a table, when what was changed in it has been counted: else it counts as changed since."""
    opened.execute("SELECT pg_stat_force_next_flush()")
    opened.execute(sql.SQL("VACUUM ANALYZE {}").format(sql.Identifier(table)))


def indexes(endpoint: Endpoint, table: str = "orders") -> dict[str, tuple[int, bool, int]]:
    """Oid, whether it is usable, and bytes of each index of a table, by name."""
    with connect(endpoint) as opened:
        rows = opened.execute(STATE, (table,)).fetchall()
    return {str(name): (int(oid), bool(usable), int(size)) for name, oid, usable, size in rows}


def leave_leftover(endpoint: Endpoint, index: str, table: str = "orders") -> None:
    """Break a REINDEX CONCURRENTLY off, as happens when an old transaction stands in its way."""
    use = sql.SQL("SELECT FROM {} LIMIT 1").format(sql.Identifier(table)).as_string()
    with session(endpoint, "BEGIN ISOLATION LEVEL REPEATABLE READ", use), connect(endpoint) as opened:
        opened.execute("SET lock_timeout = '200ms'")
        try:
            opened.execute(sql.SQL("REINDEX INDEX CONCURRENTLY {}").format(sql.Identifier(index)))
        except psycopg.errors.LockNotAvailable:
            return
    raise AssertionError("the rebuild was not broken off")
