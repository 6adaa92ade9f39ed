# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit's check of the plans of declared queries, by real planners."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.connection import Connection
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.observe_plans import observe_plans
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.client import connect as connect_client
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.options import DEFAULTS
from tests.integration.health import context, ids
from tests.integration.postgresql_audit import Audit
from tests.integration.postgresql_health import found
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

SCHEMA = """
CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL, "Odd State" text NOT NULL, state text NOT NULL,
  created_at timestamptz NOT NULL, note text);
CREATE INDEX orders_state ON orders (state);
CREATE TABLE old (id bigint NOT NULL, at int NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE old_1 PARTITION OF old FOR VALUES FROM (0) TO (100);
CREATE TABLE old_2 PARTITION OF old FOR VALUES FROM (100) TO (200);
CREATE INDEX old_id ON old (id);
INSERT INTO users SELECT n, n || '@example.com' FROM generate_series(1, 2000) n;
INSERT INTO orders SELECT n, n % 2000, 'odd' || n % 300, 'state' || n % 500,
  timestamptz '2026-01-01' + n * interval '1 min', 'x' FROM generate_series(1, 30000) n;
INSERT INTO old SELECT n, n % 200 FROM generate_series(1, 30000) n;
ANALYZE"""


@pytest.fixture(scope="module", params=["postgresql17", "postgresql18"])
def shop(request: pytest.FixtureRequest) -> Iterator[Endpoint]:
    """A database of an application, which no test here changes."""
    endpoint: Endpoint = request.getfixturevalue(request.param)
    with connect(endpoint) as session:
        session.execute("CREATE DATABASE plans TEMPLATE template0")
    shop = endpoint.with_database("plans")
    with connect(shop) as session:
        session.execute(SCHEMA)
    yield shop
    with connect(endpoint) as session:
        session.execute("DROP DATABASE plans WITH (FORCE)")


def plan(endpoint: Endpoint, sql: str, *, limits: dict[str, Any] | None = None, **query: Any) -> dict[str, Any]:
    """Run the check for one query."""
    queries = [{"name": "q", "sql": sql, **query}]
    return Audit(endpoint).run("plans", options={"queries": queries}, **(limits or {}))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM orders WHERE id = $1",
        "SELECT * FROM orders WHERE state = $1",
        "SELECT * FROM orders WHERE state = 'state3';",
        "SELECT count(*) FROM orders",
        "SELECT state, count(*) FROM orders GROUP BY state ORDER BY 2 DESC LIMIT 5",
        "SELECT * FROM users WHERE email = $1",
        "SELECT * FROM orders JOIN users ON users.id = user_id WHERE orders.id = $1",
        "SELECT * FROM orders LIMIT 10",
        "SELECT * FROM orders WHERE note = 'x' LIMIT 10",
        "SELECT * FROM orders ORDER BY id DESC LIMIT 10",
        "SELECT * FROM old WHERE id = $1",
        "UPDATE orders SET note = $2 WHERE id = $1",
        "INSERT INTO orders VALUES ($1, $2, $3, $4, $5)",
        "DELETE FROM orders WHERE id = $1",
        "MERGE INTO orders o USING users u ON o.id = u.id WHEN MATCHED THEN UPDATE SET note = u.email",
        "VALUES (1), (2)",
        "TABLE users",
        "(SELECT 1) UNION SELECT 2",
        "WITH gone AS (DELETE FROM orders WHERE id = $1 RETURNING *) SELECT * FROM gone",
        "SELECT '100% {x} %s' FROM users WHERE id % 7 = 3",
    ],
)
def test_a_query_in_order_is_no_finding(shop: Endpoint, sql: str) -> None:
    result = plan(shop, sql)
    assert result["findings"] == []
    assert result["metrics"]["postgresql_plans_total"] == 1
    assert result["metrics"]['postgresql_plan_cost{query="q"}'] > 0


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        ('SELECT * FROM orders WHERE "Odd State" = $1', 'ON "public"."orders" ("Odd State")'),
        ("SELECT * FROM orders o WHERE o.user_id = 77 AND note = 'Zq7'", 'ON "public"."orders" ("user_id", "note")'),
        ("UPDATE orders SET note = 'Zq7' WHERE user_id = $1", 'ON "public"."orders" ("user_id")'),
        ("SELECT * FROM orders ORDER BY created_at DESC LIMIT 20", 'ON "public"."orders" ("created_at")'),
        ("SELECT * FROM orders WHERE lower(state) = 'Zq7'", 'There is an index that begins with "state"'),
        ("SELECT * FROM users JOIN orders ON users.id = user_id WHERE users.id < 5", '("user_id")'),
    ],
)
def test_a_table_read_whole_for_a_few_rows(shop: Endpoint, sql: str, hint: str) -> None:
    result = plan(shop, sql)
    finding = found(result, "postgresql.plan_seq_scan")
    assert finding["subject"].endswith("query plans.q on public.orders")
    assert hint in finding["remedy"]
    assert finding["value"] < 10
    assert "Zq7" not in str(result)


