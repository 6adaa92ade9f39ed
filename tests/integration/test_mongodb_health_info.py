# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""mongodb_health_info against real servers: what it finds, what it leaves alone, and how it bears their faults."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pymongo
import pymongo.errors
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ansible_collections.dataops.upkeep.plugins.module_utils._core.health import Check, HealthTask
from ansible_collections.dataops.upkeep.plugins.module_utils._core.result import Result
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Decision, run
from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health import task as health
from tests.integration.health import context, ids
from tests.integration.running import run_module
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers import mongodb as servers
from tests.stack.servers.base import free_port
from tests.stack.stack import Stack

MODULE = "mongodb_health_info"
SUPPORTED = {"unsupported_days": "off"}
"""The server of the tests is MongoDB 6, whose support has ended: true, and not what most tests are about."""
ALL_CHECKS = {"checks": [known.name for known in health.CHECKS]}


def options(endpoint: Endpoint, **more: Any) -> dict[str, Any]:
    """The options of a user who may read statistics."""
    return {
        "login_host": endpoint.host,
        "login_port": endpoint.port,
        "login_user": endpoint.monitor_user,
        "login_password": endpoint.monitor_password,
        "thresholds": SUPPORTED,
        **more,
    }


def check(endpoint: Endpoint, **more: Any) -> dict[str, Any]:
    """Run the module as that user."""
    return run_module(MODULE, options(endpoint, **more))


def look(endpoint: Endpoint, **more: Any) -> list[str]:
    """Run the checks in this process, as a quick look at how things stand; return the findings' ids."""
    task_context = context({**ALL_CHECKS, **options(endpoint, **more)})
    return [found.id for found in run(health.mongodb_health(task_context), task_context, check_mode=True).findings]


@contextmanager
def admin(endpoint: Endpoint, port: int | None = None) -> Iterator[servers.Client]:
    """A superuser's client of one member."""
    with pymongo.MongoClient(
        endpoint.host,
        port or endpoint.port,
        username=endpoint.user,
        password=endpoint.password,
        directConnection=True,
        serverSelectionTimeoutMS=10_000,
    ) as client:
        yield client


@pytest.fixture
def make_user(mongodb: Endpoint) -> Iterator[Callable[..., dict[str, str]]]:
    """A function that makes a user with the given roles and returns its login options."""
    made = []

    def make(name: str, *roles: Any) -> dict[str, str]:
        with admin(mongodb) as client:
            client.admin.command("createUser", name, pwd=f"{name}-Pass/1", roles=list(roles))
        made.append(name)
        return {"login_user": name, "login_password": f"{name}-Pass/1"}

    yield make
    with admin(mongodb) as client:
        for name in made:
            client.admin.command("dropUser", name)


# --- a sound server -------------------------------------------------------------------------------------------------


