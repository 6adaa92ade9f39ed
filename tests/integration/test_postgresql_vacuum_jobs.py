# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_vacuum with several tables at once on real servers."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import sql

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum import task as vacuum_task
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.act_jobs import Crew
from tests.integration.health import ids
from tests.integration.postgresql_health import found, session
from tests.integration.postgresql_vacuum import facts, settled, vacuum
from tests.integration.postgresql_work import states
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

AT_WORK = "SELECT pid, relid::regclass::text FROM pg_stat_progress_vacuum WHERE datname = current_database() ORDER BY 2"
OURS = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'upkeep' AND datname = current_database()"
    " AND pid <> pg_backend_pid()"
)


def fill_all(endpoint: Endpoint, *tables: str, rows: int = 5000) -> None:
    """Make tables with dead rows in nearly all pages, which take seconds with ``cost_delay``."""
    with connect(endpoint) as opened:
        for table in tables:
            opened.execute(
                f"CREATE TABLE {table} (id int PRIMARY KEY, note text) WITH (autovacuum_enabled = false);"
                f"INSERT INTO {table} SELECT n, repeat('x', 100) FROM generate_series(1, {rows}) n".encode()
            )
        for table in tables:
            settled(opened, table, "n_tup_ins", rows)
        opened.execute(f"VACUUM (ANALYZE) {', '.join(tables)}".encode())
        for table in tables:
            settled(opened, table, "vacuum_count", 1)
            opened.execute(f"UPDATE {table} SET note = repeat('y', 100) WHERE id <= {rows * 9 // 10}".encode())
        for table in tables:
            settled(opened, table, "n_dead_tup", rows * 9 // 10)
        opened.execute("CHECKPOINT")  # a page that was clean costs most


@contextlib.contextmanager
def beside(endpoint: Endpoint, **options: Any) -> Iterator[tuple[psycopg.Connection[Any], list[dict[str, Any]]]]:
    """Run the module beside what is done inside; its result is in the list afterwards."""
    results: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: results.append(vacuum(endpoint, **options)))
    with session(endpoint) as opened:
        thread.start()
        try:
            yield opened, results
        finally:
            thread.join()


def at_work(opened: psycopg.Connection[Any]) -> list[tuple[int, str]]:
    return opened.execute(AT_WORK).fetchall()


def test_several_tables_are_done_at_once_in_the_order_of_the_plan(fresh_postgresql_database: Endpoint) -> None:
    endpoint = fresh_postgresql_database
    fill_all(endpoint, "a", "b", "c", "d")
    planned = vacuum(endpoint, check=True, jobs=3)
    assert facts(endpoint, "a")["n_dead_tup"] == 4500
    with beside(endpoint, jobs=3, cost_delay="0.05") as (opened, results):
        until(lambda: len(at_work(opened)) == 3)
        tables = [table for _pid, table in at_work(opened)]
        assert "d" not in tables  # the last of the plan waits until one is done
        assert opened.execute(OURS).fetchone() == (4,)
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        assert opened.execute(locks).fetchone() == (1,)
    (done,) = results
    for key in ("kind", "subject", "reason", "statement"):
        assert [action[key] for action in planned["actions"]] == [action[key] for action in done["actions"]]
    assert states(done) == [("vacuum", f"public.{table}", "done") for table in "abcd"]
    assert done["findings"] == []
    # What each took itself, not for how long it was still to be waited for after those before it.
    assert all(action["seconds"] > 0.05 for action in done["actions"])
    assert all("dead rows 4500 -> 0" in action["detail"] for action in done["actions"])
    assert {facts(endpoint, table)["n_dead_tup"] for table in "abcd"} == {0}
    second = vacuum(endpoint, jobs=3)
    assert (second["changed"], second["actions"]) == (False, [])
    with connect(endpoint) as opened:
        until(lambda: opened.execute(OURS).fetchone() == (0,))


