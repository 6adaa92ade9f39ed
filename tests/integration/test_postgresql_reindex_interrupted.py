# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_reindex: what stands in its way, what broken-off rebuilds leave, and being killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.integration.health import pairs
from tests.integration.postgresql_health import found, session
from tests.integration.postgresql_reindex import OPTIONS, indexes, leave_leftover, make_bloat, reindex, vacuum
from tests.integration.postgresql_work import states
from tests.integration.probe import probing
from tests.integration.running import ROOT, run_module
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

LONG = "x" * 50 + "äöü" + "-index"
"""A name of 62 bytes, which REINDEX has to cut in the midst of a character."""

OLD = "BEGIN ISOLATION LEVEL REPEATABLE READ"


def invalid(endpoint: Endpoint, table: str = "orders") -> list[str]:
    return [name for name, (_oid, usable, _size) in indexes(endpoint, table).items() if not usable]


def validity(endpoint: Endpoint) -> dict[str, tuple[int, bool]]:
    """Oid of each index, and whether it is usable."""
    return {name: (oid, usable) for name, (oid, usable, _size) in indexes(endpoint).items()}


def rename(endpoint: Endpoint, old: str, new: str) -> None:
    with connect(endpoint) as opened:
        opened.execute(sql.SQL("ALTER INDEX {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new)))


@contextlib.contextmanager
def building(endpoint: Endpoint, statement: str) -> Iterator[None]:
    """Another session that builds an index, and waits for an old transaction until the end."""
    with session(endpoint, OLD, "SELECT FROM orders LIMIT 1") as old, connect(endpoint) as other:
        thread = threading.Thread(target=other.execute, args=(statement,))
        thread.start()
        try:
            until(lambda: bool(invalid(endpoint)))
            yield
        finally:
            old.rollback()
            thread.join()


@pytest.mark.parametrize("name", ["orders_code", LONG, 'quo"te; --'])
def test_what_a_broken_off_rebuild_left_is_dropped(fresh_postgresql_database: Endpoint, name: str) -> None:
    make_bloat(fresh_postgresql_database)
    reindex(fresh_postgresql_database)
    if name != "orders_code":
        rename(fresh_postgresql_database, "orders_code", name)
    leave_leftover(fresh_postgresql_database, name)
    leave_leftover(fresh_postgresql_database, name)
    left = invalid(fresh_postgresql_database)
    assert len(left) == 2
    before = indexes(fresh_postgresql_database)
    planned = reindex(fresh_postgresql_database, check=True)
    assert sorted(states(planned)) == sorted(("drop_leftover", f"public.{one}", "planned") for one in left)
    assert indexes(fresh_postgresql_database) == before
    done = reindex(fresh_postgresql_database)
    assert sorted(states(done)) == sorted(("drop_leftover", f"public.{one}", "done") for one in left)
    assert all("CREATE INDEX" in action["undo"] for action in done["actions"])
    assert {name: facts for name, facts in before.items() if name not in left} == indexes(fresh_postgresql_database)
    assert not reindex(fresh_postgresql_database)["changed"]


def test_what_a_broken_off_rebuild_of_a_toast_index_left_is_dropped(fresh_postgresql18_database: Endpoint) -> None:
    with connect(fresh_postgresql18_database) as opened:
        opened.execute("CREATE TABLE files (body text)")
        opened.execute("ALTER TABLE files ALTER body SET STORAGE EXTERNAL")
        opened.execute("INSERT INTO files SELECT repeat('x', 2100) FROM generate_series(1, 8000)")
        row = opened.execute(
            "SELECT t.relname, i.indexrelid::regclass::text FROM pg_class t JOIN pg_index i ON i.indrelid = t.oid"
            " WHERE t.oid = (SELECT reltoastrelid FROM pg_class WHERE relname = 'files')"
        ).fetchone()
        assert row
        with session(fresh_postgresql18_database, OLD, "SELECT FROM files LIMIT 1"):
            opened.execute("SET lock_timeout = '200ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                opened.execute(f"REINDEX INDEX CONCURRENTLY {row[1]}".encode())
    assert invalid(fresh_postgresql18_database, row[0]) == [f"{row[0]}_index_ccnew"]
    done = reindex(fresh_postgresql18_database)
    assert states(done) == [("drop_leftover", f"{row[1]}_ccnew", "done")]
    assert invalid(fresh_postgresql18_database, row[0]) == []


def test_leftovers_stay_if_they_are_not_to_be_dropped(fresh_postgresql18_database: Endpoint) -> None:
    make_bloat(fresh_postgresql18_database, keep=1)
    leave_leftover(fresh_postgresql18_database, "orders_code")
    result = reindex(fresh_postgresql18_database, clean_leftovers=False)
    assert result["actions"] == []
    assert pairs(result) == [("postgresql.invalid_index", "warning")]
    assert "left over from a REINDEX of orders_code" in found(result, "postgresql.invalid_index")["message"]


def test_what_only_looks_like_a_leftover_stays(fresh_postgresql_database: Endpoint) -> None:
    """A valid index of such a name; an invalid one whose original is gone; an invalid one unlike its original."""
    make_bloat(fresh_postgresql_database, keep=1)
    with connect(fresh_postgresql_database) as opened:
        opened.execute("CREATE INDEX orders_code_ccnew ON orders (code)")
    leave_leftover(fresh_postgresql_database, "orders_customer")
    rename(fresh_postgresql_database, "orders_customer", "renamed")
    with session(fresh_postgresql_database, OLD, "SELECT FROM orders"), connect(fresh_postgresql_database) as opened:
        opened.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            opened.execute("CREATE INDEX CONCURRENTLY orders_code_ccnew1 ON orders (id, customer)")
    before = indexes(fresh_postgresql_database)
    assert invalid(fresh_postgresql_database) == ["orders_code_ccnew1", "orders_customer_ccnew"]
    result = reindex(fresh_postgresql_database)
    assert result["actions"] == []
    assert pairs(result) == [("postgresql.invalid_index", "warning")] * 2
    assert indexes(fresh_postgresql_database) == before


@pytest.mark.parametrize(
    "statement",
    [
        "REINDEX INDEX CONCURRENTLY orders_code",
        "REINDEX TABLE CONCURRENTLY orders",
        "CREATE INDEX CONCURRENTLY orders_code_ccnew ON orders (code)",
    ],
)
def test_what_is_being_built_is_left_alone(fresh_postgresql_database: Endpoint, statement: str) -> None:
    make_bloat(fresh_postgresql_database, keep=1)
    with building(fresh_postgresql_database, statement):
        building_now = validity(fresh_postgresql_database)
        result = reindex(fresh_postgresql_database)
        assert result["actions"] == []
        assert result["findings"] == []
        assert validity(fresh_postgresql_database) == building_now
        name = next(name for name, (_oid, usable) in building_now.items() if not usable)
        asked = reindex(fresh_postgresql_database, indexes=[name])
        assert [action["state"] for action in asked["actions"]] == ["skipped"]
        assert "builds an index" in asked["actions"][0]["detail"]
    assert invalid(fresh_postgresql_database) == [], "it was finished"


def test_an_invalid_index_is_made_valid_if_it_is_named(fresh_postgresql18_database: Endpoint) -> None:
    make_bloat(fresh_postgresql18_database, keep=1)
    with connect(fresh_postgresql18_database) as opened:
        opened.execute("UPDATE orders SET code = 'twice' WHERE id < 3")
        with pytest.raises(psycopg.errors.UniqueViolation):
            opened.execute("CREATE UNIQUE INDEX CONCURRENTLY orders_unique ON orders (code)")
    reported = reindex(fresh_postgresql18_database)
    assert reported["actions"] == []
    assert "Name it in indexes" in found(reported, "postgresql.invalid_index")["remedy"]
    failed = reindex(fresh_postgresql18_database, indexes=["orders_unique"])
    assert states(failed) == [("reindex", "public.orders_unique", "failed")]
    assert "remove the rows with equal keys" in failed["actions"][0]["detail"]
    assert "twice" not in str(failed), "values are personal data"
    assert invalid(fresh_postgresql18_database) == ["orders_unique"], "what the try left is gone"
    with connect(fresh_postgresql18_database) as opened:
        opened.execute("UPDATE orders SET code = 'once' WHERE id = 1")
    assert states(reindex(fresh_postgresql18_database, indexes=["orders_unique"])) == [
        ("reindex", "public.orders_unique", "done")
    ]
    assert invalid(fresh_postgresql18_database) == []
    assert not reindex(fresh_postgresql18_database, indexes=["orders_unique"])["changed"]


def test_an_old_transaction_is_waited_for_a_while_and_then_named(fresh_postgresql_database: Endpoint) -> None:
    make_bloat(fresh_postgresql_database)
    before = indexes(fresh_postgresql_database)
    with session(fresh_postgresql_database, "SET application_name = 'nightly'", OLD, "SELECT 1") as old:
        time.sleep(0.4)
        result = reindex(fresh_postgresql_database)
        pid = old.info.backend_pid
        assert [state for _kind, _subject, state in states(result)] == ["skipped"] * 3
        for action in result["actions"]:
            assert f"pid {pid}" in action["detail"]
            assert "application nightly), idle in transaction, open for" in action["detail"]
        assert not result["changed"]
        assert indexes(fresh_postgresql_database) == before
        threading.Timer(0.3, old.rollback).start()
        assert [state for _kind, _subject, state in states(reindex(fresh_postgresql_database))] == ["done"] * 3


@pytest.mark.parametrize("uses_table", [False, True])
def test_a_transaction_that_begins_just_before_breaks_the_rebuild_off_and_nothing_is_left(
    fresh_postgresql_database: Endpoint, uses_table: bool
) -> None:
    """It is too young to be waited for at first. A drop waits for those who use the table, so that comes later."""
    make_bloat(fresh_postgresql_database)
    use = "SELECT FROM orders LIMIT 1" if uses_table else "SELECT 1"
    with session(fresh_postgresql_database, OLD, use) as old:
        result = reindex(fresh_postgresql_database, indexes=["orders_code"], lock_timeout="0.7", retries=3)
        assert states(result) == [("reindex", "public.orders_code", "skipped")]
        assert f"pid {old.info.backend_pid}" in result["actions"][0]["detail"]
        left = invalid(fresh_postgresql_database)
        assert left == (["orders_code_ccnew"] if uses_table else [])
        if uses_table:
            assert "left as public.orders_code_ccnew" in result["actions"][0]["detail"]
    done = reindex(fresh_postgresql_database, indexes=["orders_code"])
    assert states(done)[-1] == ("reindex", "public.orders_code", "done")
    assert invalid(fresh_postgresql_database) == []


def test_a_reader_who_holds_up_only_the_end_leaves_the_old_index_for_the_next_run(
    fresh_postgresql_database: Endpoint,
) -> None:
    """Idle in a transaction, without a snapshot: the new index is in its place, the old one cannot be dropped yet."""
    make_bloat(fresh_postgresql_database)
    before = indexes(fresh_postgresql_database)
    with session(fresh_postgresql_database, "BEGIN", "SELECT FROM orders LIMIT 1"):
        result = reindex(fresh_postgresql_database, indexes=["orders_code"], lock_timeout="0.7")
    assert states(result) == [("reindex", "public.orders_code", "done")]
    assert "left as public.orders_code_ccold" in result["actions"][0]["detail"]
    assert pairs(result) == [("postgresql.invalid_index", "warning")]
    after = indexes(fresh_postgresql_database)
    assert after["orders_code_ccold"][0] == before["orders_code"][0]
    assert after["orders_code"][2] < before["orders_code"][2] / 2
    again = reindex(fresh_postgresql_database, indexes=["orders_code"])
    assert states(again) == [("drop_leftover", "public.orders_code_ccold", "done")]
    assert invalid(fresh_postgresql_database) == []


@pytest.mark.parametrize("mode", ["SHARE UPDATE EXCLUSIVE", "ACCESS EXCLUSIVE", "ROW EXCLUSIVE"])
def test_a_table_that_somebody_has_locked_is_skipped_and_nobody_waits_for_us(
    fresh_postgresql_database: Endpoint, mode: str
) -> None:
    make_bloat(fresh_postgresql_database)
    before = indexes(fresh_postgresql_database)
    statement = "SELECT FROM pg_class LIMIT 1" if mode == "ACCESS EXCLUSIVE" else "SELECT FROM orders LIMIT 1"
    with session(fresh_postgresql_database, "BEGIN", f"LOCK TABLE orders IN {mode} MODE") as holder:
        with probing(fresh_postgresql_database, statement) as probe:
            time.sleep(0.4)
            result = reindex(fresh_postgresql_database)
        assert probe.blocked < 0.6
        assert probe.errors == []
        if mode != "ACCESS EXCLUSIVE":  # then nothing can be read of it, and nothing is planned
            assert [state for _kind, _subject, state in states(result)] == ["skipped"] * 3
            assert f"pid {holder.info.backend_pid}" in result["actions"][0]["detail"]
        assert not result["changed"]
    assert indexes(fresh_postgresql_database) == before


def test_a_second_run_at_the_same_time_is_skipped(fresh_postgresql18_database: Endpoint) -> None:
    make_bloat(fresh_postgresql18_database)
    with session(fresh_postgresql18_database, OLD, "SELECT 1") as old:
        time.sleep(0.4)
        first: list[dict[str, Any]] = []
        thread = threading.Thread(
            target=lambda: first.append(reindex(fresh_postgresql18_database, wait_for_transactions="20s"))
        )
        thread.start()
        with connect(fresh_postgresql18_database) as opened:
            until(lambda: bool(opened.execute("SELECT FROM pg_locks WHERE locktype = 'advisory'").fetchall()))
        second = reindex(fresh_postgresql18_database)
        old.rollback()
        thread.join()
    assert [state for _kind, _subject, state in states(second)] == ["skipped"] * 3
    assert pairs(second) == [("postgresql.locked", "warning")]
    assert [state for _kind, _subject, state in states(first[0])] == ["done"] * 3


RUN = """
import json, sys
from tests.integration.postgresql_reindex import reindex
from tests.stack.endpoint import Endpoint
given = json.loads(sys.stdin.read())
reindex(Endpoint.from_json(given["endpoint"]), **given["options"])
"""


def test_killed_in_the_midst_of_a_rebuild_the_next_run_cleans_up_and_finishes(
    fresh_postgresql_database: Endpoint,
) -> None:
    make_bloat(fresh_postgresql_database)
    options = {**OPTIONS, "lock_timeout": "30s"}
    given = json.dumps({"endpoint": fresh_postgresql_database.to_json(), "options": options})
    paths = os.pathsep.join([str(ROOT), str(ROOT / ".collections")])
    with session(fresh_postgresql_database, OLD, "SELECT FROM orders LIMIT 1"):
        with subprocess.Popen(
            [sys.executable, "-c", RUN], stdin=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}
        ) as process:
            assert process.stdin
            process.stdin.write(given)
            process.stdin.close()
            until(lambda: bool(invalid(fresh_postgresql_database)))
            process.send_signal(signal.SIGKILL)
        with connect(fresh_postgresql_database) as opened:
            ours = "SELECT FROM pg_stat_activity WHERE application_name = 'upkeep' AND datname = current_database()"
            until(lambda: not opened.execute(ours).fetchall())
    assert invalid(fresh_postgresql_database) == ["orders_customer_ccnew"], "it was broken off by the server"
    done = reindex(fresh_postgresql_database)
    assert states(done)[0] == ("drop_leftover", "public.orders_customer_ccnew", "done")
    assert [state for _kind, _subject, state in states(done)] == ["done"] * 4
    assert invalid(fresh_postgresql_database) == []
    with connect(fresh_postgresql_database) as opened:
        vacuum(opened, "orders")
    assert not reindex(fresh_postgresql_database)["changed"]


def test_the_deadline_breaks_a_rebuild_off_in_time_to_clean_up(fresh_postgresql18_database: Endpoint) -> None:
    make_bloat(fresh_postgresql18_database)
    before = indexes(fresh_postgresql18_database)
    with session(fresh_postgresql18_database, OLD, "SELECT 1"):
        params = fresh_postgresql18_database.options(deadline="8s", lock_timeout="30s", min_size="50kB")
        result = run_module("postgresql_reindex", params)
    assert [state for _kind, _subject, state in states(result)] == ["skipped"] * 3
    assert "time limit" in result["actions"][0]["detail"]
    assert not result["changed"]
    assert indexes(fresh_postgresql18_database) == before, "nothing is left"


def test_an_index_that_is_dropped_while_it_waits_is_skipped(fresh_postgresql18_database: Endpoint) -> None:
    make_bloat(fresh_postgresql18_database)
    with session(fresh_postgresql18_database, OLD, "SELECT 1") as old:
        time.sleep(0.4)
        runs: list[dict[str, Any]] = []
        thread = threading.Thread(
            target=lambda: runs.append(
                reindex(fresh_postgresql18_database, indexes=["orders_code"], wait_for_transactions="20s")
            )
        )
        thread.start()
        with connect(fresh_postgresql18_database) as opened:
            until(lambda: bool(opened.execute("SELECT FROM pg_locks WHERE locktype = 'advisory'").fetchall()))
            time.sleep(0.5)
            opened.execute("DROP INDEX orders_code")
        old.rollback()
        thread.join()
    assert states(runs[0]) == [("reindex", "public.orders_code", "skipped")]
    assert "somebody has dropped it meanwhile" in runs[0]["actions"][0]["detail"]
    assert not runs[0]["changed"]
