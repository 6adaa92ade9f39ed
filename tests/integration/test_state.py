# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory between runs: one contract, held by a folder and by the three real stores."""

from __future__ import annotations

import gc
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import StateError
from ansible_collections.dataops.upkeep.plugins.module_utils._core.memory import Memory
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory
from tests.stack.endpoint import Endpoint
from tests.stack.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
WRITERS = 8
ROUNDS = 15

WORKER = """
import sys
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets
task, number, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
memory = open_memory(sys.stdin.readline().strip(), Secrets())
for turn in range(rounds):
    if task == "append":
        memory.append("race/series", {"writer": number, "turn": turn, "text": "x" * 500})
        continue
    while True:
        document, version = memory.read("race/counter")
        count = (document or {"count": 0})["count"]
        if memory.compare_and_set("race/counter", {"count": count + 1, "text": "x" * 20000}, version):
            break
"""

FULL_DISK = """
import resource, signal, sys
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import StateError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
memory, large = open_memory(sys.argv[1], Secrets()), {"text": "x" * 9000}
for write in (lambda: memory.compare_and_set("x", large, 1), lambda: memory.append("x", large)):
    try:
        write()
    except StateError as error:
        print(error)
"""


def worker(place: str, task: str, number: int, rounds: int = ROUNDS) -> subprocess.Popen[str]:
    """Start a process that works on ``place``, whose URI it gets on its standard input."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, task, str(number), str(rounds)],
        stdin=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / ".collections")},
    )
    assert process.stdin is not None
    process.stdin.write(f"{place}\n")
    process.stdin.close()
    return process


def newest_turn(memory: Memory, writer: int) -> int:
    """Return how far a writer of the series has come, -1 if it has not begun."""
    newest = memory.tail("race/series", 1)
    return int(newest[0]["turn"]) if newest and newest[0]["writer"] == writer else -1


@pytest.fixture(params=["directory", "fresh_postgresql18_database", "fresh_mongodb_database", "fresh_redis8"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place of each kind."""
    if request.param == "directory":
        return str(tmp_path / "state")
    return str(request.getfixturevalue(request.param).uri)


@pytest.fixture
def memory(place: str) -> Memory:
    """The memory at that place."""
    return open_memory(place, Secrets())


class TestContract:
    """What every place does in the same way."""

    def test_reading_finds_nothing_at_first_and_creates_nothing(self, memory: Memory, place: str) -> None:
        assert memory.read("health/redis/cache:6379") == (None, 0)
        assert list(memory.tail("report/history", 5)) == []
        if place.startswith("/"):
            assert not Path(place).exists()

    def test_a_document_is_written_once_for_each_version(self, memory: Memory) -> None:
        key = "health/redis//run/redis.sock"
        assert memory.compare_and_set(key, {"a": 1}, 0)
        assert not memory.compare_and_set(key, {"a": 2}, 0)
        assert not memory.compare_and_set(key, {"a": 2}, 7)
        assert memory.read(key) == ({"a": 1}, 1)
        assert memory.compare_and_set(key, {"a": 3}, 1)
        assert memory.read(key) == ({"a": 3}, 2)
        assert not memory.compare_and_set("absent", {}, 3)

    @pytest.mark.parametrize(
        "record",
        [
            {},
            {"a.b": {"$set": 1, "": None}, '{x="y"}': [1, 2.5, True, None, 2**70, -1e-300]},
            {"text": "line\nfeed \0 \ud800 ü 🗄 ' \" \\ \u202e", "big": "x" * 300_000},
        ],
        ids=["empty", "hostile keys", "hostile texts"],
    )
    def test_records_come_back_as_they_were(self, memory: Memory, record: dict[str, Any]) -> None:
        assert memory.compare_and_set("record", record, 0)
        assert memory.read("record") == (record, 1)
        memory.append("series", record)
        assert list(memory.tail("series", 1)) == [record]

    @pytest.mark.parametrize(
        "key", ["", "../../escape", ".hidden", "a\0b", "x" * 4000, "ü/🗄", "a*b?[c]", "%2F", "#record"]
    )
    def test_any_name_is_a_name_of_its_own(self, memory: Memory, key: str) -> None:
        assert memory.compare_and_set("other", {"other": True}, 0)
        assert memory.compare_and_set(key, {"key": key}, 0)
        memory.append(key, {"key": key})
        memory.append("record", {"other": True})
        assert memory.read(key) == ({"key": key}, 1)
        assert memory.read("other") == ({"other": True}, 1)
        assert list(memory.tail(key, 9)) == [{"key": key}]

    def test_a_series_keeps_its_order_and_its_newest_records(self, memory: Memory) -> None:
        for number in range(30):
            memory.append("series", {"number": number}, keep=10)
        memory.append("series2", {"number": "other"})
        assert [record["number"] for record in memory.tail("series", 10)] == list(range(20, 30))
        assert [record["number"] for record in memory.tail("series", 3)] == [27, 28, 29]
        assert list(memory.tail("series", 0)) == []

    def test_no_update_is_lost_between_processes(self, memory: Memory, place: str) -> None:
        processes = [worker(place, "count", number) for number in range(WRITERS)]
        assert [process.wait(120) for process in processes] == [0] * WRITERS
        document, version = memory.read("race/counter")
        assert document is not None
        assert document["count"] == version == WRITERS * ROUNDS

    def test_no_record_is_lost_or_mixed_between_processes(self, memory: Memory, place: str) -> None:
        processes = [worker(place, "append", number) for number in range(WRITERS)]
        assert [process.wait(120) for process in processes] == [0] * WRITERS
        records = memory.tail("race/series", 2 * WRITERS * ROUNDS)
        for number in range(WRITERS):
            assert [record["turn"] for record in records if record["writer"] == number] == list(range(ROUNDS))

    def test_a_killed_writer_leaves_whole_records(self, memory: Memory, place: str) -> None:
        for attempt in range(4):
            counted = memory.read("race/counter")[1]
            processes = [worker(place, task, attempt, rounds=10**6) for task in ("count", "append")]
            end = time.monotonic() + 60
            while memory.read("race/counter")[1] < counted + 10 or newest_turn(memory, attempt) < 10:
                assert time.monotonic() < end, "the writers write nothing"
                time.sleep(0.02)
            for process in processes:
                process.send_signal(signal.SIGKILL)
                process.wait()
            document, version = memory.read("race/counter")
            assert document is not None
            assert document["count"] == version
            turns = [record["turn"] for record in memory.tail("race/series", 500) if record["writer"] == attempt]
            assert turns == list(range(turns[0], turns[0] + len(turns)))
            assert memory.compare_and_set("race/counter", {"count": version + 1}, version)


