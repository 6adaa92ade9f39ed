# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every writing of a secret is known and masked."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import (
    Secrets,
    secrets_in_uri,
    without_password,
)

NASTY = "p@ss w:rd/\"%'\\ü"


@pytest.mark.parametrize(
    "writing",
    [
        NASTY,
        quote(NASTY),
        quote(NASTY, safe=""),
        quote_plus(NASTY),
        json.dumps(NASTY),
        repr(NASTY),
        base64.b64encode(NASTY.encode()).decode(),
    ],
)
def test_every_writing_is_masked(writing: str) -> None:
    redacted = Secrets([NASTY]).redact(f"before {writing} after")
    assert "w:rd" not in redacted
    assert "********" in redacted
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")


@pytest.mark.parametrize(
    ("uri", "secrets"),
    [
        ("redis://:hunter2@cache:6379/0", {"hunter2"}),
        ("mongodb://u:p%40ss@a:1,b:2,c:3/db?replicaSet=rs0", {"p%40ss", "p@ss"}),
        ("postgresql://u@h/db?password=s3cret&sslmode=require", {"s3cret"}),
        ("https://h/?api_token=abc123", {"abc123"}),
        ("redis://cache:6379", set()),
        ("mongodb://user@host", set()),
        ("not a uri", set()),
    ],
)
def test_a_uri_gives_up_its_secrets(uri: str, secrets: set[str]) -> None:
    assert secrets_in_uri(uri) == secrets


def test_a_uri_may_be_shown_without_them() -> None:
    assert without_password("mongodb://u:p%40ss@a:1,b:2/db") == "mongodb://u:********@a:1,b:2/db"


def test_nested_options_are_searched() -> None:
    secrets = Secrets()
    secrets.add_nested(
        {
            "entries": [{"name": "x", "login_password": "hunter2", "headers": {"Authorization": "Bearer abcdef"}}],
            "target": "sftp://u:sesame1@host/dir",
            "plain": "visible",
        }
    )
    assert secrets.redact("hunter2 Bearer abcdef sesame1 visible") == "******** ******** ******** visible"


def test_a_single_character_is_no_secret() -> None:
    assert Secrets(["a"]).redact("banana") == "banana"


@given(
    st.text(min_size=2, max_size=30).filter(lambda text: "*" not in text), st.text(max_size=10), st.text(max_size=10)
)
def test_no_secret_survives(secret: str, before: str, after: str) -> None:
    assert secret not in Secrets([secret]).redact(f"{before}{secret}{after}")


@pytest.mark.parametrize(
    "name", ["X-Api-Key", "Cookie", "Authorization", "X-Auth-Token", "client_secret", "DB_PASSWORD"]
)
def test_a_value_is_known_as_secret_by_its_name(name: str) -> None:
    secrets = Secrets()
    secrets.add_nested({"headers": [{name: "hunter22"}]})
    assert "hunter22" not in secrets.redact("it was hunter22")


def test_a_harmless_name_makes_no_secret() -> None:
    secrets = Secrets()
    secrets.add_nested({"headers": {"X-Forwarded-Proto": "https", "key": "user:1"}})
    assert secrets.redact("https user:1") == "https user:1"
