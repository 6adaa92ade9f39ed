# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rows a rule is about, as SQL."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.assignment import assignments
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.chosen import chosen_by
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.piece import Piece
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.predicate import base_type
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.statements import (
    archive_statement,
    delete_statement,
)
from tests.unit._postgresql.retention.making import COLUMNS, column, reference, rule, subject


@pytest.mark.parametrize(
    ("type_name", "unit", "value"),
    [
        ("timestamp with time zone", "time", "2026-08-24T02:00:00+00:00"),
        ("timestamp(3) with time zone", "time", "2026-08-24T02:00:00+00:00"),
        ("timestamp without time zone", "time", "2026-08-24T02:00:00"),
        ("date", "time", "2026-08-24T02:00:00"),
        ("bigint", "seconds", 1787536800.0),
        ("bigint", "milliseconds", 1787536800000),
    ],
)
def test_the_moment_in_the_type_of_the_column(type_name: str, unit: str, value: Any) -> None:
    chosen = chosen_by(subject(rule(age_unit=unit), columns=(column("created_at", type_name),)))
    assert chosen.text == f'"created_at" < %(before)s::{base_type(type_name)}'
    assert chosen.parameters == {"before": value}


def test_the_condition_keeps_its_percent_signs() -> None:
    found = subject(rule(where="kind LIKE 'a%' OR id % 2 = 0"))
    text = delete_statement(Piece.of(("public", "events"), chosen_by(found), "", {})).text
    assert text == (
        'DELETE FROM "public"."events" WHERE "created_at" < %(before)s::timestamp with time zone'
        " AND (kind LIKE 'a%' OR id % 2 = 0)"
    )


def test_every_row() -> None:
    chosen = chosen_by(subject(rule(age_column=None, older_than=None, all_rows=True), before=None))
    assert (chosen.text, chosen.parameters) == ("true", {})


@pytest.mark.parametrize(("on_cascade", "kept"), [("keep", True), ("refuse", False), ("include", False)])
def test_rows_that_others_refer_to_are_kept_if_so_said(on_cascade: str, kept: bool) -> None:
    found = subject(rule(on_cascade=on_cascade), references=(reference(),))
    condition = 'NOT EXISTS (SELECT FROM "public"."notes" child WHERE child."event" = "events_2025"."id")'
    assert (condition in chosen_by(found, "events_2025").text) is kept


def test_an_update_is_about_rows_that_are_not_updated_yet() -> None:
    update = rule(action="update", set={"kind": "it's", "id": None, "data": {"a": 1}, "at": {"expression": "now()"}})
    found = subject(update, columns=(*COLUMNS, column("data", "json"), column("at", "date")))
    chosen = chosen_by(found)
    assert chosen.text.endswith(
        '("kind" IS DISTINCT FROM %(set0)s::text OR "id" IS DISTINCT FROM %(set1)s::bigint'
        ' OR "data"::text IS DISTINCT FROM %(set2)s::json::text)'
    )
    changes, parameters = assignments(found)
    assert changes["at"] == "(now())"
    assert parameters == {"set0": "it's", "set1": None, "set2": '{"a": 1}'}
    assert {**chosen.parameters, **parameters} == chosen.parameters


def test_a_piece_without_the_rows_that_others_hold() -> None:
    piece = Piece(("public", "ev%ents"), "id > %(low)s", {"low": 1})
    assert piece.unlocked(5).chosen == (
        'ctid = ANY (ARRAY(SELECT ctid FROM "public"."ev%%ents" WHERE id > %(low)s LIMIT 5 FOR UPDATE SKIP LOCKED))'
    )
    assert piece.unlocked().parameters == piece.parameters


def test_what_is_deleted_is_what_is_archived() -> None:
    piece = Piece(("public", "events"), "true", {})
    statement = archive_statement(piece, ("old", "ev%ents"), ["id", 'k"%'])
    assert statement.text == (
        'WITH taken AS (DELETE FROM "public"."events" WHERE true RETURNING "id", "k""%")'
        ' INSERT INTO "old"."ev%ents" ("id", "k""%") OVERRIDING SYSTEM VALUE SELECT "id", "k""%" FROM taken'
    )
