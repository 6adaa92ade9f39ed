# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit's checks of vacuum, wraparound, growth and settings, on real servers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.integration.chinook import fill_chinook
from tests.integration.health import ids, pairs
from tests.integration.postgresql_audit import Audit, vacuum
from tests.integration.postgresql_health import found, session
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect
from tests.stack.servers.postgresql_standby import wait_replayed
from tests.stack.stack import Stack

ROWS = "INSERT INTO {} SELECT n, repeat('x', 100) FROM generate_series(1, 20000) n"


def test_tables_that_wait_for_vacuum(fresh_postgresql_database: Endpoint) -> None:
    with connect(fresh_postgresql_database) as opened:
        opened.execute("CREATE TABLE neglected (id int, note text) WITH (autovacuum_enabled = off)")
        opened.execute("CREATE TABLE looked_after (id int, note text)")
        for table in ("neglected", "looked_after"):
            opened.execute(ROWS.format(table))
        opened.execute("UPDATE neglected SET note = 'y'")
    result = Audit(fresh_postgresql_database).run("vacuum")
    assert pairs(result) == [
        ("postgresql.analyze_overdue", "warning"),
        ("postgresql.autovacuum_disabled", "warning"),
        ("postgresql.vacuum_overdue", "warning"),
    ]
    assert all("public.neglected" in finding["subject"] for finding in result["findings"])
    with connect(fresh_postgresql_database) as opened:
        vacuum(opened)
    assert pairs(Audit(fresh_postgresql_database).run("vacuum")) == [("postgresql.autovacuum_disabled", "warning")]


def test_toast_waits_for_vacuum_too(fresh_postgresql_database: Endpoint) -> None:
    with connect(fresh_postgresql_database) as opened:
        opened.execute("CREATE TABLE letters (id int, body text) WITH (autovacuum_enabled = off)")
        opened.execute("ALTER TABLE letters ALTER body SET STORAGE EXTERNAL")
        opened.execute("INSERT INTO letters SELECT n, repeat('x', 9000) FROM generate_series(1, 700) n")
        vacuum(opened)
        opened.execute("UPDATE letters SET body = repeat('y', 9000)")
    result = Audit(fresh_postgresql_database).run("vacuum")
    assert "public.letters (TOAST)" in found(result, "postgresql.vacuum_overdue")["subject"]


PARTITIONED = """
CREATE TABLE measured (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE measured_1 PARTITION OF measured FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE measured_2 PARTITION OF measured FOR VALUES FROM ('2026-02-01') TO ('2027-01-01') PARTITION BY RANGE (id);
CREATE TABLE measured_2_1 PARTITION OF measured_2 FOR VALUES FROM (0) TO (1000000);
INSERT INTO measured SELECT n, date '2026-01-01' + n % 60 FROM generate_series(1, 5000) n;
ANALYZE measured_1; ANALYZE measured_2_1;
"""


def test_partitioned_tables_that_autovacuum_never_analyzes(fresh_postgresql_database: Endpoint) -> None:
    audit = Audit(fresh_postgresql_database)
    with connect(fresh_postgresql_database) as opened:
        opened.execute(PARTITIONED)
        finding = found(audit.run("vacuum"), "postgresql.partitions_not_analyzed")
        assert finding["subject"].endswith("public.measured")
        assert finding["value"] == "never"
        opened.execute("ANALYZE measured")
        assert "postgresql.partitions_not_analyzed" not in ids(audit.run("vacuum"))
        opened.execute("INSERT INTO measured SELECT n, '2026-03-01' FROM generate_series(1, 5000) n")
        opened.execute("ANALYZE measured_2_1")
    finding = found(audit.run("vacuum"), "postgresql.partitions_not_analyzed")
    assert finding["value"] == 100


def test_a_table_whose_statistics_were_lost(fresh_postgresql_database: Endpoint) -> None:
    """As after pg_upgrade or a restore: the data are there, and nothing makes autovacuum look at them."""
    with connect(fresh_postgresql_database) as opened:
        opened.execute("CREATE TABLE restored (id int, note text)")
        for _turn in range(4):
            opened.execute(ROWS.format("restored"))
        opened.execute("SELECT pg_stat_force_next_flush()")
        opened.execute("SELECT pg_stat_reset()")
    finding = found(Audit(fresh_postgresql_database).run("vacuum"), "postgresql.never_analyzed")
    assert finding["subject"].endswith("public.restored")
    assert finding["remedy"] == 'Run ANALYZE "public"."restored".'
    with connect(fresh_postgresql_database) as opened:
        opened.execute("ANALYZE restored")
        opened.execute("SELECT pg_stat_reset()")
    assert ids(Audit(fresh_postgresql_database).run("vacuum")) == {}


