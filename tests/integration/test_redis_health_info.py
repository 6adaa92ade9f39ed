# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_health_info as Ansible runs it: check mode, twice in a row, and on servers that are down, closed or silent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.health import ids
from tests.integration.redis_health import Health, relay, writes
from tests.integration.running import run_module
from tests.stack.endpoint import Endpoint
from tests.stack.servers.base import HOST
from tests.stack.servers.redis import connect
from tests.stack.stack import Stack

WRONG = "wrong/pass word+%27"


def check(params: dict[str, Any], **more: Any) -> dict[str, Any]:
    return run_module("redis_health_info", params, **more)


def test_check_mode_then_a_run_then_another(fresh_redis: Endpoint, tmp_path: Path) -> None:
    state = tmp_path / "state"
    params = fresh_redis.options(state=str(state))
    before = writes(fresh_redis)
    planned = check(params, check=True)
    assert not state.exists()
    first = check(params)
    assert state.is_dir()
    second = check(params)
    for result in (planned, first, second):
        assert result["outcome"] == "ok"
        assert result["changed"] is False
        assert set(ids(result)) <= {"redis.version_unsupported"}
        assert result["server"]["kind"] == "redis"
        assert result["metrics"]["redis_up"] == 1
    assert writes(fresh_redis) == before
    assert "redis_rejected_connections" not in first["metrics"]
    assert second["metrics"]["redis_rejected_connections"] == 0
    assert second["metrics"]["redis_restarted"] == 0


def test_redis_8_is_healthy_and_6_2_too_old(redis8: Endpoint, redis62: Endpoint) -> None:
    assert ids(Health(redis8).redis()) == {}
    assert ids(Health(redis62).redis()) == {"redis.version_unsupported": "warning"}


def test_one_connection(fresh_redis: Endpoint) -> None:
    with connect(fresh_redis) as client:
        before = client.info("stats")["total_connections_received"]
        assert Health(fresh_redis).redis()["status"] in ("ok", "warning")
        assert client.info("stats")["total_connections_received"] == before + 1


def test_nobody_listens(dead_port: tuple[str, int]) -> None:
    result = check({"login_host": dead_port[0], "login_port": dead_port[1]})
    assert (result["outcome"], ids(result)) == ("ok", {"redis.unreachable": "critical"})
    assert result["metrics"] == {"redis_up": 0}


def test_an_unknown_host() -> None:
    result = check({"login_host": "no-such-host.invalid"})
    assert (result["outcome"], ids(result)) == ("ok", {"redis.unreachable": "critical"})


def test_a_socket_that_never_answers(hanging_socket: tuple[str, int]) -> None:
    result = check({"login_host": hanging_socket[0], "login_port": hanging_socket[1], "connect_timeout": "1s"})
    assert (result["outcome"], ids(result)) == ("ok", {"redis.timeout": "critical"})


def test_the_deadline_bounds_the_connection_too(hanging_socket: tuple[str, int]) -> None:
    params = {"login_host": hanging_socket[0], "login_port": hanging_socket[1]}
    result = run_module("redis_health_info", {**params, "connect_timeout": "1h", "deadline": "1s"}, timeout=60)
    assert ids(result) == {"redis.timeout": "critical"}


@pytest.mark.parametrize("how", ["options", "uri", "environment"])
def test_a_wrong_password_is_told_and_never_shown(fresh_redis: Endpoint, how: str) -> None:
    uri = replace(fresh_redis, password=WRONG).uri
    params: dict[str, Any] = {"connect_timeout": "5s"}
    environment = {}
    if how == "options":
        params = fresh_redis.options(login_password=WRONG)
    elif how == "uri":
        params["uri"] = uri
    else:
        environment["REDIS_URL"] = uri
    result = check(params, env=environment, verbosity=3)
    assert (result["outcome"], ids(result)) == ("ok", {"redis.authentication": "critical"})
    for secret in (WRONG, quote(WRONG), quote(WRONG, safe="")):
        assert secret not in result["output"]
        assert secret not in str(result["findings"]) + result["summary"] + str(result["server"])


def test_the_right_password_is_never_shown_either(fresh_redis8: Endpoint, tmp_path: Path) -> None:
    result = check({"uri": fresh_redis8.uri, "state": str(tmp_path / "state")}, verbosity=3)
    assert ids(result) == {}
    assert fresh_redis8.password is not None
    assert fresh_redis8.password not in result["output"]
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and fresh_redis8.password in path.read_text()]


def test_no_password_where_one_is_wanted(fresh_redis: Endpoint) -> None:
    health = Health(replace(fresh_redis, user=None, password=None))
    assert ids(health.redis()) == {"redis.authentication": "critical"}