def test_check_mode_then_a_run_then_another(mongodb: Endpoint, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with admin(mongodb) as client:
        before = client.list_database_names()
        planned = run_module(MODULE, options(mongodb, state=str(state)), check=True)
        assert client.list_database_names() == before
    assert (planned["changed"], planned["actions"], planned["findings"]) == (False, [], [])
    assert not list(tmp_path.rglob("*health*")), "check mode wrote to the state"

    first = check(mongodb, state=str(state))
    assert (first["outcome"], first["changed"], first["status"], first["findings"]) == ("ok", False, "ok", [])
    assert first["metrics"].keys() == planned["metrics"].keys()
    assert list(tmp_path.rglob("*health*")), "nothing was remembered"
    assert "mongodb_restarted" not in first["metrics"]

    second = check(mongodb, state=str(state))
    assert (second["changed"], second["findings"]) == (False, [])
    assert second["metrics"]["mongodb_restarted"] == 0
    assert second["metrics"]["mongodb_page_faults_per_second"] >= 0


def test_what_is_told_of_a_sound_server(mongodb: Endpoint) -> None:
    result = run_module(MODULE, options(mongodb, thresholds={}))
    # Its support ended in July 2025: that much is true of every MongoDB 6.
    assert ids(result) == {"mongodb.version_unsupported": "warning"}
    address = f"{mongodb.host}:{mongodb.port}"
    assert result["server"] == {
        "kind": "mongodb",
        "address": address,
        "version": "6.0.5",
        "role": "primary",
        "member": address,
        "replica_set": "rs0",
    }
    metrics = result["metrics"]
    assert metrics["mongodb_up"] == 1
    assert metrics["mongodb_replica_set"] == 1
    assert metrics[f'mongodb_member_state{{member="{address}"}}'] == 1
    for name in (
        "mongodb_ping_seconds", "mongodb_uptime_seconds", "mongodb_connections", "mongodb_cache_used_bytes",
        "mongodb_oplog_limit_bytes", "mongodb_disk_total_bytes",
        'mongodb_tickets_total{kind="read"}', 'mongodb_operations_total{type="command"}',
    ):  # fmt: skip
        assert metrics[name] > 0, name


def test_one_connection_carries_everything(mongodb: Endpoint, mongodb_stack: Stack) -> None:
    log = Path(mongodb_stack.status()[0].log)
    seen = log.stat().st_size
    assert check(mongodb)["status"] == "ok"
    with log.open(encoding="utf-8") as handle:
        handle.seek(seen)
        lines = [json.loads(line) for line in handle if line.startswith("{")]
    seen_by_server = [line["attr"] for line in lines if line["msg"] == "client metadata"]
    ours = [told["remote"] for told in seen_by_server if told["doc"].get("application", {}).get("name") == "upkeep"]
    logins = [line for line in lines if line["msg"] == "Authentication succeeded" and line["attr"]["remote"] in ours]
    assert len(logins) == 1, "requests go over one connection, which logs in"
    assert len(ours) == 2, "beside it there is the driver's own to watch the server, and no other"


def test_only_the_checks_that_were_asked_for(mongodb: Endpoint) -> None:
    metrics = check(mongodb, checks=["ping", "connections"])["metrics"]
    assert set(metrics) == {
        "mongodb_up", "mongodb_connect_seconds", "mongodb_ping_seconds", "mongodb_connections",
        "mongodb_connections_limit", "mongodb_connections_percent",
    }  # fmt: skip


def test_the_database_of_the_options_or_of_the_uri(mongodb: Endpoint) -> None:
    with admin(mongodb) as client:
        client.health_a.things.insert_one({})
        client.health_b.things.insert_one({})
        try:
            everything = check(mongodb, checks=["storage"])["metrics"]
            one = check(mongodb, checks=["storage"], login_db="health_b")["metrics"]
            uri = f"mongodb://{mongodb.host}:{mongodb.port}/health_a?directConnection=true"
            login = {name: options(mongodb)[name] for name in ("login_user", "login_password")}
            of_uri = run_module(MODULE, {"uri": uri, "checks": ["storage"], **login})["metrics"]
        finally:
            client.drop_database("health_a")
            client.drop_database("health_b")
    size = 'mongodb_database_data_bytes{{database="{}"}}'
    assert {size.format("health_a"), size.format("health_b")} <= set(everything)
    assert (size.format("health_a") in one, size.format("health_b") in one) == (False, True)
    assert (size.format("health_a") in of_uri, size.format("health_b") in of_uri) == (True, False)


# --- what it finds --------------------------------------------------------------------------------------------------


def test_limits_that_are_crossed(mongodb: Endpoint) -> None:
    with admin(mongodb) as client:
        client.health_limits.things.insert_many([{"n": n} for n in range(50)])
        cursors = [client.health_limits.things.find(batch_size=2) for _number in range(4)]
        for cursor in cursors:
            cursor.next()
        result = check(
            mongodb,
            thresholds={
                **SUPPORTED,
                "latency_milliseconds": {"warning": 0, "critical": "off"},
                "connections_percent": {"warning": 0, "critical": 0.001},
                "cache_percent": 0.0001,
                "cache_dirty_percent": {"warning": 0, "critical": 99},
                "cursors_open": 3,
                "disk_percent": 0.1,
            },
        )
        for cursor in cursors:
            cursor.close()
        client.drop_database("health_limits")
    found = ids(result)
    assert found.keys() >= {"mongodb.latency", "mongodb.cache", "mongodb.cursors_open", "mongodb.disk"}
    assert found["mongodb.connections"] == "critical"
    assert result["status"] == "critical"
    open_cursors = next(finding for finding in result["findings"] if finding["id"] == "mongodb.cursors_open")
    assert (open_cursors["value"], open_cursors["threshold"]) == (4, 3)
    assert open_cursors["remedy"]


def test_a_restart(mongodb: Endpoint, mongodb_stack: Stack, tmp_path: Path) -> None:
    wanted = {"checks": ["uptime", "asserts", "page_faults"], "state": str(tmp_path / "state")}
    assert check(mongodb, **wanted)["findings"] == []
    mongodb_stack.stop("mongodb")
    mongodb_stack.start("mongodb")
    result = check(mongodb, **wanted)
    assert ids(result) == {"mongodb.restarted": "warning"}
    assert result["metrics"]["mongodb_restarted"] == 1
    assert check(mongodb, **wanted)["findings"] == []
    until(lambda: not look(mongodb, checks=["replication"]))


def test_errors_of_clients(mongodb: Endpoint, tmp_path: Path) -> None:
    wanted = {
        "checks": ["asserts"],
        "state": str(tmp_path / "state"),
        "thresholds": {"user_asserts_per_second": {"warning": 1, "critical": 100_000}},
    }
    assert check(mongodb, **wanted)["findings"] == []
    with admin(mongodb) as client:
        client.health_errors.things.insert_one({"_id": 1})
        started = time.monotonic()
        while time.monotonic() - started < 2:
            with suppress(pymongo.errors.DuplicateKeyError):
                client.health_errors.things.insert_one({"_id": 1})
        client.drop_database("health_errors")
    assert ids(check(mongodb, **wanted)) == {"mongodb.user_asserts": "warning"}


def test_a_long_operation_is_named_and_can_be_ended_and_its_values_stay_private(mongodb: Endpoint) -> None:
    secret = "very-private-value"

    def search() -> None:
        with admin(mongodb) as client, suppress(pymongo.errors.OperationFailure):
            client.health_long.things.find_one({"name": secret, "$where": "sleep(100) || false"})

    with admin(mongodb) as client:
        client.health_long.things.insert_many([{"name": secret} for _number in range(600)])
        searching = threading.Thread(target=search)
        searching.start()
        limits = {"operation_seconds": {"warning": "1s", "critical": "1h"}}
        try:
            until(lambda: "mongodb.long_operation" in look(mongodb, checks=["operations"], thresholds=limits))
            result = check(mongodb, checks=["operations"], thresholds=limits)
            (finding,) = result["findings"]
            assert finding["subject"].endswith("health_long.things")
            assert "COLLSCAN" in finding["message"]
            assert finding["value"] > 1
            assert secret not in json.dumps(result)
        finally:
            running = client.admin.aggregate(
                [{"$currentOp": {"allUsers": True}}, {"$match": {"ns": "health_long.things"}}]
            )
            operations = [operation["opid"] for operation in running]
            for opid in operations:
                client.admin.command("killOp", op=opid)
            searching.join()
            client.drop_database("health_long")
        assert f"opid {operations[0]} " in finding["message"]
    assert look(mongodb, checks=["operations"], thresholds=limits) == []


def test_a_lock_against_writes_and_who_waits_for_it(mongodb: Endpoint) -> None:
    def write() -> None:
        with admin(mongodb) as client:
            client.health_locked.things.insert_one({})

    limits = {**SUPPORTED, "queued_operations": {"warning": 0, "critical": 1000}}
    with admin(mongodb) as client:
        client.admin.command("fsync", lock=True)
        writing = threading.Thread(target=write)
        writing.start()
        try:
            until(lambda: client.admin.command("serverStatus")["globalLock"]["currentQueue"]["writers"] > 0)
            result = check(mongodb, thresholds=limits)
        finally:
            client.admin.command("fsyncUnlock")
            writing.join()
            client.drop_database("health_locked")
    assert ids(result) == {"mongodb.write_locked": "critical", "mongodb.queue": "warning"}
    assert look(mongodb) == []


def test_all_tickets_in_use(mongodb: Endpoint) -> None:
    def read() -> None:
        with admin(mongodb) as client, suppress(pymongo.errors.OperationFailure):
            client.health_tickets.things.find_one({"$where": "sleep(6000) || true"})

    with admin(mongodb) as client:
        client.health_tickets.things.insert_one({})
        client.admin.command("setParameter", wiredTigerConcurrentReadTransactions=5)
        reading = [threading.Thread(target=read) for _number in range(8)]
        try:
            for thread in reading:
                thread.start()
            until(lambda: client.admin.command("serverStatus")["globalLock"]["currentQueue"]["readers"] > 2)
            result = check(mongodb, checks=["queues", "connections"])
        finally:
            for thread in reading:
                thread.join()
            client.admin.command("setParameter", wiredTigerConcurrentReadTransactions=128)
            client.drop_database("health_tickets")
    assert ids(result) == {"mongodb.tickets": "warning"}
    assert result["metrics"]['mongodb_tickets_used{kind="read"}'] == 5


def test_growth_and_a_full_oplog(mongodb: Endpoint, tmp_path: Path) -> None:
    megabyte = "x" * 1024**2

    def on_day(day: int) -> Result:
        params = options(mongodb, checks=["storage", "oplog"], login_db="health_growth")
        task_context = context(params, tmp_path / "state", timedelta(days=day))
        return run(health.mongodb_health(task_context), task_context, check_mode=False)

    with admin(mongodb) as client:
        try:
            for day in range(3):
                for _number in range(6):
                    client.health_growth.things.insert_many([{"text": megabyte} for _number in range(8)])
                result = on_day(day)
        finally:
            client.drop_database("health_growth")
    found = {finding.id: finding for finding in result.findings}
    assert set(found) >= {"mongodb.growth", "mongodb.oplog_window"}
    # The server grew from 48 to 144 MB within two days: a third of what it is now each day.
    assert found["mongodb.growth"].value == pytest.approx(33.3, abs=0.5)
    assert found["mongodb.oplog_window"].severity.value == "critical"


# --- faults ---------------------------------------------------------------------------------------------------------


def one_critical(result: dict[str, Any], finding: str) -> dict[str, Any]:
    """Hold a result to one clear critical finding, and return that."""
    assert result["outcome"] == "ok"
    assert ids(result) == {finding: "critical"}
    assert result["metrics"]["mongodb_up"] == 0
    assert "Traceback" not in result["output"]
    only: dict[str, Any] = result["findings"][0]
    assert only["remedy"]
    return only


def test_nobody_listens(mongodb: Endpoint, dead_port: tuple[str, int]) -> None:
    address = {"login_host": dead_port[0], "login_port": dead_port[1]}
    found = one_critical(check(mongodb, connect_timeout="1s", **address), "mongodb.unreachable")
    assert "refused" in found["message"]


def test_an_unknown_host(mongodb: Endpoint) -> None:
    one_critical(check(mongodb, login_host="no.such.host.invalid", connect_timeout="1s"), "mongodb.unreachable")


def test_a_stopped_server(mongodb: Endpoint, mongodb_stack: Stack) -> None:
    mongodb_stack.stop("mongodb")
    try:
        one_critical(check(mongodb, connect_timeout="1s"), "mongodb.unreachable")
    finally:
        mongodb_stack.start("mongodb")
    until(lambda: not look(mongodb, checks=["replication"]))


def test_a_socket_that_never_answers(mongodb: Endpoint, hanging_socket: tuple[str, int]) -> None:
    address = {"login_host": hanging_socket[0], "login_port": hanging_socket[1]}
    one_critical(check(mongodb, connect_timeout="1s", **address), "mongodb.timeout")


def test_the_deadline_is_a_limit_too(mongodb: Endpoint, hanging_socket: tuple[str, int]) -> None:
    address = {"login_host": hanging_socket[0], "login_port": hanging_socket[1]}
    one_critical(check(mongodb, connect_timeout="1h", deadline="1s", **address), "mongodb.timeout")


def test_a_paused_server(mongodb: Endpoint, mongodb_stack: Stack) -> None:
    mongodb_stack.pause("mongodb")
    try:
        one_critical(check(mongodb, connect_timeout="1s"), "mongodb.timeout")
    finally:
        mongodb_stack.resume("mongodb")
    until(lambda: not look(mongodb, checks=["replication"]))


@pytest.mark.parametrize(("fault", "condition"), [("pause", "timeout"), ("kill", "unreachable")])
def test_a_server_that_is_lost_in_the_middle(
    mongodb: Endpoint, mongodb_stack: Stack, monkeypatch: pytest.MonkeyPatch, fault: str, condition: str
) -> None:
    strike: Check[Any] = Check(
        "strike", lambda _client, _context: getattr(mongodb_stack, fault)("mongodb"), lambda _seen, _now: Decision()
    )
    monkeypatch.setattr(health, "CHECKS", (*health.CHECKS[:4], strike, *health.CHECKS[4:]))
    params = options(mongodb, connect_timeout="1s", checks=[known.name for known in health.CHECKS])
    task_context = context(params)
    task: HealthTask[Any] = health.mongodb_health(task_context)
    try:
        result = run(task, task_context, check_mode=False)
    finally:
        mongodb_stack.resume("mongodb") if fault == "pause" else mongodb_stack.start("mongodb")
    assert [(found.id, found.severity.value) for found in result.findings] == [(f"mongodb.{condition}", "critical")]
    assert result.metrics["mongodb_ping_seconds"] > 0, "what was found before stays"
    # One time-out is waited for, not one for each of the checks that were left.
    assert task_context.deadline.remaining > 40
    until(lambda: not look(mongodb, checks=["replication"]))


@pytest.mark.parametrize("password", ["not-the-password", None])
def test_a_wrong_or_missing_password(mongodb: Endpoint, password: str | None) -> None:
    login = {"login_password": password} if password else {"login_user": None, "login_password": None}
    result = check(mongodb, **login)
    one_critical(result, "mongodb.authentication")
    assert "not-the-password" not in json.dumps({**result, "output": result["output"].lower()})


def test_a_user_without_rights(mongodb: Endpoint, make_user: Callable[..., dict[str, str]]) -> None:
    result = check(mongodb, **make_user("health_nobody"))
    assert result["outcome"] == "ok"
    assert ids(result) == {"mongodb.access_denied": "warning"}
    assert {finding["value"] for finding in result["findings"]} == {"uptime", "replication", "operations", "storage"}
    assert all("clusterMonitor" in finding["remedy"] for finding in result["findings"])
    # What needs no right is still told.
    assert result["metrics"]["mongodb_up"] == 1
    assert result["metrics"]["mongodb_ping_seconds"] > 0


def test_a_user_of_one_database_sees_its_size(mongodb: Endpoint, make_user: Callable[..., dict[str, str]]) -> None:
    login = make_user("health_reader", {"role": "read", "db": "health_read"})
    with admin(mongodb) as client:
        client.health_read.things.insert_one({})
        result = check(mongodb, checks=["ping", "storage"], **login)
        client.drop_database("health_read")
    assert result["findings"] == []
    assert result["metrics"]['mongodb_database_collections{database="health_read"}'] == 1


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"thresholds": {"nonsense": 1}}, "there is no threshold 'nonsense'"),
        ({"thresholds": {"operation_seconds": "soon"}}, "thresholds.operation_seconds"),
        ({"thresholds": {"cache_percent": {"warning": 99, "critical": 90}}}, "thresholds.cache_percent"),
        ({"checks": ["everything"]}, "checks"),
        ({"connect_timeout": "a while"}, "connect_timeout"),
        ({"login_host": None, "login_port": None, "uri": "mongodb://u:hidden%Zpass@:x/"}, "uri"),
        ({"uri": "mongodb://a"}, "mutually exclusive"),
        ({"tls": True, "ca_cert": "/no/such/file.pem"}, "ca_cert"),
    ],
)
def test_wrong_options_fail_the_task(mongodb: Endpoint, wrong: dict[str, Any], says: str) -> None:
    params = {name: value for name, value in {**options(mongodb), **wrong}.items() if value is not None}
    result = run_module(MODULE, params)
    assert result["outcome"] == "failed"
    assert says in result["msg"]
    assert "Traceback" not in result["output"]
    assert "hidden%Zpass" not in json.dumps(result)


