# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_slow_log on servers of its own, for it changes a whole server: settings, rights, a restart."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import AccessDenied, InvalidInput, StoreError
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import run
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.slow_log.task import PostgresqlSlowLog
from tests.integration.health import context, ids
from tests.integration.postgresql_health import found
from tests.integration.postgresql_work import states
from tests.integration.running import run_module
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect
from tests.stack.servers.postgresql_standby import add_standby, wait_replayed
from tests.stack.stack import Stack

DEFAULTS: dict[str, Any] = {
    "state": "enabled",
    "slow_ms": 1000,
    "sample_ms": None,
    "sample_rate": None,
    "parameter_length": 0,
    "scope": "server",
    "role": None,
    "statements": True,
    "schema": "public",
}
ODD = "od'd\"; DROP ROLE x; --ü"


def slow_log(endpoint: Endpoint, check: bool = False, **options: Any) -> dict[str, Any]:
    """Run the module's task, whose option state is no memory."""
    task_context = context({**endpoint.options(connect_timeout="5s", lock_timeout="1s"), **DEFAULTS, **options})
    return run(PostgresqlSlowLog(task_context), task_context, check).as_dict()


@pytest.fixture(scope="module", params=["postgresql17", "postgresql18"])
def stack(request: pytest.FixtureRequest, make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """A server of this file's own."""
    with make_stack("slow-log", request.param) as started:
        yield started


@pytest.fixture
def server(stack: Stack) -> Iterator[Endpoint]:
    """The server as it was made, in an empty database of its own."""
    (base,) = stack.endpoints.values()
    name = f"slow_{secrets.token_hex(4)}"
    with connect(base) as session:
        session.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    yield base.with_database(name)
    with connect(base) as session:
        session.execute("ALTER SYSTEM RESET ALL")
        session.execute("SELECT pg_reload_conf()")
        session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    until(lambda: value(base, "log_min_duration_statement") == "-1")


@pytest.fixture
def someone(server: Endpoint) -> Iterator[Endpoint]:
    """The same server through a user without rights."""
    name, password = f"someone_{secrets.token_hex(4)}", secrets.token_urlsafe(12)
    role = sql.Identifier(name)
    with connect(server) as session:
        session.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
    endpoint = Endpoint(**{**server.to_json(), "user": name, "password": password, "ports": ()})
    yield endpoint
    with connect(server) as session:
        session.execute(sql.SQL("DROP OWNED BY {}").format(role))
        session.execute("ALTER SYSTEM RESET ALL")
        session.execute(sql.SQL("DROP ROLE {}").format(role))


def value(endpoint: Endpoint, name: str) -> str:
    """A setting as a new session has it."""
    with connect(endpoint) as session:
        (found,) = session.execute("SELECT setting FROM pg_settings WHERE name = %s", [name]).fetchone() or ("absent",)
    return str(found)


def auto_file(endpoint: Endpoint) -> str:
    """What ALTER SYSTEM has written."""
    with connect(endpoint) as session:
        (text,) = session.execute("SELECT pg_read_file('postgresql.auto.conf')").fetchone() or ("",)
    return str(text)


def undo(endpoint: Endpoint, result: dict[str, Any]) -> None:
    """Run what the actions say would bring the former state back, the last one first."""
    with connect(endpoint) as session:
        for action in reversed(result["actions"]):
            for statement in filter(None, action["undo"].split("; ")):
                session.execute(statement.encode())


def test_check_run_and_again(server: Endpoint) -> None:
    before = auto_file(server)
    planned = slow_log(server, check=True, slow_ms=250)
    assert states(planned) == [
        ("set", "log_min_duration_statement", "planned"),
        ("set", "log_parameter_max_length", "planned"),
        ("reload", "configuration", "planned"),
        ("create", "extension pg_stat_statements", "planned"),
    ]
    assert auto_file(server) == before
    assert value(server, "log_min_duration_statement") == "-1"
    done = slow_log(server, slow_ms=250)
    assert [(a["kind"], a["subject"], a["reason"], a["statement"]) for a in done["actions"]] == [
        (a["kind"], a["subject"], a["reason"], a["statement"]) for a in planned["actions"]
    ]
    assert {action["state"] for action in done["actions"]} == {"done"}
    assert done["findings"] == []
    assert value(server, "log_min_duration_statement") == "250"
    assert value(server, "log_parameter_max_length") == "0"
    again = slow_log(server, slow_ms=250)
    assert (again["changed"], again["actions"], again["findings"]) == (False, [], [])
    undo(server, done)
    until(lambda: value(server, "log_min_duration_statement") == "-1")
    assert states(slow_log(server, check=True, slow_ms=250)) == states(planned)


def test_slow_statements_are_in_the_log_without_their_parameters(stack: Stack, server: Endpoint) -> None:
    slow_log(server, slow_ms=0)
    (member,) = stack.status()
    log = Path(member.log)
    with psycopg.connect(server.uri) as session:
        session.execute("SELECT %s::text AS mark", ["Zq7-parameter"])
    until(lambda: "AS mark" in log.read_text(encoding="utf-8", errors="replace"))
    assert "Zq7-parameter" not in log.read_text(encoding="utf-8", errors="replace")


def test_undo_brings_a_former_value_back(server: Endpoint) -> None:
    slow_log(server, slow_ms=700)
    done = slow_log(server, slow_ms=300)
    assert states(done) == [("set", "log_min_duration_statement", "done"), ("reload", "configuration", "done")]
    undo(server, done)
    until(lambda: value(server, "log_min_duration_statement") == "700")


def test_a_value_written_otherwise_is_the_same_value(server: Endpoint) -> None:
    with connect(server) as session:
        session.execute("ALTER SYSTEM SET log_min_duration_statement = '1s'")
        session.execute("SELECT pg_reload_conf()")
    assert "log_min_duration_statement" not in str(states(slow_log(server, slow_ms=1000)))


def test_disabled_and_a_sample(server: Endpoint) -> None:
    slow_log(server, slow_ms=500, sample_ms=50, sample_rate=0.25)
    assert (value(server, "log_min_duration_sample"), value(server, "log_statement_sample_rate")) == ("50", "0.25")
    assert not slow_log(server, slow_ms=500, sample_ms=50, sample_rate=0.25)["changed"]
    assert not slow_log(server, slow_ms=500)["changed"], "a sample that is not asked about stays"
    assert slow_log(server, state="disabled")["changed"]
    assert value(server, "log_min_duration_statement") == value(server, "log_min_duration_sample") == "-1"
    assert not slow_log(server, state="disabled")["changed"]


def test_a_run_that_died_before_the_reload_is_finished_by_the_next(server: Endpoint) -> None:
    with connect(server) as session:
        session.execute("ALTER SYSTEM SET log_min_duration_statement = 321")
        session.execute("ALTER SYSTEM SET log_parameter_max_length = 0")
        session.execute("CREATE EXTENSION pg_stat_statements")
    assert value(server, "log_min_duration_statement") == "-1"
    assert states(slow_log(server, slow_ms=321)) == [("reload", "configuration", "done")]
    assert value(server, "log_min_duration_statement") == "321"


def test_settings_that_hold_recording_back(server: Endpoint) -> None:
    with connect(server) as session:
        session.execute("ALTER SYSTEM SET compute_query_id = off")
        session.execute("ALTER SYSTEM SET pg_stat_statements.track = none")
        session.execute("SELECT pg_reload_conf()")
    until(lambda: value(server, "compute_query_id") == "off")
    assert slow_log(server)["status"] == "ok"
    assert (value(server, "compute_query_id"), value(server, "pg_stat_statements.track")) == ("auto", "top")
    assert not slow_log(server)["changed"]


@pytest.mark.parametrize("former", ["", "auto_explain", '"$libdir/auto_explain", passwordcheck'])
def test_the_library_comes_with_the_next_start(make_stack: Callable[..., Stack], former: str) -> None:
    with make_stack("slow-log-start", "postgresql18") as stack:
        (server,) = stack.endpoints.values()
        _without_library(stack, former)
        assert value(server, "shared_preload_libraries") == former
        planned = slow_log(server, check=True)
        done = slow_log(server)
        for result in (planned, done):
            assert ("set", "shared_preload_libraries") in [(a["kind"], a["subject"]) for a in result["actions"]]
            assert ids(result) == {"postgresql.restart_required": "warning"}
        again = slow_log(server)
        assert (again["changed"], ids(again)) == (False, {"postgresql.restart_required": "warning"})
        with connect(server) as session, pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            session.execute("SELECT * FROM pg_stat_statements")
        stack.stop("postgresql18")
        stack.start("postgresql18")
        assert slow_log(server)["findings"] == []
        with connect(server) as session:
            session.execute("SELECT 'recorded' AS here")
            texts = session.execute("SELECT query FROM pg_stat_statements WHERE query LIKE '%AS here%'").fetchall()
            assert ("SELECT $1 AS here",) in texts
            loaded = value(server, "shared_preload_libraries")
            assert loaded.endswith("pg_stat_statements")
            assert former.replace('"', "") in loaded.replace('"', "")
        undo(server, done)
        stack.stop("postgresql18")
        stack.start("postgresql18")
        assert value(server, "shared_preload_libraries").replace('"', "") == former.replace('"', "")


def _without_library(stack: Stack, libraries: str) -> None:
    """Restart the server without pg_stat_statements."""
    (member,) = stack.status()
    with (Path(member.folder) / "postgresql.conf").open("a", encoding="utf-8") as handle:
        handle.write(f"\nshared_preload_libraries = '{libraries}'\n")
    stack.stop(member.name)
    stack.start(member.name)


def test_a_change_of_libraries_that_waits_is_kept(make_stack: Callable[..., Stack]) -> None:
    with make_stack("slow-log-pending", "postgresql17") as stack:
        (server,) = stack.endpoints.values()
        _without_library(stack, "")
        with connect(server) as session:
            session.execute("ALTER SYSTEM SET shared_preload_libraries = 'auto_explain'")
        done = slow_log(server)
        assert "shared_preload_libraries = 'auto_explain, pg_stat_statements'" in auto_file(server)
        undo(server, done)
        assert "shared_preload_libraries = 'auto_explain'" in auto_file(server)


@pytest.mark.parametrize("scope", ["database", "role"])
def test_a_database_or_role(server: Endpoint, someone: Endpoint, scope: str) -> None:
    role = {"role": someone.user} if scope == "role" else {}
    options = {"scope": scope, "slow_ms": 77, "statements": False, **role}
    planned = slow_log(server, check=True, **options)
    done = slow_log(server, **options)
    assert [(a["subject"], a["statement"]) for a in done["actions"]] == [
        (a["subject"], a["statement"]) for a in planned["actions"]
    ]
    assert {action["state"] for action in done["actions"]} == {"done"}
    assert value(someone, "log_min_duration_statement") == "77"
    assert "log_min_duration_statement" not in auto_file(server)
    assert not slow_log(server, **options)["changed"]
    second = slow_log(server, **{**options, "slow_ms": 88})
    assert value(someone, "log_min_duration_statement") == "88"
    undo(server, second)
    assert value(someone, "log_min_duration_statement") == "77"
    off = slow_log(server, **{**options, "state": "disabled"})
    assert off["changed"]
    assert value(someone, "log_min_duration_statement") == "-1"
    undo(server, off)
    undo(server, done)
    assert value(someone, "log_min_duration_statement") == "-1"
    assert not slow_log(server, **{**options, "state": "disabled"})["changed"]


def test_values_above_ours_are_said(server: Endpoint, someone: Endpoint) -> None:
    with connect(server) as session:
        role, database = sql.Identifier(str(someone.user)), sql.Identifier(server.database)
        session.execute(
            sql.SQL("ALTER ROLE {} IN DATABASE {} SET log_min_duration_statement = -1").format(role, database)
        )
    message = found(slow_log(server), "postgresql.setting_overridden")["message"]
    assert f"role {someone.user} in database {server.database} has -1" in message
    result = slow_log(server, scope="role", role=someone.user, statements=False)
    assert ids(result) == {"postgresql.setting_overridden": "warning"}
    with connect(server) as session:
        session.execute(
            sql.SQL("ALTER ROLE {} IN DATABASE {} SET log_min_duration_statement = 5").format(role, database)
        )
    assert slow_log(server)["findings"] == [], "it logs more than is wanted, on purpose"
    assert ids(slow_log(server, state="disabled")) == {"postgresql.setting_overridden": "warning"}


def test_our_own_users_value_does_not_hide_the_servers(server: Endpoint) -> None:
    user = sql.Identifier(str(server.user))
    with connect(server) as session:
        session.execute(sql.SQL("ALTER ROLE {} SET log_min_duration_statement = 5").format(user))
    try:
        assert slow_log(server, slow_ms=600)["changed"]
        assert not slow_log(server, slow_ms=600)["changed"]
    finally:
        with connect(server) as session:
            session.execute(sql.SQL("ALTER ROLE {} RESET log_min_duration_statement").format(user))
    assert value(server, "log_min_duration_statement") == "600"


def test_missing_rights_are_said_and_nothing_is_done(server: Endpoint, someone: Endpoint) -> None:
    before = auto_file(server)
    result = slow_log(someone, statements=False)
    assert (result["actions"], ids(result)) == ([], {"postgresql.access_denied": "critical"})
    assert "parameter group" in str(result["findings"])
    assert auto_file(server) == before
    part = slow_log(someone, scope="database", statements=False)
    assert {action["state"] for action in part["actions"]} == {"failed"}
    assert "must be owner" in part["actions"][0]["detail"]
    unseen = slow_log(someone)
    assert ("create", "extension pg_stat_statements", "failed") in states(unseen)


def test_a_user_with_just_the_rights_it_takes(server: Endpoint, someone: Endpoint) -> None:
    with connect(server) as session:
        session.execute("CREATE EXTENSION pg_stat_statements")
        role = sql.Identifier(str(someone.user))
        for right in (
            "ALTER SYSTEM ON PARAMETER log_min_duration_statement, log_parameter_max_length",
            "EXECUTE ON FUNCTION pg_reload_conf()",
        ):
            session.execute(sql.SQL("GRANT {} TO {}").format(sql.SQL(right), role))
        session.execute(sql.SQL("GRANT pg_read_all_settings TO {}").format(role))
    try:
        done = slow_log(someone, slow_ms=450)
        assert {action["state"] for action in done["actions"]} == {"done"}
        assert done["findings"] == []
        assert value(server, "log_min_duration_statement") == "450"
        assert not slow_log(someone, slow_ms=450)["changed"]
    finally:
        with connect(server) as session:
            session.execute(sql.SQL("REVOKE pg_read_all_settings FROM {}").format(role))


def test_alter_system_that_is_switched_off(server: Endpoint, stack: Stack) -> None:
    (member,) = stack.status()
    conf = Path(member.folder) / "postgresql.conf"
    text = conf.read_text(encoding="utf-8")
    conf.write_text(f"{text}\nallow_alter_system = off\n", encoding="utf-8")
    try:
        with connect(server) as session:
            session.execute("SELECT pg_reload_conf()")
        until(lambda: value(server, "allow_alter_system") == "off")
        result = slow_log(server, statements=False)
        assert (result["actions"], ids(result)) == ([], {"postgresql.access_denied": "critical"})
    finally:
        conf.write_text(text, encoding="utf-8")
        with connect(server) as session:
            session.execute("SELECT pg_reload_conf()")
    until(lambda: value(server, "allow_alter_system") == "on")


def test_files_with_errors_are_said(server: Endpoint, stack: Stack) -> None:
    (member,) = stack.status()
    conf = Path(member.folder) / "postgresql.conf"
    text = conf.read_text(encoding="utf-8")
    conf.write_text(f"{text}\nno_such_setting = 1\n", encoding="utf-8")
    try:
        result = slow_log(server, slow_ms=111, statements=False)
        assert ids(result)["postgresql.configuration_error"] == "warning"
        assert ids(result)["postgresql.unproved"] == "critical", "such a reload changes nothing"
        assert value(server, "log_min_duration_statement") == "-1"
    finally:
        conf.write_text(text, encoding="utf-8")
    assert slow_log(server, slow_ms=111, statements=False)["findings"] == []
    assert value(server, "log_min_duration_statement") == "111"


def test_names_of_any_kind(server: Endpoint) -> None:
    with connect(server) as session:
        session.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(ODD)))
        session.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(ODD)))
    try:
        done = slow_log(server, scope="role", role=ODD, schema=ODD, slow_ms=5)
        assert {action["state"] for action in done["actions"]} == {"done"}
        assert not slow_log(server, scope="role", role=ODD, schema=ODD, slow_ms=5)["changed"]
        with connect(server) as session:
            (schema,) = session.execute(
                "SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace"
                " WHERE extname = 'pg_stat_statements'"
            ).fetchone() or ("",)
        assert schema == ODD
        undo_first = [action["undo"] for action in done["actions"]]
        assert all(undo_first)
    finally:
        with connect(server) as session:
            session.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(ODD)))


