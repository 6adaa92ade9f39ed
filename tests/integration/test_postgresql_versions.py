# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module of PostgreSQL does its main job on every supported version, and no server refuses a statement of it."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import run
from tests.integration.health import context, ids
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect
from tests.stack.stack import Stack

# Of everything something, so that no statement has an empty answer only because there is nothing to see.
DATA = """
CREATE EXTENSION pg_stat_statements;
CREATE EXTENSION pgstattuple;
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL UNIQUE, note text);
CREATE TABLE orders (id serial PRIMARY KEY, user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  state text NOT NULL, payload jsonb, created_at timestamptz NOT NULL, gone boolean NOT NULL DEFAULT false,
  twice bigint GENERATED ALWAYS AS (user_id * 2) STORED);
CREATE TABLE events (id bigint, at timestamptz, body text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_old PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE events_new PARTITION OF events FOR VALUES FROM ('2021-01-01') TO (MAXVALUE);
CREATE INDEX events_at ON events (at);
CREATE INDEX orders_created ON orders (created_at) INCLUDE (state) WHERE NOT gone;
CREATE INDEX orders_state ON orders (state);
CREATE INDEX orders_state_again ON orders (state, lower(state));
CREATE MATERIALIZED VIEW per_state AS SELECT state, count(*) FROM orders GROUP BY state;
CREATE STATISTICS orders_together ON user_id, state FROM orders;
INSERT INTO users (email, note) SELECT 'user' || n || '@example.com', repeat('x', 20) FROM generate_series(1, 500) n;
INSERT INTO orders (user_id, state, payload, created_at) SELECT 1 + n % 500, 'state' || n % 7,
  jsonb_build_object('n', n), now() - n * interval '1 hour' FROM generate_series(1, 6000) n;
INSERT INTO events SELECT n, timestamptz '2020-06-01' + n * interval '1 hour', 'event' FROM generate_series(1, 6000) n;
REFRESH MATERIALIZED VIEW per_state;
ANALYZE;
DELETE FROM orders WHERE id % 3 = 0;
"""
SLOW = "SELECT count(*) FROM orders WHERE state = 'state3' AND payload ->> 'n' = '7'"


@pytest.fixture
def database(fresh_each_postgresql_database: Endpoint) -> Endpoint:
    """A small database with something of everything."""
    with connect(fresh_each_postgresql_database) as session:
        session.execute(DATA)
        for _turn in range(3):
            session.execute(SLOW)
    # Before version 15 statistics come half a second late.
    until(lambda: dead_rows(fresh_each_postgresql_database) == 2000)
    return fresh_each_postgresql_database


def dead_rows(endpoint: Endpoint) -> object:
    """How many dead rows the server knows of in table ``orders``."""
    with connect(endpoint) as session:
        (count,) = session.execute("SELECT pg_stat_get_dead_tuples('orders'::regclass)").fetchone() or (None,)
    return count


@pytest.fixture(autouse=True)
def _nothing_is_refused(each_postgresql_stack: Stack) -> Iterator[None]:
    """The server's own log tells, whatever became of the error on our side."""
    with no_errors(each_postgresql_stack):
        yield


@contextlib.contextmanager
def no_errors(stack: Stack) -> Iterator[None]:
    """Fail if the server meanwhile logs an error that came from a statement; autovacuum's own have none."""
    (member,) = stack.status()
    log = Path(member.log)
    before = log.stat().st_size
    yield
    new = log.read_bytes()[before:].decode(errors="replace")
    assert "STATEMENT:" not in new, new


def do(
    name: str, endpoint: Endpoint, memory: Path | None = None, /, *, check: bool = False, **options: Any
) -> dict[str, Any]:
    """Run a module in this process: its own options with their defaults, its own task, a memory in a folder."""
    module = importlib.import_module(f"ansible_collections.dataops.upkeep.plugins.modules.{name}")
    with mock.patch.object(module, "run_module") as edge:
        module.main()
    spec, make_task, *_open_memory = edge.call_args.args
    validated = ArgumentSpecValidator(**spec.as_module_arguments()).validate(endpoint.options(**options))
    assert validated.error_messages == []
    task_context = context(validated.validated_parameters, memory)
    return run(make_task(task_context), task_context, check).as_dict()