def test_one_connection_that_is_lost_costs_its_table_only(fresh_postgresql_database: Endpoint) -> None:
    endpoint = fresh_postgresql_database
    fill_all(endpoint, "a", "b", "c")
    with beside(endpoint, jobs=2, cost_delay="0.05") as (opened, results):
        until(lambda: len(at_work(opened)) == 2)
        (pid, table), (_other, kept) = at_work(opened)
        opened.execute("SELECT pg_terminate_backend(%s)", (pid,))
    (done,) = results
    became = {action["subject"]: action["state"] for action in done["actions"]}
    assert became == {f"public.{table}": "failed", f"public.{kept}": "done", "public.c": "done"}
    assert done["changed"]
    assert states(vacuum(endpoint, jobs=2)) == [("vacuum", f"public.{table}", "done")]


def test_when_all_connections_are_lost_the_first_one_does_the_rest(fresh_postgresql18_database: Endpoint) -> None:
    endpoint = fresh_postgresql18_database
    fill_all(endpoint, "a", "b", "c")
    with beside(endpoint, jobs=2, cost_delay="0.02") as (opened, results):
        until(lambda: len(at_work(opened)) == 2)
        for pid, _table in at_work(opened):
            opened.execute("SELECT pg_terminate_backend(%s)", (pid,))
    assert states(results[0]) == [
        ("vacuum", "public.a", "failed"),
        ("vacuum", "public.b", "failed"),
        ("vacuum", "public.c", "done"),
    ]


def test_the_window_ends_inside_all_tables_at_once(fresh_postgresql_database: Endpoint) -> None:
    endpoint = fresh_postgresql_database
    fill_all(endpoint, "a", "b", "c", rows=20_000)
    result = vacuum(endpoint, jobs=2, cost_delay="0.1", deadline=2)
    assert [action["state"] for action in result["actions"]] == ["skipped"] * 3
    assert ["in the midst" in action["detail"] for action in result["actions"]] == [True, True, False]
    assert "deadline is over" in result["actions"][2]["detail"]
    assert not result["changed"]
    with connect(endpoint) as opened:
        until(lambda: opened.execute(OURS).fetchone() == (0,))
    assert {action["state"] for action in vacuum(endpoint, jobs=2)["actions"]} == {"done"}


def test_a_table_that_somebody_has_locked_is_skipped_and_the_others_are_done(
    fresh_postgresql18_database: Endpoint,
) -> None:
    endpoint = fresh_postgresql18_database
    fill_all(endpoint, "a", "b", "c", rows=2000)
    with session(endpoint, "BEGIN", "LOCK TABLE a IN SHARE UPDATE EXCLUSIVE MODE"):
        result = vacuum(endpoint, jobs=2)
    assert [action["state"] for action in result["actions"]] == ["skipped", "done", "done"]
    assert states(vacuum(endpoint, jobs=2)) == [("vacuum", "public.a", "done")]


def test_partitioned_tables_and_their_partitions(fresh_each_postgresql_database: Endpoint) -> None:
    endpoint = fresh_each_postgresql_database
    with connect(endpoint) as opened:
        opened.execute("CREATE TABLE events (id int, at int) PARTITION BY RANGE (at)")
        for number in range(6):
            opened.execute(
                f"CREATE TABLE events_{number} PARTITION OF events FOR VALUES FROM ({number}) TO ({number + 1})"
                " WITH (autovacuum_enabled = false)".encode()
            )
        opened.execute("INSERT INTO events SELECT n, n % 6 FROM generate_series(1, 24000) n")
        opened.execute("DELETE FROM events WHERE id <= 12000")
        for number in range(6):
            settled(opened, f"events_{number}", "n_dead_tup", 2000)
    planned = vacuum(endpoint, check=True, jobs=4)
    done = vacuum(endpoint, jobs=4)
    assert [action["statement"] for action in planned["actions"]] == [a["statement"] for a in done["actions"]]
    assert len(done["actions"]) == 7
    # What is at work on a partition would make the server leave it out: a skipped action, or statistics that stay old.
    assert {action["state"] for action in done["actions"]} == {"done"}
    assert done["findings"] == []
    assert vacuum(endpoint, jobs=4)["actions"] == []


