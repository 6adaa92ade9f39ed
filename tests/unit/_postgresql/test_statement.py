# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan shows is what the server gets, whatever the names and values are."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.identifier import quoted, split_name
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.statement import Statement

names = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), min_size=1, max_size=20)
values = st.one_of(st.none(), st.booleans(), st.integers(-(2**60), 2**60), names)


@given(names, names, values)
def test_the_text_is_what_the_driver_composes(schema: str, name: str, value: object) -> None:
    template = "SELECT {value} FROM {table} -- {{}} {part}"
    statement = Statement(template, {"table": (schema, name)}, {"value": value}, {"part": "x"})
    composed = statement.composed(None).as_string(None)  # type: ignore[arg-type]
    # The driver puts a blank before E'...' and before a number below zero.
    assert composed.replace("SELECT  ", "SELECT ", 1) == statement.text


@given(names)
def test_a_quoted_name_is_read_back(name: str) -> None:
    if len(name.encode()) <= 63:
        assert split_name(quoted("app", name), "tables") == ("app", name)


@given(names)
def test_the_driver_quotes_names_as_we_do(name: str) -> None:
    assert quoted("a", name) == psycopg.sql.Identifier("a", name).as_string(None)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("orders", ("orders",)),
        ("Orders", ("orders",)),
        ('"Orders"', ("Orders",)),
        ("app.orders", ("app", "orders")),
        ('"a.b"."c""d"', ("a.b", 'c"d')),
        ("straße", ("straße",)),
        ("ÄPFEL", ("Äpfel",)),
    ],
)
def test_a_name_is_read_as_the_server_reads_it(text: str, parts: tuple[str, ...]) -> None:
    assert split_name(text, "tables") == parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a.",
        ".a",
        "a.b.c",
        "a b",
        "a;b",
        "1a",
        '"a',
        'a"',
        "a--",
        '""',
        "a/**/",
        "x" * 64,
        "é" * 32,
        "a.b;DROP",
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        split_name(text, "tables")


def test_percent_signs_in_names_survive_parameters() -> None:
    statement = Statement(
        "UPDATE {t} SET a = %(key)s WHERE b %% 2 = {v}", {"t": ("50%s",)}, {"v": "%"}, parameters={"key": "secret"}
    )
    assert statement.text == """UPDATE "50%s" SET a = %(key)s WHERE b % 2 = '%'"""
    composed = statement.composed(None).as_string(None)  # type: ignore[arg-type]
    assert composed == """UPDATE "50%%s" SET a = %(key)s WHERE b %% 2 = '%%'"""
    assert "secret" not in repr(statement)
