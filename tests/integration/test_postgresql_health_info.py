# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_health_info as Ansible runs it: order of runs, faults, rights and secrets."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.integration.health import pairs
from tests.integration.running import run_module
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect
from tests.stack.stack import Stack

MODULE = "postgresql_health_info"
PASSWORD = "pa ss/wörd'%40\"x"


def no_secret(result: dict[str, Any], secret: str) -> None:
    assert secret not in str(result)
    assert "Traceback" not in result["output"]


@pytest.fixture
def role(postgresql18: Endpoint) -> Iterator[Callable[..., Endpoint]]:
    """A function that makes a user with the options given; it is dropped after the test."""
    made: list[sql.Identifier] = []

    def make(options: str = "LOGIN", database: str | None = None) -> Endpoint:
        name = f"test_role_{len(made)}"
        with connect(postgresql18) as session:
            session.execute(
                sql.SQL("CREATE ROLE {} PASSWORD {} {}").format(
                    sql.Identifier(name), sql.Literal(PASSWORD), sql.SQL(options)
                )
            )
        made.append(sql.Identifier(name))
        return Endpoint(
            "postgresql",
            postgresql18.host,
            postgresql18.port,
            name,
            PASSWORD,
            database or postgresql18.database,
        )

    yield make
    with connect(postgresql18) as session:
        for name in made:
            session.execute(sql.SQL("DROP ROLE {}").format(name))


def sessions(endpoint: Endpoint) -> int:
    """How many sessions of the endpoint's database there have been, by the server's own count."""
    with connect(endpoint.with_database("postgres")) as session:
        row = session.execute(
            "SELECT sessions FROM pg_stat_database WHERE datname = %s", (endpoint.database,)
        ).fetchone()
    assert row
    return int(str(row[0]))


def settled_sessions(endpoint: Endpoint, least: int) -> int:
    """The count once it has reached ``least``: a session is counted when it has ended."""
    for _attempt in range(100):
        count = sessions(endpoint)
        if count >= least:
            return count
        time.sleep(0.05)
    return sessions(endpoint)


def test_check_mode_real_run_and_second_run(fresh_postgresql_database: Endpoint, tmp_path: Path) -> None:
    endpoint, state = fresh_postgresql_database, tmp_path / "state"
    parameters = endpoint.as_monitor().options(state=str(state))
    before = settled_sessions(endpoint, 0)

    planned = run_module(MODULE, parameters, check=True)
    assert planned["outcome"] == "ok"
    assert planned["changed"] is False
    assert not state.exists() or not [path for path in state.rglob("*") if path.is_file()]
    assert settled_sessions(endpoint, before + 1) == before + 1, "one connection for all checks"

    first = run_module(MODULE, parameters)
    assert first["findings"] == []
    assert first["status"] == "ok"
    assert first["changed"] is False
    assert first["server"]["role"] == "primary"
    assert first["server"]["database"] == endpoint.database
    assert first["metrics"]["postgresql_up"] == 1
    assert "postgresql_cache_hit_percent" not in first["metrics"]

    second = run_module(MODULE, parameters)
    assert second["changed"] is False
    assert second["findings"] == []
    assert second["metrics"]["postgresql_cache_hit_percent"] > 0
    assert settled_sessions(endpoint, before + 3) == before + 3


def test_a_uri_from_which_the_password_is_kept_out(postgresql18: Endpoint) -> None:
    uri = f"postgresql://{postgresql18.host}:{postgresql18.port}/postgres"
    result = run_module(
        MODULE,
        {"uri": uri, "login_user": postgresql18.user, "checks": ["availability"]},
        env={"PGPASSWORD": str(postgresql18.password)},
        verbosity=3,
    )
    assert result["status"] == "ok"
    assert result["server"]["version"].startswith("18.")
    no_secret(result, str(postgresql18.password))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"thresholds": {"connection_percent": 5}}, "connections_percent"),
        ({"thresholds": {"latency_milliseconds": {"warning": 9, "critical": 1}}}, "before the critical"),
        ({"checks": ["everything"]}, "availability"),
        ({"connect_timeout": "soon"}, "30s"),
    ],
)
def test_wrong_options_fail_with_what_is_right(postgresql18: Endpoint, options: dict[str, Any], words: str) -> None:
    result = run_module(MODULE, postgresql18.options(**options))
    assert result["outcome"] == "failed"
    assert words in result["msg"]
    no_secret(result, str(postgresql18.password))


def test_a_uri_that_is_none_does_not_show_its_password() -> None:
    result = run_module(MODULE, {"uri": "postgresql://someone:s3cr3t-pa/ss@db:70:80/x"}, verbosity=3)
    assert result["outcome"] == "failed"
    assert "postgresql://user@host" in result["msg"]
    no_secret(result, "s3cr3t-pa")


def test_nobody_listens(dead_port: tuple[str, int]) -> None:
    result = run_module(MODULE, {"login_host": dead_port[0], "login_port": dead_port[1], "login_password": PASSWORD})
    assert result["outcome"] == "ok", "a store that is down is a finding and no failed task"
    assert pairs(result) == [("postgresql.unreachable", "critical")]
    assert result["metrics"] == {"postgresql_up": 0}
    assert "refused" in result["findings"][0]["message"]
    no_secret(result, PASSWORD)


def test_a_name_that_there_is_not() -> None:
    result = run_module(MODULE, {"login_host": "nowhere.invalid", "connect_timeout": "20s"})
    assert pairs(result) == [("postgresql.unreachable", "critical")]