def work(name: str, endpoint: Endpoint, memory: Path, /, **options: Any) -> dict[str, Any]:
    """Run a module that changes something: in check mode, for real, and again, which finds nothing left to do."""
    planned = do(name, endpoint, memory, check=True, **options)
    assert {action["state"] for action in planned["actions"]} == {"planned"}
    done = do(name, endpoint, memory, **options)
    assert {action["state"] for action in done["actions"]} == {"done"}, done["actions"]
    assert plan(done) == plan(planned)
    again = do(name, endpoint, memory, **options)
    assert not again["changed"], again["actions"]
    return done


def plan(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What is to be done to what, and how."""
    return [(action["kind"], action["subject"], action["statement"]) for action in result["actions"]]


def subjects(result: dict[str, Any]) -> list[str]:
    """What the actions were done to, in order of the alphabet."""
    return sorted(action["subject"] for action in result["actions"])


def test_health(database: Endpoint) -> None:
    result = do("postgresql_health_info", database)
    assert result["metrics"]["postgresql_up"] == 1
    assert result["server"]["version"].split(".")[0] in ("13", "14", "15", "16", "17", "18")


QUERIES: list[dict[str, Any]] = [
    {"name": "any", "sql": "SELECT * FROM orders WHERE user_id = $1 AND created_at > $2"},
    {"name": "these", "sql": "SELECT * FROM orders WHERE id = $1", "parameters": [7], "analyze": True},
    {"name": "change", "sql": "UPDATE orders SET state = $1 WHERE id = ANY($2)"},
]


@pytest.mark.parametrize("exact", [False, True])
def test_audit(database: Endpoint, tmp_path: Path, exact: bool) -> None:
    result = do("postgresql_audit_info", database, tmp_path, queries=QUERIES, exact=exact)
    assert set(ids(result)) >= {"postgresql.redundant_index", "postgresql.foreign_key_without_index"}
    again = do("postgresql_audit_info", database, tmp_path, queries=QUERIES, exact=exact)
    assert set(ids(again)) == set(ids(result))


@pytest.mark.parametrize("exact", [False, True])
def test_audit_measures_bloat(database: Endpoint, exact: bool) -> None:
    with connect(database) as session:
        session.execute("CREATE TABLE large AS SELECT n, repeat('x', 60) FROM generate_series(1, 60000) n")
        session.execute("CREATE INDEX large_n ON large (n); DELETE FROM large WHERE n % 3 = 0")
    limits = {f"{kind}_bloat_{unit}": 1 for kind in ("table", "index") for unit in ("percent", "bytes")}
    result = do("postgresql_audit_info", database, checks=["bloat"], exact=exact, thresholds=limits)
    how = "measured by pgstattuple" if exact else "measured by pgstattuple_approx"
    assert any(how in finding["message"] and "public.large" in finding["subject"] for finding in result["findings"])
    assert result["metrics"]["postgresql_bloat_measured_relations"] >= 1


def test_vacuum(database: Endpoint, tmp_path: Path) -> None:
    assert set(subjects(work("postgresql_vacuum", database, tmp_path))) >= {"public.events", "public.orders"}


@pytest.mark.parametrize("mode", ["analyze", "vacuum", "freeze"])
def test_vacuum_by_mode(database: Endpoint, tmp_path: Path, mode: str) -> None:
    with connect(database) as session:
        session.execute(f"ALTER DATABASE {database.database} SET vacuum_freeze_table_age = 100")
        for _turn in range(200):
            session.execute("SELECT txid_current()")
    options = {"need_ratio": 0.1, "truncate": "avoid", "index_workers": 1}
    assert "public.orders" in subjects(work("postgresql_vacuum", database, tmp_path, mode=mode, **options))


def test_rewrite(database: Endpoint, tmp_path: Path) -> None:
    with connect(database) as session:
        session.execute("DELETE FROM orders WHERE id % 5 <> 0")
        session.execute("VACUUM ANALYZE orders")
    options = {"allow_exclusive_lock": True, "min_size": "100KiB", "free_space": "10GiB"}
    done = work("postgresql_vacuum", database, tmp_path, mode="rewrite", **options)
    assert subjects(done) == ["public.orders"]


def test_reindex(database: Endpoint, tmp_path: Path) -> None:
    with connect(database) as session:
        session.execute("DELETE FROM orders WHERE id % 5 <> 0")
        session.execute("VACUUM ANALYZE orders")
    assert "public.orders_pkey" in subjects(work("postgresql_reindex", database, tmp_path, min_size="64KiB"))


OLD = {"table": "orders", "age_column": "created_at", "older_than": "100d"}
RETENTION: dict[str, dict[str, Any]] = {
    "delete": {**OLD, "action": "delete"},
    "delete partitions": {"table": "events", "age_column": "at", "older_than": "5y", "action": "delete"},
    "archive": {**OLD, "action": "archive", "archive_to": "orders_archive"},
    "archive to files": {**OLD, "action": "archive", "archive_to": {"directory": "{folder}"}},
    "archive elsewhere": {**OLD, "action": "archive", "archive_to": {"database": "{uri}", "table": "orders_archive"}},
    "update": {**OLD, "action": "update", "set": {"state": "old", "gone": {"expression": "true"}}},
    "anonymize": {
        "table": "users",
        "all_rows": True,
        "action": "anonymize",
        "fields": {"email": "fake_email", "note": {"hmac": 16}},
    },
}
LEFT = {
    "orders": "created_at < now() - interval '100 days' AND state <> 'old'",
    "events": "at < now() - interval '5 years'",
    "users": "email LIKE 'user%@example.com' OR note LIKE 'xx%'",
}


@pytest.mark.parametrize("name", list(RETENTION))
def test_retention(database: Endpoint, tmp_path: Path, name: str) -> None:
    places = {"{folder}": str(tmp_path / "archive"), "{uri}": database.with_database("postgres").uri}
    rule = {"name": name, **RETENTION[name]}
    if isinstance(rule.get("archive_to"), dict):
        rule["archive_to"] = {key: places.get(value, value) for key, value in rule["archive_to"].items()}
    try:
        work("postgresql_retention", database, tmp_path / "state", rules=[rule], key="a key of some length, 32 or so")
        with connect(database) as session:
            assert session.execute(f"SELECT count(*) FROM {rule['table']} WHERE {LEFT[rule['table']]}").fetchone() == (
                0,
            )
    finally:
        with connect(database.with_database("postgres")) as session:
            session.execute("DROP TABLE IF EXISTS orders_archive")


@pytest.mark.parametrize("scope", ["server", "database"])
def test_slow_log(database: Endpoint, tmp_path: Path, scope: str) -> None:
    try:
        work("postgresql_slow_log", database, tmp_path, scope=scope, slow_ms=700, sample_ms=300, sample_rate=0.5)
        with connect(database) as session:
            until(lambda: session.execute("SHOW log_min_duration_statement").fetchone() == ("700ms",))
        work("postgresql_slow_log", database, tmp_path, scope=scope, state="disabled")
    finally:
        with connect(database) as session:
            session.execute("ALTER SYSTEM RESET ALL")
            session.execute("SELECT pg_reload_conf()")


INDEXES: list[dict[str, Any]] = [
    {"name": "orders_user", "table": "orders", "columns": ["user_id", {"name": "id", "order": "desc"}]},
    {"name": "orders_low", "table": "orders", "columns": ["(lower(state))"], "where": "NOT gone", "include": ["id"]},
    {"name": "orders_payload", "table": "orders", "columns": ["payload"], "method": "gin"},
    {"name": "events_body", "table": "events", "columns": ["body"]},
    {"name": "orders_state_again", "table": "orders", "state": "absent"},
]


def test_index(database: Endpoint, tmp_path: Path) -> None:
    options = {"unused": "drop", "unused_after": "0d", "min_size": "0", "state": str(tmp_path)}
    done = work("postgresql_index", database, tmp_path, indexes=INDEXES, **options)
    made = [
        "events_body",
        "events_body_events_new",
        "events_body_events_old",
        "orders_low",
        "orders_payload",
        "orders_user",
    ]
    dropped = ["orders_created", "orders_state", "orders_state_again"]
    assert subjects(done) == sorted(f"index public.{name}" for name in (*made, *dropped))