def test_no_secret_is_ever_printed(mongodb: Endpoint, tmp_path: Path) -> None:
    login = f"{mongodb.monitor_user}:{mongodb.monitor_password}"
    uri = f"mongodb://{login}@{mongodb.host}:{mongodb.port}/?directConnection=true"
    runs = [
        run_module(MODULE, options(mongodb, state=str(tmp_path / "state")), verbosity=4),
        run_module(MODULE, {"uri": uri}, verbosity=4),
        run_module(MODULE, {}, env={"MONGODB_URI": uri}, verbosity=4),
        run_module(MODULE, {"uri": uri.replace(str(mongodb.monitor_password), "wr0ng-one")}, verbosity=4),
    ]
    assert [run["metrics"]["mongodb_up"] for run in runs] == [1, 1, 1, 0]
    for run_ in runs:
        # The masked invocation shows that the options were printed at this verbosity.
        assert "invocation" in run_["output"]
        assert str(mongodb.monitor_password) not in json.dumps(run_)
        assert "wr0ng-one" not in json.dumps(run_)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert str(mongodb.monitor_password).encode() not in kept


# --- a replica set of three -----------------------------------------------------------------------------------------


def by_uri(endpoint: Endpoint) -> str:
    """The address of the whole set: whichever member is the primary."""
    address = ",".join(f"{endpoint.host}:{port}" for port in endpoint.ports)
    return f"mongodb://{address}/?replicaSet={endpoint.replica_set}"


