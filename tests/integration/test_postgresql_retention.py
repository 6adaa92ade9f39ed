# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_retention on real tables: what it plans, what it does, and what it leaves alone."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention import decide_rules
from tests.integration.postgresql_retention import EVENTS, OLD, ask, count, make, plan, retain, rule
from tests.integration.postgresql_work import states
from tests.integration.probe import probing
from tests.integration.running import run_module
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

ARCHIVE = rule("archive", archive_to="events_archive")


@pytest.fixture
def events(fresh_postgresql_database: Endpoint) -> Endpoint:
    """A database with the events, on each version."""
    make(fresh_postgresql_database, EVENTS)
    return fresh_postgresql_database


@pytest.fixture
def events18(fresh_postgresql18_database: Endpoint) -> Endpoint:
    """Likewise on PostgreSQL 18 alone."""
    make(fresh_postgresql18_database, EVENTS)
    return fresh_postgresql18_database


ACTIONS = {
    "delete": rule(),
    "archive": ARCHIVE,
    "update": rule("update", set={"kind": "old"}),
}


@pytest.mark.parametrize("name", ACTIONS)
def test_the_plan_is_what_is_done_and_is_done_once(events: Endpoint, name: str) -> None:
    before = ask(events, "SELECT * FROM events ORDER BY id")
    planned = retain(events, ACTIONS[name], check=True)
    assert planned["changed"]
    assert ask(events, "SELECT * FROM events ORDER BY id") == before
    assert ask(events, "SELECT to_regclass('events_archive')") == [(None,)]

    done = retain(events, ACTIONS[name])
    assert plan(done) == plan(planned)
    assert {action["state"] for action in done["actions"]} == {"done"}
    assert done["actions"][-1]["detail"].startswith(f"{OLD} rows in ")
    young, old = "created_at >= now() - interval '90 days'", "created_at < now() - interval '90 days'"
    assert ask(events, f"SELECT * FROM events WHERE {young} ORDER BY id") == before[: 4800 - OLD]
    assert count(events, f"events WHERE {old}") == (OLD if name == "update" else 0)
    if name == "archive":
        assert ask(events, "SELECT * FROM events_archive ORDER BY id") == before[4800 - OLD :]
    if name == "update":
        assert count(events, "events WHERE kind = 'old'") == OLD

    again = retain(events, ACTIONS[name])
    assert (again["changed"], again["actions"]) == (False, [])


def test_through_ansible(events18: Endpoint) -> None:
    options = events18.options(rules=[{**rule("archive"), "archive_to": {"table": "public.events_archive"}}])
    planned = run_module("postgresql_retention", options, check=True)
    assert planned["changed"], planned
    assert count(events18) == 4800
    done = run_module("postgresql_retention", options)
    assert (done["changed"], done["status"], plan(done)) == (True, "ok", plan(planned))
    assert (count(events18), count(events18, "events_archive")) == (4800 - OLD, OLD)
    assert not run_module("postgresql_retention", options)["changed"]


def test_the_condition_and_the_limit(events18: Endpoint) -> None:
    failed = rule(where="kind = 'failed' AND note LIKE '%0' -- as they are")
    first = retain(events18, failed, max_changes=100)
    assert "ended early: max_changes (100) is reached" in first["actions"][0]["detail"]
    assert first["metrics"]["postgresql_retention_rows_taken"] == 100
    assert first["metrics"]["postgresql_retention_longest_piece_seconds"] > 0
    assert [finding["id"] for finding in first["findings"]] == ["postgresql.retention_due"]
    assert count(events18) == 4700
    retain(events18, failed)
    assert count(events18) == 4800 - OLD // 10
    assert count(events18, "events WHERE kind = 'failed' AND created_at < now() - interval '90 days'") == 0


@pytest.mark.parametrize("column", ["at timestamp", "at date", "at bigint", "at numeric"])
def test_ages_of_every_type(fresh_postgresql18_database: Endpoint, column: str) -> None:
    endpoint = fresh_postgresql18_database
    unit = {"at bigint": "milliseconds", "at numeric": "seconds"}.get(column, "time")
    value = {
        "milliseconds": "(extract(epoch FROM moment) * 1000)::bigint",
        "seconds": "extract(epoch FROM moment)",
        "time": "moment AT TIME ZONE 'UTC'",
    }[unit]
    make(
        endpoint,
        f"CREATE TABLE marks (id int PRIMARY KEY, {column})",
        f"""INSERT INTO marks SELECT n, {value}
            FROM generate_series(1, 20) AS n,
                LATERAL (SELECT now() - n * interval '1 day' - interval '1 hour') AS m(moment)""",
    )
    marks = {**rule(table="marks", age_column="at", older_than="10d"), "age_unit": unit}
    retain(endpoint, marks)
    assert ask(endpoint, "SELECT max(id) FROM marks") == [(9 if column != "at date" else 10,)]