@pytest.mark.parametrize(
    "options",
    [
        {"slow_ms": -1},
        {"role": "api"},
        {"slow_ms": 2**31},
        {"parameter_length": -2},
        {"sample_ms": 5, "sample_rate": 1.5},
        {"sample_ms": -5, "sample_rate": 1.0},
        {"scope": "role", "role": "no such role'; --"},
        {"scope": "role", "role": "x" * 64},
        {"schema": "é" * 32},
        {"schema": "nul\0"},
    ],
)
def test_wrong_options_are_refused(server: Endpoint, options: dict[str, Any]) -> None:
    before = auto_file(server)
    with pytest.raises(InvalidInput):
        slow_log(server, **options)
    assert auto_file(server) == before


def test_a_schema_that_is_not_there(server: Endpoint) -> None:
    result = slow_log(server, schema="nowhere'; --", check=True)
    assert ids(result) == {"postgresql.schema_missing": "critical"}


def test_a_standby_has_a_configuration_of_its_own(make_stack: Callable[..., Stack]) -> None:
    with make_stack("slow-log-standby", "postgresql18") as stack:
        (primary,) = stack.endpoints.values()
        standby = add_standby(stack, "postgresql18", "copy")
        result = slow_log(standby, slow_ms=640)
        assert ids(result) == {"postgresql.standby": "critical"}, "the extension comes from the primary"
        assert value(standby, "log_min_duration_statement") == "640"
        assert value(primary, "log_min_duration_statement") == "-1"
        slow_log(primary, slow_ms=640)
        wait_replayed(primary, standby)
        assert slow_log(standby, slow_ms=640)["findings"] == []
        part = slow_log(standby, scope="database")
        assert (part["actions"], ids(part)) == ([], {"postgresql.standby": "critical"})


def test_a_server_that_is_down(dead_port: tuple[str, int], server: Endpoint) -> None:
    host, port = dead_port
    with pytest.raises(StoreError):
        slow_log(Endpoint(**{**server.to_json(), "host": host, "port": port, "ports": ()}))
    assert AccessDenied.condition == "access_denied"


def test_the_module_as_ansible_runs_it(server: Endpoint) -> None:
    planned = run_module("postgresql_slow_log", server.options(slow_ms=400), check=True)
    assert planned["changed"]
    assert value(server, "log_min_duration_statement") == "-1"
    done = run_module("postgresql_slow_log", server.options(slow_ms=400))
    assert (done["outcome"], done["status"]) == ("ok", "ok")
    assert value(server, "log_min_duration_statement") == "400"
    again = run_module("postgresql_slow_log", server.options(slow_ms=400))
    assert not again["changed"]
    wrong = run_module("postgresql_slow_log", server.options(scope="role"))
    assert wrong["outcome"] == "failed"