def of_set(endpoint: Endpoint, **more: Any) -> dict[str, Any]:
    """Check the set by its URI."""
    params = options(endpoint, uri=by_uri(endpoint), **more)
    return run_module(MODULE, {name: params[name] for name in params if name not in ("login_host", "login_port")})


def look_at_set(endpoint: Endpoint) -> list[str]:
    """A quick look at the set's replication by its URI."""
    return look(endpoint, uri=by_uri(endpoint), checks=["replication"])


def sound_again(endpoint: Endpoint) -> None:
    until(lambda: not look_at_set(endpoint), 60)


def test_a_sound_set_by_uri_and_by_each_member(mongodb_replica_set: Endpoint) -> None:
    whole = of_set(mongodb_replica_set)
    assert (whole["findings"], whole["server"]["role"]) == ([], "primary")
    assert whole["metrics"]["mongodb_members_healthy"] == 3
    roles = []
    for port in mongodb_replica_set.ports:
        result = check(mongodb_replica_set, login_port=port)
        assert result["findings"] == []
        assert result["server"]["member"].endswith(f":{port}")
        roles.append(result["server"]["role"])
    assert sorted(roles) == ["member", "member", "primary"]


def test_a_member_goes_and_then_another(mongodb_replica_set: Endpoint, mongodb_replica_set_stack: Stack) -> None:
    stack, endpoint = mongodb_replica_set_stack, mongodb_replica_set
    try:
        stack.stop("mongodb-3")
        lost = f"{endpoint.host}:{endpoint.ports[2]}"
        until(lambda: "mongodb.member_state" in look_at_set(endpoint))
        result = of_set(endpoint)
        assert ids(result) == {"mongodb.member_state": "critical", "mongodb.majority_at_risk": "warning"}
        assert result["findings"][0]["subject"].endswith(lost)
        assert result["metrics"]["mongodb_members_healthy"] == 2

        stack.stop("mongodb-2")
        alone = {"login_port": endpoint.ports[0], "checks": ["ping", "replication", "storage"]}
        until(lambda: "mongodb.no_primary" in look(endpoint, **alone))
        result = check(endpoint, **alone)
        assert ids(result) == {"mongodb.member_state": "critical", "mongodb.no_primary": "critical"}
        # By the URI too: without a primary the member that is left is asked.
        result = of_set(endpoint, connect_timeout="2s")
        assert "mongodb.no_primary" in ids(result)
        assert result["server"]["member"].endswith(f":{endpoint.ports[0]}")
    finally:
        stack.start("mongodb-2")
        stack.start("mongodb-3")
    sound_again(endpoint)