def test_locked_rows_are_left_out_and_taken_when_they_are_free(events18: Endpoint) -> None:
    with connect(events18) as other, other.transaction():
        held = other.execute("SELECT id FROM events ORDER BY id DESC LIMIT 7 FOR UPDATE").fetchall()
        result = retain(events18, ARCHIVE)
        assert result["actions"][-1]["detail"].startswith(f"{OLD - 7} rows in ")
        assert "7 left that others hold" in result["actions"][-1]["detail"]
        (finding,) = result["findings"]
        assert (finding["id"], finding["severity"], finding["value"]) == ("postgresql.retention_due", "warning", 7)
        left = ask(events18, "SELECT id FROM events WHERE created_at < now() - interval '90 days' ORDER BY id DESC")
        assert left == held
    assert retain(events18, ARCHIVE)["changed"]
    assert (count(events18), count(events18, "events_archive")) == (4800 - OLD, OLD)


def test_a_row_that_becomes_young_while_it_is_locked_stays(events18: Endpoint) -> None:
    with connect(events18) as other:
        with other.transaction():
            other.execute("UPDATE events SET created_at = now() WHERE id = 4800")
            thread_result: list[dict[str, Any]] = []
            thread = threading.Thread(target=lambda: thread_result.append(retain(events18, rule())))
            thread.start()
            time.sleep(0.5)
        thread.join()
    assert thread_result[0]["status"] == "ok"
    assert count(events18, "events WHERE id = 4800") == 1
    assert count(events18) == 4800 - OLD + 1


def test_the_application_never_waits_behind_us(events18: Endpoint) -> None:
    with connect(events18) as other, other.transaction():
        other.execute("SELECT FROM events WHERE id BETWEEN 3000 AND 3100 FOR UPDATE")
        with probing(events18, "UPDATE events SET note = note WHERE id IN (100, 4700)") as probe:
            result = retain(events18, rule("update", set={"kind": "old"}), lock_timeout="0.3")
    assert [action["state"] for action in result["actions"]] == ["done"]
    assert [(finding["id"], finding["value"]) for finding in result["findings"]] == [("postgresql.retention_due", 101)]
    assert not probe.errors
    assert probe.blocked < 0.3 + 0.2


def test_a_table_that_others_lock_altogether_is_reported(events18: Endpoint) -> None:
    with connect(events18) as other, other.transaction():
        other.execute("LOCK TABLE events IN SHARE MODE")
        result = retain(events18, rule())
    assert states(result) == [("delete", "public.events", "failed")]
    assert "another session holds the lock" in result["actions"][0]["detail"]
    assert count(events18) == 4800


def test_a_table_of_which_nothing_can_be_read_stops_no_other_rule(events18: Endpoint) -> None:
    make(events18, "CREATE TABLE marks AS SELECT id, created_at FROM events")
    marks = {**rule(table="marks"), "name": "old marks"}
    with connect(events18) as other, other.transaction():
        other.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        planned = retain(events18, rule(), marks, check=True)
        result = retain(events18, rule(), marks)
    assert states(planned) == [("delete", "public.marks", "planned"), ("delete", "public.events", "skipped")]
    assert states(result) == [("delete", "public.marks", "done"), ("delete", "public.events", "skipped")]
    (finding,) = result["findings"]
    assert finding["id"] == "postgresql.table_locked"
    assert "rule old events" in finding["message"]
    assert (count(events18), count(events18, "marks")) == (4800, 4800 - OLD)


def test_where_others_hold_every_row_it_is_said(events18: Endpoint) -> None:
    with connect(events18) as other, other.transaction():
        other.execute("SELECT FROM events FOR UPDATE")
        result = retain(events18, rule())
    assert states(result) == [("delete", "public.events", "skipped")]
    assert not result["changed"]
    assert [finding["id"] for finding in result["findings"]] == ["postgresql.retention_due"]
    assert count(events18) == 4800


def test_what_a_lost_connection_leaves_is_told_as_a_change(events18: Endpoint) -> None:
    ended: list[bool] = []
    with connect(events18) as other:

        def end() -> None:
            wait = "SELECT count(*) < 4500 FROM events"
            until(lambda: other.execute(wait).fetchone() == (True,))
            ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'upkeep'"
            other.execute(ours)
            ended.append(True)

        thread = threading.Thread(target=end)
        thread.start()
        result = retain(events18, rule(), batch_target_ms=1, rest_ratio=5.0)
        thread.join()
    assert ended
    assert states(result) == [("delete", "public.events", "failed")]
    assert result["changed"], result["actions"]
    assert 4800 - OLD < count(events18) < 4800


CHILDREN = """
CREATE TABLE notes (id int PRIMARY KEY, event bigint REFERENCES events {on_delete}, text text);
INSERT INTO notes VALUES (1, 4800, 'of an old event'), (2, 1, 'of a young event')
"""


