# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_audit_info as Ansible runs it: a healthy database, order of runs, faults, rights and names."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from tests.integration.chinook import fill_chinook
from tests.integration.health import ids, pairs
from tests.integration.postgresql_audit import Audit, vacuum
from tests.integration.running import run_module
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

MODULE = "postgresql_audit_info"
EMBEDDED: dict[str, Any] = {"accepted_settings": ["fsync", "max_wal_size"]}
"""The embedded servers need not survive a power cut."""
ODD = "o\"d'd; DROP TABLE artist; -- %s {x} ü $$"


def test_a_healthy_database_is_silent(fresh_postgresql_database: Endpoint, tmp_path: Path) -> None:
    fill_chinook(fresh_postgresql_database)
    audit = Audit(fresh_postgresql_database, tmp_path)
    first = audit.run(options=EMBEDDED)
    assert first["findings"] == []
    assert first["status"] == "ok"
    assert first["metrics"]["postgresql_tables_size_bytes"] > 1_000_000
    second = audit.run(options={**EMBEDDED, "exact": True})
    assert second["findings"] == []


def test_check_mode_real_run_and_second_run(fresh_postgresql18_database: Endpoint, tmp_path: Path) -> None:
    fill_chinook(fresh_postgresql18_database)
    state = tmp_path / "state"
    options = fresh_postgresql18_database.as_monitor().options(state=str(state), **EMBEDDED)
    planned = run_module(MODULE, options, check=True)
    assert planned["outcome"] == "ok", planned
    assert not state.exists() or not [path for path in state.rglob("*") if path.is_file()]
    first, second = run_module(MODULE, options), run_module(MODULE, options)
    for result in (planned, first, second):
        assert result["changed"] is False
        assert {finding["id"] for finding in result["findings"]} <= {"postgresql.access_denied"}, result["findings"]
    assert [path for path in state.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"exact_max_size": "much"}, "20MB"),
        ({"thresholds": {"bloat_percent": 5}}, "table_bloat_percent"),
        ({"checks": ["everything"]}, "wraparound"),
        ({"deadline": "soon"}, "90d"),
    ],
)
def test_wrong_options_fail_with_what_is_right(postgresql18: Endpoint, options: dict[str, Any], words: str) -> None:
    result = run_module(MODULE, postgresql18.options(**options))
    assert result["outcome"] == "failed"
    assert words in result["msg"]


def test_nobody_listens(dead_port: tuple[str, int]) -> None:
    result = run_module(MODULE, {"login_host": dead_port[0], "login_port": dead_port[1]})
    assert result["outcome"] == "ok", "a store that is down is a finding and no failed task"
    assert pairs(result) == [("postgresql.unreachable", "critical")]


@pytest.fixture
def nobody(fresh_postgresql_database: Endpoint) -> Iterator[Endpoint]:
    """The healthy database's user who may log in and nothing else."""
    fill_chinook(fresh_postgresql_database)
    name, password = f"nobody_{secrets.token_hex(4)}", secrets.token_hex(12)
    endpoint = fresh_postgresql_database
    with connect(endpoint) as session:
        session.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(password)))
    yield Endpoint("postgresql", endpoint.host, endpoint.port, name, password, endpoint.database)
    with connect(endpoint) as session:
        session.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def test_a_user_without_rights_is_told_and_the_rest_goes_on(nobody: Endpoint) -> None:
    result = Audit(nobody).run(options=EMBEDDED)
    denied = [finding for finding in result["findings"] if finding["id"] == "postgresql.access_denied"]
    assert {finding["subject"].rpartition(" ")[2] for finding in denied} >= {"sequences", "wraparound"}
    assert set(ids(result)) <= {"postgresql.access_denied"}, result["findings"]
    assert all(finding["severity"] == "warning" and finding["remedy"] for finding in denied)
    assert result["metrics"]["postgresql_tables_size_bytes"] > 1_000_000, "sizes may be seen by everybody"


def test_a_member_of_pg_monitor_sees_nearly_all(fresh_postgresql_database: Endpoint) -> None:
    fill_chinook(fresh_postgresql_database)
    result = Audit(fresh_postgresql_database.as_monitor()).run(options=EMBEDDED)
    assert {finding["subject"].rpartition(" ")[2] for finding in result["findings"]} <= {"sequences"}


