# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions of a whole server: two-phase commit, archiving, standbys, slots, settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.health import pairs
from tests.integration.postgresql_health import Health, found, session
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect
from tests.stack.servers.postgresql_standby import add_standby
from tests.stack.stack import Stack


@pytest.fixture(scope="module")
def own(make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """A server with settings that only a start can change: two-phase commit, and an archive that fails."""
    with make_stack("own", "postgresql18") as stack:
        with connect(stack.endpoints["postgresql18"]) as opened:
            opened.execute("ALTER SYSTEM SET max_prepared_transactions = 5")
            opened.execute("ALTER SYSTEM SET archive_mode = on")
            opened.execute("ALTER SYSTEM SET archive_command = 'false'")
        stack.stop("postgresql18")
        stack.start("postgresql18")
        yield stack


def test_a_prepared_transaction_that_is_left(own: Stack) -> None:
    health = Health(own.endpoints["postgresql18"])
    with session(health.endpoint, "BEGIN", "CREATE TABLE two_phase ()", "PREPARE TRANSACTION 'left'") as opened:
        result = health.run("sessions", prepared_transaction_seconds=0)
        opened.execute("ROLLBACK PREPARED 'left'")
    assert "left" in found(result, "postgresql.prepared_transaction")["message"]


def test_an_archive_that_fails_and_recovers(own: Stack, tmp_path: Path) -> None:
    health = Health(own.endpoints["postgresql18"], tmp_path)
    with session(health.endpoint, "CREATE TABLE archived ()", "SELECT pg_switch_wal()") as opened:
        until(lambda: bool(health.run("archiving", archive_waiting=0)["findings"]))
        until(lambda: health.run("archiving")["metrics"]["postgresql_archive_failures_total"] > 0)
        result = health.run("archiving", archive_waiting=0)
        assert found(result, "postgresql.archiving_fails")["severity"] == "critical"
        assert found(result, "postgresql.archive_waiting")["value"] >= 1
        opened.execute("ALTER SYSTEM SET archive_command = 'true'")
        opened.execute("SELECT pg_reload_conf()")
        opened.execute("CREATE TABLE archived_too ()")
        opened.execute("SELECT pg_switch_wal()")
        until(lambda: health.run("archiving")["metrics"]["postgresql_archived_files_total"] > 0)
        until(lambda: not health.run("archiving", archive_waiting=0)["findings"])


@pytest.fixture
def standby(own: Stack) -> Iterator[Endpoint]:
    """A streaming standby of ``own``, of one test's own."""
    yield add_standby(own, "postgresql18", "copy")
    own.remove_member("copy")


def test_a_standby_that_lags_pauses_and_goes(own: Stack, standby: Endpoint, tmp_path: Path) -> None:
    primary, copy = Health(own.endpoints["postgresql18"], tmp_path / "state"), Health(standby)
    until(lambda: primary.run("replication")["metrics"]["postgresql_standbys_total"] == 1)
    until(lambda: copy.run(role="standby")["findings"] == [])
    assert copy.run()["server"]["role"] == "standby"
    with session(standby, "SELECT pg_wal_replay_pause()"):
        with session(primary.endpoint, "CREATE TABLE lagging AS SELECT generate_series(1, 1000)"):
            until(
                lambda: bool(copy.run("replication", replication_lag_bytes=0)["metrics"]["postgresql_replay_lag_bytes"])
            )
            assert ("postgresql.replay_lag", "warning") in pairs(copy.run("replication", replication_lag_bytes=0))
        assert ("postgresql.replay_paused", "warning") in pairs(copy.run("replication"))
        until(lambda: bool(primary.run("replication", replication_lag_bytes=0)["findings"]))
        lag = found(primary.run("replication", replication_lag_bytes=0), "postgresql.replication_lag")
        assert "standby copy" in lag["subject"]
    with session(standby, "SELECT pg_wal_replay_resume()"):
        until(lambda: copy.run("replication", replication_lag_bytes=0)["findings"] == [])
    # Its primary's address leads nowhere now, so it stays a standby without a primary.
    with session(standby, "ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'", "SELECT pg_reload_conf()"):
        until(lambda: ("postgresql.standby_disconnected", "critical") in pairs(copy.run("replication")))
    until(lambda: primary.run("replication")["metrics"]["postgresql_standbys_total"] == 0)
    own.stop("copy")
    assert [finding["id"] for finding in copy.run()["findings"]] == ["postgresql.unreachable"]


def test_a_standby_that_was_there_in_the_last_run(own: Stack, standby: Endpoint, tmp_path: Path) -> None:
    health = Health(own.endpoints["postgresql18"], tmp_path / "state")
    until(lambda: health.run("replication")["metrics"]["postgresql_standbys_total"] == 1)
    own.stop("copy")
    watching = Health(health.endpoint)
    until(lambda: watching.run("replication")["metrics"]["postgresql_standbys_total"] == 0)
    assert "standby copy" in found(health.run("replication"), "postgresql.standby_missing")["subject"]
    assert pairs(health.run("replication")) == [], "the new state is taken for granted"


def test_a_slot_whose_wal_is_lost(own: Stack) -> None:
    health = Health(own.endpoints["postgresql18"])
    with session(
        health.endpoint,
        "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'",
        "SELECT pg_reload_conf()",
        "SELECT pg_create_physical_replication_slot('lost_slot', true)",
    ) as opened:

        def is_lost() -> bool:
            opened.execute("SELECT pg_logical_emit_message(false, 'fill', repeat('x', 1000)), pg_switch_wal()")
            opened.execute("CHECKPOINT")
            return ("postgresql.slot_lost", "critical") in pairs(health.run("replication"))

        try:
            until(is_lost)
        finally:
            opened.execute("SELECT pg_drop_replication_slot('lost_slot')")
            opened.execute("ALTER SYSTEM RESET max_slot_wal_keep_size")
            opened.execute("SELECT pg_reload_conf()")


def test_autovacuum_switched_off(own: Stack) -> None:
    health = Health(own.endpoints["postgresql18"])
    with session(health.endpoint, "ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()") as opened:
        try:
            until(lambda: ("postgresql.autovacuum_off", "warning") in pairs(health.run("vacuum")))
        finally:
            opened.execute("ALTER SYSTEM RESET autovacuum")
            opened.execute("SELECT pg_reload_conf()")
        until(lambda: pairs(health.run("vacuum")) == [])
