# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SQL of every method of making anonymous, on real servers, against Python's own hmac."""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from typing import Any

import psycopg
import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.key import (
    LOG_SETTINGS,
    LogSettings,
    hand_over,
    hush,
    may_set,
    why_logged,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.methods import (
    Field,
    changes,
    not_done,
    parse_method,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.piece import Piece
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.statements import update_statement
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

KEY = "a key of our own, not too short ü"
CONSONANTS, VOWELS = "bdfghjklmnprstvz", "aeiouaeiouaeioua"
NAMES = ["Anna", "O'Hara; DROP TABLE person; --", "Žižek {0} %s", "", "a" * 300, "Ödön\n☃", "\\x41", "anna"]


def digest(message: str | bytes, key: str = KEY) -> str:
    raw = message.encode() if isinstance(message, str) else message
    return hmac.new(key.encode(), raw, hashlib.sha256).hexdigest()


def sealed_hash(value: str | bytes, length: int = 64, key: str = KEY) -> str:
    head = digest(value, key)[: length - 8]
    return head + digest("seal:" + head, key)[:8]


def syllables(digits: str) -> str:
    return "".join((CONSONANTS, VOWELS)[place % 2][int(digit, 16)] for place, digit in enumerate(digits))


def fake(method: str, value: str) -> str:
    found = digest(value)
    head = {
        "fake_first_name": syllables(found[:4]),
        "fake_last_name": syllables(found[:6]),
        "fake_name": f"{syllables(found[:6])} {syllables(found[6:10])}",
        "fake_email": f"{syllables(found[:6])}.{found[6:18]}",
    }[method]
    seal = digest("seal:" + head)
    if method == "fake_email":
        return f"{head}{seal[:4]}@example.invalid"
    return (head + syllables(seal[:6])).title()


@pytest.fixture
def session(fresh_postgresql_database: Endpoint) -> Any:
    with connect(fresh_postgresql_database) as opened:
        give_key(opened, KEY)
        # Whoever may make functions in a schema that comes first must not get to see the key.
        opened.execute("CREATE SCHEMA evil")
        opened.execute("CREATE FUNCTION evil.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT $1'")
        opened.execute("CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT $1'")
        opened.execute("SET search_path = evil, pg_catalog")
        yield opened


def give_key(session: psycopg.Connection[Any], key: str) -> None:
    statement = hand_over(key)
    session.execute(statement.composed(session), statement.parameters)


def fill(session: psycopg.Connection[Any], column_type: str, values: list[Any]) -> None:
    session.execute("DROP TABLE IF EXISTS public.person")
    session.execute(f'CREATE TABLE public.person (id serial, "the {{value}} 100%" {column_type})'.encode())
    for value in values:
        session.execute("INSERT INTO public.person VALUES (DEFAULT, %s)", [value])


def values(session: psycopg.Connection[Any]) -> list[Any]:
    return [row[1] for row in session.execute("SELECT * FROM public.person ORDER BY id")]


def update(session: psycopg.Connection[Any], field: Field) -> int:
    return run(session, [field])


def run(session: psycopg.Connection[Any], fields: list[Field]) -> int:
    columns, parameters = changes(fields)
    where = not_done(fields)
    statement = update_statement(Piece(("public", "person"), where.text, where.parameters), columns, parameters)
    return session.execute(statement.composed(session), statement.parameters).rowcount


def the(column_type: str, method: Any) -> Field:
    return Field("the {value} 100%", column_type, parse_method(method, "fields"))


@pytest.mark.parametrize("length", [16, 32, 40, 64])
def test_hashes_are_those_of_the_standard_with_a_seal(session: psycopg.Connection[Any], length: int) -> None:
    fill(session, f"character varying({length})", [name[:length] for name in NAMES])
    assert update(session, the(f"character varying({length})", "hmac")) == len(NAMES)
    assert values(session) == [sealed_hash(name[:length], length) for name in NAMES]
    assert update(session, the(f"character varying({length})", "hmac")) == 0, "a second run changes nothing"


def test_a_hash_has_the_length_that_is_wanted(session: psycopg.Connection[Any]) -> None:
    fill(session, "text", NAMES)
    update(session, the("text", {"hmac": 24}))
    assert values(session) == [sealed_hash(name, 24) for name in NAMES]


def test_identifiers_and_bytes_become_hashes(session: psycopg.Connection[Any]) -> None:
    some = uuid.UUID("8c9a2f60-63cf-4c2c-a2bb-5b2b0c4a9f5e")
    fill(session, "uuid", [some, None])
    assert update(session, the("uuid", "hmac")) == 1
    assert values(session) == [uuid.UUID(sealed_hash(str(some), 32)), None]
    assert update(session, the("uuid", "hmac")) == 0
    fill(session, "bytea", [b"\0\xff", b""])
    assert update(session, the("bytea", "hmac")) == 2
    assert values(session) == [bytes.fromhex(sealed_hash(raw)) for raw in (b"\0\xff", b"")]
    assert update(session, the("bytea", "hmac")) == 0


@pytest.mark.parametrize("method", ["fake_first_name", "fake_last_name", "fake_name", "fake_email"])
def test_fakes_follow_from_the_value_and_the_key(session: psycopg.Connection[Any], method: str) -> None:
    fill(session, "text", NAMES)
    field = the("text", method)
    assert update(session, field) == len(NAMES)
    made = values(session)
    assert made == [fake(method, name) for name in NAMES]
    assert len(set(made)) == len(NAMES)
    assert {len(text) for text in made} == {field.length}
    assert update(session, field) == 0
    assert values(session) == made


def test_fake_numbers_ring_nowhere(session: psycopg.Connection[Any]) -> None:
    fill(session, "text", ["+49 40 123456", None, "", "+44770090012"])
    field = the("text", "fake_phone")
    assert update(session, field) == 3
    made = values(session)
    assert [made[0], made[2], made[3]] == [
        f"+447700900{int(digest(value)[:8], 16) % 1000:03}" for value in ("+49 40 123456", "", "+44770090012")
    ]
    assert made[1] is None
    assert update(session, field) == 0


@pytest.mark.parametrize(
    ("method", "looks_made"),
    [
        ("hmac", hashlib.sha256(b"a token").hexdigest()),
        ("fake_email", "lomira.0123456789ab4567@example.invalid"),
        ("fake_name", "Lomira Tekabusino"),
        ("fake_first_name", "Bodatilaso"),
    ],
)
def test_a_real_value_that_looks_like_a_made_one_does_not_pass_for_it(
    session: psycopg.Connection[Any], method: str, looks_made: str
) -> None:
    fill(session, "text", [looks_made])
    assert update(session, the("text", method)) == 1
    assert values(session) != [looks_made]


def test_another_key_makes_other_values_and_knows_those_of_the_first_for_foreign(
    session: psycopg.Connection[Any],
) -> None:
    fill(session, "text", ["Anna"])
    update(session, the("text", "hmac"))
    give_key(session, "x" * 100)
    assert update(session, the("text", "hmac")) == 1
    assert values(session) == [sealed_hash(sealed_hash("Anna"), key="x" * 100)]


@pytest.mark.parametrize(
    ("column_type", "before", "constant", "after"),
    [
        ("text", "Anna", "it's {gone} %s; --", "it's {gone} %s; --"),
        ("integer", 7, 0, 0),
        ("jsonb", '{"a": 1}', {}, {}),
        ("json", '{"a": 1}', [1, "x"], [1, "x"]),
        ("boolean", True, False, False),
        ("point", "(1,2)", "(0,0)", "(0,0)"),
        ("text[]", ["x"], "{}", []),
        ("text", "Anna", "back\\slash", "back\\slash"),
    ],
)
def test_constants_of_any_type(
    session: psycopg.Connection[Any], column_type: str, before: Any, constant: Any, after: Any
) -> None:
    fill(session, column_type, [before, None])
    field = the(column_type, {"constant": constant})
    assert update(session, field) == 2
    assert values(session) == [after, after]
    assert update(session, field) == 0


def test_null(session: psycopg.Connection[Any]) -> None:
    fill(session, "json", ['{"a": 1}', None])
    assert update(session, the("json", None)) == 1
    assert values(session) == [None, None]


def test_several_fields_need_one_that_is_left(session: psycopg.Connection[Any]) -> None:
    session.execute("CREATE TABLE public.person (name text, mail text)")
    session.execute("INSERT INTO public.person VALUES ('Anna', 'a@b.org'), ('Anna', NULL), (NULL, 'A@b.org')")
    fields = [Field("name", "text", parse_method("fake_name", "")), Field("mail", "text", parse_method("hmac", ""))]
    assert run(session, fields) == 3
    rows = session.execute("SELECT name, mail FROM public.person").fetchall()
    name = fake("fake_name", "Anna")
    assert rows == [(name, sealed_hash("a@b.org")), (name, None), (None, sealed_hash("A@b.org"))]
    session.execute("UPDATE public.person SET mail = 'new@b.org' WHERE name IS NULL")
    assert run(session, fields) == 1


def settings(session: psycopg.Connection[Any]) -> LogSettings:
    query = LOG_SETTINGS.format(may_set=may_set(session.info.server_version))
    with session.cursor(row_factory=psycopg.rows.class_row(LogSettings)) as cursor:
        found = cursor.execute(query.encode()).fetchone()
    assert found is not None
    return found


def test_the_key_is_not_handed_to_a_server_that_would_log_it(fresh_postgresql_database: Endpoint) -> None:
    with connect(fresh_postgresql_database) as session:
        assert settings(session).may_set
        session.execute("SET log_statement = 'all'")
        assert why_logged(settings(session)) == "", "this user can keep parameters out of the log"
        session.execute("SET ROLE pg_monitor")
        assert why_logged(settings(session)) == "log_statement is all"
        session.execute("RESET ROLE")
        session.execute("SET log_statement = 'none'")
        session.execute("SET log_min_duration_statement = 0")
        session.execute("SET ROLE pg_monitor")
        assert "duration" in why_logged(settings(session))
        session.execute("RESET ROLE")
        session.execute(hush().composed(session))
        session.execute("SET ROLE pg_monitor")
        assert why_logged(settings(session)) == ""


def test_no_text_of_a_statement_holds_the_key(session: psycopg.Connection[Any]) -> None:
    field = the("text", "hmac")
    texts = [hand_over(KEY).text, *changes([field])[0].values(), not_done([field]).text]
    assert not [text for text in texts if KEY in text or re.search("[0-9a-f]{32}", text)]
    fill(session, "text", ["Anna"])
    update(session, field)
    session.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public")
    pad = bytes(byte ^ 0x36 for byte in KEY.encode().ljust(64, b"\0")).hex()
    seen = session.execute("SELECT query FROM public.pg_stat_statements").fetchall()
    assert any("set_config($" in str(row) for row in seen)
    assert not [row for row in seen if pad in str(row) or KEY in str(row)]
