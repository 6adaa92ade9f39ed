# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_vacuum on real servers: what is due is done, once, and nothing else."""

from __future__ import annotations

import re
import threading

import psycopg
import pytest
from psycopg import sql

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from tests.integration.health import ids
from tests.integration.postgresql_health import found, session
from tests.integration.postgresql_vacuum import age, facts, fill, settled, vacuum
from tests.integration.postgresql_work import states
from tests.integration.probe import probing
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect


def test_only_the_table_in_need_is_done_and_only_once(fresh_each_postgresql_database: Endpoint) -> None:
    endpoint = fresh_each_postgresql_database
    fill(endpoint, "busy", dead=1000)
    fill(endpoint, "calm", dead=100)
    before, calm = facts(endpoint, "busy"), facts(endpoint, "calm")
    planned = vacuum(endpoint, check=True)
    assert states(planned) == [("vacuum", "public.busy", "planned")]
    assert facts(endpoint, "busy") == before
    done = vacuum(endpoint)
    assert states(done) == [("vacuum", "public.busy", "done")]
    assert done["changed"]
    assert done["findings"] == []
    assert "dead rows 1000 -> 0" in done["actions"][0]["detail"]
    for was, now in re.findall(r"(\d+) -> (\d+)", done["actions"][0]["detail"]):
        assert int(now) < int(was), "what grew by the way is no result of the vacuum"
    after = facts(endpoint, "busy")
    assert (after["n_dead_tup"], after["n_mod_since_analyze"]) == (0, 0)
    assert after["vacuum_count"] == before["vacuum_count"] + 1
    assert facts(endpoint, "calm") == calm
    second = vacuum(endpoint)
    assert second["actions"] == []
    assert not second["changed"]


def test_a_mode_does_one_thing_only(fresh_postgresql18_database: Endpoint) -> None:
    endpoint = fresh_postgresql18_database
    fill(endpoint, dead=1500)
    analyze = vacuum(endpoint, mode="analyze")
    assert states(analyze) == [("analyze", "public.orders", "done")]
    assert analyze["actions"][0]["statement"] == 'ANALYZE (SKIP_LOCKED) "public"."orders"'
    assert facts(endpoint)["n_dead_tup"] == 1500
    assert vacuum(endpoint, mode="freeze")["actions"] == []
    only = vacuum(endpoint, mode="vacuum")
    assert only["actions"][0]["statement"] == 'VACUUM (SKIP_LOCKED, SKIP_DATABASE_STATS) "public"."orders"'
    assert facts(endpoint)["n_dead_tup"] == 0
    assert vacuum(endpoint)["actions"] == []


def test_a_table_that_was_never_analyzed(fresh_each_postgresql_database: Endpoint) -> None:
    fill(fresh_each_postgresql_database, analyzed=False)
    assert states(vacuum(fresh_each_postgresql_database)) == [("analyze", "public.orders", "done")]
    assert vacuum(fresh_each_postgresql_database)["actions"] == []


