# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows that nobody can be recognized in any more: by plan, for good, and with nothing of the key to be seen."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from tests.integration.postgresql_retention import ask, make, plan, retain
from tests.integration.postgresql_work import states
from tests.integration.running import run_module
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

KEY = "0f6b-a key of our own"
PEOPLE = """
CREATE TABLE people (id bigint PRIMARY KEY, name text, email varchar(80) UNIQUE, phone text, code varchar(32),
    mark uuid, card varchar(12), extra jsonb, upper_name text GENERATED ALWAYS AS (upper(name)) STORED,
    boss bigint REFERENCES people, required text NOT NULL DEFAULT 'x', closed_at timestamptz);
INSERT INTO people (id, name, email, phone, code, extra, closed_at)
    SELECT n, 'Person ' || n % 50, 'person' || n || '@mail.example', '+49 40 ' || n, 'code ' || n % 7,
        '{"a": 1}', now() - n * interval '1 day'
    FROM generate_series(1, 1000) AS n;
CREATE TABLE letters (id bigint PRIMARY KEY, email varchar(80), sent_at timestamptz);
INSERT INTO letters SELECT n, 'person' || n || '@mail.example', now() - n * interval '1 day'
    FROM generate_series(1, 1000) AS n;
ANALYZE
"""
FIELDS = {
    "name": "fake_name",
    "email": "fake_email",
    "phone": None,
    "code": "hmac",
    "extra": {"constant": {"gone": True}},
}


@pytest.fixture
def people(fresh_postgresql_database: Endpoint) -> Endpoint:
    """A database with people."""
    make(fresh_postgresql_database, PEOPLE)
    return fresh_postgresql_database


def gone(table: str = "people", age: str = "closed_at", **more: Any) -> dict[str, Any]:
    """A rule over who left more than 400 days ago."""
    return {
        "name": "gone",
        "table": table,
        "age_column": age,
        "older_than": "400d",
        "action": "anonymize",
        "fields": FIELDS,
        **more,
    }


def test_a_plan_a_run_and_a_second_run(people: Endpoint) -> None:
    before = ask(people, "SELECT * FROM people ORDER BY id")
    planned = retain(people, gone(), key=KEY, check=True)
    assert ask(people, "SELECT * FROM people ORDER BY id") == before
    done = retain(people, gone(), key=KEY)
    assert plan(done) == plan(planned)
    assert states(done) == [("anonymize", "public.people", "done"), ("vacuum", "public.people", "done")]
    assert "601 rows" in done["actions"][0]["detail"]
    old, young = "closed_at < now() - interval '400 days'", "closed_at >= now() - interval '400 days'"
    clean = f"""SELECT count(*), count(DISTINCT email), count(DISTINCT name), count(DISTINCT code) FROM people
        WHERE {old} AND email LIKE '%@example.invalid' AND phone IS NULL AND extra = '{{"gone": true}}'
        AND code ~ '^[0-9a-f]{{32}}$' AND name !~ '[0-9]' AND name ~ ' '"""
    assert ask(people, clean) == [(601, 601, 50, 7)]
    assert ask(people, f"SELECT * FROM people WHERE {young} ORDER BY id") == before[:399]
    assert not retain(people, gone(), key=KEY)["changed"]


def test_the_same_value_becomes_the_same_in_every_table(people: Endpoint) -> None:
    letters = {**gone("letters", "sent_at", fields={"email": "fake_email"}), "name": "letters"}
    retain(people, gone(), letters, key=KEY)
    same = (
        "SELECT count(*) FROM people p JOIN letters l USING (id, email) WHERE l.sent_at < now() - interval '400 days'"
    )
    assert ask(people, same) == [(601,)]


def test_nothing_of_the_old_values_stays_in_statistics_and_dead_rows(people: Endpoint) -> None:
    statistics = "SELECT concat(histogram_bounds, most_common_vals) FROM pg_stats WHERE tablename = 'people'"
    assert "Person" in str(ask(people, statistics))
    retain(people, gone(older_than="1h"), key=KEY)
    seen = str(ask(people, statistics))
    assert "example.invalid" in seen
    assert not [word for word in ("Person", "mail.example", "+49") if word in seen]
    make(people, "CREATE EXTENSION pgstattuple")
    assert ask(people, "SELECT dead_tuple_count FROM pgstattuple('people')") == [(0,)]


def test_where_else_the_data_lies_is_said(people: Endpoint) -> None:
    make(
        people,
        "CREATE MATERIALIZED VIEW who AS SELECT name, phone FROM people",
        "CREATE PUBLICATION told FOR TABLE people",
    )
    detail = retain(people, gone(), key=KEY)["actions"][0]["detail"]
    assert "the old values may also be in: backups" in detail
    assert "public.who (name, phone)" in detail
    assert "public.letters (email)" in detail
    assert "1 replication slots and publications" in detail


