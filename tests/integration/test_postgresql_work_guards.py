# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module that changes a PostgreSQL server, in every situation that could hurt an application.

A long transaction, a lock that is held, a standby, a full disk, missing rights: nothing of ours waits for longer than
its lock_timeout, the application is not queued behind us, and the result has the reason.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
from psycopg import sql

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import StoreError
from ansible_collections.dataops.upkeep.plugins.module_utils._core.finding import Finding
from ansible_collections.dataops.upkeep.plugins.module_utils._core.result import Result
from ansible_collections.dataops.upkeep.plugins.module_utils._core.severity import Severity
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.errors import StandbyServer
from tests.integration import postgresql_reindex as reindexing
from tests.integration import postgresql_retention as retention
from tests.integration import postgresql_vacuum as vacuuming
from tests.integration.postgresql_health import session
from tests.integration.probe import Probe, probing
from tests.integration.small_disk import fill_up, small_disk_server
from tests.integration.test_postgresql_index import work as index_work
from tests.integration.test_postgresql_vacuum_rewrite import bloat
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect
from tests.stack.stack import Stack

LOCK_TIMEOUT = 0.3
MARGIN = 0.5
"""Seconds that a busy machine may take to notice that a time is over."""

WAITING = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - l.waitstart)), 0)::float8
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE NOT l.granted AND a.application_name = 'upkeep' AND a.datname = current_database()"""

STATE = """
SELECT c.relname::text, c.relfilenode::int, i.indisvalid, s.n_live_tup, s.vacuum_count
FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i') ORDER BY 1"""

DECLARED = {"name": "orders_note", "table": "orders", "columns": ["note"]}


@dataclass(frozen=True)
class Job:
    """A module with something to do.

    :param prepare: makes the table that it works on.
    :param run: runs the module.
    :param table: that table.
    :param probe: what the application does with it meanwhile.
    :param needs_room: whether it writes new files, and so cannot be done on a full disk.
    """

    prepare: Callable[[Endpoint], None]
    run: Callable[[Endpoint], dict[str, Any]]
    table: str
    probe: str
    needs_room: bool = True


def _events(endpoint: Endpoint) -> None:
    retention.make(endpoint, retention.EVENTS)


def _with_note(endpoint: Endpoint) -> None:
    vacuuming.fill(endpoint)
    retention.make(endpoint, "CREATE INDEX orders_note ON orders (note)")


TOUCH = "UPDATE orders SET id = id WHERE id = 8"
YOUNG = "UPDATE events SET note = note WHERE id = 7"
GUARD = str(LOCK_TIMEOUT)

JOBS: dict[str, Job] = {
    "vacuum": Job(
        lambda endpoint: vacuuming.fill(endpoint, dead=1500),
        lambda endpoint: vacuuming.vacuum(endpoint, lock_timeout=GUARD),
        "orders",
        TOUCH,
        needs_room=False,
    ),
    "rewrite": Job(
        lambda endpoint: bloat(endpoint, "orders"),
        lambda endpoint: vacuuming.vacuum(
            endpoint, mode="rewrite", allow_exclusive_lock=True, min_size="1MiB", free_space="1GiB", lock_timeout=GUARD
        ),
        "orders",
        TOUCH,
    ),
    "reindex": Job(
        reindexing.make_bloat, lambda endpoint: reindexing.reindex(endpoint, lock_timeout=GUARD), "orders", TOUCH
    ),
    "index made": Job(
        vacuuming.fill, lambda endpoint: index_work(endpoint, DECLARED, lock_timeout=GUARD), "orders", TOUCH
    ),
    "index dropped": Job(
        _with_note,
        lambda endpoint: index_work(endpoint, {**DECLARED, "state": "absent"}, lock_timeout=GUARD),
        "orders",
        TOUCH,
        needs_room=False,
    ),
    "retention delete": Job(
        _events,
        lambda endpoint: retention.retain(endpoint, retention.rule(), lock_timeout=GUARD),
        "events",
        YOUNG,
        needs_room=False,
    ),
    "retention archive": Job(
        _events,
        lambda endpoint: retention.retain(
            endpoint, retention.rule("archive", archive_to="events_archive"), lock_timeout=GUARD
        ),
        "events",
        YOUNG,
    ),
}


