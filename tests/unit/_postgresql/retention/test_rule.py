# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules: what is understood, and what is refused before anything is read."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._core.units import Age
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.rule import (
    DatabaseTarget,
    FileTarget,
    TableTarget,
    Target,
    parse_rules,
)
from tests.unit._postgresql.retention.making import rule


def test_a_rule_in_full() -> None:
    found = rule(table='App."Order Items"', age_column='"At"', older_than="1y6mo", where="kind = 'x'")
    assert found.table == ("app", "Order Items")
    assert (found.age_column, found.older_than, found.where) == ("At", Age(18), "(kind = 'x')")
    assert (found.on_cascade, found.age_unit, found.takes_rows_away) == ("refuse", "time", True)


def test_a_rule_without_name_has_its_number() -> None:
    raw = {"table": "a", "where": "true", "action": "delete"}
    assert [found.name for found in parse_rules([raw, raw])] == ["rule 1", "rule 2"]


def test_updates_leave_rows_where_they_are() -> None:
    assert not rule(action="update", set={"Kind": 1}).takes_rows_away
    assert rule(action="update", set={"Kind": 1}).values == {"kind": 1}


@pytest.mark.parametrize(
    ("given", "target"),
    [
        ("events_archive", TableTarget(("events_archive",))),
        ({"table": "old.events"}, TableTarget(("old", "events"))),
        ({"database": "postgresql://db/old"}, DatabaseTarget({"uri": "postgresql://db/old"})),
        ({"database": {"login_db": "old"}, "table": "x.y"}, DatabaseTarget({"login_db": "old"}, ("x", "y"))),
        ({"directory": "/srv"}, FileTarget("/srv", "gzip")),
        ({"directory": "/srv", "compression": "zstd"}, FileTarget("/srv", "zstd")),
    ],
)
def test_where_archived_rows_go(given: Any, target: Target) -> None:
    assert rule(action="archive", archive_to=given).target == target


@pytest.mark.parametrize(
    "given",
    [
        7,
        "",
        "a b",
        {},
        {"table": "x", "directory": "/srv"},
        {"database": "u", "directory": "/srv"},
        {"table": "x", "compression": "gzip"},
        {"directory": "/srv", "compression": "bzip2"},
        {"database": 5, "table": "x"},
        {"database": {}, "table": "x"},
        {"file": "/srv"},
        {"table": "x; DROP TABLE y"},
    ],
)
def test_where_they_cannot_go(given: Any) -> None:
    with pytest.raises(InvalidInput):
        rule(action="archive", archive_to=given)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"older_than": None}, "belong together"),
        ({"age_column": None}, "belong together"),
        ({"age_column": None, "older_than": None}, "neither how old"),
        ({"older_than": "0d"}, "makes every row old"),
        ({"older_than": "-1d"}, "is no age"),
        ({"table": "a.b.c"}, "is no name"),
        ({"age_column": "a.b"}, "is no name"),
        ({"where": "a; b"}, "semicolon"),
        ({"action": "update"}, "needs set"),
        ({"action": "archive"}, "needs archive_to"),
        ({"action": "anonymize"}, "needs fields"),
        ({"set": {"a": 1}}, "belongs to the action update"),
        ({"archive_to": "x"}, "belongs to the action archive"),
        ({"fields": {"a": "null"}}, "belongs to the action anonymize"),
        ({"action": "update", "set": {"a b": 1}}, "is no name"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        rule(**changes)


@pytest.mark.parametrize("more", [{"where": "kind = 'x'"}, {"all_rows": True}])
def test_a_rule_for_every_age_says_so(more: dict[str, Any]) -> None:
    assert rule(age_column=None, older_than=None, **more).older_than is None