def test_after_a_step_down_the_new_primary_is_asked(mongodb_replica_set: Endpoint) -> None:
    before = of_set(mongodb_replica_set, checks=["replication"])["server"]["member"]
    with admin(mongodb_replica_set, int(before.rpartition(":")[2])) as client:
        client.admin.command("replSetStepDown", 20, secondaryCatchUpPeriodSecs=10)
    sound_again(mongodb_replica_set)
    after = of_set(mongodb_replica_set)
    assert (after["findings"], after["server"]["role"]) == ([], "primary")
    assert after["server"]["member"] != before


def test_a_secondary_that_is_behind(mongodb_replica_set: Endpoint) -> None:
    primary = of_set(mongodb_replica_set, checks=["replication"])["server"]["member"]
    behind = next(port for port in mongodb_replica_set.ports if not primary.endswith(f":{port}"))
    limits = {**SUPPORTED, "replication_lag_seconds": {"warning": 1, "critical": 3}}
    with (
        admin(mongodb_replica_set, behind) as secondary,
        admin(mongodb_replica_set, int(primary.rpartition(":")[2])) as client,
    ):
        secondary.admin.command("fsync", lock=True)
        started = time.monotonic()
        try:
            while time.monotonic() - started < 6:
                client.health_lag.things.insert_one({})
                time.sleep(0.2)
            result = of_set(mongodb_replica_set, checks=["replication"], thresholds=limits)
        finally:
            secondary.admin.command("fsyncUnlock")
            client.drop_database("health_lag")
    assert ids(result) == {"mongodb.replication_lag": "critical"}
    assert result["findings"][0]["subject"].endswith(f":{behind}")
    sound_again(mongodb_replica_set)


