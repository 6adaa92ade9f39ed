# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_vacuum with the program pg_repack, against Debian's server 15, where both are installed.

Debian: apt-get install postgresql-15 postgresql-15-repack
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum import act_repack
from tests.integration.postgresql_health import session
from tests.integration.postgresql_vacuum import facts, vacuum
from tests.integration.postgresql_work import states
from tests.integration.probe import probing
from tests.integration.test_postgresql_vacuum_rewrite import SMALL, bloat
from tests.integration.waiting import until
from tests.stack import npm
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect
from tests.stack.stack import Stack

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
REPACK = PROGRAMS / "pg_repack"
OURS = {"rewrite_methods": ["pg_repack"], **SMALL}

pytestmark = pytest.mark.skipif(not REPACK.exists(), reason="postgresql-15-repack is not installed")


@pytest.fixture(scope="module")
def debian_stack(make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """Debian's own server, which its pg_repack is built for."""
    stack = make_stack("repack", "postgresql15")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(npm, "fetch_postgresql", lambda _name, _user: PROGRAMS / "postgres")
        stack.up()
    yield stack
    stack.down()


@pytest.fixture
def server(debian_stack: Stack) -> Endpoint:
    """A database with the extension and a bloated table."""
    endpoint = debian_stack.endpoints["postgresql15"]
    with connect(endpoint) as opened:
        opened.execute("DROP DATABASE IF EXISTS shop WITH (FORCE)")
        opened.execute("CREATE DATABASE shop")
    database = endpoint.with_database("shop")
    with connect(database) as opened:
        opened.execute("CREATE EXTENSION pg_repack")
    bloat(database)
    return database


def content(endpoint: Endpoint) -> Any:
    with connect(endpoint) as opened:
        return opened.execute("SELECT count(*), sum(id), min(body) FROM papers").fetchone()


def leftovers(endpoint: Endpoint) -> int:
    query = (
        "SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'repack'::regnamespace AND relkind IN ('r', 'c')"
        " AND relname ~ '_[0-9]+$') + (SELECT count(*) FROM pg_trigger WHERE tgname = 'repack_trigger')"
    )
    with connect(endpoint) as opened:
        row = opened.execute(query).fetchone()
    assert row
    return int(str(row[0]))


def test_a_table_is_rewritten_while_it_is_used(server: Endpoint) -> None:
    before, rows = facts(server, "papers"), content(server)
    planned = vacuum(server, check=True, **OURS)
    assert states(planned) == [("rewrite", "public.papers", "planned")]
    assert planned["actions"][0]["statement"] == (
        f'{REPACK} --no-kill-backend --wait-timeout=1 --no-order --table="public"."papers"'
    )
    assert facts(server, "papers") == before
    with probing(server, "UPDATE papers SET body = body WHERE id = 19999") as probe:
        done = vacuum(server, **OURS)
    assert states(done) == [("rewrite", "public.papers", "done")]
    assert done["findings"] == []
    assert str(server.password) not in str(done)
    assert probe.errors == []
    assert probe.blocked < 2.0
    after = facts(server, "papers")
    assert after["relfilenode"] != before["relfilenode"]
    assert after["bytes"] < before["bytes"] / 5
    assert content(server) == rows
    assert leftovers(server) == 0
    assert vacuum(server, **OURS)["actions"] == []


def test_who_reads_the_table_is_neither_ended_nor_waited_for(server: Endpoint) -> None:
    with (
        session(server, "BEGIN", "SELECT count(*) FROM papers") as reader,
        probing(server, "SELECT count(*) FROM papers WHERE id < 10") as probe,
    ):
        result = vacuum(server, **OURS)
        assert reader.execute("SELECT 1").fetchone() == (1,)
        reader.execute("COMMIT")
    assert states(result) == [("rewrite", "public.papers", "skipped")]
    assert probe.errors == []
    assert probe.blocked < 2.0
    assert leftovers(server) == 0


def test_the_password_is_nowhere_among_the_arguments(server: Endpoint) -> None:
    seen: list[str] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            for name in filter(str.isdecimal, os.listdir("/proc")):  # noqa: PTH208 - glob stumbles over what ends
                try:
                    line = Path("/proc", name, "cmdline").read_bytes().decode(errors="replace")
                except OSError:
                    continue
                if "pg_repack" in line:
                    seen.append(line)

    thread = threading.Thread(target=look)
    thread.start()
    with session(server, "BEGIN", "SELECT count(*) FROM papers"):
        vacuum(server, **OURS)
    stop.set()
    thread.join()
    assert any("--table=" in line for line in seen)
    assert not any(str(server.password) in line for line in seen)


def test_the_deadline_ends_it_and_nothing_is_left(server: Endpoint) -> None:
    # An old transaction makes it wait after it has made its trigger and log.
    with session(server, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1 FROM pg_class LIMIT 1") as opened:
        opened.execute("SELECT pg_current_xact_id()")
        result = vacuum(server, deadline=4, **OURS)
        opened.execute("ROLLBACK")
    assert states(result) == [("rewrite", "public.papers", "skipped")]
    assert result["actions"][0]["detail"] == "the deadline ended it; the table is as it was"
    assert leftovers(server) == 0


def test_what_it_leaves_when_it_is_killed_is_removed_by_the_next_run(server: Endpoint) -> None:
    rows = content(server)
    with session(server, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1 FROM pg_class LIMIT 1") as opened:
        opened.execute("SELECT pg_current_xact_id()")
        environment = {
            **os.environ,
            "PGHOST": server.host,
            "PGPORT": str(server.port),
            "PGUSER": str(server.user),
            "PGPASSWORD": str(server.password),
            "PGDATABASE": server.database,
        }
        argv = [str(REPACK), "--no-kill-backend", "--wait-timeout=60", "--no-order", "--table=public.papers"]
        process = subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: leftovers(server) >= 3)
        busy = vacuum(server, check=True, **OURS)
        assert "clean" not in {action["kind"] for action in busy["actions"]}
        process.send_signal(signal.SIGKILL)
        process.wait()
        opened.execute("ROLLBACK")
    with connect(server) as opened:
        gone = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_repack'"
        until(lambda: opened.execute(gone).fetchone() == (0,))
    assert leftovers(server) >= 3
    cleaned = vacuum(server, **OURS)
    assert states(cleaned) == [("clean", "public.papers", "done"), ("rewrite", "public.papers", "done")]
    assert leftovers(server) == 0
    assert content(server) == rows


def test_a_program_that_does_not_fit_the_extension_is_not_used(server: Endpoint, tmp_path: Path) -> None:
    other = tmp_path / "pg_repack"
    other.write_text("#!/bin/sh\necho pg_repack 1.5.3\n", encoding="utf-8")
    other.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(act_repack, "PLACES", (str(tmp_path),))
        result = vacuum(server, **OURS)
    assert states(result) == [("rewrite", "public.papers", "skipped")]
    assert "pg_repack's program has version 1.5.3 and its extension 1.4.8" in result["actions"][0]["detail"]
