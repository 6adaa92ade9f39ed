# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every condition that postgresql_health_info reports of a database, brought about on real servers."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.connection import Connection
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import StoreTimeout
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.client import connect as connect_client
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.observation import Group
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.options import DEFAULTS
from tests.integration.health import pairs
from tests.integration.postgresql_health import Health, found, session
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect


@pytest.fixture
def health(fresh_postgresql_database: Endpoint, tmp_path: Path) -> Health:
    return Health(fresh_postgresql_database, tmp_path / "state")


def test_connections_near_the_limit(health: Health) -> None:
    assert pairs(health.run("connections")) == []
    used = health.run("connections")["metrics"]["postgresql_connections_used_percent"]
    with session(health.endpoint, "BEGIN"):
        result = health.run("connections", connections_percent={"warning": used, "critical": 99})
    finding = found(result, "postgresql.connections")
    assert finding["severity"] == "warning"
    assert "idle in transaction" in finding["message"]
    assert finding["value"] > used


def test_a_database_with_a_limit_of_its_own(health: Health) -> None:
    with session(health.endpoint, f'ALTER DATABASE "{health.endpoint.database}" CONNECTION LIMIT 2'):
        result = health.run("connections")
    finding = found(result, "postgresql.connection_limit")
    assert finding["severity"] == "critical"
    assert finding["subject"].endswith(f"database {health.endpoint.database}")


def test_transactions_left_open_and_the_sessions_they_block(health: Health) -> None:
    setup = "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0)"
    with session(health.endpoint, setup, "BEGIN", "UPDATE t SET n = 1 WHERE id = 1") as holder:
        pid = holder.info.backend_pid
        waiting = [connect(health.endpoint) for _session in range(2)]
        threads = [
            threading.Thread(target=lambda opened=opened: opened.execute("UPDATE t SET n = 2 WHERE id = 1"))
            for opened in waiting
        ]
        for thread in threads:
            thread.start()
        until(lambda: health.run("sessions")["metrics"]["postgresql_blocked_sessions_total"] == 2)
        limits = {"blocked_seconds": 0, "idle_in_transaction_seconds": 0, "transaction_seconds": 0}
        result = health.run("sessions", **limits)
        usual = health.run("sessions")
        holder.execute("ROLLBACK")
        for thread in threads:
            thread.join()
        for opened in waiting:
            opened.close()
    blocked = found(result, "postgresql.blocked_session")
    assert f"blocked by pid {pid} " in blocked["message"]
    assert "2 wait for locks" in blocked["message"]
    assert "UPDATE" not in str(result), "the text of a query may hold personal data"
    assert found(result, "postgresql.idle_in_transaction")["value"] >= 0
    assert found(result, "postgresql.long_transaction")["severity"] == "warning"
    assert pairs(usual) == []
    assert pairs(health.run("sessions", **limits)) == []


def test_an_invalid_index_and_one_that_is_being_built(health: Health) -> None:
    with session(health.endpoint, "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1)") as opened:
        with pytest.raises(psycopg.errors.UniqueViolation):
            opened.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON t (id)")
        opened.execute("CREATE TABLE parted (id int) PARTITION BY RANGE (id)")
        opened.execute("CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (9)")
        opened.execute("CREATE INDEX incomplete ON ONLY parted (id)")
        result = health.run("indexes")
        assert pairs(result) == [("postgresql.invalid_index", "warning")]
        assert '"public"."broken"' in found(result, "postgresql.invalid_index")["remedy"]
        opened.execute("DROP INDEX broken")
        # A build has to wait for the transactions that stand open when it begins.
        with session(health.endpoint, "BEGIN", "INSERT INTO t VALUES (2)"):
            builder = connect(health.endpoint)
            thread = threading.Thread(target=builder.execute, args=("CREATE INDEX CONCURRENTLY built ON t (id)",))
            thread.start()
            invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid AND indexrelid::regclass::text = 'built'"
            until(lambda: opened.execute(invalid).fetchone() == (1,))
            assert pairs(health.run("indexes")) == []
        thread.join()
        builder.close()