def test_a_database_of_which_the_statistics_are_lost(fresh_each_postgresql_database: Endpoint) -> None:
    """As after an upgrade: nothing counts as changed, so that autovacuum does not come, and no rows are known."""
    endpoint = fresh_each_postgresql_database
    off = "WITH (autovacuum_enabled = false)"
    with connect(endpoint) as opened, connect(endpoint) as other:
        opened.execute(f"CREATE TABLE orders {off} AS SELECT generate_series(1, 5000) AS id".encode())
        opened.execute(f"CREATE TABLE locked {off} AS SELECT generate_series(1, 5000) AS id".encode())
        opened.execute(f"CREATE TABLE empty (id int) {off}".encode())
        settled(opened, "orders", "n_tup_ins", 5000)
        settled(opened, "locked", "n_tup_ins", 5000)
        opened.execute("SELECT pg_stat_reset()")
        known = "SELECT coalesce(sum(n_tup_ins), 0)::int FROM pg_stat_user_tables"
        until(lambda: opened.execute(known).fetchone() == (0,))
        other.execute("BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
        assert states(vacuum(endpoint)) == [("analyze", "public.orders", "done")]
        other.execute("COMMIT")
    assert states(vacuum(endpoint)) == [("analyze", "public.locked", "done")]
    assert vacuum(endpoint)["actions"] == []


def test_dead_rows_of_a_toast_table(fresh_postgresql_database: Endpoint) -> None:
    endpoint = fresh_postgresql_database
    with connect(endpoint) as opened:
        opened.execute(
            "CREATE TABLE papers (id int PRIMARY KEY, body text) WITH (autovacuum_enabled = false,"
            " autovacuum_vacuum_threshold = 1000000, autovacuum_analyze_threshold = 1000000)"
        )
        opened.execute("ALTER TABLE papers ALTER body SET STORAGE EXTERNAL")
        opened.execute("INSERT INTO papers SELECT n, repeat('x', 8000) FROM generate_series(1, 400) n")
        settled(opened, "papers", "n_tup_ins", 400)
        opened.execute("VACUUM (ANALYZE) papers")
        opened.execute("UPDATE papers SET body = repeat('y', 8000) WHERE id <= 300")
        settled(opened, "papers", "n_dead_tup", 300)
    done = vacuum(endpoint)
    assert states(done) == [("vacuum", "public.papers", "done")]
    assert "in its TOAST table" in done["actions"][0]["reason"]
    assert vacuum(endpoint)["actions"] == []


def test_partitioned_tables_are_analyzed_which_autovacuum_never_does(fresh_each_postgresql_database: Endpoint) -> None:
    endpoint = fresh_each_postgresql_database
    with connect(endpoint) as opened:
        opened.execute(
            "CREATE TABLE events (id int, at int) PARTITION BY RANGE (at);"
            "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (100) WITH (autovacuum_enabled = false);"
            "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (100) TO (200) WITH (autovacuum_enabled = off);"
            "CREATE TABLE empty (id int) PARTITION BY RANGE (id);"
            "INSERT INTO events SELECT n, n % 200 FROM generate_series(1, 4000) n"
        )
        settled(opened, "events_1", "n_tup_ins", 2000)
        settled(opened, "events_2", "n_tup_ins", 2000)
        opened.execute("VACUUM (ANALYZE) events_1, events_2")
        settled(opened, "events_1", "vacuum_count", 1)
        settled(opened, "events_2", "vacuum_count", 1)
        first = vacuum(endpoint)
        version = opened.info.server_version
        if version >= 140000:
            only = "ONLY " if version >= 180000 else ""
            assert [action["statement"] for action in first["actions"]] == [
                f'ANALYZE (SKIP_LOCKED) {only}"public"."events"'
            ]
            assert "-1" not in first["actions"][0]["detail"], "a partitioned table has no pages"
            query = "SELECT count(*) FROM pg_stats WHERE tablename = 'events' AND inherited"
            assert opened.execute(query).fetchone() == (2,)
        assert vacuum(endpoint)["actions"] == []
        opened.execute("INSERT INTO events SELECT n, n % 100 FROM generate_series(1, 1500) n")
        settled(opened, "events_1", "n_tup_ins", 3500)
        changed = vacuum(endpoint)
        assert {"public.events", "public.events_1"} >= {action["subject"] for action in changed["actions"]}
        assert "public.events" in {action["subject"] for action in changed["actions"]}
        assert {action["state"] for action in changed["actions"]} == {"done"}
        assert vacuum(endpoint)["actions"] == []


def test_the_partitions_of_a_named_table_and_nothing_else(fresh_postgresql18_database: Endpoint) -> None:
    endpoint = fresh_postgresql18_database
    fill(endpoint, "other", dead=1000)
    with connect(endpoint) as opened:
        opened.execute(
            'CREATE TABLE "My Events" (id int) PARTITION BY RANGE (id);'
            'CREATE TABLE "Part; --" PARTITION OF "My Events" FOR VALUES FROM (0) TO (9999)'
            " WITH (autovacuum_enabled = false);"
            'INSERT INTO "My Events" SELECT generate_series(1, 4000)'
        )
        settled(opened, '"Part; --"', "n_tup_ins", 4000)
    done = vacuum(endpoint, tables=['public."My Events"'])
    assert states(done) == [("vacuum", "public.Part; --", "done"), ("analyze", "public.My Events", "done")]
    assert vacuum(endpoint, tables=['"My Events"'])["actions"] == []
    assert states(vacuum(endpoint)) == [("vacuum", "public.other", "done")]


def test_freezing_is_due_by_age_and_moves_it(fresh_each_postgresql_database: Endpoint) -> None:
    endpoint = fresh_each_postgresql_database
    fill(endpoint, rows=1000)
    with session(endpoint) as opened:
        database = sql.Identifier(endpoint.database)
        opened.execute(sql.SQL("ALTER DATABASE {} SET vacuum_freeze_table_age = 300").format(database))
        for _turn in range(320):
            opened.execute("SELECT pg_current_xact_id()")
        result = vacuum(endpoint, tables=["orders"])
    assert states(result) == [("freeze", "public.orders", "done")]
    assert "FREEZE" in result["actions"][0]["statement"]
    assert age(endpoint) < 100
    assert result["findings"] == []
    assert vacuum(endpoint, tables=["orders"])["actions"] == []


def test_what_holds_old_rows_is_named_and_the_work_not_repeated(fresh_each_postgresql_database: Endpoint) -> None:
    endpoint = fresh_each_postgresql_database
    fill(endpoint)
    with session(endpoint, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM orders") as reader:
        pid = reader.info.backend_pid
        with connect(endpoint) as opened:
            opened.execute("UPDATE orders SET note = 'z' WHERE id <= 1500")
            settled(opened, "orders", "n_dead_tup", 1500)
        first = vacuum(endpoint, mode="vacuum")
        assert states(first) == [("vacuum", "public.orders", "done")]
        assert f"session pid {pid} " in found(first, "postgresql.rows_held")["message"]
        assert found(first, "postgresql.rows_held")["value"] == 1500
        count = facts(endpoint)["vacuum_count"]
        second = vacuum(endpoint, mode="vacuum")
        assert states(second) == [("vacuum", "public.orders", "skipped")]
        assert f"blocked_by: session pid {pid}" in second["actions"][0]["detail"]
        assert not second["changed"]
        assert ids(second) == {"postgresql.rows_held": "warning"}
        assert facts(endpoint)["vacuum_count"] == count
        reader.execute("COMMIT")
    third = vacuum(endpoint, mode="vacuum")
    assert states(third) == [("vacuum", "public.orders", "done")]
    assert facts(endpoint)["n_dead_tup"] == 0
    assert third["findings"] == []


def test_freezing_is_refused_while_something_holds_the_age(fresh_postgresql_database: Endpoint) -> None:
    endpoint = fresh_postgresql_database
    fill(endpoint, rows=1000)
    with session(endpoint) as opened, session(endpoint, "BEGIN", "SELECT pg_current_xact_id()") as holder:
        database = sql.Identifier(endpoint.database)
        opened.execute(sql.SQL("ALTER DATABASE {} SET vacuum_freeze_table_age = 300").format(database))
        for _turn in range(320):
            opened.execute("SELECT pg_current_xact_id()")
        before = age(endpoint)
        result = vacuum(endpoint, mode="freeze", tables=["orders"])
        assert states(result) == [("freeze", "public.orders", "skipped")]
        assert f"blocked_by: session pid {holder.info.backend_pid}" in result["actions"][0]["detail"]
        assert found(result, "postgresql.freeze_blocked")["value"] >= 300
        assert age(endpoint) >= before
        holder.execute("ROLLBACK")
    assert states(vacuum(endpoint, mode="freeze", tables=["orders"])) == [("freeze", "public.orders", "done")]


def test_a_table_that_somebody_has_locked_is_skipped_and_nobody_queues_behind_us(
    fresh_postgresql_database: Endpoint,
) -> None:
    endpoint = fresh_postgresql_database
    fill(endpoint, "locked", dead=1500)
    fill(endpoint, "free", dead=1000)
    with (
        session(endpoint, "BEGIN", "LOCK TABLE locked IN SHARE UPDATE EXCLUSIVE MODE") as holder,
        probing(endpoint, "SELECT count(*) FROM locked WHERE id < 10") as probe,
    ):
        result = vacuum(endpoint)
        holder.execute("ROLLBACK")
    assert states(result) == [("vacuum", "public.locked", "skipped"), ("vacuum", "public.free", "done")]
    assert "locked" in result["actions"][0]["detail"]
    assert probe.errors == []
    assert probe.blocked == 0
    assert states(vacuum(endpoint)) == [("vacuum", "public.locked", "done")]


def test_a_table_that_is_being_vacuumed_is_left_to_whoever_does(fresh_postgresql_database: Endpoint) -> None:
    endpoint = fresh_postgresql_database
    fill(endpoint, rows=20000, dead=15000)
    other = connect(endpoint)
    other.execute("SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1")
    thread = threading.Thread(target=_until_cancelled, args=(other, "VACUUM orders"))
    thread.start()
    with session(endpoint) as opened:
        running = "SELECT count(*) FROM pg_stat_progress_vacuum WHERE datname = current_database()"
        until(lambda: opened.execute(running).fetchone() == (1,))
        result = vacuum(endpoint)
        other.cancel()
        thread.join()
    assert states(result) == [("vacuum", "public.orders", "skipped")]
    assert f"process {other.info.backend_pid} is vacuuming" in result["actions"][0]["detail"]
    assert not result["changed"]
    other.close()


def _until_cancelled(opened: psycopg.Connection[tuple[object, ...]], statement: str) -> None:
    with pytest.raises(psycopg.errors.QueryCanceled):
        opened.execute(statement.encode())


def test_who_may_not_is_told_so_though_the_server_would_only_warn(fresh_postgresql_database: Endpoint) -> None:
    endpoint = fresh_postgresql_database
    fill(endpoint, dead=1500)
    result = vacuum(endpoint.as_monitor())
    assert states(result) == [("vacuum", "public.orders", "skipped")]
    assert "MAINTAIN" in result["actions"][0]["detail"]
    assert not result["changed"]
    assert ids(result) == {"postgresql.maintain_denied": "warning"}
    assert facts(endpoint)["n_dead_tup"] == 1500
    with connect(endpoint) as opened:
        if opened.info.server_version >= 170000:
            opened.execute(sql.SQL("GRANT MAINTAIN ON orders TO {}").format(sql.Identifier(str(endpoint.monitor_user))))
            assert states(vacuum(endpoint.as_monitor())) == [("vacuum", "public.orders", "done")]
            assert facts(endpoint)["n_dead_tup"] == 0


def test_the_window_ends_inside_a_table_too(fresh_postgresql_database: Endpoint) -> None:
    endpoint = fresh_postgresql_database
    fill(endpoint, "large", rows=30000, dead=29000)
    fill(endpoint, "later", rows=2000, dead=600)
    with connect(endpoint) as opened:
        opened.execute("CHECKPOINT")  # a page that was clean costs most
    # The longest rests there are: the table would take minutes.
    result = vacuum(endpoint, cost_delay="0.1", deadline=2)
    assert states(result) == [("vacuum", "public.large", "skipped"), ("vacuum", "public.later", "skipped")]
    assert "deadline ended it in the midst" in result["actions"][0]["detail"]
    assert "deadline is over" in result["actions"][1]["detail"]
    with connect(endpoint) as opened:
        query = "SELECT count(*) FROM pg_stat_progress_vacuum WHERE datname = current_database()"
        until(lambda: opened.execute(query).fetchone() == (0,))
    assert {action["state"] for action in vacuum(endpoint)["actions"]} == {"done"}


def test_every_option_reaches_the_server(fresh_each_postgresql_database: Endpoint) -> None:
    endpoint = fresh_each_postgresql_database
    fill(endpoint, dead=1500)
    with connect(endpoint) as opened:
        opened.execute("CREATE INDEX ON orders (note)")
        version = opened.info.server_version
    options = {"index_workers": 0, "buffer_usage_limit": "1MiB", "cost_delay": "0.001", "truncate": "avoid"}
    result = vacuum(endpoint, order="largest", **options)
    newer = ", BUFFER_USAGE_LIMIT '1024 kB', SKIP_DATABASE_STATS" if version >= 160000 else ""
    assert result["actions"][0]["statement"] == (
        f'VACUUM (ANALYZE, SKIP_LOCKED, TRUNCATE false, PARALLEL 0{newer}) "public"."orders"'
    )
    assert states(result) == [("vacuum", "public.orders", "done")]


HOSTILE = (
    "orders; DROP TABLE orders",
    "orders'",
    'orders"',
    "orders--",
    "orders/*",
    "",
    ".",
    "a.b.c",
    "ordérs",
    "o" * 64,
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_is_none_is_refused(fresh_postgresql18_database: Endpoint, name: str) -> None:
    fill(fresh_postgresql18_database, dead=1500)
    with pytest.raises(InvalidInput, match="tables"):
        vacuum(fresh_postgresql18_database, tables=[name])
    assert facts(fresh_postgresql18_database)["n_dead_tup"] == 1500


@pytest.mark.parametrize("name", ["a'b", 'a"b', "a;b -- c", "a%sb", "a{b}", "ünïcödé", "x" * 63, "a\\b", "/*x*/"])
def test_a_table_may_have_any_name(fresh_postgresql18_database: Endpoint, name: str) -> None:
    endpoint = fresh_postgresql18_database
    quoted = '"' + name.replace('"', '""') + '"'
    with connect(endpoint) as opened:
        opened.execute(
            f"CREATE TABLE {quoted.replace('%', '%%')} (id int) WITH (autovacuum_enabled = false)".encode(), []
        )
        opened.execute(f"INSERT INTO {quoted} SELECT generate_series(1, 3000)".encode())
        settled(opened, quoted.replace("'", "''"), "n_tup_ins", 3000)
    assert states(vacuum(endpoint, tables=[quoted])) == [("vacuum", f"public.{name}", "done")]
    assert vacuum(endpoint)["actions"] == []