def test_all_that_holds_old_rows_is_named(fresh_postgresql18_database: Endpoint, postgresql18: Endpoint) -> None:
    database = fresh_postgresql18_database
    with (
        session(database, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT txid_current()"),
        session(database, "BEGIN", "CREATE TABLE written (id int)"),
        connect(database) as opened,
    ):
        for _turn in range(20):
            opened.execute("SELECT txid_current()")
        result = Audit(database).run("wraparound", held_age=5, freeze_percent="off")
        monitored = Audit(database.as_monitor()).run("wraparound", held_age=5, freeze_percent="off")
    held = [finding for finding in result["findings"] if finding["id"] == "postgresql.vacuum_held"]
    assert len(held) == 2, result["findings"]
    assert all("pg_terminate_backend(" in finding["remedy"] and "for " in finding["message"] for finding in held)
    assert result["metrics"]["postgresql_holders_total"] == 2
    assert len(monitored["findings"]) == 2
    assert result["metrics"]["postgresql_oldest_table_transactions_age"] > 0


def test_old_tables_and_other_databases(fresh_postgresql_database: Endpoint) -> None:
    database = fresh_postgresql_database
    with connect(database) as opened:
        opened.execute("CREATE TABLE old (id int, note text)")
        opened.execute("CREATE TABLE strict (id int) WITH (autovacuum_freeze_max_age = 100000)")
        for _turn in range(30):
            opened.execute("SELECT txid_current()")
    result = Audit(database).run("wraparound", freeze_percent=0.025, held_age="off", transaction_age="off")
    late = {finding["subject"].partition(" ")[2] for finding in result["findings"]}
    assert f"table {database.database}.public.strict" in late, result["findings"]
    assert f"table {database.database}.public.old" not in late
    result = Audit(database).run("wraparound", transaction_age={"warning": 5, "critical": 10}, held_age="off")
    assert ids(result) == {"postgresql.wraparound": "critical"}
    assert len(result["findings"]) == 11, "ten are named, the others counted"
    assert "more tables and databases" in result["findings"][-1]["message"]


def test_growth_and_forecast(fresh_postgresql_database: Endpoint, tmp_path: Path) -> None:
    audit = Audit(fresh_postgresql_database, tmp_path)
    with connect(fresh_postgresql_database) as opened:
        opened.execute("CREATE TABLE growing (id int, note text); CREATE INDEX ON growing (id)")
        for _day in range(4):
            opened.execute(ROWS.format("growing"))
            result = audit.run("growth")
            assert result["findings"] == []
            audit.ahead += timedelta(days=1)
    name = '{table="public.growing"}'
    size = result["metrics"][f"postgresql_table_size_bytes{name}"]
    per_day = result["metrics"][f"postgresql_table_growth_bytes_per_day{name}"]
    assert 0.2 * size < per_day < 0.3 * size
    assert abs(result["metrics"][f"postgresql_table_forecast_bytes{name}"] - (size + 90 * per_day)) < 100
    limited = audit.run("growth", table_bytes="1MB")
    assert "of indexes" in found(limited, "postgresql.table_size")["message"]


def settings_of(result: dict[str, Any]) -> set[str]:
    """The settings that findings name."""
    return {
        finding["subject"].rpartition(" ")[2] for finding in result["findings"] if finding["id"] == "postgresql.setting"
    }


def test_settings_that_hurt(make_stack: Callable[..., Stack]) -> None:
    with make_stack("postgresql18", "postgresql18") as stack:
        endpoint = stack.endpoints["postgresql18"]
        audit = Audit(endpoint)
        assert settings_of(audit.run("settings")) == {"fsync"}
        assert audit.run("settings", options={"accepted_settings": ["fsync", "max_wal_size"]})["findings"] == []
        with connect(endpoint) as opened:
            for setting in (
                "autovacuum = off",
                "full_page_writes = off",
                "password_encryption = 'md5'",
                "enable_indexscan = off",
                "checkpoint_completion_target = 0.1",
                "shared_buffers = '64MB'",
                "autovacuum_vacuum_cost_delay = 100",
            ):
                opened.execute(f"ALTER SYSTEM SET {setting}".encode())
            for number in range(4):
                opened.execute(f"CREATE ROLE admin_{number} SUPERUSER LOGIN".encode())
            opened.execute("SELECT pg_reload_conf()")
        result = _eventually(audit, "enable_indexscan")
    assert settings_of(result) == {
        "fsync",
        "autovacuum",
        "full_page_writes",
        "password_encryption",
        "enable_indexscan",
        "checkpoint_completion_target",
    }
    assert "shared_buffers" in found(result, "postgresql.restart_required")["message"]
    assert found(result, "postgresql.superusers")["value"] == 5
    assert result["status"] == "critical"


def _eventually(audit: Audit, setting: str) -> dict[str, Any]:
    """The result once the server has read its configuration again."""
    for _turn in range(100):
        result = audit.run("settings", autovacuum_seconds="off")
        if setting in settings_of(result):
            return result
    return result


def test_prepared_transactions_and_slots_hold_rows(make_stack: Callable[..., Stack]) -> None:
    with make_stack("postgresql18", "postgresql18") as stack:
        endpoint = stack.endpoints["postgresql18"]
        with connect(endpoint) as opened:
            opened.execute("ALTER SYSTEM SET max_prepared_transactions = 5")
            opened.execute("ALTER SYSTEM SET wal_level = logical")
        stack.stop("postgresql18")
        stack.start("postgresql18")
        with connect(endpoint) as opened:
            opened.execute("SELECT pg_create_logical_replication_slot('forgotten', 'test_decoding')")
            opened.execute("BEGIN; CREATE TABLE half (id int); PREPARE TRANSACTION 'it''s half'")
            for _turn in range(20):
                opened.execute("SELECT txid_current()")
        result = Audit(endpoint).run("wraparound", held_age=5, freeze_percent="off")
        remedies = {
            finding["subject"].partition(" ")[2]: finding["remedy"]
            for finding in result["findings"]
            if finding["id"] == "postgresql.vacuum_held"
        }
        assert set(remedies) == {"prepared transaction it's half in postgres", "logical slot forgotten in postgres"}
        assert "ROLLBACK PREPARED" in remedies["prepared transaction it's half in postgres"]
        assert "pg_drop_replication_slot" in remedies["logical slot forgotten in postgres"]
        assert "rows of the system catalogs" in str(result["findings"])


def test_a_standby_that_gives_feedback_holds_rows(fresh_postgresql18_pair: tuple[Endpoint, Endpoint]) -> None:
    primary, standby = fresh_postgresql18_pair
    with connect(standby) as opened:
        opened.execute("ALTER SYSTEM SET hot_standby_feedback = on")
        opened.execute("ALTER SYSTEM SET wal_receiver_status_interval = '1s'")
        opened.execute("SELECT pg_reload_conf()")

    def held() -> list[dict[str, Any]]:
        with connect(primary) as opened:
            opened.execute("SELECT txid_current()")
        found_now = Audit(primary).run("wraparound", held_age=5, freeze_percent="off")["findings"]
        return [finding for finding in found_now if " standby " in finding["subject"] or " slot " in finding["subject"]]

    with session(standby, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1"):
        until(lambda: bool(held()))
        (finding,) = held()
        assert "hot_standby_feedback" in finding["remedy"] or "slot" in finding["remedy"]
    with connect(standby) as opened:
        opened.execute("ALTER SYSTEM RESET hot_standby_feedback")
        opened.execute("ALTER SYSTEM RESET wal_receiver_status_interval")
        opened.execute("SELECT pg_reload_conf()")


def test_an_audit_of_a_standby(fresh_postgresql18_pair: tuple[Endpoint, Endpoint]) -> None:
    primary, standby = fresh_postgresql18_pair
    with connect(primary) as opened:
        opened.execute("CREATE UNLOGGED TABLE passing (id serial, note text); INSERT INTO passing (note) VALUES ('x')")
    fill_chinook(primary)
    wait_replayed(primary, standby)
    result = Audit(standby).run(options={"accepted_settings": ["fsync", "max_wal_size"]})
    assert result["server"]["role"] == "standby"
    assert result["findings"] == [], "the unlogged sequence has no value there"