def test_a_member_that_was_removed(mongodb_replica_set: Endpoint) -> None:
    primary = of_set(mongodb_replica_set, checks=["replication"])["server"]["member"]
    with admin(mongodb_replica_set, int(primary.rpartition(":")[2])) as client:
        config = client.admin.command("replSetGetConfig")["config"]
        removed = next(member for member in config["members"] if member["host"] != primary)
        left = [member for member in config["members"] if member["host"] != removed["host"]]
        client.admin.command("replSetReconfig", {**config, "members": left, "version": config["version"] + 1})
        port = int(removed["host"].rpartition(":")[2])
        try:
            removed_is = {"login_port": port, "checks": ["replication"]}
            until(lambda: look(mongodb_replica_set, **removed_is) == ["mongodb.replica_set_unconfigured"])
            result = check(mongodb_replica_set, login_port=port)
        finally:
            again = {**config, "version": config["version"] + 2}
            client.admin.command("replSetReconfig", again)
    assert ids(result)["mongodb.replica_set_unconfigured"] == "critical"
    assert result["server"]["role"] == "unconfigured"
    sound_again(mongodb_replica_set)


# --- a standalone server, with TLS ----------------------------------------------------------------------------------


def pem(path: Path, *parts: bytes) -> Path:
    path.write_bytes(b"".join(parts))
    path.chmod(0o600)
    return path


