# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_index: what stands in its way, being killed, two runs at once, and names that would break out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from tests.integration.postgresql_audit import Audit
from tests.integration.postgresql_health import session
from tests.integration.postgresql_work import states
from tests.integration.probe import probing
from tests.integration.running import ROOT, run_module
from tests.integration.test_postgresql_index import TABLE, definitions, work
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

OLD = "BEGIN ISOLATION LEVEL REPEATABLE READ"
DECLARED: dict[str, Any] = {"name": "x", "table": "t", "columns": ["email"], "where": "id > 5"}
RUN = """
import json, sys
from pathlib import Path
from tests.integration.test_postgresql_index import work
from tests.stack.endpoint import Endpoint
given = json.loads(sys.stdin.read())
state = given["options"].pop("state", None)
work(Endpoint.from_json(given["endpoint"]), *given["indexes"], state=state and Path(state), **given["options"])
"""


@pytest.fixture
def database(fresh_postgresql_database: Endpoint) -> Endpoint:
    with session(fresh_postgresql_database, TABLE):
        return fresh_postgresql_database


def killed(endpoint: Endpoint, *indexes: dict[str, Any], **options: Any) -> None:
    """Start the module in a process of its own, and kill that as soon as the index is begun."""
    given = {"endpoint": endpoint.to_json(), "indexes": indexes, "options": {"lock_timeout": "30s", **options}}
    paths = os.pathsep.join([str(ROOT), str(ROOT / ".collections")])
    environment = {**os.environ, "PYTHONPATH": paths}
    with subprocess.Popen([sys.executable, "-c", RUN], stdin=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdin
        process.stdin.write(json.dumps(given))
        process.stdin.close()
        until(lambda: any(not valid for _text, valid in definitions(endpoint).values()))
        process.send_signal(signal.SIGKILL)
    with connect(endpoint) as opened:
        ours = "SELECT FROM pg_stat_activity WHERE application_name = 'upkeep' AND datname = current_database()"
        until(lambda: not opened.execute(ours).fetchall())


def test_killed_in_the_midst_of_a_build_the_next_run_repairs_it(database: Endpoint) -> None:
    with session(database, OLD, "SELECT FROM t LIMIT 1"):
        killed(database, DECLARED)
    assert definitions(database)["x"][1] is False
    done = work(database, DECLARED)
    assert states(done) == [("create_index", "index public.x", "done")]
    assert "the rest of a build" in done["actions"][0]["reason"]
    assert definitions(database)["x"][1] is True
    assert not work(database, DECLARED)["changed"]


def test_killed_in_the_midst_of_a_drop_the_next_run_finishes_it(database: Endpoint) -> None:
    gone = {**DECLARED, "state": "absent"}
    work(database, DECLARED)
    with session(database, OLD, "SELECT FROM t WHERE id > 5"):
        killed(database, gone)
    assert definitions(database)["x"][1] is False
    assert states(work(database, gone)) == [("drop_index", "index public.x", "done")]
    assert "x" not in definitions(database)


def test_killed_in_the_midst_of_dropping_an_unused_one_the_next_run_finishes_it(
    database: Endpoint, tmp_path: Path
) -> None:
    options = {"unused": "drop", "unused_after": "1s", "min_size": "0"}
    state = tmp_path / "state"
    with session(database, "CREATE INDEX unused ON t (email)"):
        work(database, state=state, **options)
        time.sleep(1.2)
    with session(database, OLD, "SELECT FROM t WHERE id > 5"):
        killed(database, state=str(state), **options)
    assert definitions(database)["unused"][1] is False
    assert work(database, unused="report", state=state)["actions"] == []
    done = work(database, state=state, **options)
    assert states(done) == [("drop_index", "index public.unused", "done")]
    assert "an earlier run began to drop it" in done["actions"][0]["reason"]
    assert set(definitions(database)) == {"t_pkey"}
    with pytest.raises(psycopg.errors.UniqueViolation), session(database, "INSERT INTO t VALUES (0, 'u1')") as opened:
        opened.execute("CREATE UNIQUE INDEX CONCURRENTLY carcass ON t (email)")
    assert work(database, state=state, **options)["actions"] == [], "a build that failed is not ours to drop"


def test_killed_in_the_midst_of_the_partitions(fresh_postgresql_database: Endpoint) -> None:
    database = fresh_postgresql_database
    partitions = [f"CREATE TABLE p{n} PARTITION OF t FOR VALUES IN ({n})" for n in range(3)]
    with session(database, "CREATE TABLE t (id int, email text) PARTITION BY LIST (id)", *partitions):
        pass
    declared = {**DECLARED, "where": None}
    with session(database, OLD, "SELECT FROM p0 LIMIT 1"):
        given_up = work(database, declared, lock_timeout="0.3")
        assert states(given_up)[0] == ("create_index", "index public.x", "done")
        assert {state for _kind, _subject, state in states(given_up)[1:]} == {"skipped"}
    done = work(database, declared)
    assert states(done) == [("create_index", f"index public.x_p{n}", "done") for n in range(3)]
    assert all(valid for _text, valid in definitions(database).values())
    assert not work(database, declared)["changed"]


def test_an_old_transaction_is_said_and_leaves_no_carcass(database: Endpoint) -> None:
    with session(database, "CREATE TABLE other ()", OLD, "SELECT FROM other") as old:
        with probing(database, "UPDATE t SET status = 'closed' WHERE id = 7") as probe:
            old.execute("SELECT pg_sleep(0.5)")
            result = work(database, DECLARED, lock_timeout="0.3")
        ((_kind, _subject, state),) = states(result)
        assert state == "skipped"
        assert f"pid {old.info.backend_pid} " in result["actions"][0]["detail"]
        assert not result["changed"]
        assert set(definitions(database)) == {"t_pkey"}
    assert probe.errors == []
    assert probe.blocked < 0.3 + 0.5


@pytest.mark.parametrize("mode", ["ACCESS EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "ROW EXCLUSIVE"])
def test_a_locked_table_is_left_for_the_next_run(database: Endpoint, mode: str) -> None:
    work(database, {**DECLARED, "name": "old"})
    declared = {"name": "x", "table": "t", "columns": ["(lower(email))"]}
    gone = {**DECLARED, "name": "old", "state": "absent"}
    with session(database, "BEGIN", f"LOCK TABLE t IN {mode} MODE", "SELECT pg_sleep(0.4)"):
        result = work(database, declared, gone, lock_timeout="0.3")
        audit = Audit(database).run("indexes", "missing_indexes")
    assert [state for _kind, _subject, state in states(result)] == ["skipped", "skipped"], result["actions"]
    assert [finding["id"] for finding in audit["findings"]] == []
    assert set(definitions(database)) == {"t_pkey", "old"}
    assert [state for _kind, _subject, state in states(work(database, declared, gone))] == ["done", "done"]


def test_two_runs_at_once(database: Endpoint) -> None:
    first: list[dict[str, Any]] = []
    with session(database, OLD, "SELECT FROM t LIMIT 1") as old:
        thread = threading.Thread(target=lambda: first.append(work(database, DECLARED, lock_timeout="30s")))
        thread.start()
        until(lambda: "x" in definitions(database))
        second = work(database, {**DECLARED, "name": "y", "columns": ["status"]}, DECLARED)
        old.rollback()
        thread.join()
    assert states(first[0]) == [("create_index", "index public.x", "done")]
    assert [state for _kind, _subject, state in states(second)] == ["skipped", "skipped"]
    assert [finding["id"] for finding in second["findings"]] == ["postgresql.locked"]
    assert "is building it just now" in second["actions"][1]["detail"]
    assert set(definitions(database)) == {"t_pkey", "x"}


ODD = ('a"b', "a'b", "a; DROP TABLE t; --", "a/*b*/", "täble名", "a%sb", "a{b}", "a\\b", "x" * 63)


@pytest.mark.parametrize("name", ODD)
def test_odd_names_of_tables_columns_and_indexes(fresh_postgresql_database: Endpoint, name: str) -> None:
    database = fresh_postgresql_database
    with connect(database) as opened:
        named = sql.Identifier(name)
        opened.execute(sql.SQL("CREATE TABLE t (id int); CREATE SCHEMA {0}").format(named))
        opened.execute(sql.SQL("CREATE TABLE {0}.{0} ({0} text) PARTITION BY LIST ({0})").format(named))
        opened.execute(sql.SQL("CREATE TABLE {0}.p PARTITION OF {0}.{0} DEFAULT").format(named))
        quoted = named.as_string(opened)
        index = sql.Identifier(f"i{name}"[:63]).as_string(opened)
    declared = {
        "name": index,
        "table": f"{quoted}.{quoted}",
        "columns": [quoted, {"expression": f"lower({quoted})"}],
        "where": f"{quoted} <> ';--'",
    }
    assert {state for _kind, _subject, state in states(work(database, declared))} == {"done"}
    again = work(database, declared)
    assert (again["changed"], again["findings"]) == (False, [])
    assert states(work(database, {**declared, "state": "absent"}))[0][2] == "done"
    with connect(database) as opened:
        assert opened.execute("SELECT count(*) FROM pg_class WHERE relname = 't'").fetchone() == (1,)
        opened.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(named))


EVIL = (
    "id); DROP TABLE t; --",
    "id > 5; DROP TABLE t",
    "id > 5) WHERE (true",
    "id > 5 -- ) \n; DROP TABLE t",
    "id > 5 /* ",
    "'id",
    '"id',
    "$a$ id",
    "id > $1",
    "id > 5), (SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
    "(SELECT count(*) FROM t) > 5",
    "x" * 100_000,
    "",
    "\0",
)


@pytest.mark.parametrize("text", EVIL)
@pytest.mark.parametrize("place", ["where", "expression"])
def test_sql_that_would_break_out(fresh_postgresql18_database: Endpoint, place: str, text: str) -> None:
    declared: dict[str, Any] = {"name": "x", "table": "t", "columns": ["id"], "where": text}
    if place == "expression":
        declared = {"name": "x", "table": "t", "columns": [{"expression": text}]}
    with session(fresh_postgresql18_database, TABLE) as opened:
        try:
            result = work(fresh_postgresql18_database, declared)
        except InvalidInput:
            result = {"actions": [{"state": "failed"}]}
        assert [action["state"] for action in result["actions"]] == ["failed"]
        assert opened.execute("SELECT count(*) FROM t").fetchone() == (200,)
    assert set(definitions(fresh_postgresql18_database)) == {"t_pkey"}


WORDS = {
    "name": 'x"; DROP TABLE t; --',
    "table": "t; DROP TABLE t",
    "method": "btree (id); DROP TABLE t; --",
    "columns": ["id); DROP TABLE t; --"],
    "include": ["id); DROP TABLE t; --"],
    "opclass": [{"name": "id", "opclass": "int4_ops); DROP TABLE t; --"}],
    "collation": [{"name": "email", "collation": 'C"); DROP TABLE t; --'}],
    "order": [{"name": "id", "order": "desc); DROP TABLE t; --"}],
    "nulls": [{"name": "id", "nulls": "first); DROP TABLE t; --"}],
}


@pytest.mark.parametrize("option", WORDS)
def test_words_that_would_break_out(fresh_postgresql18_database: Endpoint, option: str) -> None:
    key = option if option in ("name", "table", "method", "columns", "include") else "columns"
    declared = {"name": "x", "table": "t", "columns": ["id"], key: WORDS[option]}
    with session(fresh_postgresql18_database, TABLE), pytest.raises(InvalidInput):
        work(fresh_postgresql18_database, declared)
    assert set(definitions(fresh_postgresql18_database)) == {"t_pkey"}


def test_as_ansible_runs_it(database: Endpoint) -> None:
    params = database.options(indexes=[{**DECLARED, "unique": "yes"}], unused="report")
    planned = run_module("postgresql_index", params, check=True)
    assert planned["changed"]
    assert "x" not in definitions(database)
    assert run_module("postgresql_index", params)["changed"]
    again = run_module("postgresql_index", params)
    assert (again["changed"], again["status"]) == (False, "ok")
    wrong = run_module("postgresql_index", {**params, "indexes": [{"name": "x"}]})
    assert wrong["outcome"] == "failed"
    assert str(database.password) not in again["output"] + wrong["output"]