@pytest.mark.parametrize("on_delete", ["ON DELETE CASCADE", "ON DELETE SET NULL", ""])
def test_rows_that_others_refer_to(events18: Endpoint, on_delete: str) -> None:
    make(events18, CHILDREN.format(on_delete=on_delete))
    refused = retain(events18, ARCHIVE)
    assert states(refused) == [("archive", "public.events", "skipped")]
    assert [finding["id"] for finding in refused["findings"]] == ["postgresql.retention_referred"]
    assert "public.notes (notes_event_fkey)" in refused["findings"][0]["message"]
    assert (count(events18), count(events18, "notes")) == (4800, 2)

    kept = retain(events18, {**ARCHIVE, "on_cascade": "keep"})
    assert kept["status"] == "ok"
    assert ask(events18, "SELECT id, event FROM notes ORDER BY id") == [(1, 4800), (2, 1)]
    assert count(events18, "events_archive") == OLD - 1
    assert not retain(events18, {**ARCHIVE, "on_cascade": "keep"})["changed"]

    included = retain(events18, rule(on_cascade="include"))
    if on_delete:
        assert included["status"] == "ok"
        assert count(events18, "events WHERE id = 4800") == 0
    else:
        assert included["status"] == "critical"
        assert count(events18, "events WHERE id = 4800") == 1


def test_a_reference_that_comes_while_we_work_is_not_lost(events18: Endpoint) -> None:
    make(events18, "CREATE TABLE notes (id int PRIMARY KEY, event bigint REFERENCES events ON DELETE CASCADE)")
    with connect(events18) as other:
        with other.transaction():
            other.execute("INSERT INTO notes VALUES (1, 4800)")
            thread = threading.Thread(target=lambda: retain(events18, ARCHIVE))
            thread.start()
            time.sleep(0.5)
        thread.join()
    assert ask(events18, "SELECT event FROM notes") == [(4800,)]
    assert (count(events18, "events WHERE id = 4800"), count(events18, "events_archive")) == (1, OLD - 1)


def test_triggers_fire_and_are_named(events18: Endpoint) -> None:
    make(
        events18,
        "CREATE TABLE gone (id bigint)",
        "CREATE FUNCTION note_gone() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO gone VALUES (OLD.id); RETURN OLD; END $$",
        "CREATE TRIGGER noted BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION note_gone()",
    )
    result = retain(events18, rule())
    assert result["actions"][0]["reason"].endswith("; fires noted")
    assert count(events18, "gone") == OLD


@pytest.mark.parametrize(("column", "kind"), [("created_at", "timestamptz"), ("day", "date")])
def test_few_old_rows_are_found_by_an_index_on_their_age(events18: Endpoint, column: str, kind: str) -> None:
    make(
        events18,
        "ALTER TABLE events ADD day date",
        "UPDATE events SET day = created_at",
        f"CREATE INDEX ON events ({column})",
        "ANALYZE events",
    )
    before = count(events18, f"events WHERE {column} < (now() - interval '190 days')::{kind}")
    oldest = rule("archive", archive_to="events_archive", age_column=column, older_than="190d")
    with connect(events18) as other, other.transaction():
        other.execute("SELECT FROM events ORDER BY id DESC LIMIT 50 FOR UPDATE")
        result = retain(events18, oldest, batch_target_ms=1)
    assert "ctid" not in result["actions"][-1]["statement"]
    assert count(events18, "events_archive") == before - 50
    retain(events18, oldest)
    assert count(events18, "events_archive") == before
    assert not retain(events18, oldest)["changed"]


@pytest.mark.parametrize("key", ["id", "kind, id"])
def test_by_ranges_of_a_key_where_pages_cannot_be_had(
    events18: Endpoint, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decide_rules, "TID_RANGES", 999999)  # as if the server were of version 13
    make(events18, f"ALTER TABLE events DROP CONSTRAINT events_pkey, ADD PRIMARY KEY ({key})")
    result = retain(events18, ARCHIVE, batch_target_ms=1)
    assert "ctid" not in result["actions"][-1]["statement"]
    assert (count(events18), count(events18, "events_archive")) == (4800 - OLD, OLD)
    make(events18, "ALTER TABLE events DROP CONSTRAINT events_pkey, ALTER kind DROP NOT NULL, ALTER id DROP IDENTITY")
    make(events18, "ALTER TABLE events ALTER id DROP NOT NULL")
    refused = retain(events18, rule(older_than="60d"))
    assert [finding["id"] for finding in refused["findings"]] == ["postgresql.retention_no_key"]


def test_a_table_without_a_key(events18: Endpoint) -> None:
    make(events18, "ALTER TABLE events DROP CONSTRAINT events_pkey")
    assert retain(events18, ARCHIVE)["status"] == "ok"
    assert (count(events18), count(events18, "events_archive")) == (4800 - OLD, OLD)
