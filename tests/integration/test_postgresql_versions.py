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
from tests.integration.health import context
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
CREATE TABLE events (id bigint NOT NULL, at timestamptz NOT NULL, body text) PARTITION BY RANGE (at);
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
        session.execute("SELECT pg_sleep(0)")
    return fresh_each_postgresql_database


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


def do(name: str, endpoint: Endpoint, state: Path | None = None, check: bool = False, **options: Any) -> dict[str, Any]:
    """Run a module in this process: its own options with their defaults, its own task."""
    module = importlib.import_module(f"ansible_collections.dataops.upkeep.plugins.modules.{name}")
    with mock.patch.object(module, "run_module") as edge:
        module.main()
    spec, make_task, *_open_memory = edge.call_args.args
    validated = ArgumentSpecValidator(**spec.as_module_arguments()).validate(endpoint.options(**options))
    assert validated.error_messages == []
    task_context = context(validated.validated_parameters, state)
    return run(make_task(task_context), task_context, check).as_dict()


def test_health(database: Endpoint) -> None:
    result = do("postgresql_health_info", database)
    assert result["metrics"]["postgresql_up"] == 1
    assert result["server"]["version"].split(".")[0] in ("13", "14", "15", "16", "17", "18")


def test_audit(database: Endpoint, tmp_path: Path) -> None:
    result = do("postgresql_audit_info", database, tmp_path)
    assert result["metrics"]["postgresql_up"] == 1
    again = do("postgresql_audit_info", database, tmp_path)
    assert {finding["id"] for finding in again["findings"]} == {finding["id"] for finding in result["findings"]}
