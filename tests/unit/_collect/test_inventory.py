# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user writes, as the roles need it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._collect.inventory import (
    connection,
    entries,
    results,
    sharing,
    sources,
    structured,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 1}, {"a": 1}),
        ('{"a": 1}', {"a": 1}),
        ("a: 1\nb: [x]", {"a": 1, "b": ["x"]}),
        ("delauto", "delauto"),
        ("", None),
        (None, None),
        (5, 5),
    ],
)
def test_a_text_of_yaml_is_read(value: Any, expected: Any) -> None:
    assert structured(value) == expected


def test_broken_yaml_is_named_without_its_text() -> None:
    with pytest.raises(InvalidInput) as caught:
        structured("{password: hunter2", "upkeep_redis")
    assert "upkeep_redis" in str(caught.value)
    assert "line 1" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("value", [None, "", [], {}, "[]"])
def test_nothing_is_no_entries(value: Any) -> None:
    assert entries(value, "redis") == []


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ({"login_host": "a"}, "redis", [{"login_host": "a", "name": "redis"}]),
        ("redis://h:1/0", "redis", [{"uri": "redis://h:1/0", "name": "redis"}]),
        ("https://h/health", "http", [{"url": "https://h/health", "name": "http"}]),
        ('[{"name": "x"}]', "redis", [{"name": "x"}]),
        ("- name: x\n  uri: redis://h", "redis", [{"name": "x", "uri": "redis://h"}]),
        ([{"login_db": "beo"}, {"login_db": "shop"}], "postgresql", [
            {"login_db": "beo", "name": "beo"}, {"login_db": "shop", "name": "shop"}]),
        ([{"login_db": 1}, {"login_db": 2}], "redis", [
            {"login_db": 1, "name": "redis 1"}, {"login_db": 2, "name": "redis 2"}]),
    ],
)  # fmt: skip
def test_every_way_to_write_entries(value: Any, kind: str, expected: list[dict[str, Any]]) -> None:
    assert entries(value, kind) == expected


def test_the_users_own_list_stays_as_it_is() -> None:
    mine = [{"login_host": "a"}]
    entries(mine, "redis")
    assert mine == [{"login_host": "a"}]


@pytest.mark.parametrize("value", [["cache"], [3], [{"name": "a"}, {"name": "a"}], "just words"])
def test_what_are_no_entries_is_refused_with_the_variables_name(value: Any) -> None:
    with pytest.raises(InvalidInput, match="upkeep_redis"):
        entries(value, "redis")


def test_hosts_that_share_a_description() -> None:
    variables = {
        "a": {"runner": "ops", "redis": [{"uri": "redis://x"}]},
        "b": {"runner": "ops", "redis": [{"uri": "redis://x"}]},
        "c": {"runner": "ops", "redis": [{"uri": "redis://y"}]},
        "d": {"redis": [{"uri": "redis://x"}]},
        "e": {},
        "f": {},
    }
    names = ["runner", "redis"]
    assert sharing(list(variables), variables, "b", names) == ["a", "b"]
    assert sharing(list(variables), variables, "c", names) == ["c"]
    assert sharing(list(variables), variables, "d", names) == ["d"]
    assert sharing(list(variables), variables, "f", names) == ["e", "f"]


ENTRY = {
    "name": "main",
    "login_host": "db",
    "login_port": 5432,
    "login_user": "monitor",
    "login_password": "p",
    "retention": [],
}


def test_a_connection_is_what_a_module_takes() -> None:
    assert connection(ENTRY) == {"login_host": "db", "login_port": 5432, "login_user": "monitor", "login_password": "p"}


def test_what_may_change_things_goes_over_the_entrys_own_user() -> None:
    found = connection({**ENTRY, "maintenance": {"login_user": "owner", "login_password": "q"}}, "maintenance")
    assert found == {"login_host": "db", "login_port": 5432, "login_user": "owner", "login_password": "q"}


def test_another_address_replaces_the_whole_of_it() -> None:
    found = connection({**ENTRY, "maintenance": {"uri": "postgresql://owner@other/app"}}, "maintenance")
    assert found == {"uri": "postgresql://owner@other/app", "login_user": "monitor", "login_password": "p"}


@pytest.mark.parametrize("over", ["owner", {"user": "owner"}, ["login_user"]])
def test_an_override_that_is_no_connection_is_refused(over: Any) -> None:
    with pytest.raises(InvalidInput, match="maintenance"):
        connection({**ENTRY, "maintenance": over}, "maintenance")


def test_results_of_all_roles_on_all_hosts() -> None:
    variables = {
        "a": {"health_results": [1, 2], "redis_results": [3]},
        "b": {"redis_results": [4], "queues_results": None},
    }
    assert results(["a", "b"], variables, ["health", "redis", "queues"]) == [1, 2, 3, 4]


MAIN = {"name": "main", "login_host": "db", "login_password": "x", "retention": []}


def test_a_source_may_name_its_store() -> None:
    own = {"source": "file", "query": "a.json"}
    made = sources([{"source": "postgresql", "connection": "main"}, own], {"postgresql": [MAIN]})
    assert made == [{"source": "postgresql", "connection": {"login_host": "db", "login_password": "x"}}, own]


def test_a_sources_own_connection_stays() -> None:
    given = [{"source": "mongodb", "connection": {"login_host": "m"}}]
    assert sources(given, {}) == given
    assert sources(str(given), {}) == given


@pytest.mark.parametrize(("stores", "named"), [({"postgresql": [MAIN]}, "main"), ({}, "none")])
def test_a_store_that_is_not_there_is_named_with_those_that_are(stores: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput, match="no postgresql server named other") as caught:
        sources([{"source": "postgresql", "connection": "other"}], stores)
    assert named in str(caught.value)


def test_an_entry_that_is_no_dict_is_refused() -> None:
    with pytest.raises(InvalidInput, match="an entry is a text"):
        sources(["main"], {})