def test_names_are_no_sql(fresh_postgresql_database: Endpoint, tmp_path: Path) -> None:
    fill_chinook(fresh_postgresql_database)
    name = sql.Identifier(ODD)
    with connect(fresh_postgresql_database) as session:
        session.execute(sql.SQL("CREATE SCHEMA {}").format(name))
        session.execute(sql.SQL("CREATE EXTENSION pgstattuple SCHEMA {}").format(name))
        session.execute(sql.SQL("CREATE TABLE {0}.{0} ({0} int, t text) WITH (autovacuum_enabled = off)").format(name))
        index = sql.Identifier(f"{ODD} index")
        session.execute(sql.SQL("CREATE INDEX {index} ON {0}.{0} ({0})").format(name, index=index))
        session.execute(
            sql.SQL("INSERT INTO {0}.{0} SELECT n, repeat('x', 100) FROM generate_series(1, 50000) n").format(name)
        )
        session.execute(sql.SQL("DELETE FROM {0}.{0} WHERE {0} % 5 <> 0").format(name))
        vacuum(session)
    limits = {"table_bloat_bytes": "1MB", "index_bloat_bytes": "100kB"}
    result = Audit(fresh_postgresql_database, tmp_path).run(
        "bloat", "vacuum", "wraparound", "growth", "sequences", options={**EMBEDDED, "exact": True}, **limits
    )
    assert set(ids(result)) == {
        "postgresql.table_bloat",
        "postgresql.index_bloat",
        "postgresql.autovacuum_disabled",
    }, result["findings"]
    assert all(ODD in finding["subject"] for finding in result["findings"])
    with connect(fresh_postgresql_database) as session:
        assert session.execute("SELECT count(*) FROM artist").fetchone() == (200,)


def test_a_large_table_that_is_locked_is_said_by_every_check_that_leaves_it_out(
    fresh_postgresql_database: Endpoint,
) -> None:
    with connect(fresh_postgresql_database) as session:
        session.execute("CREATE TABLE papers (id int PRIMARY KEY, body text); CREATE TABLE notes (id int)")
        session.execute("INSERT INTO papers SELECT n, repeat('x', 100) FROM generate_series(1, 20000) n")
        session.execute("INSERT INTO notes SELECT generate_series(1, 100)")
        session.execute("VACUUM (ANALYZE)")
        audit = Audit(fresh_postgresql_database)
        assert audit.run("bloat", "growth")["findings"] == []
        session.execute("BEGIN; LOCK TABLE papers; LOCK TABLE notes")
        result = audit.run("bloat", "growth")
        session.execute("ROLLBACK")
        pid = session.info.backend_pid
    assert pairs(result) == [("postgresql.table_locked", "warning")] * 2
    assert [finding["subject"].rpartition(" ")[2] for finding in result["findings"]] == ["bloat", "growth"]
    for finding in result["findings"]:
        assert f"locked them altogether: public.papers (process {pid})" in finding["message"]
        assert "notes" not in finding["message"]  # a small one is no matter


def test_a_locked_table_is_left_out_and_nobody_waits(fresh_postgresql18_database: Endpoint) -> None:
    fill_chinook(fresh_postgresql18_database)
    with connect(fresh_postgresql18_database) as session:
        # Read whole, so that the check missing_indexes has to do with it.
        session.execute("SELECT count(unit_price) FROM invoice_line; SELECT pg_stat_force_next_flush()")
        session.execute("BEGIN; LOCK TABLE invoice_line IN ACCESS EXCLUSIVE MODE; LOCK TABLE track IN SHARE MODE")
        result = Audit(fresh_postgresql18_database).run(
            "bloat", "vacuum", "wraparound", "sequences", "growth", "settings", "missing_indexes", options=EMBEDDED
        )
    assert ids(result) == {"postgresql.table_locked": "warning"}
    sizes = [name for name in result["metrics"] if name.startswith("postgresql_table_size_bytes")]
    assert not [name for name in sizes if "invoice_line" in name]
    assert [name for name in sizes if "track" in name]
