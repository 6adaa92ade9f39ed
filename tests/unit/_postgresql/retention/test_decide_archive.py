# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive table: what is made of it, and what it must hold."""

from __future__ import annotations

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.decide_archive import (
    archive_columns,
    archive_work,
    drifted,
)
from tests.unit._postgresql.retention.making import COLUMNS, archive, column, rule, subject

ARCHIVE = rule(action="archive", archive_to="events_archive")


@pytest.mark.parametrize(
    ("source", "there", "holds"),
    [
        ("text", "text", True),
        ("character varying(40)", "text", True),
        ("character varying(40)", "character varying", True),
        ("character varying(40)", "character varying(40)", True),
        ("character varying(40)", "character varying(41)", True),
        ("character varying(40)", "character varying(39)", False),
        ("character varying", "character varying(40)", False),
        ("text", "character varying", False),
        ("smallint", "integer", True),
        ("integer", "bigint", True),
        ("bigint", "integer", False),
        ("bigint", "numeric", True),
        ("bigint", "numeric(10,2)", False),
        ("numeric(10,2)", "numeric", True),
        ("numeric(10,2)", "numeric(11,2)", True),
        ("numeric(10,2)", "numeric(11,3)", True),
        ("numeric(10,2)", "numeric(10,3)", False),
        ("numeric(10,2)", "numeric(11,1)", False),
        ("numeric", "numeric(10,2)", False),
        ("real", "double precision", True),
        ("double precision", "real", False),
        ("timestamp(3) with time zone", "timestamp with time zone", True),
        ("timestamp with time zone", "timestamp(3) with time zone", False),
        ("timestamp without time zone", "timestamp with time zone", False),
        ("json", "jsonb", False),
        ("app.mood", "app.mood", True),
        ("app.mood", "text", False),
    ],
)
def test_types_that_hold_every_value(source: str, there: str, holds: bool) -> None:
    found = subject(ARCHIVE, columns=(column("note", source),), archive=archive(column("note", there)))
    assert drifted(found) == ([] if holds else [f"note is {source} in the source and {there} in the archive"])


def test_it_is_made_with_the_key_of_its_source() -> None:
    work = archive_work(subject(ARCHIVE, archive=archive()))
    assert work is not None
    assert [statement.text for statement in work.statements] == [
        (
            'CREATE TABLE "public"."events_archive" ("id" bigint, "kind" text, "created_at" timestamp with time zone,'
            ' PRIMARY KEY ("id"))'
        )
    ]
    assert work.undo == 'DROP TABLE "public"."events_archive"'


def test_without_a_key_it_has_none() -> None:
    work = archive_work(subject(ARCHIVE, archive=archive(), indexes=()))
    assert work is not None
    assert "PRIMARY KEY" not in work.statements[0].text


def test_it_gets_new_columns_and_needs_no_gone_ones() -> None:
    there = (*COLUMNS[:2], column("gone", required=True), column("since", required=True, defaulted=True))
    work = archive_work(subject(ARCHIVE, archive=archive(*there)))
    assert work is not None
    assert [statement.text for statement in work.statements] == [
        (
            'ALTER TABLE "public"."events_archive" ADD COLUMN "created_at" timestamp with time zone,'
            ' ALTER COLUMN "gone" DROP NOT NULL'
        )
    ]
    assert work.undo == (
        'ALTER TABLE "public"."events_archive" DROP COLUMN "created_at", ALTER COLUMN "gone" SET NOT NULL'
    )


def test_in_step_nothing_is_done() -> None:
    assert archive_work(subject(ARCHIVE, archive=archive(*COLUMNS, column("more")))) is None
    assert archive_work(subject()) is None


def test_what_the_archive_computes_is_not_written() -> None:
    there = (*COLUMNS[:1], column("kind", "integer", generated="s"), COLUMNS[2])
    found = subject(ARCHIVE, archive=archive(*there))
    assert archive_columns(found) == ("id", "created_at")
    assert drifted(found) == []