def test_a_password_where_none_is_wanted_is_told(fresh_redis8: Endpoint) -> None:
    with connect(fresh_redis8) as client:
        client.execute_command("ACL", "SETUSER", "open", "on", "nopass", "~*", "+@all")
    try:
        assert ids(Health(replace(fresh_redis8, user="open", password="anything")).redis("ping")) == {}
    finally:
        with connect(fresh_redis8) as client:
            client.execute_command("ACL", "DELUSER", "open")


@pytest.fixture
def restricted(fresh_redis: Endpoint) -> Iterator[Endpoint]:
    """A user who may log in and ping, and read no statistics."""
    with connect(fresh_redis) as client:
        client.execute_command("ACL", "SETUSER", "limited", "on", ">limited-pass", "resetkeys", "-@all", "+ping")
        yield replace(fresh_redis, user="limited", password="limited-pass")
        client.execute_command("ACL", "DELUSER", "limited")


def test_a_user_who_may_not_read_statistics(restricted: Endpoint) -> None:
    result = check(restricted.options())
    assert (result["outcome"], ids(result)) == ("ok", {"redis.access_denied": "warning"})
    denied = {finding["subject"].rpartition(" ")[2] for finding in result["findings"]}
    assert {"memory", "clients", "persistence", "slow_log", "latency"} <= denied
    assert "redis_ping_seconds" in result["metrics"]
    assert result["server"]["version"]


def test_a_user_who_may_read_some_statistics(fresh_redis8: Endpoint) -> None:
    with connect(fresh_redis8) as client:
        client.execute_command("ACL", "SETUSER", "some", "on", ">some-pass", "resetkeys", "-@all", "+ping", "+info")
    health = Health(replace(fresh_redis8, user="some", password="some-pass"))
    result = health.redis()
    assert {finding["subject"].rpartition(" ")[2] for finding in result["findings"]} == {"slow_log", "latency"}
    assert "redis_snapshots_enabled" not in result["metrics"]
    assert "redis_memory_used_bytes" in result["metrics"]


def test_the_monitoring_user_of_the_stack_is_enough(fresh_redis: Endpoint) -> None:
    result = Health(fresh_redis.as_monitor()).redis()
    assert set(ids(result)) <= {"redis.version_unsupported"}


def test_a_stopped_and_a_paused_server(make_stack: Callable[..., Stack]) -> None:
    with make_stack("faults", "redis8") as stack:
        params = stack.endpoints["redis8"].options(connect_timeout="1s")
        stack.pause("redis8")
        assert ids(check(params)) == {"redis.timeout": "critical"}
        stack.resume("redis8")
        assert ids(check(params)) == {}
        stack.stop("redis8")
        assert ids(check(params)) == {"redis.unreachable": "critical"}


@pytest.mark.parametrize(("trouble", "finding"), [("pause", "redis.timeout"), ("kill", "redis.unreachable")])
def test_a_server_that_goes_away_in_mid_session(make_stack: Callable[..., Stack], trouble: str, finding: str) -> None:
    with make_stack("midway", "redis8") as stack:
        endpoint = stack.endpoints["redis8"]
        with relay(endpoint, b"SLOWLOG", lambda: getattr(stack, trouble)("redis8")) as port:
            result = check(replace(endpoint, port=port).options(connect_timeout="1s"))
        if trouble == "pause":
            stack.resume("redis8")
    assert (result["outcome"], ids(result)) == ("ok", {finding: "critical"})
    assert len(result["findings"]) == 1


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"thresholds": {"memory": 5}}, "memory_percent"),
        ({"login_db": "cache"}, "login_db"),
        ({"checks": ["everything"]}, "checks"),
    ],
)
def test_options_that_cannot_be_understood_fail_the_task(
    dead_port: tuple[str, int], params: dict[str, Any], word: str
) -> None:
    result = check({"login_host": dead_port[0], "login_port": dead_port[1], **params})
    assert result["outcome"] == "failed"
    assert word in result["msg"]
    assert "Traceback" not in result["output"]


def test_something_else_listens() -> None:
    with socket.create_server((HOST, 0)) as listener:

        def answer() -> None:
            connection, _address = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        host, port = listener.getsockname()
        result = check({"login_host": host, "login_port": port})
    assert ids(result) == {"redis.unreachable": "critical"}
    assert "no Redis server" in result["findings"][0]["message"]


def test_tls_against_a_server_that_speaks_none(fresh_redis8: Endpoint) -> None:
    health = Health(fresh_redis8)
    health.params |= {"tls": True, "validate_certs": True, "connect_timeout": "2s"}
    assert set(ids(health.redis())) <= {"redis.unreachable", "redis.timeout"}
    assert health.redis()["status"] == "critical"