@dataclass(frozen=True)
class Certificates:
    """Files of an authority, of a server on this host, and of a client."""

    authority: Path
    server: Path
    client: Path
    client_key: Path


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates for a day."""
    folder, now = tmp_path_factory.mktemp("tls"), datetime.now(timezone.utc)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])

    def signed(name: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType) -> bytes:
        builder = x509.CertificateBuilder(authority_name, name, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
        certificate = builder.add_extension(extension, critical=False).sign(authority_key, hashes.SHA256())
        return certificate.public_bytes(Encoding.PEM)

    def private(key: ec.EllipticCurvePrivateKey) -> bytes:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    server_key, client_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    server, client = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)])
        for name in ("server", "client")
    )
    basic = x509.BasicConstraints(ca=True, path_length=None)
    return Certificates(
        authority=pem(folder / "authority.pem", signed(authority_name, authority_key, basic)),
        server=pem(folder / "server.pem", signed(server, server_key, here), private(server_key)),
        client=pem(folder / "client.pem", signed(client, client_key, here)),
        client_key=pem(folder / "client.key", private(client_key)),
    )


@contextmanager
def standalone(program: str, folder: Path, *more: str) -> Iterator[dict[str, Any]]:
    """Run a server that is no member of a replica set and asks for no login; return how to reach it."""
    port = free_port()
    data = folder / "data"
    data.mkdir()
    argv = [program, "--dbpath", str(data), "--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket", *more]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(argv, stdout=log, stderr=log)
    address = {"login_host": "127.0.0.1", "login_port": port, "thresholds": SUPPORTED}
    try:
        until(lambda: b"Waiting for connections" in (folder / "log").read_bytes())
        yield address
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module")
def program(mongodb_stack: Stack) -> str:
    """The server's program."""
    return mongodb_stack.status()[0].argv[0]


