# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against making columns anonymous, and what is said of other places."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.decide_fields import (
    Elsewhere,
    FieldFacts,
    field_refusal,
    told_elsewhere,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.observation import (
    Column,
    Subject,
    TableFacts,
    Trigger,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.rule import parse_rules

FACTS = TableFacts(5, "public", "people", "r", "heap", "owner", False, 100.0, 10, False, True, True, True, True)
NOWHERE = Elsewhere((), 0, 0, False, False)


def refusal(method: Any, column: dict[str, Any] | None = None, **facts: Any) -> str:
    """Why a column must not be made anonymous by a method; empty: nothing speaks against it."""
    raw = {"name": "r", "table": "people", "action": "anonymize", "all_rows": True, "fields": {"x": method}}
    known = FieldFacts(**{"linked": (), "unique": (), "exposed": "", "elsewhere": NOWHERE, **facts})
    kept = Column(5, "x", "text", "S", (), False, "", "", False)._replace(**(column or {}))
    found = field_refusal(Subject(parse_rules([raw])[0], FACTS, (kept,), more={"fields": known}))
    return found.message if found else ""


@pytest.mark.parametrize("method", [None, "hmac", "fake_name", "fake_email", "fake_phone", {"constant": "x"}])
def test_a_plain_text_takes_every_method(method: Any) -> None:
    assert refusal(method) == ""


@pytest.mark.parametrize(
    ("length", "method", "good"),
    [
        (15, "hmac", False),
        (16, "hmac", True),
        (9, "fake_first_name", False),
        (10, "fake_first_name", True),
        (11, "fake_last_name", False),
        (12, "fake_last_name", True),
        (16, "fake_name", False),
        (17, "fake_name", True),
        (38, "fake_email", False),
        (39, "fake_email", True),
        (12, "fake_phone", False),
        (13, "fake_phone", True),
        (2, {"constant": "abc"}, False),
        (3, {"constant": "abc"}, True),
    ],
)
def test_a_column_has_to_be_long_enough(length: int, method: Any, good: bool) -> None:
    assert (refusal(method, {"type": f"character varying({length})"}) == "") == good


@pytest.mark.parametrize(
    ("method", "good"),
    [
        (None, True),
        ("fake_email", True),
        ({"hmac": 32}, True),
        ({"hmac": 31}, False),
        ("fake_name", False),
        ("fake_phone", False),
        ({"constant": "x"}, False),
    ],
)
def test_a_unique_column_stays_unique(method: Any, good: bool) -> None:
    assert (refusal(method, unique=("x",)) == "") == good


def test_a_column_of_a_foreign_key_is_refused_whatever_the_method() -> None:
    assert "foreign key" in refusal("hmac", linked=("x",))


def test_null_needs_a_column_that_may_be_null() -> None:
    assert "may not be null" in refusal(None, {"required": True})
    assert refusal("hmac", {"required": True}) == ""


def test_a_key_that_would_be_logged_stops_what_needs_it() -> None:
    assert "log_statement is all" in refusal("hmac", exposed="log_statement is all")
    assert refusal(None, exposed="log_statement is all") == ""


def test_other_places_are_told() -> None:
    assert told_elsewhere(NOWHERE) == "the old values may also be in: backups"
    tables = tuple(f"t{number} (x)" for number in range(12))
    told = told_elsewhere(Elsewhere(tables, 2, 1, True, True))
    assert "the archived write-ahead log, 2 standbys" in told
    assert "the server's log" in told
    triggers = (Trigger(5, "audit", True, ("update",)), Trigger(5, "born", True, ("insert",)))
    assert told_elsewhere(NOWHERE, triggers).endswith("backups, what the triggers write (audit)")
    assert told.endswith("t9 (x), 2 more tables with such columns")