def test_a_row_that_is_held_is_left_and_said(people: Endpoint) -> None:
    with connect(people) as session, session.transaction():
        session.execute("SELECT FROM people WHERE id = 900 FOR UPDATE")
        result = retain(people, gone(), key=KEY)
    assert "600 rows" in result["actions"][0]["detail"]
    assert "1 left that others hold" in result["actions"][0]["detail"]
    assert ask(people, "SELECT name FROM people WHERE id = 900") == [("Person 0",)]
    assert "1 rows" in retain(people, gone(), key=KEY)["actions"][0]["detail"]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a key": ({"id": "hmac"}, "id is part of a foreign key"),
    "a reference": ({"boss": None}, "boss is part of a foreign key"),
    "a unique column made the same": ({"email": {"constant": "x"}}, "email is unique, and constant gives several rows"),
    "a unique column with few numbers": ({"email": "fake_phone"}, "email is unique, and fake_phone gives several rows"),
    "a unique column with a short hash": ({"email": {"hmac": 16}}, "email is unique, and hmac gives several rows"),
    "a generated column": ({"upper_name": None}, "upper_name is filled by the server itself"),
    "null that may not be": ({"required": None}, "required may not be null"),
    "a number hashed": ({"extra": "hmac"}, "extra is of type jsonb, which takes no hash"),
    "an identifier faked": ({"mark": "fake_name"}, "mark is of type uuid, which takes no fake_name"),
    "a hash that does not fit": ({"card": "hmac"}, "card takes 12 characters, and hmac needs 16"),
    "a name that does not fit": ({"card": "fake_name"}, "card takes 12 characters, and fake_name needs 17"),
    "a constant that does not fit": ({"card": {"constant": "1234567890123"}}, "card takes 12 characters"),
    "the age": ({"closed_at": None}, "closed_at decides how old a row is"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(people: Endpoint, name: str) -> None:
    fields, words = REFUSED[name]
    result = retain(people, gone(fields=fields), key=KEY)
    assert [finding["id"] for finding in result["findings"]] == ["postgresql.retention_fields"]
    assert words in result["findings"][0]["message"]
    assert states(result) == [("anonymize", "public.people", "skipped")]


BAD: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no key": ({}, {}, "cannot do without one"),
    "a short key": ({}, {"key": "short"}, "shorter than 16 bytes"),
    "a key file that is not there": ({}, {"key_file": "/nowhere/key"}, "cannot be read"),
    "an unknown method": ({"fields": {"name": "shuffle"}}, {"key": KEY}, "'shuffle' is no method"),
    "a hash of one digit": ({"fields": {"name": {"hmac": 1}}}, {"key": KEY}, "is no method"),
    "an unknown column": ({"fields": {"nick": None}}, {"key": KEY}, "no column 'nick'"),
    "an injected column": ({"fields": {"name = 'x'; --": None}}, {"key": KEY}, "is no name"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(people: Endpoint, name: str) -> None:
    more, params, words = BAD[name]
    with pytest.raises(InvalidInput, match=words):
        retain(people, gone(**more), **params)


@pytest.mark.parametrize("name", ['a"; DROP TABLE people; --', "{name} %s %(x)s", "Ünï ☃"])
@pytest.mark.parametrize("method", ["fake_name", "hmac", {"constant": "'; DROP TABLE people; -- {x} %s"}])
def test_names_and_values_that_would_break_out(people: Endpoint, name: str, method: Any) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    with connect(people) as session:
        session.execute(f"ALTER TABLE people RENAME COLUMN phone TO {quoted}".replace("%", "%%").encode(), ())
    result = retain(people, gone(fields={quoted: method}), key=KEY)
    assert {action["state"] for action in result["actions"]} == {"done"}, result["actions"]
    assert ask(people, "SELECT count(*) FROM people") == [(1000,)]
    assert not retain(people, gone(fields={quoted: method}), key=KEY)["changed"]


def test_the_key_is_nowhere_to_be_seen(people: Endpoint, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    pad = bytes(byte ^ 0x36 for byte in KEY.encode().ljust(64, b"\0")).hex()
    for options in ({"key": KEY}, {"key_file": str(file)}):
        result = run_module("postgresql_retention", {**people.options(), "rules": [gone()], **options}, verbosity=3)
        assert result["outcome"] == "ok", result
        assert not [word for word in (KEY, pad) if word in json.dumps(result)]
    make(people, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    seen = str(ask(people, "SELECT query FROM pg_stat_statements"))
    assert "set_config($" in seen
    assert KEY not in seen
    assert pad not in seen


def test_a_server_that_would_log_the_key_does_not_get_it(people: Endpoint) -> None:
    name = f"clerk_{secrets.token_hex(4)}"
    make(
        people,
        f"CREATE ROLE {name} LOGIN PASSWORD 'clerk'",
        f"GRANT SELECT, UPDATE ON people TO {name}",
        f"ALTER ROLE {name} SET log_min_duration_statement = 0",
    )
    clerk = replace(people, user=name, password="clerk")
    result = retain(clerk, gone(), key=KEY)
    assert "would bring the key into the server's records" in result["findings"][0]["message"]
    assert states(result) == [("anonymize", "public.people", "skipped")]
    make(people, f"GRANT SET ON PARAMETER log_parameter_max_length TO {name}")
    result = retain(clerk, gone(), key=KEY)
    assert states(result) == [("anonymize", "public.people", "done"), ("vacuum", "public.people", "skipped")]
    assert "skipping" in result["actions"][1]["detail"]
    make(people, f"DROP OWNED BY {name}", f"DROP ROLE {name}")
