# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives in another database and in files: an archiver that comes to harm loses no row and doubles none."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from tests.faults.archiving import (
    ITEMS,
    OURS,
    Ledger,
    Relay,
    add_old,
    begun,
    check,
    count,
    quiet,
    start_run,
    writing,
)
from tests.integration.postgresql_retention import options_of, retain, rule
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

KILLS = max(1, int(os.environ.get("UPKEEP_TEST_KILLS", "200")) // 10)
FEWER = max(1, KILLS // 4)
GENTLE = {"batch_target_ms": 10, "rest_ratio": 2.0}

Harm = Callable[[list[BaseProcess]], None]
Read = Callable[[], dict[int, int]]


def harmed(
    endpoint: Endpoint,
    a_rule: dict[str, Any],
    read: Read,
    times: int,
    harm: Harm,
    *,
    runs: int = 1,
    other: Endpoint | None = None,
) -> None:
    """Let runs come to harm at random moments while the application writes; let one finish; check the rows.

    :param read: returns what the archive holds, number to value.
    :param other: another database whose sessions of ours have to end as well.
    """
    seed = random.SystemRandom().randrange(10**9)
    print(f"seed {seed}")
    source, ledger, hit = random.Random(seed), Ledger(), 0
    options = options_of(endpoint, a_rule, **GENTLE)
    with connect(endpoint) as session:
        session.execute(ITEMS)
        add_old(session, ledger, 2000)
        session.execute("ANALYZE items")
        with writing(endpoint, ledger, seed):
            for _time in range(times):
                add_old(session, ledger, 3000)
                old = count(session, "items WHERE value > 0")
                processes = [start_run(options, exclusive=runs == 1) for _run in range(runs)]
                begun(session, "" if source.random() < 0.1 else "AND query LIKE 'COPY%'")
                time.sleep(source.random() * 0.25)
                harm(processes)
                for process in processes:
                    process.join(60)
                    assert process.exitcode is not None, "a run hangs"
                quiet(session)
                hit += 0 < count(session, "items WHERE value > 0") < old
        if other is not None:
            with connect(other) as there:
                quiet(there)
        result = retain(endpoint, a_rule)
        assert result["status"] == "ok", result
        assert all(action["state"] == "done" for action in result["actions"]), result["actions"]
        check(session, ledger, read())
        again = retain(endpoint, a_rule)
        assert not again["changed"], again["actions"]
    print(f"{hit} of {times} in the midst")
    assert hit > times / 4, "most runs had not begun or had ended: nothing was tested"


def kill(processes: list[BaseProcess]) -> None:
    """Kill -9."""
    for process in processes:
        process.kill()


@pytest.fixture
def other(postgresql17: Endpoint) -> Iterator[Endpoint]:
    """A database of another server, of an older version."""
    with _database(postgresql17, "upkeep_other") as endpoint:
        yield endpoint


@contextmanager
def _database(endpoint: Endpoint, name: str) -> Iterator[Endpoint]:
    with connect(endpoint) as session:
        session.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        session.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield endpoint.with_database(name)
        finally:
            session.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def to_database(other: Endpoint, port: int | None = None) -> dict[str, Any]:
    """The rule that archives to another database."""
    options = {**other.options(), **({"login_port": port} if port else {})}
    return rule("archive", table="items", archive_to={"database": options, "table": "items_kept"})


def kept_in(other: Endpoint) -> dict[int, int]:
    """What another database has, and that nothing is in doubt there."""
    with connect(other) as session:
        assert count(session, "upkeep_archive_ledger") == 0
        rows = session.execute("SELECT id, value FROM items_kept").fetchall()
        assert count(session, "items_kept") == len(dict(rows)), "rows are there twice"
    return dict(rows)


def to_files(directory: Path) -> dict[str, Any]:
    """The rule that archives to files."""
    return rule("archive", table="items", archive_to={"directory": str(directory), "compression": "gzip"})


def kept_files(directory: Path) -> dict[int, int]:
    """What the files hold, each of them true to its manifest, and no other files beside them."""
    found: dict[int, int] = {}
    manifests = sorted(directory.glob("*.manifest.json"))
    for path in manifests:
        manifest = json.loads(path.read_text())
        raw = (directory / manifest["file"]).read_bytes()
        assert (hashlib.sha256(raw).hexdigest(), len(raw)) == (manifest["sha256"], manifest["bytes"])
        rows = list(csv.DictReader(io.StringIO(gzip.decompress(raw).decode(), newline="")))
        assert len(rows) == manifest["rows"]
        numbers = [int(row["id"]) for row in rows]
        assert ([str(min(numbers))], [str(max(numbers))]) == (manifest["key"]["min"], manifest["key"]["max"])
        assert not found.keys() & set(numbers), "rows are in two files"
        found.update({int(row["id"]): int(row["value"]) for row in rows})
    assert len(list(directory.iterdir())) == 2 * len(manifests), "there are other files"
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}
    return found


def test_killed_with_an_archive_in_another_database(fresh_postgresql18_database: Endpoint, other: Endpoint) -> None:
    harmed(fresh_postgresql18_database, to_database(other), lambda: kept_in(other), KILLS, kill, other=other)


def test_two_at_once_to_another_database(fresh_postgresql18_database: Endpoint, other: Endpoint) -> None:
    harmed(fresh_postgresql18_database, to_database(other), lambda: kept_in(other), FEWER, kill, runs=2, other=other)


def test_the_other_database_ends_the_session(fresh_postgresql18_database: Endpoint, other: Endpoint) -> None:
    end = f"SELECT pg_terminate_backend(pid) FROM {OURS}"

    def harm(_processes: list[BaseProcess]) -> None:
        with connect(other) as session:
            session.execute(end.encode())

    harmed(fresh_postgresql18_database, to_database(other), lambda: kept_in(other), FEWER, harm, other=other)


def test_the_source_ends_the_session(fresh_postgresql18_database: Endpoint, other: Endpoint) -> None:
    end = f"SELECT pg_terminate_backend(pid) FROM {OURS}"

    def harm(_processes: list[BaseProcess]) -> None:
        with connect(fresh_postgresql18_database) as session:
            session.execute(end.encode())

    harmed(fresh_postgresql18_database, to_database(other), lambda: kept_in(other), FEWER, harm, other=other)


def test_the_network_to_the_other_database_is_cut(fresh_postgresql18_database: Endpoint, other: Endpoint) -> None:
    relay = Relay(other)
    through = to_database(other, relay.port)
    try:
        harmed(
            fresh_postgresql18_database,
            through,
            lambda: kept_in(other),
            FEWER,
            lambda _processes: relay.cut(),
            other=other,
        )
    finally:
        relay.close()


def test_killed_with_an_archive_in_files(fresh_postgresql18_database: Endpoint, tmp_path: Path) -> None:
    place = tmp_path / "archive"
    harmed(fresh_postgresql18_database, to_files(place), lambda: kept_files(place), KILLS, kill)


def test_two_at_once_to_files(fresh_postgresql18_database: Endpoint, tmp_path: Path) -> None:
    place = tmp_path / "archive"
    harmed(fresh_postgresql18_database, to_files(place), lambda: kept_files(place), FEWER, kill, runs=2)


def test_the_source_ends_the_session_of_a_file(fresh_postgresql18_database: Endpoint, tmp_path: Path) -> None:
    place, end = tmp_path / "archive", f"SELECT pg_terminate_backend(pid) FROM {OURS}"

    def harm(_processes: list[BaseProcess]) -> None:
        with connect(fresh_postgresql18_database) as session:
            session.execute(end.encode())

    harmed(fresh_postgresql18_database, to_files(place), lambda: kept_files(place), FEWER, harm)