@pytest.fixture(params=list(JOBS))
def job(request: pytest.FixtureRequest) -> Job:
    """Each module in turn."""
    return JOBS[request.param]


@dataclass
class Waits:
    """For how long a statement of ours was seen to wait for a lock, in seconds."""

    longest: float = 0.0


@contextlib.contextmanager
def watching(endpoint: Endpoint) -> Iterator[Waits]:
    """Watch what is done inside wait."""
    waits, stop, watcher = Waits(), threading.Event(), connect(endpoint)

    def watch() -> None:
        while not stop.wait(0.01):
            (seconds,) = watcher.execute(WAITING).fetchone() or (0.0,)
            waits.longest = max(waits.longest, float(str(seconds)))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield waits
    finally:
        stop.set()
        thread.join()
        watcher.close()


@contextlib.contextmanager
def beside_the_application(endpoint: Endpoint, statement: str) -> Iterator[Probe]:
    """Hold what is done inside to what every module promises."""
    with watching(endpoint) as waits, probing(endpoint, statement) as probe:
        yield probe
    assert waits.longest <= LOCK_TIMEOUT + MARGIN
    assert probe.blocked <= LOCK_TIMEOUT + MARGIN
    assert probe.errors == []


def state(endpoint: Endpoint) -> list[tuple[Any, ...]]:
    """What a change of ours would change: files, validity, numbers of rows and vacuums."""
    with connect(endpoint) as opened:
        opened.execute("SELECT pg_stat_clear_snapshot()")
        return opened.execute(STATE).fetchall()


def outcome(job: Job, endpoint: Endpoint) -> dict[str, Any]:
    """What the module says, though it fails because it cannot even look: then its error is the reason."""
    try:
        return job.run(endpoint)
    except StoreError as error:
        result = error.partial or Result("")
        result.findings.append(Finding("upkeep.error", Severity.CRITICAL, "run", str(error)))
        return result.as_dict()


def undone(result: dict[str, Any]) -> list[str]:
    """Why actions were not done: each has to say it."""
    reasons = [action["detail"] for action in result["actions"] if action["state"] != "done"]
    assert all(reasons), result["actions"]
    return reasons


def said(result: dict[str, Any]) -> str:
    """All that the result gives for reasons."""
    return " ".join([*undone(result), *(finding["message"] for finding in result["findings"])])


def finishes(job: Job, endpoint: Endpoint) -> None:
    """Nothing else was in the way: now all of it is done, and then there is nothing left."""
    for _turn in range(2):
        result = job.run(endpoint)
        assert {action["state"] for action in result["actions"]} <= {"done"}, result["actions"]
    assert not result["changed"]


def test_a_long_transaction(job: Job, fresh_postgresql_database: Endpoint) -> None:
    endpoint = fresh_postgresql_database
    job.prepare(endpoint)
    query = f"SELECT count(*) FROM {job.table}"
    with session(endpoint, "BEGIN ISOLATION LEVEL REPEATABLE READ", query) as old:
        with beside_the_application(endpoint, job.probe):
            result = job.run(endpoint)
        if undone(result):
            assert f"{old.info.backend_pid}" in said(result) or "lock" in said(result), result
        assert old.execute(query.encode()).fetchone(), "nobody ended it"
    finishes(job, endpoint)


