# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An application that writes what is being archived, and remembers what it wrote; and runs that come to harm."""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import Any

import psycopg

from tests.integration import postgresql_retention
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

ITEMS = """
CREATE TABLE items (id bigint PRIMARY KEY, value bigint NOT NULL, note text, created_at timestamptz NOT NULL);
CREATE TABLE items_archive (id bigint PRIMARY KEY, value bigint, note text, created_at timestamptz)
"""
OLD = "now() - interval '100 days'"
WRITERS = 3

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.integration.postgresql_retention", "psycopg"])


@dataclass
class Ledger:
    """What the application knows of its rows: value, and whether it made the row young again."""

    rows: dict[int, tuple[int, bool]] = field(default_factory=dict)
    highest: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def numbers(self, count: int) -> range:
        """Numbers for new rows."""
        with self.lock:
            first = self.highest + 1
            self.highest += count
        return range(first, first + count)


def run_items(options: dict[str, Any], exclusive: bool) -> None:
    """One run of the task, in a process of its own; its result is of no interest, the tables are."""
    with contextlib.suppress(Exception):
        postgresql_retention.run_alone(options, exclusive=exclusive)


def start_run(options: dict[str, Any], *, exclusive: bool = True) -> BaseProcess:
    """Start a run in a process that took no time to import anything."""
    process = _FORKS.Process(target=run_items, args=(options, exclusive), daemon=True)
    process.start()
    return process


def add_old(session: psycopg.Connection[Any], ledger: Ledger, count: int) -> None:
    """Add old rows."""
    numbers = ledger.numbers(count)
    rows = "FROM generate_series(%s::bigint, %s::bigint) AS n"
    session.execute(
        f"INSERT INTO items SELECT n, n, repeat('x', (n %% 90)::int), {OLD} {rows}".encode(),
        (numbers[0], numbers[-1]),
    )
    for number in numbers:
        ledger.rows[number] = (number, False)


@contextlib.contextmanager
def writing(endpoint: Endpoint, ledger: Ledger, seed: int) -> Iterator[None]:
    """Writers that insert, update and delete old rows all the while. Each has rows of its own."""
    stop = threading.Event()
    errors: list[BaseException] = []
    threads = [
        threading.Thread(target=_write, args=(endpoint, ledger, part, random.Random(seed + part), stop, errors))
        for part in range(WRITERS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not errors, errors


def _write(
    endpoint: Endpoint,
    ledger: Ledger,
    part: int,
    source: random.Random,
    stop: threading.Event,
    errors: list[BaseException],
) -> None:
    try:
        with connect(endpoint) as session:
            while not stop.is_set():
                # The newest rows are those that are still there to be written.
                newest = ledger.highest
                number = source.randrange(max(1, newest - 6000), newest + 1)
                number -= (number - part) % WRITERS
                if number in ledger.rows:
                    _write_one(session, ledger, number, source)
                time.sleep(0.0005)
    except BaseException as error:  # noqa: BLE001 - it is raised again in the test's own thread
        errors.append(error)


def _write_one(session: psycopg.Connection[Any], ledger: Ledger, number: int, source: random.Random) -> None:
    """Change one row, and note it if the row was there to be changed."""
    value, _young = ledger.rows[number]
    way = source.random()
    if way < 0.15:
        if session.execute("DELETE FROM items WHERE id = %s", (number,)).rowcount:
            del ledger.rows[number]
    elif way < 0.25:
        if session.execute("UPDATE items SET created_at = now(), value = -id WHERE id = %s", (number,)).rowcount:
            ledger.rows[number] = (-number, True)
    elif way < 0.35:
        with session.transaction():  # a row that is held for a while
            held = session.execute("SELECT value FROM items WHERE id = %s FOR UPDATE", (number,)).fetchone()
            time.sleep(source.random() * 0.05)
            session.execute("UPDATE items SET value = value + 1000000 WHERE id = %s", (number,))
        if held:
            ledger.rows[number] = (held[0] + 1000000, ledger.rows[number][1])
    elif session.execute(
        "UPDATE items SET value = %s, note = repeat('y', %s) WHERE id = %s",
        (value + 1000000, source.randrange(200), number),
    ).rowcount:
        ledger.rows[number] = (value + 1000000, ledger.rows[number][1])


OURS = "pg_stat_activity WHERE application_name = 'upkeep' AND datname = current_database()"


def begun(session: psycopg.Connection[Any], where: str, seconds: float = 3) -> None:
    """Wait until a run has connected, and is at some statement; or has ended before it was seen to be.

    :param where: more of the condition on its session.
    """
    end = time.monotonic() + seconds
    while not count(session, f"{OURS} {where}") and time.monotonic() < end:
        time.sleep(0.001)


def quiet(session: psycopg.Connection[Any], seconds: float = 20) -> None:
    """Wait until the server has noticed that the run is gone."""
    end = time.monotonic() + seconds
    while count(session, OURS):
        assert time.monotonic() < end, "a session of ours stays"
        time.sleep(0.002)


def count(session: psycopg.Connection[Any], what: str) -> int:
    """How many rows there are."""
    row = session.execute(f"SELECT count(*) FROM {what}".encode()).fetchone()
    return int(row[0]) if row else 0


def check(session: psycopg.Connection[Any], ledger: Ledger, archive: dict[int, int] | None = None) -> None:
    """Every row exactly once, in the table or in the archive, with its last value; those made young in the table.

    :param archive: what the archive holds, number to value, if it is no table of this database.
    """
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        there = dict(session.execute("SELECT id, value FROM items").fetchall())
        kept = archive
        if kept is None:
            kept = dict(session.execute("SELECT id, value FROM items_archive").fetchall())
    both = there.keys() & kept.keys()
    assert not both, f"{len(both)} rows are there twice, such as {min(both)}"
    found = {**there, **kept}
    missing = ledger.rows.keys() - found.keys()
    assert not missing, f"{len(missing)} rows are lost, such as {min(missing)}"
    undead = found.keys() - ledger.rows.keys()
    assert not undead, f"{len(undead)} deleted rows are there, such as {min(undead)}"
    wrong = [number for number, (value, _young) in ledger.rows.items() if found[number] != value]
    assert not wrong, f"{len(wrong)} rows have another value, such as {wrong[0]}"
    young = [number for number, (_value, young) in ledger.rows.items() if young and number not in there]
    assert not young, f"{len(young)} young rows were archived, such as {young[0]}"


class Relay:
    """A stretch of network to a server, which can be cut."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._to = (endpoint.host, endpoint.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection that there is."""
        for end in self._sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._sockets.clear()

    def close(self) -> None:
        """Break them all and take no more."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _address = self._listener.accept()
                far = socket.create_connection(self._to)
                self._sockets += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass_on(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
