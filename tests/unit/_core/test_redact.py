# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may not stand in the journal does not, and what may still can be read."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.redact import (
    MAX_TEXT,
    Redactor,
    secrets_of,
    single_line,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets

NOTHING_KNOWN = Redactor(Secrets())


@pytest.mark.parametrize(
    "text",
    [
        "connect to postgresql://ops:hunter22@db/app failed",
        "mongodb://ops:hunter22@a:1,b:2/?replicaSet=rs0",
        "see 'redis://:hunter22@cache:6379/0', then retry",
        "https://example.com/hook?token=hunter22",
    ],
)
def test_passwords_in_uris_are_masked_in_every_text(text: str) -> None:
    assert "hunter22" not in NOTHING_KNOWN.text(text)


@pytest.mark.parametrize(
    "text",
    [
        "login with password=hunter22 refused",
        'body {"api_key": "hunter22", "user": "a"}',
        "Authorization: Bearer hunter22",
        "mysqldump --password hunter22 app",
        "curl --my-token=hunter22 x",
        "PGPASSWORD='hunter22' psql",
        "cloning https://hunter22@git.example.com/x.git",
        "secret: hunter22",
    ],
)
def test_what_looks_like_a_secret_is_masked_in_foreign_messages(text: str) -> None:
    assert "hunter22" not in NOTHING_KNOWN.text(text, foreign=True)


@pytest.mark.parametrize(
    "text", ["password authentication failed for user ops", "no such token", "user=ops, port=5432"]
)
def test_plain_words_stay(text: str) -> None:
    assert NOTHING_KNOWN.text(text, foreign=True) == text


def test_secrets_of_the_environment_are_known() -> None:
    environment = {"PGPASSWORD": "hunter22", "REDIS_URL": "redis://:p4ssw0rd@h", "SOME_TOKEN": "true", "HOME": "/root"}
    redactor = Redactor(secrets_of(environment))
    assert redactor.text("hunter22 p4ssw0rd true /root") == "******** ******** true /root"


def test_values_are_redacted_through_and_through() -> None:
    redactor = Redactor(Secrets(["hunter22"]))
    value = redactor.value({"hunter22": [("x hunter22", {"a": {"hunter22"}})], 1: b"hunter22", "n": None, "t": True})
    assert "hunter22" not in json.dumps(value)
    assert value["n"] is None
    assert value["t"] is True


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
    max_leaves=8,
)


@given(ANY)
def test_every_value_becomes_strict_json(value: object) -> None:
    json.dumps(NOTHING_KNOWN.value(value), allow_nan=False, sort_keys=True)


def test_numbers_that_json_lacks_become_words() -> None:
    assert NOTHING_KNOWN.value([math.inf, math.nan, 1.5]) == ["inf", "nan", 1.5]


def test_long_texts_are_cut_and_say_so() -> None:
    assert NOTHING_KNOWN.text("x" * MAX_TEXT) == "x" * MAX_TEXT
    cut = NOTHING_KNOWN.text("x" * (MAX_TEXT + 1))
    assert cut.endswith(f"... ({MAX_TEXT + 1} characters)")


@given(st.text())
def test_a_line_stays_one_line(text: str) -> None:
    line = single_line(text)
    assert line.splitlines() in ([line], [])
    line.encode()


def test_a_forged_line_cannot_be_made() -> None:
    assert single_line("a\n[2025-11-15 02:00:00] [INFO] b\u202ec") == r"a\n[2025-11-15 02:00:00] [INFO] b\u202ec"
