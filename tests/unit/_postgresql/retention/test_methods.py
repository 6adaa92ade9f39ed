# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Methods of making anonymous: how they are written, and what they fit into. Their SQL: tests/integration."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.methods import (
    METHODS,
    Field,
    Method,
    changes,
    not_done,
    parse_method,
)


@pytest.mark.parametrize(
    ("given_method", "expected"),
    [
        (None, Method("null")),
        ("null", Method("null")),
        ("hmac", Method("hmac")),
        ({"hmac": 16}, Method("hmac", digits=16)),
        ({"hmac": 64}, Method("hmac", digits=64)),
        ("fake_phone", Method("fake_phone")),
        ({"constant": 7}, Method("constant", "7")),
        ({"constant": True}, Method("constant", "true")),
        ({"constant": {"a": 1}}, Method("constant", '{"a": 1}')),
        ({"constant": None}, Method("null")),
    ],
)
def test_methods_are_understood(given_method: Any, expected: Method) -> None:
    assert parse_method(given_method, "fields.x") == expected


@pytest.mark.parametrize(
    "wrong", ["", "constant", "hash", 5, [], {"hmac": 15}, {"hmac": 65}, {"hmac": "32"}, {}, {"x": 1}]
)
def test_other_things_are_no_methods(wrong: Any) -> None:
    with pytest.raises(InvalidInput, match=r"fields\.x.*is no method"):
        parse_method(wrong, "fields.x")


def test_which_methods_need_the_key() -> None:
    assert [name for name in METHODS if not Method(name).keyed] == ["null", "constant"]


@pytest.mark.parametrize(
    ("column_type", "kind", "room", "digits"),
    [
        ("text", "text", None, 64),
        ("character varying(20)", "text", 20, 20),
        ("character varying(100)", "text", 100, 64),
        ("character(24)", "text", 24, 24),
        ("character varying", "text", None, 64),
        ("public.citext", "text", None, 64),
        ("uuid", "uuid", None, 32),
        ("bytea", "bytea", None, 64),
        ("integer", "", None, 64),
        ("text[]", "", None, 64),
        ("app.email", "", None, 64),
    ],
)
def test_what_a_column_takes(column_type: str, kind: str, room: int | None, digits: int) -> None:
    field = Field("x", column_type, Method("hmac"))
    assert (field.kind, field.room, field.digits) == (kind, room, digits)


def test_a_hash_is_no_longer_than_wanted() -> None:
    assert Field("x", "text", Method("hmac", digits=20)).digits == 20
    assert Field("x", "character varying(18)", Method("hmac", digits=20)).digits == 18


@given(st.text(min_size=1, max_size=30), st.sampled_from(["null", "constant", "hmac", "fake_name", "fake_phone"]))
def test_a_columns_name_never_leaves_its_quotes(name: str, method: str) -> None:
    field = Field(name, "text", Method(method, "x" if method == "constant" else None))
    plain = Field("n", "text", field.method)
    quoted = '"' + name.replace('"', '""').replace("%", "%%") + '"'
    assert not_done([field]).text == not_done([plain]).text.replace('"n"', quoted)
    assert changes([field])[0][name] == changes([plain])[0]["n"].replace('"n"', quoted)


def test_constants_are_parameters() -> None:
    fields = [Field("a", "text", Method("null")), Field("b", "text", Method("constant", "'; --"))]
    columns, parameters = changes(fields)
    assert parameters == not_done(fields).parameters == {"field1": "'; --"}
    assert columns == {"a": "NULL", "b": "CAST(%(field1)s AS text)"}