@pytest.mark.parametrize("mode", ["ACCESS EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "ROW EXCLUSIVE"])
def test_a_lock_that_is_held(job: Job, fresh_postgresql18_database: Endpoint, mode: str) -> None:
    endpoint = fresh_postgresql18_database
    job.prepare(endpoint)
    before = state(endpoint)
    # Of a table that is locked altogether the application waits for the holder; so it asks for something else.
    probe = "SELECT count(*) FROM pg_class" if mode == "ACCESS EXCLUSIVE" else job.probe
    with session(endpoint, "BEGIN", f"LOCK TABLE {job.table} IN {mode} MODE") as holder:
        with beside_the_application(endpoint, probe):
            result = outcome(job, endpoint)
        if mode == "ACCESS EXCLUSIVE":
            assert not result["changed"], result
            assert "lock" in said(result), result
        elif undone(result):
            assert f"{holder.info.backend_pid}" in said(result) or "lock" in said(result), result
        holder.execute("ROLLBACK")
    if mode == "ACCESS EXCLUSIVE":
        assert [row[:3] for row in state(endpoint)] == [row[:3] for row in before]
    finishes(job, endpoint)


def test_a_standby(job: Job, postgresql18_pair: tuple[Endpoint, Endpoint]) -> None:
    with pytest.raises(StandbyServer, match="standby"):
        job.run(postgresql18_pair[1])


@pytest.fixture
def reader(fresh_postgresql_database: Endpoint) -> Iterator[Endpoint]:
    """A user who may read everything in the database, and do nothing else."""
    name, password = f"reader_{secrets.token_hex(4)}", secrets.token_urlsafe(12)
    role = sql.Identifier(name)
    with connect(fresh_postgresql_database) as opened:
        opened.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
        opened.execute(sql.SQL("GRANT pg_read_all_data, pg_monitor TO {}").format(role))
    yield replace(fresh_postgresql_database, user=name, password=password)
    with connect(fresh_postgresql_database) as opened:
        opened.execute(sql.SQL("DROP ROLE {}").format(role))


def test_missing_rights(job: Job, fresh_postgresql_database: Endpoint, reader: Endpoint) -> None:
    endpoint = fresh_postgresql_database
    job.prepare(endpoint)
    before = state(endpoint)
    with beside_the_application(endpoint, "SELECT count(*) FROM pg_class"):
        result = job.run(reader)
    assert not result["changed"]
    assert {action["state"] for action in result["actions"]} <= {"skipped"}, result["actions"]
    assert any(word in said(result) for word in ("may not", "owner", "lacks", "MAINTAIN")), result
    assert state(endpoint) == before
    finishes(job, endpoint)


@pytest.fixture(scope="module")
def small(make_stack: Callable[..., Stack]) -> Iterator[Endpoint]:
    """A server with a small disk."""
    with small_disk_server(make_stack) as endpoint:
        yield endpoint


def test_a_full_disk(job: Job, small: Endpoint) -> None:
    name = sql.Identifier(f"full_{secrets.token_hex(4)}")
    with connect(small) as opened:
        opened.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
        opened.execute(sql.SQL("ALTER DATABASE {} SET default_tablespace = small").format(name))
    endpoint = small.with_database(name.as_string().strip('"'))
    try:
        job.prepare(endpoint)
        before = _content(endpoint, job)
        fill_up(endpoint)
        # An update needs room as well, so the application reads.
        with beside_the_application(endpoint, f"SELECT count(*) FROM {job.table} WHERE id = 8"):
            result = job.run(endpoint)
        if job.needs_room:
            assert "disk is full" in said(result), result
            assert {action["state"] for action in result["actions"]} & {"failed", "skipped"}
            assert _content(endpoint, job) == before
        with connect(endpoint) as opened:
            (invalid,) = opened.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() or (None,)
            assert invalid == 0, "nothing is left lying about"
            opened.execute("DROP TABLE filler")
        finishes(job, endpoint)
    finally:
        with connect(small) as opened:
            opened.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _content(endpoint: Endpoint, job: Job) -> list[tuple[Any, ...]]:
    """All rows of the table, the archive's among them."""
    with connect(endpoint) as opened:
        rows = opened.execute(f"SELECT md5(t::text) FROM {job.table} t".encode()).fetchall()
        with contextlib.suppress(psycopg.errors.UndefinedTable):
            rows += opened.execute(f"SELECT md5(t::text) FROM {job.table}_archive t".encode()).fetchall()
    return sorted(rows)
