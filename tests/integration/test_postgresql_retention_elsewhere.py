# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives in another database and in files: what arrives, what is refused, and every moment at which a run may end."""

from __future__ import annotations

import contextlib
import csv
import gzip
import hashlib
import io
import json
import os
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import zstandard
from psycopg import sql

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput, StoreUnreachable
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql import work
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention import (
    act_database,
    act_file,
    archive_files,
    outside,
)
from tests.integration.postgresql_retention import EVENTS, OLD, make, options_of, retain, rule
from tests.integration.postgresql_work import states
from tests.integration.running import run_module
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

Rows = set[tuple[int, str | None]]


@pytest.fixture
def events(fresh_postgresql18_database: Endpoint) -> Endpoint:
    """A database with the events, of which one has a note that is hard to write."""
    with connect(fresh_postgresql18_database) as session:
        session.execute(EVENTS)
        session.execute("UPDATE events SET note = %s WHERE id = 4000", ('a,"b"\r\n\\N \'; -- ☃\t',))
        session.execute("UPDATE events SET note = '' WHERE id = 4001")
        session.execute("UPDATE events SET note = NULL WHERE id = 4002")
    return fresh_postgresql18_database


@pytest.fixture
def other(postgresql17: Endpoint) -> Iterator[Endpoint]:
    """A database of another server, of an older version."""
    name = f"other_{secrets.token_hex(4)}"
    with connect(postgresql17) as session:
        session.execute(f"CREATE DATABASE {name}".encode())
        yield postgresql17.with_database(name)
        session.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def old_rows(endpoint: Endpoint) -> Rows:
    """Number and note of the events that are old."""
    return rows(endpoint, "SELECT id, note FROM events WHERE created_at < now() - interval '90 days'")


def rows(endpoint: Endpoint, query: str) -> Rows:
    """What a query returns, none of it twice."""
    with connect(endpoint) as session:
        found = session.execute(query.encode()).fetchall()
    assert len(set(found)) == len(found), "rows are there twice"
    return {(row[0], row[1]) for row in found}


def to_database(other: Endpoint, **more: Any) -> dict[str, Any]:
    """The rule that archives to another database."""
    return rule("archive", archive_to={"database": other.options(), "table": "events_kept", **more})


def to_files(place: Path, compression: str = "gzip") -> dict[str, Any]:
    """The rule that archives to files."""
    return rule("archive", archive_to={"directory": str(place), "compression": compression})


def kept(other: Endpoint) -> Rows:
    """What is in the other database, where nothing is in doubt."""
    assert not rows(other, "SELECT rows, archive FROM upkeep_archive_ledger")
    return rows(other, "SELECT id, note FROM events_kept")


def manifests(place: Path) -> list[dict[str, Any]]:
    """The manifests of files that are whole; there is nothing beside them."""
    found = [json.loads(path.read_text()) for path in sorted(place.glob("*.manifest.json"))]
    names = {entry["file"] for entry in found}
    assert {path.name for path in place.iterdir()} == names | {f"{name}.manifest.json" for name in names}
    return found


def filed(place: Path) -> Rows:
    """What is in the files."""
    found: list[tuple[int, str]] = []
    for entry in manifests(place):
        raw = (place / entry["file"]).read_bytes()
        assert hashlib.sha256(raw).hexdigest() == entry["sha256"]
        lines = list(csv.DictReader(io.StringIO(gzip.decompress(raw).decode(), newline="")))
        assert len(lines) == entry["rows"]
        found += [(int(line["id"]), line["note"]) for line in lines]
    assert len(set(found)) == len(found), "rows are there twice"
    return set(found)


def test_another_database_gets_the_rows(events: Endpoint, other: Endpoint) -> None:
    with connect(events) as session:
        session.execute("CREATE TYPE mood AS ENUM ('good', 'bad')")
        session.execute("ALTER TABLE events ADD COLUMN mood mood DEFAULT 'bad', DROP COLUMN kind")
    expected = old_rows(events)
    planned = retain(events, to_database(other), check=True)
    assert [kind for kind, _subject, _state in states(planned)] == ["create", "create", "archive"]
    with connect(other) as session:
        assert session.execute("SELECT to_regclass('events_kept')").fetchone() == (None,)
    done = retain(events, to_database(other))
    assert [action["statement"] for action in done["actions"]] == [action["statement"] for action in planned["actions"]]
    assert {action["state"] for action in done["actions"]} == {"done"}
    assert (kept(other), old_rows(events), len(expected)) == (expected, set(), OLD)
    with connect(other) as session:
        row = session.execute("SELECT mood, doubled = amount * 2 FROM events_kept LIMIT 1").fetchone()
    assert row == ("bad", True)
    assert not retain(events, to_database(other))["changed"]


