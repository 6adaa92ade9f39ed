# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_vacuum with mode=rewrite on real servers: space comes back, nobody is shut out unless that is allowed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum import decide_rewrite
from tests.integration.health import ids
from tests.integration.postgresql_health import session
from tests.integration.postgresql_vacuum import facts, settled, vacuum
from tests.integration.postgresql_work import states
from tests.integration.probe import probing
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

SMALL: dict[str, Any] = {"mode": "rewrite", "min_size": "1MiB"}
ALLOWED: dict[str, Any] = {**SMALL, "allow_exclusive_lock": True}


def bloat(
    endpoint: Endpoint, table: str = "papers", rows: int = 20000, kept: int = 2000, vacuumed: bool = True
) -> None:
    """Make a table of which most is free space."""
    with connect(endpoint) as opened:
        opened.execute(
            f"CREATE TABLE {table} (id int PRIMARY KEY, body text) WITH (autovacuum_enabled = false);"
            f"INSERT INTO {table} SELECT n, repeat('x', 200) FROM generate_series(1, {rows}) n".encode()
        )
        # Rows at the end stay, so that vacuum cannot give the pages back.
        opened.execute(f"DELETE FROM {table} WHERE id <= {rows - kept}".encode())
        settled(opened, table, "n_tup_del", rows - kept)
        if vacuumed:
            opened.execute(f"VACUUM (ANALYZE) {table}".encode())
            settled(opened, table, "vacuum_count", 1)
        else:
            opened.execute(f"ANALYZE {table}".encode())


@pytest.fixture
def bloated(fresh_postgresql_database: Endpoint) -> Endpoint:
    """A database with a bloated table and one that is not."""
    bloat(fresh_postgresql_database)
    bloat(fresh_postgresql_database, "dense", kept=19000)
    return fresh_postgresql_database


def test_nobody_is_shut_out_unless_that_is_allowed(bloated: Endpoint) -> None:
    before = facts(bloated, "papers")
    result = vacuum(bloated, **SMALL)
    assert states(result) == [("rewrite", "public.papers", "skipped")]
    assert "needs allow_exclusive_lock" in result["actions"][0]["detail"]
    assert "pg_repack needs its extension" in result["actions"][0]["detail"]
    assert not result["changed"]
    assert facts(bloated, "papers") == before


def test_vacuum_full_gives_the_space_back_once(bloated: Endpoint) -> None:
    before, dense = facts(bloated, "papers"), facts(bloated, "dense")
    planned = vacuum(bloated, check=True, **ALLOWED)
    assert states(planned) == [("rewrite", "public.papers", "planned")]
    assert planned["actions"][0]["statement"] == 'VACUUM (FULL, ANALYZE, SKIP_LOCKED) "public"."papers"'
    assert facts(bloated, "papers") == before
    done = vacuum(bloated, **ALLOWED)
    assert states(done) == [("rewrite", "public.papers", "done")]
    assert done["findings"] == []
    after = facts(bloated, "papers")
    assert after["bytes"] < before["bytes"] / 5
    assert after["relfilenode"] != before["relfilenode"]
    assert facts(bloated, "dense") == dense
    second = vacuum(bloated, **ALLOWED)
    assert second["actions"] == []
    assert not second["changed"]


def test_a_table_above_the_size_is_refused(bloated: Endpoint) -> None:
    result = vacuum(bloated, **ALLOWED, rewrite_max_size="2MiB")
    assert states(result) == [("rewrite", "public.papers", "skipped")]
    assert "above rewrite_max_size (2.0MiB)" in result["actions"][0]["detail"]


def test_the_disk_has_to_have_room(bloated: Endpoint) -> None:
    result = vacuum(bloated, **ALLOWED, free_space="1MiB")
    assert states(result) == [("rewrite", "public.papers", "skipped")]
    assert "of free disk, and 1.0MiB is free" in result["actions"][0]["detail"]


def test_room_that_nobody_can_measure_is_asked_for(bloated: Endpoint) -> None:
    with connect(bloated) as opened:
        opened.execute(f"CREATE ROLE upkeep_owner LOGIN PASSWORD '{bloated.monitor_password}'".encode())
        try:
            opened.execute("ALTER TABLE papers OWNER TO upkeep_owner")
            owner = replace(bloated, user="upkeep_owner", password=bloated.monitor_password)
            result = vacuum(owner, **ALLOWED)
            assert states(result) == [("rewrite", "public.papers", "skipped")]
            assert "set free_space" in result["actions"][0]["detail"]
            assert states(vacuum(owner, **ALLOWED, free_space="1GiB")) == [("rewrite", "public.papers", "done")]
        finally:
            opened.execute("DROP OWNED BY upkeep_owner")
            opened.execute("DROP ROLE upkeep_owner")


