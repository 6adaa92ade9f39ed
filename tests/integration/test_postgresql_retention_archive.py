# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive table of postgresql_retention: made, kept in step with its source, and never filled with less."""

from __future__ import annotations

import pytest
from psycopg import sql

from tests.integration.postgresql_retention import EVENTS, OLD, ask, count, make, plan, retain, rule
from tests.integration.postgresql_work import states
from tests.stack.endpoint import Endpoint

ARCHIVE = rule("archive", archive_to="events_archive")
COLUMNS = """SELECT attname::text, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
    WHERE attrelid = '{}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""


@pytest.fixture
def events(fresh_postgresql18_database: Endpoint) -> Endpoint:
    """A database with the events."""
    make(fresh_postgresql18_database, EVENTS)
    return fresh_postgresql18_database


def test_it_has_the_columns_the_key_the_owner_and_the_readers_of_its_source(events: Endpoint) -> None:
    role, reader = f"owner_{events.database}", f"reader {events.database}"
    make(
        events,
        f"CREATE ROLE {role}",
        f'CREATE ROLE "{reader}"',
        f"ALTER TABLE events OWNER TO {role}",
        f'GRANT SELECT, INSERT, DELETE ON events TO "{reader}"',
        'ALTER TABLE events ALTER note TYPE varchar(50) COLLATE "C"',
    )
    result = retain(events, ARCHIVE)
    assert states(result) == [("create", "public.events_archive", "done"), ("archive", "public.events", "done")]
    types = [(name, kind) for name, kind, _required in ask(events, COLUMNS.format("events"))]
    assert [(name, kind) for name, kind, _required in ask(events, COLUMNS.format("events_archive"))] == types
    assert ask(
        events,
        """SELECT pg_get_userbyid(relowner)::text, pg_get_constraintdef(con.oid) FROM pg_class c
            JOIN pg_constraint con ON conrelid = c.oid AND contype = 'p' WHERE c.oid = 'events_archive'::regclass""",
    ) == [(role, "PRIMARY KEY (id)")]
    rights = [f"has_table_privilege('{reader}', 'events_archive', '{right}')" for right in ("SELECT", "INSERT")]
    assert ask(events, f"SELECT {', '.join(rights)}") == [(True, False)]
    make(events, f'DROP OWNED BY {role}, "{reader}"', f'DROP ROLE {role}, "{reader}"')


def test_it_can_be_undone(events: Endpoint) -> None:
    action = retain(events, ARCHIVE)["actions"][0]
    make(events, action["undo"])
    assert ask(events, "SELECT to_regclass('events_archive')") == [(None,)]


def test_it_gets_the_columns_that_the_source_gets(events: Endpoint) -> None:
    retain(events, ARCHIVE)
    make(
        events,
        "ALTER TABLE events DROP note, ADD place text DEFAULT 'here', ADD tags text[] DEFAULT '{a}'",
        "INSERT INTO events (kind, created_at) VALUES ('new', now() - interval '1 year')",
    )
    planned = retain(events, ARCHIVE, check=True)
    result = retain(events, ARCHIVE)
    assert plan(result) == plan(planned)
    assert states(result) == [("alter", "public.events_archive", "done"), ("archive", "public.events", "done")]
    assert "the source has got place; the source has got tags" in result["actions"][0]["reason"]
    newest = "SELECT kind, place, tags, note FROM events_archive WHERE kind = 'new'"
    assert ask(events, newest) == [("new", "here", ["a"], None)]


def test_a_column_that_is_gone_may_have_been_required(events: Endpoint) -> None:
    make(
        events,
        """CREATE TABLE events_archive (created_at timestamptz, id numeric PRIMARY KEY, gone int NOT NULL, kind text,
            doubled numeric, note text, archived timestamptz NOT NULL DEFAULT now(), amount numeric,
            twice numeric GENERATED ALWAYS AS (amount * 2) STORED)""",
    )
    result = retain(events, ARCHIVE)
    assert 'ALTER COLUMN "gone" DROP NOT NULL' in result["actions"][0]["statement"]
    assert result["status"] == "ok", result
    assert count(events, "events_archive WHERE archived > now() - interval '1 hour' AND twice = doubled") == OLD


@pytest.mark.parametrize(
    ("column", "change", "there"),
    [
        ("kind", "ALTER kind TYPE varchar(10)", "character varying(10)"),
        ("amount", "ALTER amount TYPE numeric(9,2)", "numeric(9,2)"),
        ("created_at", "ALTER created_at TYPE date", "date"),
        ("id", "ALTER id TYPE integer", "integer"),
    ],
)
def test_a_type_that_does_not_hold_every_value_stops_it(events: Endpoint, column: str, change: str, there: str) -> None:
    make(events, f"CREATE TABLE events_archive AS TABLE events WITH NO DATA; ALTER TABLE events_archive {change}")
    result = retain(events, ARCHIVE)
    assert states(result) == [("archive", "public.events", "skipped")]
    (finding,) = result["findings"]
    assert (finding["id"], finding["severity"]) == ("postgresql.retention_drift", "critical")
    assert f"{column} is " in finding["message"]
    assert f"in the source and {there} in the archive" in finding["message"]
    assert count(events) == 4800


def test_a_wider_type_is_as_good(events: Endpoint) -> None:
    make(
        events,
        "CREATE TABLE events_archive AS TABLE events WITH NO DATA",
        "ALTER TABLE events_archive ALTER note TYPE varchar(60), ALTER id TYPE numeric",
    )
    assert retain(events, ARCHIVE)["status"] == "ok"
    assert count(events, "events_archive") == OLD


def test_a_row_that_the_archive_has_already_stays_and_is_reported(events: Endpoint) -> None:
    retain(events, rule("archive", archive_to="events_archive", where="id = 4800"))
    make(
        events,
        """INSERT INTO events (id, kind, created_at) OVERRIDING SYSTEM VALUE
            VALUES (4800, 'another of that number', now() - interval '1 year')""",
    )
    result = retain(events, rule("archive", archive_to="events_archive", where="id = 4800"))
    assert states(result) == [("archive", "public.events", "failed")]
    assert "duplicate key" in result["actions"][0]["detail"]
    assert (count(events, "events WHERE id = 4800"), count(events, "events_archive")) == (1, 1)


def test_names_of_every_kind(fresh_postgresql18_database: Endpoint) -> None:
    endpoint = fresh_postgresql18_database
    odd = ['sch"ema; --', "Ta'ble %s {x}", 'i"d%', "älter als $1", "old \\ \N{SNOWMAN}" + "x" * 40]
    schema, table, key, age, archive = (sql.Identifier(name).as_string() for name in odd)
    make(
        endpoint,
        f"CREATE SCHEMA {schema}",
        f"CREATE TABLE {schema}.{table} ({key} int PRIMARY KEY, {age} date, note text)",
        f"INSERT INTO {schema}.{table} SELECT n, now() - n * interval '1 day' FROM generate_series(1, 20) AS n",
    )
    odd_rule = {
        "name": 'it\'s "odd"; DROP TABLE x -- %s {y}',
        "table": f"{schema}.{table}",
        "age_column": age,
        "older_than": "10d",
        "where": f"{key} % 2 = 0 AND {age} IS NOT NULL",
        "action": "archive",
        "archive_to": archive,
    }
    assert retain(endpoint, odd_rule)["status"] == "ok"
    assert count(endpoint, f"{schema}.{archive}") == 5
    update = {**odd_rule, "action": "update", "archive_to": None, "set": {"note": "'; DROP TABLE x; --\\ %s {z}"}}
    retain(endpoint, update | {"older_than": "5d"})
    noted = ask(endpoint, f"SELECT DISTINCT note FROM {schema}.{table} WHERE note IS NOT NULL")
    assert noted == [("'; DROP TABLE x; --\\ %s {z}",)]
