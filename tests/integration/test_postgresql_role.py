# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role postgresql through the playbooks: each cadence does its steps, as an entry says; a second run does none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from tests.integration.playing import play as play_any
from tests.integration.running import Run
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

OWNER, PASSWORD = "upkeep_role_owner", "0wner's p@ss"

TABLES = """
CREATE TABLE events (id bigint PRIMARY KEY, status text NOT NULL, created_at timestamptz NOT NULL, note text);
INSERT INTO events SELECT n, CASE WHEN n % 2 = 0 THEN 'completed' ELSE 'pending' END, now() - n * interval '1 day', 'x'
    FROM generate_series(1, 200) n;
CREATE TABLE submissions (id bigint PRIMARY KEY, created_at timestamptz NOT NULL);
INSERT INTO submissions SELECT n, now() - n * interval '1 day' FROM generate_series(1, 60) n;
CREATE TABLE bloated (id bigint PRIMARY KEY, filler text) WITH (autovacuum_enabled = off);
INSERT INTO bloated SELECT n, repeat('x', 50) FROM generate_series(1, 20000) n;
DELETE FROM bloated WHERE id % 10 <> 0;
"""


@pytest.fixture
def database(fresh_postgresql18_database: Endpoint) -> Iterator[Endpoint]:
    """A database of an owner who is no superuser, with rows to purge and to archive."""
    endpoint = fresh_postgresql18_database
    with connect(endpoint) as session:
        owner = sql.Identifier(OWNER)
        session.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(owner))
        session.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(owner, sql.Literal(PASSWORD)))
        session.execute(sql.SQL("GRANT ALL ON SCHEMA public TO {}").format(owner))
        session.execute(sql.SQL("SET ROLE {}").format(owner))
        session.execute(TABLES.encode())
    yield endpoint
    with connect(endpoint) as session:
        session.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(OWNER)))
        session.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(OWNER)))


def entry(endpoint: Endpoint, **more: Any) -> dict[str, Any]:
    """An entry of the inventory: a user who may look, and one for what changes something."""
    monitor = endpoint.as_monitor()
    return {
        "name": "shop",
        "login_host": endpoint.host,
        "login_port": endpoint.port,
        "login_user": monitor.user,
        "login_password": monitor.password,
        "login_db": endpoint.database,
        "maintenance": {"login_user": OWNER, "login_password": PASSWORD},
        **more,
    }


def play(cadence: str, folder: Path, *arguments: str, **variables: Any) -> tuple[Run, dict[str, dict[str, Any]]]:
    return play_any(cadence, folder, *arguments, secrets=(PASSWORD,), **variables)


def count(endpoint: Endpoint, statement: str) -> int:
    with connect(endpoint) as session:
        (found,) = session.execute(statement.encode()).fetchone() or (0,)
    return int(str(found))


RETENTION = [
    {"name": "old", "table": "submissions", "age_column": "created_at", "older_than": "30d", "action": "delete"}
]
ARCHIVE = [
    {
        "name": "events",
        "table": "events",
        "age_column": "created_at",
        "older_than": "90d",
        "where": "status = 'completed'",
        "action": "archive",
        "archive_to": "events_archive",
    }
]
OLD = "SELECT count(*) FROM submissions WHERE created_at < now() - interval '30 days'"


def test_daily_purges_by_the_rules_and_only_once(database: Endpoint, tmp_path: Path) -> None:
    servers = [entry(database, retention=RETENTION)]
    run, _none = play("daily", tmp_path, "--check", "--diff", upkeep_postgresql=servers)
    (planned,) = run.results("postgresql_retention")
    assert [action["state"] for action in planned["actions"]] == ["planned"]
    assert "[planned] delete" in run.output, "the plan is shown to people"
    before = count(database, OLD)
    assert before in (30, 31)
    _run, done = play("daily", tmp_path, upkeep_postgresql=servers)
    assert done["shop retention"]["changed"]
    assert count(database, OLD) == 0
    _run, again = play("daily", tmp_path, upkeep_postgresql=servers)
    assert not again["shop retention"]["changed"]
    assert count(database, "SELECT count(*) FROM submissions") in (29, 30), "what is younger stays"