class TestFolder:
    """What only a folder can show."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "state"

    @pytest.fixture
    def memory(self, folder: Path) -> Memory:
        return open_memory(str(folder), Secrets())

    def test_nobody_else_may_read_it(self, memory: Memory, folder: Path) -> None:
        previous = os.umask(0)
        try:
            memory.compare_and_set("x", {}, 0)
            memory.append("x", {})
        finally:
            os.umask(previous)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.iterdir()]}
        assert modes == {"state": 0o700, "x.json": 0o600, "x.jsonl": 0o600, ".lock": 0o600}

    def test_a_torn_last_line_is_not_seen_and_then_cut_off(self, memory: Memory, folder: Path) -> None:
        memory.append("x", {"n": 1})
        with (folder / "x.jsonl").open("ab") as file:
            file.write(b'{"n": 2, "torn')
        assert list(memory.tail("x", 5)) == [{"n": 1}]
        memory.append("x", {"n": 3})
        assert list(memory.tail("x", 5)) == [{"n": 1}, {"n": 3}]

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"value": 3, "version": 1}', '{"value": {}}', "\0\0"])
    def test_a_damaged_document_is_named_and_never_overwritten(
        self, memory: Memory, folder: Path, content: str
    ) -> None:
        memory.compare_and_set("x", {"n": 1}, 0)
        file = folder / "x.json"
        file.write_text(content)
        with pytest.raises(StateError, match=r"x\.json.*damaged.*move it aside"):
            memory.read("x")
        with pytest.raises(StateError):
            memory.compare_and_set("x", {"n": 2}, 0)
        assert file.read_text() == content

    def test_a_large_series_is_trimmed_to_its_newest_records(self, memory: Memory, folder: Path) -> None:
        for number in range(60):
            memory.append("x", {"number": number, "text": "x" * 100_000}, keep=10)
        assert (folder / "x.jsonl").stat().st_size < 3_000_000
        assert [record["number"] for record in memory.tail("x", 10)] == list(range(50, 60))

    def test_a_place_that_cannot_be_written_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        memory = open_memory(str(tmp_path / "file"), Secrets())
        with pytest.raises(StateError, match="state"):
            memory.compare_and_set("x", {}, 0)
        with pytest.raises(StateError):
            memory.read("x")

    def test_a_full_disk_leaves_the_old_document_and_whole_lines(self, memory: Memory, folder: Path) -> None:
        memory.compare_and_set("x", {"n": 1}, 0)
        memory.append("x", {"n": 1})
        command = [sys.executable, "-c", FULL_DISK, str(folder)]
        env = {**os.environ, "PYTHONPATH": str(ROOT / ".collections")}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
        assert len(done.stdout.splitlines()) == 2
        assert memory.read("x") == ({"n": 1}, 1)
        assert (folder / "x.jsonl").read_text() == '{"n":1}\n'
        assert sorted(path.name for path in folder.iterdir()) == [".lock", "x.json", "x.jsonl"]

    def test_a_document_can_be_read_by_people(self, memory: Memory, folder: Path) -> None:
        memory.compare_and_set("health/redis/a:1", {"n": 1}, 0)
        document = json.loads((folder / "health%2Fredis%2Fa%3A1.json").read_text())
        assert document == {"key": "health/redis/a:1", "version": 1, "value": {"n": 1}}


def reading(memory: Memory) -> object:
    return memory.read("x")


def writing(memory: Memory) -> object:
    return memory.compare_and_set("x", {}, 0)


class TestStoreTrouble:
    """A store that cannot serve is a StateError with a remedy, within the time-out, and without the password."""

    @pytest.fixture(params=["postgresql", "mongodb", "redis"])
    def scheme(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def check(self, scheme: str, address: tuple[str, int], work: Callable[[Memory], object]) -> None:
        memory = open_memory(f"{scheme}://me:hunter22@{address[0]}:{address[1]}/0", Secrets())
        with pytest.raises(StateError) as caught:
            work(memory)
        assert "hunter22" not in str(caught.value)
        assert f"{address[0]}:{address[1]}" in str(caught.value)
        assert caught.value.remedy

    @pytest.mark.parametrize("work", [reading, writing], ids=["read", "write"])
    def test_nobody_listens(self, scheme: str, dead_port: tuple[str, int], work: Callable[[Memory], object]) -> None:
        self.check(scheme, dead_port, work)

    def test_the_socket_hangs(self, scheme: str, hanging_socket: tuple[str, int]) -> None:
        self.check(scheme, hanging_socket, reading)


class TestStoreFaults:
    """The same for what only a real store can show."""

    @pytest.fixture(params=["postgresql18", "mongodb", "redis8"])
    def name(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def test_a_store_that_is_paused_in_mid_session_and_comes_back(
        self, name: str, request: pytest.FixtureRequest
    ) -> None:
        stack: Stack = request.getfixturevalue(f"{name}_stack")
        memory = open_memory(stack.endpoints[name].uri, Secrets())
        assert memory.read("pause") == (None, 0)
        stack.pause(name)
        try:
            with pytest.raises(StateError) as caught:
                memory.read("pause")
            assert caught.value.remedy
        finally:
            stack.resume(name)
        assert memory.read("pause") == (None, 0)

    def test_a_schema_that_the_uri_names_is_used(self, fresh_postgresql18_database: Endpoint) -> None:
        with psycopg.connect(fresh_postgresql18_database.uri) as connection:
            connection.execute("CREATE SCHEMA upkeep")
        uri = f"{fresh_postgresql18_database.uri}?options=-csearch_path%3Dupkeep"
        assert open_memory(uri, Secrets()).compare_and_set("x", {"n": 1}, 0)
        with psycopg.connect(fresh_postgresql18_database.uri) as connection:
            assert connection.execute("SELECT key FROM upkeep.upkeep_state").fetchall() == [("x",)]

    def test_a_wrong_password(self, name: str, request: pytest.FixtureRequest) -> None:
        endpoint: Endpoint = request.getfixturevalue(name)
        memory = open_memory(replace(endpoint, password="hunter22").uri, Secrets())
        with pytest.raises(StateError) as caught:
            writing(memory)
        assert "hunter22" not in str(caught.value)
        assert "state at 127.0.0.1" in str(caught.value)
        assert caught.value.remedy

    def test_a_user_who_may_only_look(self, name: str, request: pytest.FixtureRequest) -> None:
        endpoint: Endpoint = request.getfixturevalue(name)
        memory = open_memory(endpoint.as_monitor().uri, Secrets())
        with pytest.raises(StateError, match=r"(?i)permission|lacks the right|may not"):
            writing(memory)


@pytest.fixture(autouse=True)
def _no_leaked_connections() -> Iterator[None]:
    """Let every connection of a test be closed in that test."""
    yield
    gc.collect()