def test_bloat_is_measured_where_that_is_possible(bloated: Endpoint) -> None:
    with connect(bloated) as opened:
        opened.execute("CREATE SCHEMA tools; CREATE EXTENSION pgstattuple SCHEMA tools")
    planned = vacuum(bloated, check=True, **ALLOWED)
    assert states(planned) == [("rewrite", "public.papers", "planned")]
    assert "measured by pgstattuple_approx" in planned["actions"][0]["reason"]
    assert vacuum(bloated, **ALLOWED, min_bloat_percent=99.0)["actions"] == []


def test_a_lock_is_not_waited_for(bloated: Endpoint) -> None:
    with (
        session(bloated, "BEGIN", "SELECT count(*) FROM papers") as reader,
        probing(bloated, "SELECT count(*) FROM papers WHERE id < 10") as probe,
    ):
        result = vacuum(bloated, **ALLOWED)
        reader.execute("COMMIT")
    assert states(result) == [("rewrite", "public.papers", "skipped")]
    assert probe.errors == []
    assert probe.blocked == 0
    assert states(vacuum(bloated, **ALLOWED)) == [("rewrite", "public.papers", "done")]


def test_who_may_not_is_told_so(bloated: Endpoint) -> None:
    with connect(bloated) as opened:
        opened.execute("GRANT SELECT ON papers TO PUBLIC")
    result = vacuum(bloated.as_monitor(), **ALLOWED)
    assert states(result) == [("rewrite", "public.papers", "skipped")]
    assert ids(result) == {"postgresql.maintain_denied": "warning"}


def test_dead_rows_that_somebody_may_see_are_not_copied_in_vain(
    bloated: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decide_rewrite, "LEAST_HELD_SECONDS", 0.0)
    with connect(bloated) as opened:
        opened.execute("CREATE EXTENSION pgstattuple")
    with session(bloated, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1 FROM pg_class LIMIT 1"):
        bloat(bloated, "held", rows=30000, vacuumed=False)
        result = vacuum(bloated, tables=["held"], **ALLOWED)
        assert states(result) == [("rewrite", "public.held", "skipped")]
        assert "blocked_by: session pid" in result["actions"][0]["detail"]
    assert states(vacuum(bloated, tables=["held"], **ALLOWED)) == [("rewrite", "public.held", "done")]


def test_what_a_killed_pg_repack_left_is_removed_unless_one_is_at_work(fresh_postgresql_database: Endpoint) -> None:
    endpoint = fresh_postgresql_database
    with connect(endpoint) as opened:
        opened.execute("CREATE SCHEMA repack; CREATE TABLE kept (id int PRIMARY KEY); CREATE TABLE other (id int)")
        oid = _leave(opened, "kept")
        gone = _leave(opened, "other")
        opened.execute("DROP TABLE other CASCADE")
        opened.execute("CREATE TABLE repack.log_of_mine (id int)")
        with session(endpoint, f"SELECT pg_advisory_lock(16185446, (-2147483648 + {oid})::int)"):
            busy = vacuum(endpoint, check=True, **SMALL)
            assert [action["subject"] for action in busy["actions"]] == [f"a table that is gone (oid {gone})"]
        planned = vacuum(endpoint, check=True, **SMALL)
        done = vacuum(endpoint, **SMALL)
        assert [action["statement"] for action in planned["actions"]] == [a["statement"] for a in done["actions"]]
        assert {action["state"] for action in done["actions"]} == {"done"}
        left = "SELECT count(*) FROM pg_class WHERE relnamespace = 'repack'::regnamespace AND relkind IN ('r', 'c')"
        assert opened.execute(left).fetchone() == (1,)
        assert opened.execute("SELECT count(*) FROM pg_trigger WHERE tgname = 'repack_trigger'").fetchone() == (0,)
        opened.execute("INSERT INTO kept VALUES (1)")
    assert vacuum(endpoint, **SMALL)["actions"] == []


def _leave(opened: Any, table: str) -> int:
    """Make what pg_repack makes for a table, under its names, and return the table's oid."""
    (oid,) = opened.execute(f"SELECT '{table}'::regclass::oid::bigint").fetchone()
    opened.execute(
        f"CREATE TYPE repack.pk_{oid} AS (id int);"
        f"CREATE TABLE repack.log_{oid} (id bigserial PRIMARY KEY, pk repack.pk_{oid}, row {table});"
        f"CREATE TABLE repack.table_{oid} AS SELECT * FROM {table};"
        "CREATE OR REPLACE FUNCTION repack.trigger() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RAISE EXCEPTION $$pg_repack is gone$$; END';"
        f"CREATE TRIGGER repack_trigger AFTER INSERT OR DELETE OR UPDATE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION repack.trigger()"
    )
    return int(oid)
