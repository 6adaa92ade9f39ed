# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit's check of recorded statements, on real ones."""

from __future__ import annotations

import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

from psycopg import sql

from tests.integration.health import ids, pairs
from tests.integration.postgresql_audit import Audit
from tests.integration.postgresql_health import found
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

SLOW = "SELECT pg_sleep(0.002) /* for me@example.com */, 'Zq7-secret' AS mine"
LIMITS: dict[str, Any] = {"statement_mean_milliseconds": 1, "statement_calls": 2}


def ready(endpoint: Endpoint) -> None:
    """Let the database show what is recorded."""
    with connect(endpoint) as session:
        session.execute("CREATE EXTENSION pg_stat_statements")


def call(endpoint: Endpoint, statement: str, times: int) -> None:
    """Run a statement as the application would."""
    with connect(endpoint) as session:
        for _turn in range(times):
            session.execute(statement.encode())


def slow(result: dict[str, Any]) -> list[str]:
    """Messages about slow statements that sleep."""
    messages = [found["message"] for found in result["findings"] if found["id"] == "postgresql.slow_statement"]
    return [message for message in messages if "pg_sleep" in message]


def test_a_slow_statement_is_found_without_its_data(fresh_postgresql_database: Endpoint) -> None:
    ready(fresh_postgresql_database)
    call(fresh_postgresql_database, SLOW, 3)
    result = Audit(fresh_postgresql_database).run("queries", **LIMITS)
    (message,) = slow(result)
    assert "3 calls since the statistics began" in message
    assert "SELECT pg_sleep($1) , $2 AS mine" in message
    assert "Zq7" not in str(result)
    assert "example.com" not in str(result)
    assert result["metrics"]["postgresql_statement_calls_total"] >= 3


def test_with_a_memory_it_is_the_time_since_the_last_run(fresh_postgresql_database: Endpoint, tmp_path: Path) -> None:
    ready(fresh_postgresql_database)
    call(fresh_postgresql_database, SLOW, 3)
    audit = Audit(fresh_postgresql_database, tmp_path)
    assert slow(audit.run("queries", **LIMITS))
    audit.ahead += timedelta(hours=1)
    assert slow(audit.run("queries", **LIMITS)) == []
    audit.ahead += timedelta(hours=1)
    call(fresh_postgresql_database, SLOW, 4)
    (message,) = slow(audit.run("queries", **LIMITS))
    assert "4 calls since the last run 1h" in message
    assert all("Zq7" not in file.read_text(encoding="utf-8") for file in tmp_path.rglob("*") if file.is_file())
    with connect(fresh_postgresql_database) as session:
        (calls,) = session.execute(
            "SELECT sum(calls) FROM pg_stat_statements JOIN pg_database d ON d.oid = dbid"
            " WHERE datname = current_database() AND query LIKE '%AS mine'"
        ).fetchone() or (0,)
    assert calls == 7, "the statistics are others' too, and never reset"


def test_temporary_files_and_a_busy_connection(fresh_postgresql18_database: Endpoint, tmp_path: Path) -> None:
    ready(fresh_postgresql18_database)
    audit = Audit(fresh_postgresql18_database, tmp_path)
    audit.run("queries")
    with connect(fresh_postgresql18_database) as session:
        session.execute("SET work_mem = '64kB'")
        session.execute("SELECT n FROM generate_series(1, 200000) n ORDER BY random()").fetchall()
    result = audit.run("queries", statement_temporary_bytes="1MB", statement_load_percent=0.001)
    assert (
        ids(result)
        == {
            "postgresql.statement_temporary_files": "warning",
            "postgresql.heavy_statement": "warning",
        }
        or ids(result)["postgresql.heavy_statement"] == "critical"
    )
    written = found(result, "postgresql.statement_temporary_files")
    assert "generate_series($1, $2)" in written["message"]


def test_an_extension_that_is_not_in_the_database(fresh_postgresql18_database: Endpoint) -> None:
    result = Audit(fresh_postgresql18_database).run("queries")
    missing = found(result, "postgresql.statements_not_recorded")
    assert (missing["value"], missing["severity"]) == ("absent", "warning")


def test_an_extension_in_a_schema_of_any_name(fresh_postgresql18_database: Endpoint) -> None:
    name = "od\"d.%s {schema}; --'ü"
    with connect(fresh_postgresql18_database) as session:
        session.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        session.execute(sql.SQL("CREATE EXTENSION pg_stat_statements SCHEMA {}").format(sql.Identifier(name)))
    call(fresh_postgresql18_database, SLOW, 3)
    assert slow(Audit(fresh_postgresql18_database).run("queries", **LIMITS))


def test_other_users_statements_are_hidden_from_one_without_pg_monitor(fresh_postgresql18_database: Endpoint) -> None:
    ready(fresh_postgresql18_database)
    call(fresh_postgresql18_database, SLOW, 3)
    name, password = f"plain_{secrets.token_hex(4)}", secrets.token_urlsafe(12)
    with connect(fresh_postgresql18_database) as session:
        session.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(password)))
        audit = Audit(fresh_postgresql18_database)
        audit.params |= {"login_user": name, "login_password": password}
        result = audit.run("queries", **LIMITS)
        session.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))
    assert pairs(result) == [("postgresql.access_denied", "warning")]
    assert slow(Audit(fresh_postgresql18_database.as_monitor()).run("queries", **LIMITS))
