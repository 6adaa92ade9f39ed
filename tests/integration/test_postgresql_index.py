# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_index against real servers: declared indexes, carcasses, partitions, unused ones."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput, StoreError
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.task import postgresql_index
from ansible_collections.dataops.upkeep.plugins.modules import postgresql_index as module
from tests.integration.postgresql_health import session
from tests.integration.postgresql_work import do, states
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect
from tests.stack.servers.postgresql_standby import wait_replayed

DEFAULTS = {"unused": "report", "unused_after": "30d", "min_size": "10MB", "max_scans": 0, "replicas": []}
TABLE = """
CREATE TABLE t (id int PRIMARY KEY, email text, status text, at timestamptz, tags text[], "Odd Name" int);
INSERT INTO t SELECT n, 'u' || n, 'open', now(), '{a}', n FROM generate_series(1, 200) AS n;
"""


def work(endpoint: Endpoint, *indexes: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Run the module in this process."""
    return do(postgresql_index, endpoint, indexes=list(indexes), **{**DEFAULTS, **options})


def definitions(endpoint: Endpoint) -> dict[str, tuple[str, bool]]:
    """Definition and validity of every index of ours, by name."""
    query = """SELECT c.relname, pg_get_indexdef(c.oid), i.indisvalid FROM pg_index i
        JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace"""
    with connect(endpoint) as opened:
        return {str(name): (str(text), bool(valid)) for name, text, valid in opened.execute(query).fetchall()}


@pytest.fixture
def database(fresh_postgresql_database: Endpoint) -> Endpoint:
    with session(fresh_postgresql_database, TABLE):
        return fresh_postgresql_database


FORMS: dict[str, dict[str, Any]] = {
    "CREATE INDEX x ON public.t USING btree (email)": {"columns": ["email"]},
    "CREATE INDEX x ON public.t USING btree (at DESC, id)": {"columns": ["at DESC", {"name": "id"}]},
    "CREATE INDEX x ON public.t USING btree (at DESC NULLS LAST)": {"columns": ["at desc nulls last"]},
    "CREATE INDEX x ON public.t USING btree (at NULLS FIRST)": {"columns": [{"name": "at", "nulls": "first"}]},
    "CREATE UNIQUE INDEX x ON public.t USING btree (lower(email))": {"columns": ["(lower(email))"], "unique": True},
    'CREATE INDEX x ON public.t USING btree (((id + 1)), "Odd Name")': {"columns": ["(id+1)", '"Odd Name"']},
    "CREATE INDEX x ON public.t USING btree (email) INCLUDE (id) WHERE (status = ANY (ARRAY['a'::text, 'b'::text]))": {
        "columns": ["email"],
        "include": ["id"],
        "where": "status IN ('a', 'b') -- those that matter",
    },
    "CREATE INDEX x ON public.t USING btree (email text_pattern_ops)": {
        "columns": [{"name": "email", "opclass": "text_pattern_ops"}]
    },
    'CREATE INDEX x ON public.t USING btree (email COLLATE "C")': {"columns": [{"name": "email", "collation": '"C"'}]},
    "CREATE INDEX x ON public.t USING gin (tags)": {"columns": ["tags"], "method": "gin"},
    "CREATE UNIQUE INDEX x ON public.t USING btree (status, id) NULLS NOT DISTINCT": {
        "columns": ["status", "id"],
        "unique": True,
        "nulls_not_distinct": True,
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_it_is_made_as_declared_and_then_left_alone(database: Endpoint, form: str) -> None:
    declared = {"name": "x", "table": "t", **FORMS[form]}
    before = definitions(database)
    planned = work(database, declared, check=True)
    assert states(planned) == [("create_index", "index public.x", "planned")]
    assert planned["changed"]
    assert definitions(database) == before
    done = work(database, declared)
    assert states(done) == [("create_index", "index public.x", "done")], done
    assert [action["statement"] for action in done["actions"]] == [a["statement"] for a in planned["actions"]]
    assert definitions(database)["x"] == (form, True)
    assert (done["status"], done["findings"]) == ("ok", [])
    again = work(database, declared)
    assert (again["changed"], again["actions"], again["findings"]) == (False, [], [])
    others = [{"name": "x", "table": "t", **FORMS[other]} for other in FORMS if other != form]
    for other in others:
        result = work(database, other, check=True)
        assert [finding["id"] for finding in result["findings"]] == ["postgresql.index_differs"], other
        assert result["actions"] == []


def test_another_definition_is_said_and_not_touched(database: Endpoint) -> None:
    with session(database, "CREATE INDEX x ON t (email) WHERE id > 5"):
        result = work(database, {"name": "x", "table": "t", "columns": ["email"], "where": "id > 6"})
    (finding,) = result["findings"]
    assert (finding["id"], finding["severity"]) == ("postgresql.index_differs", "critical")
    assert "WHERE (id > 6)" in finding["message"]
    assert "WHERE (id > 5)" in finding["message"]
    assert not result["changed"]


def test_the_same_under_another_name_and_a_name_that_is_taken(database: Endpoint) -> None:
    with session(database, "CREATE INDEX mine ON t (email)", "CREATE VIEW seen AS SELECT 1"):
        same = work(database, {"name": "x", "table": "t", "columns": ["email"]})
        taken = work(database, {"name": "seen", "table": "t", "columns": ["email"]})
    assert [(finding["id"], finding["severity"]) for finding in same["findings"]] == [
        ("postgresql.index_other_name", "warning")
    ]
    assert [finding["id"] for finding in taken["findings"]] == ["postgresql.index_name_taken"]
    assert set(definitions(database)) == {"t_pkey", "mine"}


@pytest.mark.parametrize("columns", [["email"], ["status"]])
def test_a_carcass_is_repaired(database: Endpoint, columns: list[str]) -> None:
    with session(database, "INSERT INTO t (id, email) VALUES (1000, 'u1')") as opened:
        with pytest.raises(psycopg.errors.UniqueViolation):
            opened.execute("CREATE UNIQUE INDEX CONCURRENTLY x ON t (email)")
        assert definitions(database)["x"][1] is False
        failed = work(database, {"name": "x", "table": "t", "columns": ["email"], "unique": True})
        assert states(failed) == [("create_index", "index public.x", "failed")]
        assert "could not create unique index" in failed["actions"][0]["detail"]
        assert "u1" not in str(failed), "a value of a row"
        assert failed["status"] == "critical"
        assert "x" not in definitions(database), "what it left was dropped"
        with pytest.raises(psycopg.errors.UniqueViolation):
            opened.execute("CREATE UNIQUE INDEX CONCURRENTLY x ON t (email)")
        opened.execute("DELETE FROM t WHERE id = 1000")
    declared = {"name": "x", "table": "t", "columns": columns, "unique": columns == ["email"]}
    planned = work(database, declared, check=True)
    assert "invalid" in planned["actions"][0]["reason"]
    assert planned["actions"][0]["statement"].startswith('DROP INDEX CONCURRENTLY "public"."x";\nCREATE ')
    assert states(work(database, declared)) == [("create_index", "index public.x", "done")]
    assert definitions(database)["x"][1] is True
    assert not work(database, declared)["changed"]


def test_absent(database: Endpoint) -> None:
    with session(database, 'CREATE INDEX "X y" ON t (email) WHERE id > 7'):
        pass
    gone = {"name": '"X y"', "table": "t", "state": "absent"}
    planned = work(database, gone, check=True)
    assert '"X y"' in planned["actions"][0]["statement"]
    done = work(database, gone)
    assert states(done) == [("drop_index", "index public.X y", "done")]
    assert "X y" not in definitions(database)
    assert not work(database, gone)["changed"]
    with session(database, done["actions"][0]["undo"]):
        assert "WHERE (id > 7)" in definitions(database)["X y"][0]
    key = work(database, {"name": "t_pkey", "table": "t", "state": "absent"})
    assert [finding["id"] for finding in key["findings"]] == ["postgresql.index_not_droppable"]
    assert "t_pkey" in definitions(database)


NEW = {"name": "fresh", "table": "t", "columns": ["email"]}
OLD = {"name": "stale", "table": "t", "state": "absent"}


def test_an_index_declared_under_a_new_name_is_made_before_the_old_one_goes(database: Endpoint) -> None:
    with session(database, "CREATE INDEX stale ON t (email)"):
        planned = work(database, OLD, NEW, check=True)
        done = work(database, OLD, NEW)
    assert [action["statement"] for action in planned["actions"]] == [a["statement"] for a in done["actions"]]
    assert states(done) == [
        ("create_index", "index public.fresh", "done"),
        ("drop_index", "index public.stale", "done"),
    ]
    assert done["findings"] == []
    assert work(database, OLD, NEW)["changed"] is False


def test_the_old_one_stays_while_the_new_one_cannot_be_made(database: Endpoint) -> None:
    twice = "INSERT INTO t (id, email) VALUES (1000, 'u1')"
    with session(database, "CREATE INDEX stale ON t (email)", twice, "CREATE INDEX other ON t (at)") as opened:
        failed = work(database, OLD, {**NEW, "unique": True})
        differs = work(database, {**NEW, "name": "other"}, OLD)
        elsewhere = work(database, {**NEW, "name": "other"}, {**OLD, "name": "nothing"})
        opened.execute("BEGIN; SELECT txid_current(); SAVEPOINT s; LOCK TABLE t IN SHARE MODE")
        skipped = work(database, OLD, NEW)
        opened.execute("ROLLBACK")
    assert [state for _kind, _subject, state in states(failed)] == ["failed", "skipped"]
    assert [finding["id"] for finding in differs["findings"]] == ["postgresql.index_differs"]
    assert states(differs) == [("drop_index", "index public.stale", "skipped")]
    assert elsewhere["actions"] == []
    assert [state for _kind, _subject, state in states(skipped)] == ["skipped", "skipped"]
    for result in (failed, differs, skipped):
        assert "not made yet" in result["actions"][-1]["detail"]
        assert "stale" in definitions(database)
    assert states(work(database, OLD, NEW))[-1] == ("drop_index", "index public.stale", "done")


def test_a_deferrable_constraint_is_not_the_unique_index_that_is_declared(database: Endpoint) -> None:
    with session(database, "ALTER TABLE t ADD CONSTRAINT late UNIQUE (email) DEFERRABLE"):
        declared = {"name": "x", "table": "t", "columns": ["email"], "unique": True}
        assert states(work(database, declared)) == [("create_index", "index public.x", "done")]
        differs = work(database, {**declared, "name": "late"})
    assert [finding["id"] for finding in differs["findings"]] == ["postgresql.index_differs"]


PARTED = """
CREATE TABLE p (a int, dropped int, b text) PARTITION BY LIST (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 (dropped int, b text, a int);
ALTER TABLE p2 DROP COLUMN dropped;
ALTER TABLE p DROP COLUMN dropped;
ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2);
CREATE TABLE p3 PARTITION OF p FOR VALUES IN (3) PARTITION BY LIST (b);
CREATE TABLE p3x PARTITION OF p3 FOR VALUES IN ('x');
CREATE TABLE p_default PARTITION OF p DEFAULT;
"""


def test_a_partitioned_table(fresh_postgresql_database: Endpoint) -> None:
    database = fresh_postgresql_database
    declared = {"name": "x", "table": "p", "columns": ["b", "(a + 1)"], "where": "b <> ''"}
    with session(database, PARTED, "CREATE INDEX ready ON p2 (b, (a + 1)) WHERE b <> ''"):
        planned = work(database, declared, check=True)
        done = work(database, declared)
    assert [state for _kind, _subject, state in states(done)] == ["done"] * 6, done["actions"]
    assert [a["statement"] for a in done["actions"]] == [a["statement"] for a in planned["actions"]]
    found = definitions(database)
    assert all(valid for _text, valid in found.values()), found
    assert set(found) == {"x", "x_p1", "ready", "x_p3", "x_p3x", "x_p_default"}
    assert done["findings"] == []
    assert not work(database, declared)["changed"]
    with session(database, "CREATE TABLE p4 PARTITION OF p FOR VALUES IN (4)"):
        assert not work(database, declared)["changed"], "the server made it by itself"
    absent = work(database, {"name": "x", "table": "p", "state": "absent"})
    assert states(absent) == [("drop_index", "index public.x", "done")]
    assert definitions(database) == {}


def test_a_partitioned_table_begun_before(fresh_postgresql_database: Endpoint) -> None:
    database = fresh_postgresql_database
    declared = {"name": "x", "table": "p", "columns": ["b"], "unique": False}
    begun = ("CREATE INDEX x ON ONLY p (b)", "CREATE INDEX x_p1 ON p1 (b)", "ALTER INDEX x ATTACH PARTITION x_p1")
    with session(database, PARTED, *begun, "INSERT INTO p VALUES (9, 'q'), (9, 'q')") as opened:
        with pytest.raises(psycopg.errors.UniqueViolation):
            opened.execute("CREATE UNIQUE INDEX CONCURRENTLY x_p_default ON p_default (b)")
        done = work(database, declared)
    assert {state for _kind, _subject, state in states(done)} == {"done"}, done["actions"]
    found = definitions(database)
    assert all(valid for _text, valid in found.values()), found
    assert "UNIQUE" not in found["x_p_default"][0]
    assert not work(database, declared)["changed"]


def test_unused_ones_are_reported_then_dropped(database: Endpoint, tmp_path: Path) -> None:
    options: dict[str, Any] = {"unused_after": "1s", "min_size": "0", "state": tmp_path / "state"}
    declared = {"name": "wanted", "table": "t", "columns": ["at"]}
    with session(
        database,
        "CREATE INDEX gone ON t (lower(email))",
        "CREATE INDEX wanted ON t (at)",
        "CREATE UNIQUE INDEX kept ON t (email)",
    ):
        pass
    first = work(database, declared, unused="drop", **options)
    assert states(first) == [("drop_index", "index public.gone", "skipped")]
    assert "no earlier run has seen it" in first["actions"][0]["detail"]
    assert not first["changed"]
    time.sleep(1.2)
    reported = work(database, declared, **options)
    assert [finding["id"] for finding in reported["findings"]] == ["postgresql.unused_index"]
    planned = work(database, declared, unused="drop", check=True, **options)
    assert states(planned) == [("drop_index", "index public.gone", "planned")]
    assert "gone" in definitions(database)
    done = work(database, declared, unused="drop", **options)
    assert states(done) == [("drop_index", "index public.gone", "done")]
    assert set(definitions(database)) == {"t_pkey", "wanted", "kept"}
    undo = done["actions"][0]["undo"]
    assert undo == "CREATE INDEX gone ON public.t USING btree (lower(email))"
    again = work(database, declared, unused="drop", **options)
    assert (again["changed"], again["actions"]) == (False, [])
    with session(database, undo):
        assert "gone" in definitions(database)


def test_without_a_ledger_nothing_is_dropped(database: Endpoint) -> None:
    with session(database, "CREATE INDEX young ON t (email)"):
        for _run in range(2):
            result = work(database, unused="drop", min_size="0", unused_after="1s")
            assert not result["changed"]
            time.sleep(1.1)
    assert "young" in definitions(database)


BAD: tuple[tuple[dict[str, Any], str], ...] = (
    ({"name": "x", "table": "nowhere", "columns": ["a"]}, "no table"),
    ({"name": "x", "table": "t", "columns": ["nothing"]}, "no column"),
    ({"name": "x", "table": "t", "columns": ["id"], "include": ["nothing"]}, "no column"),
    ({"name": "x", "table": "t", "columns": []}, "there is none"),
    ({"name": "x", "table": "t", "columns": [5]}, "is no column"),
    ({"name": "x", "table": "t", "columns": [{"name": "id", "expression": "id"}]}, "either a column or an expression"),
    ({"name": "x", "table": "t", "columns": [{"name": "id", "colour": "red"}]}, "does not know colour"),
    ({"name": "x", "table": "t", "columns": [{"name": "id", "order": "up"}]}, "order cannot be understood"),
    ({"name": "x", "table": "t", "columns": ["id"], "method": "tree"}, "no access method"),
    ({"name": "x", "table": "t", "columns": [{"name": "id", "opclass": "none_ops"}]}, "no operator class"),
    ({"name": "x", "table": "t", "columns": [{"name": "email", "collation": "none"}]}, "no collation"),
    ({"name": "x", "table": "t", "columns": ["(nothing(email))"]}, "cannot read its SQL"),
    ({"name": "x", "table": "t", "columns": ["id"], "where": "nothing > 5"}, "cannot read its SQL"),
    ({"name": "x" * 64, "table": "t", "columns": ["id"]}, "longer than the 63 bytes"),
    ({"name": "s.x", "table": "t", "columns": ["id"]}, "is no name"),
)


@pytest.mark.parametrize(("declared", "why"), BAD)
def test_bad_input(fresh_postgresql18_database: Endpoint, declared: dict[str, Any], why: str) -> None:
    with session(fresh_postgresql18_database, TABLE), pytest.raises(InvalidInput, match=why):
        work(fresh_postgresql18_database, declared)
    assert set(definitions(fresh_postgresql18_database)) == {"t_pkey"}


@pytest.mark.parametrize("uri", ["; DROP TABLE t; --", "postgresql://u:pa55-Zq/x@db/app"])
def test_a_replica_that_is_none_is_named(postgresql18: Endpoint, uri: str) -> None:
    listed = [{"login_host": postgresql18.host}, {"uri": uri}]
    with pytest.raises(InvalidInput, match=r"replicas\[2\]\.uri") as raised:
        work(postgresql18, replicas=listed)
    assert "pa55" not in str(raised.value)


def test_one_index_declared_twice(fresh_postgresql18_database: Endpoint) -> None:
    declared = {"name": "x", "table": "t", "columns": ["id"]}
    for other in (declared, {**declared, "table": "public.t", "state": "absent"}):
        with (
            session(fresh_postgresql18_database, "DROP TABLE IF EXISTS t", TABLE),
            pytest.raises(InvalidInput, match="once more"),
        ):
            work(fresh_postgresql18_database, declared, other)


def test_who_may_not(database: Endpoint) -> None:
    with session(database, "GRANT SELECT ON t TO PUBLIC", "CREATE INDEX old ON t (at)"):
        monitor = database.as_monitor()
        made = work(monitor, {"name": "x", "table": "t", "columns": ["(lower(email))"]})
        gone = work(monitor, {"name": "old", "table": "t", "state": "absent"})
        unused = work(monitor, unused="drop", unused_after="0s", min_size="0")
    for result in (made, gone, unused):
        ((_kind, _subject, state),) = states(result)
        assert state == "skipped"
        assert "only the owner" in result["actions"][0]["detail"]
        assert not result["changed"]
    assert set(definitions(database)) == {"t_pkey", "old"}


def test_a_server_that_is_down(dead_port: tuple[str, int], postgresql18: Endpoint) -> None:
    host, port = dead_port
    params = {**postgresql18.options(), "login_host": host, "login_port": port}
    with pytest.raises(StoreError):
        work(postgresql18, {"name": "x", "table": "t", "columns": ["id"]}, **params)


def test_a_standby(postgresql18_pair: tuple[Endpoint, Endpoint]) -> None:
    with pytest.raises(StoreError, match="standby"):
        work(postgresql18_pair[1], unused="report")


def test_standbys_that_are_not_listed_or_do_not_answer(
    fresh_postgresql18_pair: tuple[Endpoint, Endpoint], tmp_path: Path
) -> None:
    primary, standby = fresh_postgresql18_pair
    options: dict[str, Any] = {"unused": "drop", "unused_after": "1s", "min_size": "0", "state": tmp_path / "state"}
    listed = [{"login_host": standby.host, "login_port": standby.port}]
    itself = [{"login_host": primary.host, "login_port": primary.port}]
    dead = [{"login_host": standby.host, "login_port": 1}]
    with session(primary, TABLE, "CREATE INDEX gone ON t (email)"):
        pass
    wait_replayed(primary, standby)
    work(primary, replicas=listed, **options)
    time.sleep(1.2)
    for replicas, ids in (
        ([], ["postgresql.standby_unlisted"]),
        (dead, ["postgresql.standby_unknown", "postgresql.standby_unlisted"]),
        (itself, ["postgresql.standby_unknown", "postgresql.standby_unlisted"]),
    ):
        kept = work(primary, replicas=replicas, **options)
        assert [finding["id"] for finding in kept["findings"]] == ids
        assert states(kept) == [("drop_index", "index public.gone", "skipped")]
    assert states(work(primary, replicas=listed, **options)) == [("drop_index", "index public.gone", "done")]


def test_the_examples(fresh_postgresql18_pair: tuple[Endpoint, Endpoint], tmp_path: Path) -> None:
    """As they are written, but for the addresses."""
    primary, standby = fresh_postgresql18_pair
    declaring, dropping = (task["dataops.upkeep.postgresql_index"] for task in yaml.safe_load(module.EXAMPLES))
    made = {"events_created", "users_email", "invoices_open"}
    with session(
        primary,
        "CREATE TABLE events (created_at timestamptz); CREATE INDEX events_old_idea ON events (created_at)",
        "CREATE TABLE users (email text)",
        "CREATE TABLE invoices (user_id int, expires_at timestamptz, status text, amount numeric)",
    ):
        wait_replayed(primary, standby)
        done = work(primary, *declaring["indexes"])
        assert {state for _kind, _subject, state in states(done)} == {"done"}
        assert set(definitions(primary)) == made
        assert work(primary, *declaring["indexes"])["changed"] is False
        replicas = [{**dropping["replicas"][0], "login_host": standby.host, "login_port": standby.port}]
        options = {name: value for name, value in dropping.items() if name not in ("uri", "replicas", "state")}
        dropped = work(primary, replicas=replicas, state=tmp_path / "state", **options)
        assert (dropped["status"], dropped["changed"]) == ("ok", False)
        assert set(definitions(primary)) == made