def test_a_standalone_server_has_no_trouble_with_replication(program: str, tmp_path: Path) -> None:
    with standalone(program, tmp_path) as address:
        result = run_module(MODULE, address)
    assert (result["findings"], result["server"]["role"]) == ([], "standalone")
    assert result["metrics"]["mongodb_replica_set"] == 0
    assert "mongodb_oplog_window_seconds" not in result["metrics"]


def test_tls(program: str, tmp_path: Path, certificates: Certificates) -> None:
    files = ["--tlsCertificateKeyFile", str(certificates.server), "--tlsCAFile", str(certificates.authority)]
    with standalone(program, tmp_path, "--tlsMode", "requireTLS", *files) as address:
        address |= {"connect_timeout": "3s"}
        trust = {"tls": True, "ca_cert": str(certificates.authority)}
        ours = {"client_cert": str(certificates.client), "client_key": str(certificates.client_key)}
        before = set(Path(tempfile.gettempdir()).glob("upkeep-*.pem"))
        good = run_module(MODULE, {**address, **trust, **ours})
        assert (good["findings"], good["metrics"]["mongodb_up"]) == ([], 1)
        assert set(Path(tempfile.gettempdir()).glob("upkeep-*.pem")) <= before, "a key was left behind"

        one_critical(run_module(MODULE, {**address, **trust}), "mongodb.unreachable")
        untrusted = one_critical(run_module(MODULE, {**address, **ours, "tls": True}), "mongodb.unreachable")
        assert "CERTIFICATE_VERIFY_FAILED" in untrusted["message"]
        assert "ca_cert" in untrusted["remedy"]
        misnamed = run_module(MODULE, {**address, **trust, **ours, "login_host": "localhost"})
        one_critical(misnamed, "mongodb.unreachable")
        assert run_module(MODULE, {**address, **ours, "tls": True, "validate_certs": False})["findings"] == []
        plain = one_critical(run_module(MODULE, address), "mongodb.unreachable")
        assert "TLS" in plain["remedy"]