def test_a_column_that_is_added_later_goes_along(events: Endpoint, other: Endpoint) -> None:
    retain(events, {**to_database(other), "older_than": "150d"})
    with connect(events) as session:
        session.execute("ALTER TABLE events ADD COLUMN extra text DEFAULT 'more'")
    result = retain(events, to_database(other))
    assert [kind for kind, _subject, _state in states(result)] == ["alter", "archive"]
    assert rows(other, "SELECT extra, count(*)::text FROM events_kept GROUP BY 1") == {
        (None, str(OLD - 90 * 24 + 30 * 24)),
        ("more", str(60 * 24)),
    }


def test_a_row_that_is_in_the_archive_already_stops_the_rule_before_anything_is_lost(
    events: Endpoint, other: Endpoint
) -> None:
    expected = old_rows(events)
    retain(events, to_database(other), check=True)
    retain(events, {**to_database(other), "older_than": "199d"})
    moved = kept(other)
    with connect(other) as session:
        session.execute("INSERT INTO events_kept (id) VALUES (4000)")
    result = retain(events, to_database(other))
    assert result["actions"][-1]["state"] == "failed"
    assert "duplicate key" in result["actions"][-1]["detail"]
    assert (4000, 'a,"b"\r\n\\N \'; -- ☃\t') in old_rows(events)
    with connect(other) as session:
        session.execute("DELETE FROM events_kept WHERE kind IS NULL")
    retain(events, to_database(other))
    assert (kept(other), old_rows(events)) == (expected, set())
    assert moved <= kept(other)


def test_files_get_the_rows_and_can_be_restored(events: Endpoint, tmp_path: Path) -> None:
    place, expected = tmp_path / "deep/archive", old_rows(events)
    planned = retain(events, to_files(place), check=True)
    assert not place.exists()
    done = retain(events, to_files(place))
    assert [action["statement"] for action in done["actions"]] == [action["statement"] for action in planned["actions"]]
    (manifest,) = manifests(place)
    assert {path.stat().st_mode & 0o777 for path in place.iterdir()} == {0o600}
    assert place.stat().st_mode & 0o777 == 0o700
    assert manifest["rows"] == OLD
    assert manifest["key"] == {"columns": ["id"], "min": [str(4800 - OLD + 1)], "max": ["4800"]}
    assert manifest["generated"] == ["doubled"]
    assert old_rows(events) == set()
    assert not retain(events, to_files(place))["changed"]
    raw = gzip.decompress((place / manifest["file"]).read_bytes())
    statement = shlex.split(manifest["restore"])[-1].removeprefix("\\")
    with connect(events) as session, session.cursor() as cursor:
        with cursor.copy(statement.encode()) as copy:
            copy.write(raw)
        assert cursor.rowcount == OLD
    assert old_rows(events) == expected


def test_files_in_zstd(events: Endpoint, tmp_path: Path) -> None:
    retain(events, to_files(tmp_path, "zstd"))
    (manifest,) = manifests(tmp_path)
    with (tmp_path / manifest["file"]).open("rb") as handle:
        text = zstandard.ZstdDecompressor().stream_reader(handle, read_across_frames=True).read().decode()
    assert len(list(csv.reader(io.StringIO(text, newline="")))) == OLD + 1
    assert manifest["restore"].startswith("zstd -dc ")


def test_a_table_without_a_key_can_be_filed(events: Endpoint, tmp_path: Path) -> None:
    with connect(events) as session:
        session.execute("ALTER TABLE events DROP CONSTRAINT events_pkey")
    retain(events, to_files(tmp_path))
    (manifest,) = manifests(tmp_path)
    assert manifest["rows"] == OLD
    assert manifest["key"] == {"columns": [], "min": None, "max": None}


class Gone(BaseException):
    """The process ends here: nothing of it runs any more, its connections break."""


def ends(target: Any, name: str, before: bool, times: int = 2) -> Any:
    """Let the process end before or after a function is called for the n-th time."""
    inner, calls = getattr(target, name), []

    def end(*arguments: Any, **named: Any) -> Any:
        calls.append(name)
        if before and len(calls) == times:
            raise Gone
        result = inner(*arguments, **named)
        if len(calls) == times:
            raise Gone
        return result

    return mock.patch.object(target, name, end)


