# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the task of postgresql_vacuum in this process, and makes tables that need it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg

from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import run
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.task import VacuumTask
from tests.integration.health import context
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

OPTIONS: dict[str, Any] = {
    "mode": "auto",
    "jobs": 1,
    "tables": [],
    "system_catalogs": False,
    "need_ratio": 0.5,
    "order": "need",
    "index_workers": None,
    "buffer_usage_limit": None,
    "cost_delay": None,
    "truncate": "auto",
    "allow_exclusive_lock": False,
    "rewrite_max_size": "1GiB",
    "rewrite_methods": ["repack", "pg_repack", "vacuum_full"],
    "min_bloat_percent": 50.0,
    "min_size": "100MiB",
    "free_space": None,
}


def vacuum(endpoint: Endpoint, *, check: bool = False, deadline: float = 60, **options: Any) -> dict[str, Any]:
    """Run the module with these options; the others have their defaults.

    :param deadline: in seconds.
    """
    params = {**OPTIONS, "lock_timeout": "1s", **endpoint.options(connect_timeout="5s"), **options}
    limited = replace(context(params), deadline=Deadline(deadline))
    return run(VacuumTask(limited), limited, check).as_dict()


def settled(session: psycopg.Connection[Any], table: str, column: str, least: int) -> None:
    """Wait until the server has counted what was done to a table: other sessions report a moment later."""
    query = f"SELECT coalesce({column}, 0) >= {least} FROM pg_stat_all_tables WHERE relid = '{table}'::regclass"
    until(lambda: session.execute(query.encode()).fetchone() == (True,))


def fill(endpoint: Endpoint, table: str = "orders", rows: int = 2000, dead: int = 0, analyzed: bool = True) -> None:
    """Make a table that autovacuum leaves alone, vacuumed and analyzed, and then some of its rows dead."""
    with connect(endpoint) as session:
        session.execute(
            f"CREATE TABLE {table} (id int PRIMARY KEY, note text) WITH (autovacuum_enabled = false);"
            f"INSERT INTO {table} SELECT n, repeat('x', 100) FROM generate_series(1, {rows}) n".encode()
        )
        settled(session, table, "n_tup_ins", rows)
        session.execute(f"VACUUM (ANALYZE) {table}".encode() if analyzed else f"VACUUM {table}".encode())
        settled(session, table, "vacuum_count", 1)
        if dead:
            session.execute(f"UPDATE {table} SET note = repeat('y', 100) WHERE id <= {dead}".encode())
            settled(session, table, "n_dead_tup", dead)


def facts(endpoint: Endpoint, table: str = "orders") -> dict[str, Any]:
    """What the server's statistics say of a table."""
    with connect(endpoint) as session, session.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        row = cursor.execute(
            "SELECT s.n_dead_tup, s.n_mod_since_analyze, s.vacuum_count, s.analyze_count, c.relfilenode,"
            " pg_relation_size(c.oid) AS bytes"
            " FROM pg_stat_all_tables s JOIN pg_class c ON c.oid = s.relid WHERE c.oid = %s::regclass",
            (table,),
        ).fetchone()
    assert row
    return row


def age(endpoint: Endpoint, table: str = "orders") -> int:
    """How old a table's oldest transaction id is that is not frozen."""
    with connect(endpoint) as session:
        row = session.execute("SELECT age(relfrozenxid) FROM pg_class WHERE oid = %s::regclass", (table,)).fetchone()
    assert row
    return int(str(row[0]))
