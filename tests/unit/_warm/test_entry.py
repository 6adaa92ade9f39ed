# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries are understood, or refused with a word of what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.entry import Entry, Value, parse_entries
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.query import (
    MongodbQuery,
    PostgresqlQuery,
    parse_query,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.template import parse_template

FILE = {"source": "file", "query": "/srv/rows.jsonl", "key": "user:{id}"}


def parse(**more: Any) -> Entry:
    (entry,) = parse_entries([{**FILE, **more}])
    return entry


def test_what_nobody_says() -> None:
    entry = parse()
    assert (entry.name, entry.life, entry.jitter, entry.nx, entry.timeout) == ("entry 1", 3600.0, 0.1, True, 60.0)
    assert entry.value == Value("json")
    assert entry.kind == b"string"


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("json", Value("json")),
        ("hash", Value("hash")),
        ("data", Value("field", ("data",))),
        ("address.city", Value("field", ("address", "city"))),
        ("{a}-{b}", Value("template", template=parse_template("{a}-{b}", ""))),
        ({"field": "json"}, Value("field", ("json",))),
        ({"template": "constant"}, Value("template", template=parse_template("constant", ""))),
        (None, Value("json")),
    ],
)
def test_forms_of_a_value(given: Any, value: Value) -> None:
    assert parse(value=given).value == value


@pytest.mark.parametrize(
    "given", ["", 7, [], {}, {"field": ""}, {"field": 1}, {"other": "a"}, {"field": "a", "template": "b"}, "{a"]
)
def test_what_is_no_form_of_a_value(given: Any) -> None:
    with pytest.raises(InvalidInput, match="value"):
        parse(value=given)


@pytest.mark.parametrize(
    ("ttl", "life"),
    [
        (300, 300),
        ("300", 300),
        ("5min", 300),
        ("1", 1),
        ("never", None),
        (" Never ", None),
        (None, 3600),
        ("36500d", 3_153_600_000),
    ],
)
def test_lives(ttl: Any, life: float | None) -> None:
    assert parse(ttl=ttl).life == life


@pytest.mark.parametrize("ttl", [0, "0", "0.99", "500ms", "none", "", "-1", "3153600001", "1" + "0" * 300 + "d"])
def test_lives_that_are_refused(ttl: Any) -> None:
    with pytest.raises(InvalidInput, match="ttl"):
        parse(ttl=ttl)


@pytest.mark.parametrize(("jitter", "part"), [(0, 0.0), (50, 0.5), ("7.5", 0.075)])
def test_jitter(jitter: Any, part: float) -> None:
    assert parse(jitter_percent=jitter).jitter == part


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"jitter_percent": -0.1}, "jitter_percent"),
        ({"jitter_percent": 50.1}, "jitter_percent"),
        ({"timeout": "0"}, "timeout"),
        ({"key": ""}, "key"),
        ({"key": "{id!r}"}, "key"),
        ({"fields": ["a"], "value": "b"}, "fields"),
        ({"fields": ["a["]}, "fields"),
        ({"connection": {"login_host": "db", "connect_timeout": "5s"}}, "connection"),
        ({"query": "rows.jsonl"}, "absolute"),
        ({"query": {"path": "/srv"}}, "no text"),
    ],
)
def test_bad_entries(more: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        parse(**more)


def test_names_are_of_one_entry_each() -> None:
    with pytest.raises(InvalidInput, match="several entries have the name 'a'"):
        parse_entries([{**FILE, "name": "a"}, {**FILE, "name": "a"}])
    with pytest.raises(InvalidInput, match="there are none"):
        parse_entries([])


@pytest.mark.parametrize(
    "sql", ["SELECT 1", "  select 1 ;\n", "WITH a AS (SELECT 1) TABLE a", "(SELECT 1) UNION (SELECT 2)", "VALUES (';')"]
)
def test_one_select(sql: str) -> None:
    query = parse_query("postgresql", sql, "query")
    assert isinstance(query, PostgresqlQuery)
    assert not query.sql.rstrip().endswith(";")


@pytest.mark.parametrize(
    "sql",
    [
        "",
        " ",
        7,
        None,
        "DELETE FROM a",
        "SELECT 1; DELETE FROM a",
        "; SELECT 1",
        "-- SELECT 1",
        "SELECT '\0'",
        "COPY a TO '/x'",
    ],
)
def test_what_is_not_one_select(sql: Any) -> None:
    with pytest.raises(InvalidInput, match="query"):
        parse_query("postgresql", sql, "query")


def test_what_is_told_of_a_query_holds_no_constant() -> None:
    told = parse_query("postgresql", "SELECT id FROM users -- private\nWHERE mail = 'private' AND age > 42", "q").told
    assert told == "SELECT id FROM users WHERE mail = ? AND age > ?"
    find = {"collection": "users", "filter": {"mail": "private"}, "limit": "5"}
    assert parse_query("mongodb", find, "q").told == "users.find(mail: ?), limit 5"
    stages = {"collection": "users", "pipeline": [{"$match": {"mail": "private"}}, {"$limit": 5}]}
    assert parse_query("mongodb", stages, "q").told == "users.aggregate($match, $limit)"


def test_queries_of_mongodb() -> None:
    given = {"collection": "a", "filter": {"b": 1}, "projection": ["b"], "sort": {"b": "-1", "c": 1}, "limit": "3"}
    expected = MongodbQuery("a", {"b": 1}, ["b"], (("b", -1), ("c", 1)), 3)
    assert parse_query("mongodb", given, "q") == expected
    assert parse_query("mongodb", '{"collection": "a", "sort": [["b", 1]]}', "q") == MongodbQuery("a", sort=(("b", 1),))
    (entry,) = parse_entries(
        [{**FILE, "source": "mongodb", "query": {"collection": "a"}, "connection": {"login_db": "d"}}]
    )
    assert isinstance(entry.query, MongodbQuery)
    assert entry.query.database == "d"


@pytest.mark.parametrize(
    "query",
    [
        "users",
        "[]",
        {},
        {"collection": ""},
        {"collection": "a", "find": {}},
        {"collection": "a", "filter": "b"},
        {"collection": "a", "projection": 1},
        {"collection": "a", "limit": -1},
        {"collection": "a", "limit": True},
        {"collection": "a", "sort": {"b": 2}},
        {"collection": "a", "sort": ["b"]},
        {"collection": "a", "pipeline": {}},
        {"collection": "a", "pipeline": [{"$match": {}, "$limit": 1}]},
        {"collection": "a", "pipeline": [{"$match": {}}, {"$out": "b"}]},
        {"collection": "a", "pipeline": [{"$merge": "b"}]},
        {"collection": "a", "pipeline": [], "filter": {"b": 1}},
    ],
)
def test_queries_of_mongodb_that_are_refused(query: Any) -> None:
    with pytest.raises(InvalidInput, match="query"):
        parse_query("mongodb", query, "query")