def test_limits_can_be_set(shop: Endpoint) -> None:
    sql = 'SELECT * FROM orders WHERE "Odd State" = $1'
    assert plan(shop, sql, limits={"plan_table_rows": 30_000})["findings"] == []
    assert plan(shop, sql, limits={"plan_table_rows": 29_999})["findings"]
    assert plan(shop, sql, limits={"plan_returned_percent": 0.1})["findings"] == []


def test_a_table_gone_through_for_each_row_of_another(shop: Endpoint) -> None:
    result = plan(shop, "SELECT * FROM users u JOIN orders o ON u.email LIKE o.note")
    assert "u.email" not in found(result, "postgresql.plan_nested_scan")["message"]
    assert ids(plan(shop, "SELECT (SELECT sum(id) FROM orders o WHERE o.user_id = u.id) FROM users u")) == {
        "postgresql.plan_nested_scan": "warning"
    }
    assert plan(shop, "SELECT id IN (SELECT user_id FROM orders) FROM users")["findings"] == []


def test_a_sort_that_goes_to_disk(shop: Endpoint) -> None:
    sql = "SELECT * FROM orders ORDER BY note || 'Zq7'"
    assert plan(shop, sql)["findings"] == []
    big = "SELECT a.note || repeat('Zq7', 3) FROM orders a, orders b ORDER BY 1"
    result = plan(shop, big)
    assert "postgresql.plan_sort" in ids(result)
    assert "Zq7" not in str(result)


def test_a_query_that_is_run_tells_wrong_estimates(shop: Endpoint) -> None:
    # The planner takes an expression without statistics for half a percent.
    sql = "SELECT * FROM orders WHERE id + $1 > 0"
    assert plan(shop, sql, parameters=[1], analyze=True)["findings"] == []
    wrong = "SELECT * FROM orders WHERE id + $1 = id + 1"
    result = plan(shop, wrong, parameters=[1], analyze=True)
    assert ids(result) == {"postgresql.plan_estimate": "warning"}
    first = "SELECT * FROM orders WHERE id + $1 = id + 1 LIMIT 3"
    assert plan(shop, first, parameters=[1], analyze=True)["findings"] == []


def test_given_parameters_make_the_plan_for_them(shop: Endpoint) -> None:
    with connect(shop) as session:
        session.execute("CREATE TABLE skewed AS SELECT n, 'common' AS kind FROM generate_series(1, 20000) n")
        session.execute("INSERT INTO skewed SELECT n, 'rare''' FROM generate_series(1, 5) n")
        session.execute("ANALYZE skewed")
    try:
        sql = "SELECT * FROM skewed WHERE kind = $1 AND n > $2"
        assert plan(shop, sql, parameters=["common", 0])["findings"] == []
        assert plan(shop, sql, parameters=["rare'", "0"])["findings"]
    finally:
        with connect(shop) as session:
            session.execute("DROP TABLE skewed")


def test_nothing_is_ever_run_or_changed(shop: Endpoint) -> None:
    for sql in (
        "DELETE FROM orders",
        "WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone",
        "SELECT pg_sleep(30)",
        "SELECT pg_notify('x', 'y')",
    ):
        plan(shop, sql)
    writing = "WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone"
    assert "SQLSTATE 25006" in found(plan(shop, writing, analyze=True), "postgresql.plan_failed")["message"]
    sneaky = "SELECT set_config('transaction_read_only', 'off', true), setval('s', 1)"
    assert "plan_failed" in str(plan(shop, sneaky, analyze=True))
    with connect(shop) as session:
        assert session.execute("SELECT count(*) FROM orders").fetchone() == (30000,)


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE orders",
        "SELECT 1; DROP TABLE orders",
        "SELECT 1 /* ; */; ; DROP TABLE orders",
        "ANALYZE SELECT 1",
        "EXECUTE x",
        "SET ROLE postgres",
        "-- nothing",
        "",
        ";",
        "SELECT 'a\\'; DROP TABLE orders; --'",
        'SELECT "never closed; DROP TABLE orders',
        "DO $$ BEGIN DROP TABLE orders; END $$",
        "COPY orders TO PROGRAM 'true'",
        "(ANALYZE) SELECT 1",
        "EXPLAIN ANALYZE DELETE FROM orders",
    ],
)
def test_what_is_no_single_query_is_refused(shop: Endpoint, sql: str) -> None:
    try:
        result = plan(shop, sql)
    except InvalidInput:
        pass
    else:
        assert ids(result) == {"postgresql.plan_failed": "warning"}
    with connect(shop) as session:
        assert session.execute("SELECT count(*) FROM orders").fetchone() == (30000,)