def test_a_table_that_autovacuum_must_not_touch(health: Health) -> None:
    with session(
        health.endpoint,
        "CREATE TABLE t (id int) WITH (autovacuum_enabled = false)",
        "INSERT INTO t SELECT generate_series(1, 20000)",
        "SELECT pg_stat_force_next_flush()",
        "ANALYZE t",
    ) as opened:
        opened.execute("UPDATE t SET id = id + 1")
        opened.execute("SELECT pg_stat_force_next_flush()")
        opened.execute("SELECT 1")
        result = health.run("vacuum")
        vacuum = found(result, "postgresql.vacuum_overdue")
        assert "20000 dead" in vacuum["message"]
        assert "autovacuum is off for it" in vacuum["message"]
        # 20000 inserted rows, trigger 1000 + 0.2 * 20000 (dead rows: 50 + 0.2 * 20000 makes 4.94)
        assert vacuum["value"] == pytest.approx(20000 / 4050, abs=0.01)
        assert found(result, "postgresql.analyze_overdue")["value"] == pytest.approx(20000 / 2050, abs=0.01)
        opened.execute("VACUUM ANALYZE t")
        assert pairs(health.run("vacuum")) == []


def test_a_table_that_autovacuum_does_not_come_to(health: Health) -> None:
    with session(
        health.endpoint, "CREATE TABLE t (id int)", "INSERT INTO t SELECT generate_series(1, 20000)"
    ) as opened:
        opened.execute("SELECT pg_stat_force_next_flush()")
        opened.execute("SELECT 1")
        assert pairs(health.run("vacuum", overdue_seconds=3600)) == [], "it was just filled"
        result = health.run("vacuum", overdue_seconds=0)
    assert found(result, "postgresql.analyze_overdue")["subject"].endswith(f"{health.endpoint.database}.public.t")


def test_deadlocks_and_temporary_files_since_the_last_run(health: Health) -> None:
    with session(health.endpoint, "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)") as opened:
        assert pairs(health.run("activity")) == []
        opened.execute("SET work_mem = '64kB'")
        opened.execute("SELECT count(*) FROM (SELECT generate_series(1, 300000) AS n ORDER BY n DESC) AS sorted")
        opened.execute("SELECT pg_stat_force_next_flush()")
        _deadlock(health.endpoint)
        until(lambda: _deadlocks(opened, health.endpoint.database) == 1)
        result = health.run("activity", temporary_bytes_per_hour="1MB")
        assert found(result, "postgresql.deadlocks")["value"] == 1
        assert health.endpoint.database in found(result, "postgresql.deadlocks")["message"]
        assert found(result, "postgresql.temporary_files")["value"] > 1_000_000
    assert pairs(health.run("activity", temporary_bytes_per_hour="1MB")) == [], "it was reported once"


def _deadlock(endpoint: Endpoint) -> None:
    patient = "SET deadlock_timeout = '10s'"
    with (
        session(endpoint, "BEGIN", "UPDATE t SET id = 1 WHERE id = 1") as first,
        session(endpoint, patient, "BEGIN", "UPDATE t SET id = 2 WHERE id = 2") as second,
    ):
        other = threading.Thread(target=second.execute, args=("UPDATE t SET id = 1 WHERE id = 1",))
        other.start()
        first.execute("SELECT pg_sleep(0.1)")
        with pytest.raises(psycopg.errors.DeadlockDetected):
            first.execute("UPDATE t SET id = 2 WHERE id = 2")
        other.join()


def _deadlocks(opened: psycopg.Connection[Any], database: str) -> int:
    row = opened.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = %s", (database,)).fetchone()
    assert row
    return int(row[0])