def test_weekly_sees_to_indexes_vacuums_and_audits(database: Endpoint, tmp_path: Path) -> None:
    indexes = [{"name": "events_created_at", "table": "events", "columns": ["created_at"]}]
    servers = [entry(database, indexes=indexes)]
    _run, done = play("weekly", tmp_path, upkeep_postgresql=servers)
    assert set(done) == {"shop indexes", "shop vacuum", "shop audit"}
    assert count(
        database, "SELECT count(*) FROM pg_index WHERE indexrelid = 'events_created_at'::regclass AND indisvalid"
    )
    assert "public.bloated" in {action["subject"] for action in done["shop vacuum"]["actions"]}
    _run, again = play("weekly", tmp_path, upkeep_postgresql=servers)
    assert not any(result["changed"] for result in again.values())


def test_monthly_archives_and_rebuilds(database: Endpoint, tmp_path: Path) -> None:
    reindex = {"min_size": "100kB"}
    servers = [entry(database, archive=ARCHIVE, reindex=reindex)]
    with connect(database) as session:
        session.execute("VACUUM (ANALYZE) bloated")
    before = count(database, "SELECT pg_relation_size('bloated_pkey')")
    _run, done = play("monthly", tmp_path, upkeep_postgresql=servers)
    assert set(done) == {"shop archive", "shop reindex"}
    assert (
        count(database, "SELECT count(*) FROM events") + count(database, "SELECT count(*) FROM events_archive") == 200
    )
    assert count(database, "SELECT count(*) FROM events_archive") in (55, 56)
    assert count(database, "SELECT pg_relation_size('bloated_pkey')") < before
    _run, again = play("monthly", tmp_path, upkeep_postgresql=servers)
    assert not any(result["changed"] for result in again.values())


def test_quarterly_audits_and_changes_nothing(database: Endpoint, tmp_path: Path) -> None:
    queries = [{"name": "by status", "sql": "SELECT * FROM events WHERE status = 'completed'"}]
    _run, done = play("quarterly", tmp_path, upkeep_postgresql=[entry(database, queries=queries)])
    assert set(done) == {"shop audit"}
    assert not done["shop audit"]["changed"]
    assert done["shop audit"]["metrics"]


def test_steps_can_be_left_out_and_standbys_are(database: Endpoint, dead_port: tuple[str, int], tmp_path: Path) -> None:
    standby = {"name": "standby", "login_host": dead_port[0], "login_port": dead_port[1], "expected_role": "standby"}
    servers = [entry(database, vacuum=False, audit={"checks": ["sequences"]}), standby]
    _run, done = play("weekly", tmp_path, upkeep_postgresql=servers)
    assert set(done) == {"shop audit"}


def test_everything_may_be_a_text_as_surveys_send_it(database: Endpoint, tmp_path: Path) -> None:
    servers = json.dumps([entry(database, retention=RETENTION)])
    extra = {
        "upkeep_postgresql": servers,
        "postgresql_deadline": "600",
        "postgresql_lock_timeout": "2",
        "upkeep_thresholds": "{postgresql_audit: {sequence_percent: 95}}",
    }
    _run, done = play("daily", tmp_path, "-e", json.dumps(extra))
    assert done["shop retention"]["changed"]
    _run, audited = play("quarterly", tmp_path, "-e", json.dumps(extra))
    assert not [found for found in audited["shop audit"]["findings"] if found["id"].startswith("upkeep.")]


def test_a_server_that_is_down_is_one_clear_result_and_the_others_are_maintained(
    database: Endpoint, dead_port: tuple[str, int], tmp_path: Path
) -> None:
    down = {**entry(database, retention=RETENTION), "name": "down", "login_port": dead_port[1]}
    _run, done = play("daily", tmp_path, upkeep_postgresql=[down, entry(database, retention=RETENTION)])
    assert done["down retention"]["status"] == "critical"
    assert "unreachable" in done["down retention"]["findings"][0]["id"], done["down retention"]
    assert done["shop retention"]["changed"]