def ended(events: Endpoint, a_rule: dict[str, Any], target: Any, name: str, before: bool, times: int) -> None:
    """Let a run end somewhere. A dead process neither undoes nor closes anything."""
    mover = target if target is act_database.DatabaseMover else act_file.FileMover
    with ends(target, name, before, times), pytest.raises(Gone), mock.patch.object(mover, "undone"):
        retain(events, a_rule)


DATABASE_STEPS = [("move", True), ("move", False), ("settled", True), ("settled", False), ("finish", True)]


@pytest.mark.parametrize(("name", "before"), DATABASE_STEPS)
def test_a_run_to_another_database_that_ends_at_any_step(
    events: Endpoint, other: Endpoint, name: str, before: bool
) -> None:
    expected = old_rows(events)
    ended(events, to_database(other), act_database.DatabaseMover, name, before, 1 if name == "finish" else 2)
    if (name, before) == ("move", False):
        double = old_rows(events) & rows(other, "SELECT id, note FROM events_kept")
        assert double, "the rows are in both: the archive has committed, the source has not"
        (number, _note) = min(double)
        with connect(events) as session:
            session.execute("UPDATE events SET note = 'changed since' WHERE id = %s", (number,))
        expected = {(number, "changed since"), *(row for row in expected if row[0] != number)}
    planned = retain(events, to_database(other), check=True)
    left = rows(other, "SELECT rows, archive FROM upkeep_archive_ledger")
    assert ("finish" in {action["kind"] for action in planned["actions"]}) == bool(left)
    result = retain(events, to_database(other))
    assert {action["state"] for action in result["actions"]} <= {"done"}, result["actions"]
    assert (kept(other), old_rows(events)) == (expected, set())
    assert not retain(events, to_database(other))["changed"]


FILE_STEPS: list[tuple[Any, str, int]] = [
    (act_file.FileMover, "move", 2),
    (act_file.FileMover, "settled", 2),
    (act_file.FileMover, "finish", 1),
    (act_file, "settle", 1),
    (act_file, "settle", 2),
    (act_file, "settle", 5),
    (act_file, "settle", 6),
    (archive_files, "settle", 1),
    (archive_files, "settle_directory", 1),
    (archive_files, "settle_directory", 2),
    (Path, "replace", 1),
    (Path, "replace", 2),
    (Path, "unlink", 1),
]


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(("target", "name", "times"), FILE_STEPS, ids=lambda part: str(getattr(part, "__name__", part)))
def test_a_run_to_a_file_that_ends_at_any_step(
    events: Endpoint, tmp_path: Path, target: Any, name: str, times: int, before: bool
) -> None:
    expected, place = old_rows(events), tmp_path / "archive"
    ended(events, to_files(place), target, name, before, times)
    planned = retain(events, to_files(place), check=True)
    assert ("finish" in {action["kind"] for action in planned["actions"]}) == bool(list(place.glob("*.journal")))
    result = retain(events, to_files(place))
    assert {action["state"] for action in result["actions"]} <= {"done"}, result["actions"]
    assert old_rows(events) == set()
    assert filed(place) == {(number, note or "") for number, note in expected}
    assert not retain(events, to_files(place))["changed"]


def test_a_line_of_the_journal_that_was_cut_off_is_none(events: Endpoint, tmp_path: Path) -> None:
    expected = old_rows(events)
    ended(events, to_files(tmp_path), act_file.FileMover, "settled", True, 2)
    (journal,) = tmp_path.glob("*.journal")
    raw = journal.read_bytes()
    journal.write_bytes(raw + b'{"rows": 12, "end": 99')
    retain(events, to_files(tmp_path))
    assert filed(tmp_path) == {(number, note or "") for number, note in expected}


def test_the_file_of_another_server_is_left_alone(events: Endpoint, tmp_path: Path) -> None:
    ended(events, to_files(tmp_path), act_file.FileMover, "settled", True, 2)
    (journal,) = tmp_path.glob("*.journal")
    journal.write_bytes(journal.read_bytes().replace(b'"system": "', b'"system": "9'))
    result = retain(events, to_files(tmp_path))
    failed = [action for action in result["actions"] if action["state"] == "failed"]
    assert [action["kind"] for action in failed] == ["finish"]
    assert "another server" in failed[0]["detail"]
    assert journal.exists()


def test_a_file_that_another_run_finishes_in_between(events: Endpoint, tmp_path: Path) -> None:
    expected = old_rows(events)
    ended(events, to_files(tmp_path), act_file.FileMover, "finish", True, 1)
    inner: list[dict[str, Any]] = []
    recover = outside.recover

    def late(*arguments: Any) -> str:
        with mock.patch.object(outside, "recover", recover), mock.patch.object(work, "advisory_lock", no_lock):
            inner.append(retain(events, to_files(tmp_path)))
        return recover(*arguments)

    with mock.patch.object(outside, "recover", late):
        result = retain(events, to_files(tmp_path))
    assert [run["actions"][0]["state"] for run in (*inner, result)] == ["done", "done"]
    assert "another run has finished it" in result["actions"][0]["detail"]
    assert filed(tmp_path) == {(number, note or "") for number, note in expected}


