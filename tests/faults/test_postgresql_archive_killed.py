# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An archiver that is killed, cut off or not alone loses no row and doubles none, whatever the application writes."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

import psycopg

from tests.faults.archiving import ITEMS, Ledger, Relay, add_old, begun, check, count, quiet, start_run, writing
from tests.integration.postgresql_retention import options_of, retain, rule
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

KILLS = int(os.environ.get("UPKEEP_TEST_KILLS", "200"))
FEWER = max(1, KILLS // 5)

RULE = rule("archive", table="items", archive_to="items_archive")
GENTLE = {"batch_target_ms": 10, "rest_ratio": 2.0}
"""Small pieces, so that many ends of pieces are there to be hit."""

Harm = Callable[[list[BaseProcess]], None]


def harmed(
    endpoint: Endpoint, times: int, harm: Harm, *, runs: int = 1, exclusive: bool = True, port: int | None = None
) -> int:
    """Let runs come to harm at random moments while the application writes; check the rows.

    :param harm: what is done to the processes of the runs.
    :param runs: how many runs there are at once.
    :return: how many times something was archived and something was not: the harm came in the midst of the work.
    """
    seed = random.SystemRandom().randrange(10**9)
    print(f"seed {seed}")
    source, ledger = random.Random(seed), Ledger()
    hit = archived = 0
    options = options_of(endpoint, RULE, **GENTLE)
    if port is not None:
        options["login_port"] = port
    with connect(endpoint) as session:
        session.execute(ITEMS)
        add_old(session, ledger, 2000)
        session.execute("ANALYZE items")
        with writing(endpoint, ledger, seed):
            for number in range(times):
                if number % 10 == 9:  # as autovacuum would, so that new rows come to lie among the pages of old ones
                    session.execute("VACUUM items")
                add_old(session, ledger, 3000)
                processes = [start_run(options, exclusive=exclusive) for _run in range(runs)]
                # Some are hit before they have taken anything, most while they take rows.
                begun(session, "" if source.random() < 0.1 else "AND query LIKE 'WITH taken%'")
                time.sleep(source.random() * 0.25)
                harm(processes)
                for process in processes:
                    process.join(60)
                    assert process.exitcode is not None, "a run hangs"
                quiet(session)
                before, archived = archived, count(session, "items_archive")
                hit += archived > before and count(session, "items WHERE value > 0") > 0
        check(session, ledger)
        result = retain(endpoint, RULE)
        check(session, ledger)
        assert result["status"] == "ok", result
        left = {number for (number,) in session.execute("SELECT id FROM items").fetchall()}
        assert left == {number for number, (_value, young) in ledger.rows.items() if young}
    print(f"{hit} of {times} in the midst")
    return hit


def kill(processes: list[BaseProcess]) -> None:
    """Kill -9."""
    for process in processes:
        process.kill()


def test_killed_at_random_points(fresh_postgresql18_database: Endpoint) -> None:
    hit = harmed(fresh_postgresql18_database, KILLS, kill)
    assert hit > KILLS / 3, "most runs had not begun or had ended: nothing was tested"


def test_two_at_once_that_exclude_each_other(fresh_postgresql18_database: Endpoint) -> None:
    assert harmed(fresh_postgresql18_database, FEWER, kill, runs=2)


def test_two_at_once_without_the_lock(fresh_postgresql18_database: Endpoint) -> None:
    assert harmed(fresh_postgresql18_database, FEWER, kill, runs=2, exclusive=False)


def test_the_server_ends_the_session(fresh_postgresql18_database: Endpoint) -> None:
    end = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'upkeep' AND datname = current_database()"""
    with connect(fresh_postgresql18_database) as session:
        assert harmed(fresh_postgresql18_database, FEWER, lambda _processes: _run(session, end))


def test_the_network_is_cut(fresh_postgresql18_database: Endpoint) -> None:
    relay = Relay(fresh_postgresql18_database)
    try:
        assert harmed(fresh_postgresql18_database, FEWER, lambda _processes: relay.cut(), port=relay.port)
    finally:
        relay.close()


def _run(session: psycopg.Connection[Any], statement: str) -> None:
    session.execute(statement.encode())