def test_a_socket_that_is_accepted_and_never_answers(hanging_socket: tuple[str, int]) -> None:
    parameters = {"login_host": hanging_socket[0], "login_port": hanging_socket[1], "login_password": PASSWORD}
    result = run_module(MODULE, {**parameters, "connect_timeout": "0.5"}, timeout=30)
    assert pairs(result) == [("postgresql.timeout", "critical")]
    assert "500ms" in result["findings"][0]["message"]
    no_secret(result, PASSWORD)


def test_a_wrong_password(role: Callable[..., Endpoint]) -> None:
    wrong = "never-" + PASSWORD
    result = run_module(MODULE, role().options(login_password=wrong), verbosity=3)
    assert pairs(result) == [("postgresql.authentication", "critical")]
    assert "pg_hba.conf" in result["findings"][0]["remedy"]
    no_secret(result, wrong)


def test_a_role_that_may_not_log_in_or_has_no_connection_left(role: Callable[..., Endpoint]) -> None:
    assert pairs(run_module(MODULE, role("NOLOGIN").options())) == [("postgresql.authentication", "critical")]
    alone = role("LOGIN CONNECTION LIMIT 1 IN ROLE pg_monitor")
    with psycopg.connect(**_libpq(alone)):
        result = run_module(MODULE, alone.options())
    assert pairs(result) == [("postgresql.connections_exhausted", "critical")]


def test_a_database_that_is_not_there_or_not_allowed(
    role: Callable[..., Endpoint], fresh_postgresql18_database: Endpoint
) -> None:
    result = run_module(MODULE, role(database="no_such_database").options())
    assert pairs(result) == [("postgresql.error", "critical")]
    database = fresh_postgresql18_database.database
    with connect(fresh_postgresql18_database) as session:
        session.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))
    result = run_module(MODULE, role(database=database).options())
    assert pairs(result) == [("postgresql.access_denied", "critical")]


def test_a_user_without_the_right_to_statistics(
    role: Callable[..., Endpoint], postgresql18: Endpoint, fresh_postgresql18_database: Endpoint
) -> None:
    with connect(fresh_postgresql18_database) as session:
        session.execute(
            sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(
                sql.Identifier(fresh_postgresql18_database.database)
            )
        )
    plain = role()
    with connect(postgresql18) as other:
        other.execute("BEGIN")
        other.execute("SELECT 1")
        result = run_module(MODULE, plain.options(thresholds={"transaction_seconds": 0}))
    assert set(pairs(result)) == {("postgresql.access_denied", "warning")}
    subjects = {finding["subject"].rpartition(" ")[2] for finding in result["findings"]}
    assert subjects == {"connections", "sessions", "sizes"}
    assert all("GRANT pg_monitor TO" in finding["remedy"] for finding in result["findings"])
    assert result["metrics"]["postgresql_connections_used_total"] >= 2, "the other checks are made"
    assert f'database="{fresh_postgresql18_database.database}"}}' not in str(
        [name for name in result["metrics"] if name.startswith("postgresql_database_size")]
    )
    no_secret(result, PASSWORD)


def _libpq(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "host": endpoint.host,
        "port": endpoint.port,
        "user": endpoint.user,
        "password": endpoint.password,
        "dbname": endpoint.database,
    }


@pytest.fixture
def doomed(make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """A server of one test's own, to be stopped and paused."""
    with make_stack("doomed", "postgresql18") as stack:
        yield stack
        stack.resume("postgresql18")


def test_a_server_that_is_stopped_and_one_that_is_paused(doomed: Stack, tmp_path: Path) -> None:
    endpoint = doomed.endpoints["postgresql18"]
    parameters = endpoint.options(state=str(tmp_path / "state"), connect_timeout="2s", checks=["availability"])
    assert run_module(MODULE, parameters)["findings"] == []
    doomed.pause("postgresql18")
    assert pairs(run_module(MODULE, parameters)) == [("postgresql.timeout", "critical")]
    doomed.resume("postgresql18")
    doomed.stop("postgresql18")
    assert pairs(run_module(MODULE, parameters)) == [("postgresql.unreachable", "critical")]
    doomed.start("postgresql18")
    assert pairs(run_module(MODULE, parameters)) == [("postgresql.restarted", "warning")]
    assert run_module(MODULE, parameters)["findings"] == []


def test_a_session_that_is_stopped_while_it_is_used(fresh_postgresql18_database: Endpoint) -> None:
    endpoint = fresh_postgresql18_database
    stopped: list[int] = []
    over = threading.Event()

    def stop_the_session() -> None:
        """Stop the server's process of the module's session as soon as it is seen."""
        with connect(endpoint.with_database("postgres")) as session:
            while not over.is_set() and not stopped:
                row = session.execute(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = 'upkeep' AND datname = %s",
                    (endpoint.database,),
                ).fetchone()
                if row:
                    os.kill(int(str(row[0])), signal.SIGSTOP)
                    stopped.append(int(str(row[0])))

    watcher = threading.Thread(target=stop_the_session)
    watcher.start()
    try:
        result = run_module(MODULE, endpoint.options(connect_timeout="1s"), timeout=60)
    finally:
        over.set()
        watcher.join()
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert stopped
    assert pairs(result) == [("postgresql.timeout", "critical")], "one finding, not one for each check"
    no_secret(result, str(endpoint.password))


def test_the_password_is_on_no_command_line(hanging_socket: tuple[str, int]) -> None:
    parameters = {"login_host": hanging_socket[0], "login_port": hanging_socket[1], "login_password": PASSWORD}
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            lines = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True).stdout
            seen.update(line for line in lines.splitlines() if MODULE in line or PASSWORD in line)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        run_module(MODULE, {**parameters, "connect_timeout": "1s"})
    finally:
        over.set()
        watcher.join()
    assert seen, "the module was seen at work"
    assert not any(PASSWORD in line for line in seen)