def test_the_server_itself_takes_one_statement_only(shop: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should our lexer ever be wrong."""
    module = "ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.declared_plans.tokens"
    monkeypatch.setattr(module, lambda sql: iter([type("Token", (), {"kind": "name", "text": "SELECT"})()]))
    result = plan(shop, "SELECT 1; DROP TABLE orders")
    assert "SQLSTATE 42601" in found(result, "postgresql.plan_failed")["message"]
    with connect(shop) as session:
        assert session.execute("SELECT count(*) FROM orders").fetchone() == (30000,)


def test_a_query_that_cannot_be_planned_does_not_spoil_the_others(shop: Endpoint) -> None:
    queries = [
        {"name": "gone", "sql": "SELECT * FROM no_such_table"},
        {"name": "wrong", "sql": "SELECT * FROM orders WHERE id = $1", "parameters": ["Zq7-secret"]},
        {"name": "od'd\"; --ü", "sql": "SELECT 1"},
        {"name": "whole", "sql": "SELECT * FROM orders WHERE user_id = $1"},
    ]
    result = Audit(shop).run("plans", options={"queries": queries})
    assert sorted(finding["id"] for finding in result["findings"]) == [
        "postgresql.plan_failed",
        "postgresql.plan_failed",
        "postgresql.plan_seq_scan",
    ]
    assert 'relation "no_such_table" does not exist' in str(result)
    assert "Zq7" not in str(result)
    assert any("od'd" in name for name in result["metrics"])


def test_the_search_path_is_the_applications(shop: Endpoint) -> None:
    schema = 'od\'d", "x\\;--ü'
    with connect(shop) as session:
        quoted = '"' + schema.replace('"', '""') + '"'
        session.execute(f"CREATE SCHEMA {quoted} CREATE TABLE elsewhere (id int)".encode())
    queries = [{"name": "q", "sql": "SELECT * FROM elsewhere"}]
    assert ids(Audit(shop).run("plans", options={"queries": queries})) == {"postgresql.plan_failed": "warning"}
    options = {"queries": queries, "search_path": [schema, "public"]}
    assert Audit(shop).run("plans", options=options)["findings"] == []
    with connect(shop) as session:
        session.execute(f"DROP SCHEMA {quoted} CASCADE".encode())


def test_a_locked_table_is_not_waited_for(shop: Endpoint) -> None:
    with connect(shop) as session, session.transaction():
        session.execute("LOCK TABLE orders")
        result = plan(shop, "SELECT * FROM orders WHERE id = 1")
    assert "a table of it is locked" in found(result, "postgresql.plan_failed")["message"]


def test_a_user_who_may_not_read_the_table(shop: Endpoint) -> None:
    result = plan(shop.as_monitor(), "SELECT * FROM orders WHERE id = 1")
    finding = found(result, "postgresql.plan_failed")
    assert "permission denied" in finding["message"]
    assert 'GRANT SELECT ON the query\'s tables TO "upkeep_monitor"' in finding["remedy"]


def test_before_version_16_a_prepared_statement_gives_the_plan_for_any_values(
    shop: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.observe_plans"
    monkeypatch.setattr(f"{module}.GENERIC_PLAN_SINCE", 999999)
    assert plan(shop, "SELECT * FROM orders WHERE state = $1 AND id = $2")["findings"] == []
    assert ids(plan(shop, "SELECT * FROM orders WHERE user_id = $1")) == {"postgresql.plan_seq_scan": "warning"}
    # The partitions are there though no value would lead to any of them.
    limits = {"plan_table_rows": 10_000}
    result = plan(shop, "SELECT * FROM old WHERE at = $1", limits=limits)
    assert sorted(finding["subject"].rpartition(" ")[2] for finding in result["findings"]) == [
        "public.old_1",
        "public.old_2",
    ]
    assert plan(shop, "SELECT * FROM old WHERE at = $1 AND id = $2", limits=limits)["findings"] == []


def test_no_prepared_statement_is_left(shop: Endpoint) -> None:
    queries = [
        {"name": "any", "sql": "SELECT * FROM orders WHERE user_id = $1"},
        {"name": "given", "sql": "SELECT * FROM orders WHERE user_id = $1", "parameters": [5]},
        {"name": "wrong value", "sql": "SELECT * FROM orders WHERE id = $1", "parameters": ["five"]},
        {"name": "wrong table", "sql": "SELECT * FROM no_such_table WHERE id = $1"},
    ]
    asked = context({**shop.options(), "queries": queries, "search_path": ["public"]})
    with connect_client(Connection.of(asked, DEFAULTS), Deadline(60)) as client:
        plans = observe_plans(client, asked).plans
        assert [plan.root is None for plan in plans] == [False, False, True, True]
        assert client.connection.execute("SELECT name FROM pg_prepared_statements").fetchall() == []
