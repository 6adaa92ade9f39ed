# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules and tables for the tests of decisions, of which a test changes one thing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.observation import (
    Archive,
    Column,
    Count,
    Index,
    Leaf,
    Observation,
    Reference,
    Subject,
    TableFacts,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.rule import Rule, parse_rules
from tests.unit._postgresql.making import server

BEFORE = datetime(2026, 8, 24, 2, tzinfo=timezone.utc)
TABLE = 7


def rule(**changes: Any) -> Rule:
    """A rule that deletes events older than 90 days."""
    raw: Mapping[str, Any] = {
        "name": "old",
        "table": "events",
        "age_column": "created_at",
        "older_than": "90d",
        "action": "delete",
        **changes,
    }
    (parsed,) = parse_rules([raw])
    return parsed


def column(name: str, type_name: str = "text", **changes: Any) -> Column:
    """A plain column."""
    facts: dict[str, Any] = {"category": "S", "collation": (), "required": False, "generated": "", "identity": ""}
    return Column(TABLE, name, type_name, **{**facts, "defaulted": False, **changes})


COLUMNS = (
    column("id", "bigint", required=True),
    column("kind"),
    column("created_at", "timestamp with time zone"),
)
KEY = Index(TABLE, ("id",), primary=True, key=True, unique=True)


def facts(**changes: Any) -> TableFacts:
    """A table of a thousand rows that the user may do everything with."""
    given: dict[str, Any] = {
        "oid": TABLE,
        "schema": "public",
        "name": "events",
        "kind": "r",
        "access": "heap",
        "owner": "app",
        "inherited": False,
        "rows": 1000.0,
        "pages": 10,
        "secured": False,
        **dict.fromkeys(("may_select", "may_insert", "may_delete", "may_update"), True),
        **changes,
    }
    return TableFacts(**given)


def leaf(**changes: Any) -> Leaf:
    """The table that holds the rows."""
    given: dict[str, Any] = {
        "oid": TABLE,
        "schema": "public",
        "name": "events",
        "kind": "r",
        "access": "heap",
        "pages": 10,
        "rows": 1000.0,
        **dict.fromkeys(("may_select", "may_delete", "may_update"), True),
        **changes,
    }
    return Leaf(**given)


def reference(**changes: Any) -> Reference:
    """A foreign key of notes that points to events."""
    given: dict[str, Any] = {
        "table": TABLE,
        "name": "notes_event_fkey",
        "schema": "public",
        "child": "notes",
        "columns": ("event",),
        "referred": ("id",),
        "on_delete": "c",
        "on_update": "a",
        **changes,
    }
    return Reference(**given)


def subject(of: Rule | None = None, **changes: Any) -> Subject:
    """A rule and its table, of which 500 rows are old."""
    given: dict[str, Any] = {
        "facts": facts(),
        "columns": COLUMNS,
        "indexes": (KEY,),
        "leaves": (leaf(),),
        "before": BEFORE,
        "count": Count(500, True),
        **changes,
    }
    return Subject(of or rule(), **given)


def archive(*columns: Column, **changes: Any) -> Archive:
    """An archive table that exists if columns are given."""
    there = facts(oid=8, name="events_archive", **changes) if columns else None
    return Archive(("public", "events_archive"), there, tuple(columns))


def observation(*subjects: Subject, number: int = 180006) -> Observation:
    """What was observed on a server of this version."""
    return Observation(server(number=number), subjects)