def test_cache_and_sizes_against_earlier_runs(health: Health) -> None:
    checks = ("cache", "sizes")
    first = health.run(*checks)
    size = f'postgresql_database_size_bytes{{database="{health.endpoint.database}"}}'
    with session(health.endpoint, "CREATE TABLE t AS SELECT n, repeat('x', 500) FROM generate_series(1, 20000) AS n"):
        for hours in (12, 24):
            health.ahead = timedelta(hours=hours)
            last = health.run(*checks, cache_hit_percent=100.1)
    assert "postgresql_cache_hit_percent" not in first["metrics"]
    assert 0 < last["metrics"]["postgresql_cache_hit_percent"] <= 100
    assert last["metrics"][size] > first["metrics"][size] + 10_000_000
    assert last["metrics"][f'postgresql_growth_bytes_per_day{{database="{health.endpoint.database}"}}'] > 10_000_000
    limit = health.run("sizes", database_bytes="1MB")
    assert health.endpoint.database in str(limit["findings"])


def test_transaction_ids_and_what_holds_them(health: Health) -> None:
    burn = "DO $$ BEGIN FOR n IN 1..200 LOOP PERFORM txid_current(); COMMIT; END LOOP; END $$"
    with session(health.endpoint, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1") as holder:
        with session(health.endpoint, burn):
            result = health.run("wraparound", transaction_age={"warning": 50, "critical": None}, held_age=100)
        pid = holder.info.backend_pid
    assert found(result, "postgresql.wraparound")["severity"] == "warning"
    held = found(result, "postgresql.vacuum_held")
    assert held["value"] >= 200
    assert f"session pid {pid} " in held["message"]
    assert pairs(health.run("wraparound")) == []


def test_checkpoints_that_are_asked_for(health: Health) -> None:
    health.run("checkpoints")
    with session(health.endpoint, *["CHECKPOINT"] * 5):
        result = health.run("checkpoints", checkpoints_requested_percent=40)
    assert found(result, "postgresql.checkpoints")["value"] > 40
    assert result["metrics"]["postgresql_new_checkpoints_requested_total"] >= 5


def test_a_slot_that_nobody_uses(health: Health) -> None:
    with session(health.endpoint, "SELECT pg_create_physical_replication_slot('idle_slot', true)") as opened:
        try:
            opened.execute("SELECT pg_switch_wal()")
            result = health.run("replication", slot_retained_bytes=0, slot_inactive_seconds=0)
        finally:
            opened.execute("SELECT pg_drop_replication_slot('idle_slot')")
    assert found(result, "postgresql.slot_inactive")["subject"].endswith("slot idle_slot")
    assert pairs(health.run("replication")) == []


def test_a_primary_where_a_standby_is_expected(health: Health) -> None:
    assert pairs(health.run("availability", role="primary")) == []
    assert pairs(health.run("availability", role="standby")) == [("postgresql.role", "critical")]


def test_a_query_beyond_its_time_fails_alone(fresh_postgresql_database: Endpoint) -> None:
    address = Connection.resolve(fresh_postgresql_database.options(connect_timeout="1s"), {}, DEFAULTS)
    with connect_client(address, Deadline(60)) as client:
        with pytest.raises(StoreTimeout, match="broke the query off"):
            client.rows("sleep", "SELECT pg_sleep(5)", Group)
        assert client.lost is None
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            client._connection.execute("CREATE TABLE t ()")


def test_a_server_process_that_stops_costs_one_time_out(fresh_postgresql_database: Endpoint) -> None:
    address = Connection.resolve(fresh_postgresql_database.options(connect_timeout="0.3"), {}, DEFAULTS)
    refused: list[str] = []

    def use() -> None:
        with connect_client(address, Deadline(60)) as client:
            pid = client._connection.info.backend_pid
            os.kill(pid, signal.SIGSTOP)
            try:
                for _query in range(3):
                    with contextlib.suppress(StoreTimeout):
                        client.rows("count", "SELECT 1", Group)
                        refused.append("it answered")
            finally:
                os.kill(pid, signal.SIGCONT)

    with pytest.raises(StoreTimeout, match="no answer within 300ms"):
        use()
    assert refused == []