def test_a_transaction_that_a_failover_lost_took_no_rows(events: Endpoint, tmp_path: Path) -> None:
    """The server does not know of it: whatever it took is in the table."""
    expected = old_rows(events)
    ended(events, to_files(tmp_path), act_file.FileMover, "move", False, 2)
    (journal,) = tmp_path.glob("*.journal")
    lines = journal.read_text().splitlines()
    last = json.loads(lines[-1])
    journal.write_text("\n".join([*lines[:-1], json.dumps({**last, "transaction": "999999999999"})]) + "\n")
    retain(events, to_files(tmp_path))
    assert filed(tmp_path) == {(number, note or "") for number, note in expected}


def test_a_user_without_any_privilege_but_on_the_table(events: Endpoint, other: Endpoint, tmp_path: Path) -> None:
    name = f"clerk_{secrets.token_hex(4)}"
    make(events, f"CREATE ROLE {name} LOGIN PASSWORD 'clerk'", f"GRANT SELECT, UPDATE, DELETE ON events TO {name}")
    make(other, f"CREATE ROLE {name} LOGIN PASSWORD 'clerk'", f"CREATE SCHEMA kept AUTHORIZATION {name}")
    clerk, expected = replace(events, user=name, password="clerk"), old_rows(events)
    target = {**other.options(), "login_user": name, "login_password": "clerk"}
    there = rule("archive", older_than="150d", archive_to={"database": target, "table": "kept.events_kept"})
    result = retain(clerk, there)
    assert {action["state"] for action in result["actions"]} == {"done"}, result
    result = retain(clerk, to_files(tmp_path))
    assert {action["state"] for action in result["actions"]} == {"done"}, result
    moved = {(number, note or "") for number, note in rows(other, "SELECT id, note FROM kept.events_kept")}
    assert moved | filed(tmp_path) == {(number, note or "") for number, note in expected}
    for place in (events, other):
        make(place, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def test_a_run_that_is_still_at_work_keeps_its_file(events: Endpoint, tmp_path: Path) -> None:
    inner: list[dict[str, Any]] = []
    settled = act_file.FileMover.settled

    def look(self: act_file.FileMover) -> None:
        settled(self)
        if not inner:
            inner.append({})
            with mock.patch.object(work, "advisory_lock", no_lock):
                inner.append(retain(events, to_files(tmp_path)))

    expected = old_rows(events)
    with mock.patch.object(act_file.FileMover, "settled", look):
        retain(events, to_files(tmp_path))
    finishing = inner[1]["actions"][0]
    assert (finishing["kind"], finishing["state"]) == ("finish", "skipped")
    assert "still at work" in finishing["detail"]
    assert filed(tmp_path) == {(number, note or "") for number, note in expected}


@contextlib.contextmanager
def no_lock(*_arguments: Any) -> Iterator[None]:
    """No lock keeps the runs apart."""
    yield


FULL = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (12000, 12000))
from tests.integration.postgresql_retention import main
main()
"""


def test_a_disk_that_is_full_in_the_midst(events: Endpoint, tmp_path: Path) -> None:
    """The system refuses to make the file any longer; what did not get into it stays in the table."""
    expected = old_rows(events)
    given = {"options": options_of(events, to_files(tmp_path)), "exclusive": True}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", FULL],
        input=json.dumps(given),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (action,) = json.loads(done.stdout.splitlines()[-1])["actions"]
    assert action["state"] == "failed"
    assert "File too large" in action["detail"]
    left = old_rows(events)
    assert 0 < len(left) < len(expected)
    retain(events, to_files(tmp_path))
    assert old_rows(events) == set()
    assert filed(tmp_path) == {(number, note or "") for number, note in expected}


def test_commits_that_count_are_on_the_disk(events: Endpoint, other: Endpoint) -> None:
    seen: list[tuple[Any, ...]] = []
    pipe = act_database.DatabaseMover._pipe

    def look(self: act_database.DatabaseMover, client: Any, *arguments: Any) -> int:
        query = "SHOW synchronous_commit"
        seen.extend(each.connection.execute(query).fetchone() for each in (client, self._there))
        return pipe(self, client, *arguments)

    with connect(events) as session:
        session.execute(f'ALTER DATABASE "{events.database}" SET synchronous_commit = off'.encode())
    with mock.patch.object(act_database.DatabaseMover, "_pipe", look):
        retain(events, to_database(other))
    assert set(seen) == {("on",)}


def test_a_folder_that_may_not_be_made(events: Endpoint, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = retain(events, to_files(tmp_path / "file/archive"))
    assert result["actions"][0]["state"] == "failed"
    assert "Not a directory" in result["actions"][0]["detail"]


def test_the_other_database_is_down(events: Endpoint, other: Endpoint) -> None:
    with pytest.raises(StoreUnreachable, match=r"connect to PostgreSQL at 127\.0\.0\.1:1"):
        retain(events, rule("archive", archive_to={"database": {**other.options(), "login_port": 1}}))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"database": {"login_hots": "x"}}, "there is no option 'login_hots'"),
        ({"database": "postgresql://a:b@c@d/e"}, "cannot be told apart"),
        ({"directory": "/srv/x", "compression": "rar"}, "'rar' is none"),
        ({"directory": "/srv/x", "table": "y"}, "is not understood"),
    ],
)
def test_bad_targets(events: Endpoint, target: Any, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        retain(events, rule("archive", archive_to=target))


def test_a_schema_that_the_other_database_lacks(events: Endpoint, other: Endpoint) -> None:
    with pytest.raises(InvalidInput, match="has no schema 'nowhere'"):
        retain(events, to_database(other, table="nowhere.events"))


def test_the_archive_is_not_the_table_itself(events: Endpoint) -> None:
    with pytest.raises(InvalidInput, match="the archive is the table itself"):
        retain(events, rule("archive", archive_to={"database": events.options(), "table": "events"}))


def test_a_user_who_may_not_create_in_the_other_database(events: Endpoint, other: Endpoint) -> None:
    name = f"reader_{secrets.token_hex(4)}"
    with connect(other) as session:
        session.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'reader'".encode())
    target = {**other.options(), "login_user": name, "login_password": "reader"}
    result = retain(events, rule("archive", archive_to={"database": target, "table": "events_kept"}))
    assert [finding["id"] for finding in result["findings"]] == ["postgresql.retention_denied"]
    assert "CREATE on the schema public" in result["findings"][0]["message"]
    assert len(old_rows(events)) == OLD
    with connect(other) as session:
        session.execute(f"DROP ROLE {name}".encode())


NASTY = ['a"; DROP TABLE events; --', "o'hara", "{x} %s %(y)s", "Ünï ☃", "x" * 63]


@pytest.mark.parametrize("name", NASTY)
def test_names_that_would_break_out(events: Endpoint, other: Endpoint, tmp_path: Path, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    with connect(events) as session:
        session.execute(sql.SQL("ALTER TABLE events RENAME COLUMN note TO {}").format(sql.Identifier(name)))
    target = {"database": other.options(), "table": quoted}
    result = retain(events, {**rule("archive", archive_to=target, older_than="150d"), "name": name})
    assert {action["state"] for action in result["actions"]} == {"done"}, result["actions"]
    with connect(other) as session:
        found = session.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name)))
        assert found.fetchone() == (OLD - 60 * 24,)
    result = retain(events, {**rule("archive", archive_to={"directory": str(tmp_path)}), "name": name})
    assert {action["state"] for action in result["actions"]} == {"done"}, result["actions"]
    (manifest,) = manifests(tmp_path)
    assert manifest["rows"] == 60 * 24
    assert manifest["rule"] == name
    assert len(manifest["file"]) < 255 - len(".manifest.json.part")


def test_no_secret_of_the_other_database_is_shown(events: Endpoint, other: Endpoint) -> None:
    with connect(other) as session:
        session.execute("DROP ROLE IF EXISTS keeper")
        session.execute("CREATE ROLE keeper LOGIN SUPERUSER PASSWORD 's3cret/of@keeper'")
    uri = f"postgresql://keeper:s3cret%2Fof%40keeper@{other.host}:{other.port}/{other.database}"
    for archive_to in (
        {"database": uri},
        {"database": {**other.options(), "login_user": "keeper", "login_password": "wr0ng/one"}},
    ):
        for verbosity in (0, 3):
            result = run_module(
                "postgresql_retention",
                {**events.options(), "rules": [rule("archive", archive_to=archive_to)]},
                verbosity=verbosity,
            )
            shown = json.dumps(result)
            assert not [word for word in ("s3cret", "wr0ng") if word in shown]
    with connect(other) as session:
        session.execute("DROP OWNED BY keeper")
        session.execute("DROP ROLE keeper")
