# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an entry asks of a step, and what becomes of an entry that cannot be understood."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._collect.step import step

SECRET = "secret-of-the-owner"
CACHE = {"name": "cache", "login_host": "redis", "maintenance": {"login_user": "owner", "login_password": SECRET}}
COMMON = {"deadline": "10min", "connect_timeout": "5s", "state": None}
CONNECTION = {"login_host": "redis", "login_user": "owner", "login_password": SECRET}
DEFAULTS = {"deadline": "10min", "connect_timeout": "5s"}
RULE = {"pattern": "a:*", "when": ["no_ttl"], "action": "unlink"}
CLEANUP = {"cleanup": "rules", "cleanup_options": None}
MAIN = {"name": "main", "login_host": "pg", "retention": []}


@pytest.mark.parametrize("given", [[RULE], RULE, f"[{RULE}]"])
def test_a_list_of_dicts_is_an_option_of_the_module(given: Any) -> None:
    asked = step({**CACHE, "cleanup": given}, CLEANUP, COMMON)
    assert asked == {"options": {**DEFAULTS, **CONNECTION, "rules": [RULE]}}


def test_an_entrys_own_options_go_over_the_roles() -> None:
    entry = {**CACHE, "connect_timeout": "1s", "cleanup": [RULE], "cleanup_options": {"deadline": "5min"}}
    assert step(entry, CLEANUP, COMMON)["options"] == {
        **CONNECTION, "connect_timeout": "1s", "deadline": "5min", "rules": [RULE],
    }  # fmt: skip


@pytest.mark.parametrize("given", [{}, {"cleanup": None}, {"cleanup": []}, {"cleanup": ""}, {"cleanup": False}])
def test_what_is_not_asked_for_is_not_done(given: dict[str, Any]) -> None:
    assert step({**CACHE, **given}, CLEANUP, COMMON) == {}


@pytest.mark.parametrize(("given", "done"), [({}, True), ({"audit": None}, True), ({"audit": False}, False)])
def test_a_step_that_is_done_unless_it_is_refused(given: dict[str, Any], done: bool) -> None:
    assert ("options" in step({**CACHE, **given}, {"audit": None}, COMMON, always=True)) is done


def test_yes_is_a_step_without_options() -> None:
    asked = step({**CACHE, "orphans": True}, {"orphans": None}, {**COMMON, "orphans": True})
    assert asked["options"] == {**DEFAULTS, **CONNECTION, "orphans": True}


def test_a_store_may_be_named() -> None:
    named = {"source": "postgresql", "connection": "main"}
    asked = step({**CACHE, "warm": [named]}, {"warm": "entries"}, COMMON, {"postgresql": [MAIN]})
    assert asked["options"]["entries"] == [{"source": "postgresql", "connection": {"login_host": "pg"}}]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"cleanup": "analytics:*"}, "cleanup: it is a text"),
        ({"cleanup": 5}, "cleanup: it is a number"),
        ({"cleanup": True}, "cleanup: it is true"),
        ({"cleanup": ["a:*"]}, "one of its items is a text"),
        ({"cleanup": [None]}, "one of its items is empty"),
        ({"cleanup": [RULE], "cleanup_options": "fast"}, "cleanup_options: it is a text"),
        ({"cleanup": [RULE], "maintenance": "root"}, "maintenance: it is a text"),
        ({"cleanup": [RULE], "maintenance": {"user": "x"}}, "maintenance: it holds user"),
        ({"cleenup": [RULE]}, "cleenup: no step knows it. Write cleanup"),
        ({"cleanup": [{"source": "postgresql", "connection": "other"}]}, "named other. Those of .* are: main"),
        ({"cleanup": [{"source": "mysql", "connection": "main"}]}, "its source is mysql"),
    ],
)
def test_what_is_wrong_is_a_result_that_names_it_and_shows_no_secret(given: dict[str, Any], why: str) -> None:
    asked = step({**CACHE, **given}, CLEANUP, COMMON, {"postgresql": [MAIN]})
    (found,) = asked["wrong"]["findings"]
    assert asked["wrong"]["status"] == "critical"
    assert found["id"] == "upkeep.invalid_input"
    assert found["message"].startswith("cache: ")
    assert re.search(why, found["message"])
    assert SECRET not in str(asked)
    assert "options" not in asked


@pytest.mark.parametrize("key", ["checks", "thresholds", "policies", "memory", "backup", "expected_role", "our_own"])
def test_keys_of_others_are_nobodys_business(key: str) -> None:
    assert step({**CACHE, key: {}}, CLEANUP, COMMON) == {}
