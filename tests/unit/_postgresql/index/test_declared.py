# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared indexes understood, and the statement that makes them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.declared import parse_declared
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.wanted import (
    Part,
    create_statement,
    part_name,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.relation import Relation

FORMS: tuple[tuple[Any, str], ...] = (
    ("id", '"id"'),
    ("ID", '"id"'),
    ('"ID"', '"ID"'),
    ("at desc", '"at" DESC'),
    ("at DESC NULLS LAST", '"at" DESC NULLS LAST'),
    ("at desc nulls first", '"at" DESC'),
    ("at asc", '"at"'),
    ("at nulls first", '"at" NULLS FIRST'),
    ('"at desc"', '"at desc"'),
    ("(lower(email))", "(lower(email))"),
    ("(lower(email)) desc", "(lower(email)) DESC"),
    ({"expression": "a + 1"}, "(a + 1)"),
    ({"name": "a", "opclass": "text_pattern_ops"}, '"a" "text_pattern_ops"'),
    ({"name": "a", "opclass": "public.gin_trgm_ops", "collation": '"C"'}, '"a" COLLATE "C" "public"."gin_trgm_ops"'),
    ({"name": "a", "order": "desc", "nulls": "last"}, '"a" DESC NULLS LAST'),
)


@pytest.mark.parametrize(("given_column", "text"), FORMS)
def test_a_key(given_column: Any, text: str) -> None:
    (declared,) = parse_declared([{"name": "x", "table": "t", "columns": [given_column]}])
    assert declared.columns[0].sql == text


def test_the_statement_of_a_table_and_of_a_partitioned_one() -> None:
    entry = {
        "name": "x", "table": "t", "columns": ["a", "(b + 1) desc"], "unique": True, "include": ["c"],
        "where": "a > 5", "nulls_not_distinct": True,
    }  # fmt: skip
    (declared,) = parse_declared([entry])
    table = Part(Relation(1, "s", "t", "r"), None, {}, "x", True)
    rest = '"x" ON {}"s"."t" USING "btree" ("a", (b + 1) DESC) INCLUDE ("c") NULLS NOT DISTINCT WHERE (a > 5)'
    assert create_statement(declared, table).text == "CREATE UNIQUE INDEX CONCURRENTLY " + rest.format("")
    parted = table._replace(table=Relation(1, "s", "t", "p"))
    assert create_statement(declared, parted).text == "CREATE UNIQUE INDEX " + rest.format("ONLY ")


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "x y", "table": "t", "columns": ["a"]},
        {"name": "x", "table": "a.b.c", "columns": ["a"]},
        {"name": "x", "table": "t"},
        {"name": "x", "table": "t", "columns": ["a b"]},
        {"name": "x", "table": "t", "columns": ["a"], "include": ["(lower(a))"]},
        {"name": "x", "table": "t", "columns": ["(a"]},
        {"name": "x", "table": "t", "columns": [""]},
        {"name": "x", "table": "t", "columns": ["()"]},
        {"name": "x", "table": "t", "columns": ["a"], "where": "a; b"},
        {"name": "x", "table": "t", "columns": [["a"]]},
    ],
)
def test_what_cannot_be_understood(entry: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        parse_declared([entry])


def test_an_absent_one_needs_no_columns() -> None:
    (declared,) = parse_declared([{"name": "x", "table": "t", "state": "absent"}])
    assert not declared.present


def test_one_name_in_two_schemas() -> None:
    entries = [{"name": "x", "table": f"{schema}.t", "columns": ["a"]} for schema in ("s", "r")]
    assert len(parse_declared(entries)) == 2
    with pytest.raises(InvalidInput, match="once more"):
        parse_declared([entries[0], {**entries[0], "table": "s.other"}])


@given(st.text(min_size=1, max_size=63), st.text(min_size=1, max_size=63))
def test_a_partitions_index_has_a_name_that_fits(name: str, table: str) -> None:
    made = part_name(name, Relation(1, "s", table, "r"))
    assert 0 < len(made.encode(errors="surrogatepass")) <= 63


def test_long_names_stay_apart() -> None:
    names = {part_name("x" * 60, Relation(1, "s", f"part_{number}", "r")) for number in range(100)}
    assert len(names) == 100
