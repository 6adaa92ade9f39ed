# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real bloat, found by each of the ways; and the estimates beside freshly written tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.connection import Connection
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit import observe_bloat
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.bloat import BLOCK, estimate_index
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.client import connect as client_of
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.observe_shapes import (
    observe_index_shapes,
    observe_table_shapes,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.options import DEFAULTS
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.table_bloat import estimate_table
from tests.integration.health import context, ids
from tests.integration.postgresql_audit import Audit, vacuum
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

SMALL = {"table_bloat_bytes": "1MB", "index_bloat_bytes": "500kB"}
"""Limits for tables that a test can make."""

BLOATED = """
CREATE TABLE orders (id int, note text, big text);
CREATE INDEX orders_id ON orders (id);
INSERT INTO orders SELECT n, repeat('n', 60), NULL FROM generate_series(1, 60000) n;
DELETE FROM orders WHERE id % 4 <> 0;
CREATE TABLE tidy (id int PRIMARY KEY, note text);
INSERT INTO tidy SELECT n, repeat('n', 60) FROM generate_series(1, 60000) n;
"""


def bloated(endpoint: Endpoint, extension: bool) -> None:
    """A database with one bloated table and its bloated index, beside a tidy one."""
    with connect(endpoint) as session:
        if extension:
            session.execute("CREATE EXTENSION pgstattuple")
        session.execute(BLOATED)
        vacuum(session)


def about(result: dict[str, Any], finding_id: str) -> tuple[str, float, str]:
    """Subject, value and message of the only finding of an id."""
    (finding,) = [finding for finding in result["findings"] if finding["id"] == finding_id]
    return finding["subject"].rpartition(".")[2], finding["value"], finding["message"]


def test_an_estimate_without_the_extension(fresh_postgresql_database: Endpoint) -> None:
    bloated(fresh_postgresql_database, extension=False)
    result = Audit(fresh_postgresql_database).run("bloat", **SMALL)
    assert len(result["findings"]) == 2, result["findings"]
    name, percent, message = about(result, "postgresql.table_bloat")
    assert name == "orders"
    assert 70 < percent < 80, "three of four rows are gone"
    assert "estimated from the planner's statistics" in message
    name, percent, _message = about(result, "postgresql.index_bloat")
    assert name == "orders_id"
    assert 65 < percent < 80
    assert result["metrics"]["postgresql_bloat_measured_relations"] == 0
    assert result["metrics"]["postgresql_table_bloat_bytes"] > 3_000_000


def test_a_candidate_is_measured_with_the_extension(fresh_postgresql_database: Endpoint) -> None:
    bloated(fresh_postgresql_database, extension=True)
    result = Audit(fresh_postgresql_database.as_monitor()).run("bloat", **SMALL)
    name, percent, message = about(result, "postgresql.table_bloat")
    assert (name, "measured by pgstattuple_approx" in message) == ("orders", True)
    assert 70 < percent < 80
    assert result["metrics"]["postgresql_bloat_measured_relations"] >= 1


def test_what_is_measured_whole_on_request(fresh_postgresql_database: Endpoint) -> None:
    bloated(fresh_postgresql_database, extension=True)
    result = Audit(fresh_postgresql_database).run("bloat", options={"exact": True}, **SMALL)
    assert len(result["findings"]) == 2
    name, percent, message = about(result, "postgresql.table_bloat")
    assert (name, "measured by pgstattuple;" in message or "measured by pgstattuple)" in message) == ("orders", True)
    assert 70 < percent < 80
    name, percent, message = about(result, "postgresql.index_bloat")
    assert (name, "measured by pgstatindex" in message) == ("orders_id", True)
    assert 70 < percent < 80


def test_nothing_is_read_whole_beyond_the_limit(fresh_postgresql18_database: Endpoint) -> None:
    bloated(fresh_postgresql18_database, extension=True)
    options = {"exact": True, "exact_max_size": "1MB"}
    result = Audit(fresh_postgresql18_database).run("bloat", options=options, **SMALL)
    assert result["metrics"]["postgresql_bloat_measured_relations"] == 0
    assert "estimated" in about(result, "postgresql.table_bloat")[2]


def test_bytes_per_row_are_remembered(fresh_postgresql_database: Endpoint, tmp_path: Path) -> None:
    """A GIN index has no statistics that its size follows from."""
    with connect(fresh_postgresql_database) as session:
        session.execute("CREATE TABLE tagged (id int, tags int[])")
        session.execute("CREATE INDEX tagged_tags ON tagged USING gin (tags) WITH (fastupdate = off)")
        insert = "INSERT INTO tagged SELECT n, ARRAY[n, n + 7, n * 3, n * 11] FROM generate_series(1, 20000) n"
        session.execute(insert)
        vacuum(session, "tagged")
        audit = Audit(fresh_postgresql_database, tmp_path)
        limits = {**SMALL, "index_bloat_percent": 30}
        assert "postgresql.index_bloat" not in str(audit.run("bloat", **limits)["findings"])
        session.execute("DELETE FROM tagged WHERE id % 4 <> 0")
        vacuum(session, "tagged")
    name, percent, message = about(audit.run("bloat", **limits), "postgresql.index_bloat")
    assert name == "tagged_tags"
    assert percent >= 50
    assert "times the bytes per row that it once had" in message


def test_statistics_that_may_not_be_seen(fresh_postgresql18_database: Endpoint) -> None:
    bloated(fresh_postgresql18_database, extension=False)
    result = Audit(fresh_postgresql18_database.as_monitor()).run("bloat", **SMALL)
    (finding,) = [finding for finding in result["findings"] if finding["id"] == "postgresql.access_denied"]
    assert about(result, "postgresql.index_bloat")[0] == "orders_id", "a number has one length, statistics or not"
    assert "statistics of 2 tables (public." in finding["message"]
    assert "CREATE EXTENSION pgstattuple" in finding["remedy"]


def test_toast_is_looked_at(fresh_postgresql_database: Endpoint) -> None:
    with connect(fresh_postgresql_database) as session:
        session.execute("CREATE TABLE letters (id int, body text)")
        session.execute("ALTER TABLE letters ALTER body SET STORAGE EXTERNAL")
        session.execute("INSERT INTO letters SELECT n, repeat('x', 8000) FROM generate_series(1, 800) n")
        session.execute("DELETE FROM letters WHERE id % 5 <> 0")
        vacuum(session, "letters")
    result = Audit(fresh_postgresql_database).run("bloat", **SMALL)
    (finding,) = [finding for finding in result["findings"] if finding["id"] == "postgresql.table_bloat"]
    assert "TOAST table of" in finding["subject"]
    assert finding["subject"].endswith("public.letters")
    assert 75 < finding["value"] < 85


FRESH = {
    "ints": ("a int, b bigint, c smallint, d bigint", "n, n, 1, n"),
    "texts": ("id bigint, t text, n numeric, at timestamptz", "n, repeat('x', n % 100), n * 1.5, now()"),
    "nulls": ("a int, b text, c int, d text", "n, nullif(repeat('y', n % 3), ''), nullif(n % 2, 0), NULL"),
    "wide": ("a int, t text", "n, repeat('z', 300 + n % 500)"),
    "long": ("a int, t text", "n, repeat(md5(n::text), 50)"),
    "mixed": (
        "a char(3), b boolean, c uuid, d date, e jsonb",
        "'abc', true, gen_random_uuid(), current_date, jsonb_build_object('k', n)",
    ),
    "single": ("a boolean", "true"),
}


@pytest.mark.parametrize("fillfactor", [100, 70])
def test_estimates_of_freshly_written_tables(fresh_postgresql_database: Endpoint, fillfactor: int) -> None:
    with connect(fresh_postgresql_database) as session:
        for name, (columns, values) in FRESH.items():
            session.execute(f"CREATE TABLE {name} ({columns}) WITH (fillfactor = {fillfactor})".encode())
            session.execute(f"INSERT INTO {name} SELECT {values} FROM generate_series(1, 20000) n".encode())
        session.execute("ALTER TABLE wide DROP COLUMN a")
        vacuum(session)
    task_context = context({**fresh_postgresql_database.options(connect_timeout="5s")})
    with client_of(Connection.of(task_context, DEFAULTS), task_context.deadline) as client:
        tables = [table for table in observe_table_shapes(client, 1) if table.schema == "public"]
    assert {table.name for table in tables} == set(FRESH)
    for table in tables:
        estimate = estimate_table(table.shape)
        assert estimate.doubt == ""
        assert estimate.pages * BLOCK == pytest.approx(table.bytes, rel=0.06), table.name


INDEXES = ("ints (b)", "ints (a, b)", "texts (at, id)", "texts (t)", "nulls (b)", "mixed (c)", "mixed (a)", "long (a)")


def test_estimates_of_freshly_built_indexes(fresh_postgresql_database: Endpoint) -> None:
    with connect(fresh_postgresql_database) as session:
        for name, (columns, values) in FRESH.items():
            session.execute(f"CREATE TABLE {name} ({columns})".encode())
            session.execute(f"INSERT INTO {name} SELECT {values} FROM generate_series(1, 60000) n".encode())
        for index in INDEXES:
            session.execute(f"CREATE INDEX ON {index}".encode())
        vacuum(session)
    task_context = context({**fresh_postgresql_database.options(connect_timeout="5s")})
    with client_of(Connection.of(task_context, DEFAULTS), task_context.deadline) as client:
        indexes = [index for index in observe_index_shapes(client, 1) if index.schema == "public"]
    assert len(indexes) == len(INDEXES)
    for index in indexes:
        estimate = estimate_index(index.shape)
        assert estimate.doubt == ""
        assert estimate.pages * BLOCK == pytest.approx(index.bytes, rel=0.1), index.name


SLOW = """
CREATE OR REPLACE FUNCTION pgstattuple(reloid regclass, OUT table_len bigint, OUT tuple_count bigint,
  OUT tuple_len bigint, OUT tuple_percent float8, OUT dead_tuple_count bigint, OUT dead_tuple_len bigint,
  OUT dead_tuple_percent float8, OUT free_space bigint, OUT free_percent float8)
LANGUAGE sql AS 'SELECT 1::bigint, 1::bigint, 1::bigint, 1::float8, 1::bigint, 1::bigint, 1::float8, 1::bigint,
  1::float8 FROM pg_sleep(20)'"""
"""As long as it takes to read a large table from a slow disk."""


def test_measuring_that_takes_too_long_is_said_and_the_estimate_stands(
    fresh_postgresql18_database: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    bloated(fresh_postgresql18_database, extension=True)
    with connect(fresh_postgresql18_database) as session:
        session.execute(SLOW)
    monkeypatch.setattr(observe_bloat, "MEASURE_SECONDS", 0.5)
    result = Audit(fresh_postgresql18_database).run("bloat", options={"exact": True}, **SMALL)
    assert "postgresql.bloat_not_measured" in ids(result)
    assert "estimated" in about(result, "postgresql.table_bloat")[2]