def test_connections_are_left_to_others(fresh_postgresql18_database: Endpoint) -> None:
    endpoint = fresh_postgresql18_database
    fill_all(endpoint, "a", "b", "c", "d", rows=2000)
    with contextlib.ExitStack() as sessions, connect(endpoint) as opened:
        row = opened.execute(
            "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
            " - current_setting('reserved_connections')::int - count(*)"
            " FROM pg_stat_activity WHERE backend_type = 'client backend'"
        ).fetchone()
        assert row
        # The module's own connection is one of the six that are left; of the five others it takes two.
        for _number in range(int(str(row[0])) - 6):
            sessions.enter_context(session(endpoint))
        result = vacuum(endpoint, jobs=4)
    assert found(result, "postgresql.vacuum_jobs")["value"] == 2
    assert found(result, "postgresql.vacuum_jobs")["threshold"] == 4
    assert {action["state"] for action in result["actions"]} == {"done"}


@pytest.mark.parametrize(("limit", "absent"), [(1, True), (-1, False)])
def test_a_user_who_may_have_one_connection_only(
    fresh_postgresql18_database: Endpoint, limit: int, absent: bool
) -> None:
    endpoint = fresh_postgresql18_database
    fill_all(endpoint, "a", "b", rows=2000)
    with connect(endpoint) as opened:
        password = sql.Literal(endpoint.monitor_password)
        opened.execute(sql.SQL("CREATE ROLE upkeep_jobs LOGIN PASSWORD {}").format(password))
        try:
            opened.execute(f"ALTER ROLE upkeep_jobs CONNECTION LIMIT {limit}".encode())
            opened.execute("ALTER TABLE a OWNER TO upkeep_jobs; ALTER TABLE b OWNER TO upkeep_jobs")
            owner = replace(endpoint, user="upkeep_jobs", password=endpoint.monitor_password)
            result = vacuum(owner, jobs=2)
        finally:
            until(lambda: opened.execute(OURS).fetchone() == (0,))
            opened.execute("DROP OWNED BY upkeep_jobs")
            opened.execute("DROP ROLE upkeep_jobs")
    assert [action["state"] for action in result["actions"]] == ["done", "done"]
    assert ids(result) == ({"postgresql.vacuum_jobs": "warning"} if absent else {})


def test_whoever_breaks_off_leaves_nothing_at_work(
    fresh_postgresql_database: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = fresh_postgresql_database
    fill_all(endpoint, "a", "b", "c", rows=20_000)

    class Broken(Crew):
        """Breaks off while others are at work, as a signal does."""

        def outcome(self, action: Any) -> Any:
            with session(endpoint) as opened:
                until(lambda: len(at_work(opened)) == 2)
            raise KeyboardInterrupt

    monkeypatch.setattr(vacuum_task, "Crew", Broken)
    with pytest.raises(KeyboardInterrupt):
        vacuum(endpoint, jobs=2, cost_delay="0.1")
    with connect(endpoint) as opened:
        until(lambda: opened.execute(OURS).fetchone() == (0,))
    monkeypatch.undo()
    assert {action["state"] for action in vacuum(endpoint, jobs=2)["actions"]} == {"done"}


def test_rewriting_stays_one_table_at_a_time(fresh_postgresql18_database: Endpoint) -> None:
    endpoint = fresh_postgresql18_database
    fill_all(endpoint, "a", "b", rows=20_000)
    with connect(endpoint) as opened:
        # The rows that stay are at the end, so that no pages can be given back.
        opened.execute("DELETE FROM a WHERE id <= 17000; DELETE FROM b WHERE id <= 17000")
        settled(opened, "a", "n_tup_del", 17_000)
        settled(opened, "b", "n_tup_del", 17_000)
        opened.execute("VACUUM (ANALYZE) a, b")
    options: dict[str, Any] = {"mode": "rewrite", "min_size": "1MiB", "allow_exclusive_lock": True, "jobs": 2}
    assert sorted(states(vacuum(endpoint, **options))) == [
        ("rewrite", "public.a", "done"),
        ("rewrite", "public.b", "done"),
    ]


def test_when_every_connection_is_lost_all_that_is_left_fails(fresh_postgresql18_database: Endpoint) -> None:
    endpoint = fresh_postgresql18_database
    fill_all(endpoint, "a", "b", "c")
    with beside(endpoint, jobs=2, cost_delay="0.1") as (opened, results):
        until(lambda: len(at_work(opened)) == 2)
        opened.execute(OURS.replace("count(*)", "pg_terminate_backend(pid)").encode())
    assert [action["state"] for action in results[0]["actions"]] == ["failed"] * 3
    assert {action["state"] for action in vacuum(endpoint, jobs=2)["actions"]} == {"done"}
