# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which partitions go as a whole, and how."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.decide_archive import archive_work
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.decide_partitions import (
    by_rows,
    gone_leaves,
    partition_actions,
    partitioned,
    whole,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.observation import (
    Archive,
    Column,
    Reference,
    Subject,
    TableFacts,
    Trigger,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.partition import (
    Detached,
    Mark,
    Partition,
    Partitions,
    Scheme,
    parse_mark,
    write_mark,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.rule import parse_rules

FACTS = TableFacts(5, "public", "visits", "p", "", "owner", False, 100.0, 10, False, True, True, True, True)
SEEN = Column(5, "seen_at", "timestamp with time zone", "D", (), True, "", "", False)
SCHEME = Scheme("seen_at", False, True, False)
BOUND = "FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')"
OLD = Partition(
    7,
    "public",
    "visits_1",
    BOUND,
    "2026-01-01",
    "2026-02-01",
    True,
    False,
    50.0,
    8192,
    "mine",
    True,
    (7,),
    ("f",),
    True,
)
ARCHIVE = Archive(("public", "kept"), None)


def subject(found: Partitions, action: str = "delete", **rule: Any) -> Subject:
    raw = {"name": "r", "table": "visits", "age_column": "seen_at", "older_than": "90d", "action": action, **rule}
    if action == "archive":
        raw.setdefault("archive_to", "kept")
    return Subject(
        parse_rules([raw])[0],
        FACTS,
        (SEEN,),
        before=datetime(2026, 8, 1, tzinfo=timezone.utc),
        archive=ARCHIVE if action == "archive" else None,
        more={"partitions": found},
    )


def test_an_old_partition_is_dropped() -> None:
    (action,) = partition_actions(subject(Partitions(SCHEME, (OLD,))), 180000)
    assert (action.kind, action.subject, action.undo) == ("drop partition", "public.visits_1", "")
    mark, detach, drop = action.statement.split(";\n")
    assert mark.startswith('COMMENT ON TABLE "public"."visits_1" IS')
    assert detach == 'ALTER TABLE "public"."visits" DETACH PARTITION "public"."visits_1" CONCURRENTLY'
    assert drop == 'DROP TABLE "public"."visits_1"'


def test_an_old_partition_is_attached_to_the_archive_without_its_foreign_keys() -> None:
    (action,) = partition_actions(subject(Partitions(SCHEME, (OLD,), archive_ready=True), "archive"), 180000)
    steps = action.statement.split(";\n")[2:]
    assert steps == [
        'ALTER TABLE "public"."visits_1" DROP CONSTRAINT "f"',
        f'ALTER TABLE "public"."kept" ATTACH PARTITION "public"."visits_1" {BOUND}',
        'COMMENT ON TABLE "public"."visits_1" IS \'mine\'',
    ]
    assert action.undo == (
        'ALTER TABLE "public"."kept" DETACH PARTITION "public"."visits_1";\n'
        f'ALTER TABLE "public"."visits" ATTACH PARTITION "public"."visits_1" {BOUND}'
    )


@pytest.mark.parametrize(
    ("version", "default", "concurrent"), [(130000, False, False), (140000, False, True), (180000, True, False)]
)
def test_what_cannot_be_detached_concurrently_is_locked_for(version: int, default: bool, concurrent: bool) -> None:
    (action,) = partition_actions(subject(Partitions(SCHEME._replace(default=default), (OLD,))), version)
    assert ("CONCURRENTLY" in action.statement) == concurrent
    assert action.work.locked != concurrent


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        ({}, True),
        ({"old": False}, False),
        ({"owned": False}, False),
        ({"pending": True}, False),
        ({"pending": True, "comment": write_mark(Mark("r", ("public", "visits"), BOUND, ""))}, True),
        ({"pending": True, "old": False, "comment": write_mark(Mark("r", ("public", "visits"), BOUND, ""))}, True),
        ({"pending": True, "comment": write_mark(Mark("other", ("public", "visits"), BOUND, ""))}, False),
        ({"pending": True, "comment": write_mark(Mark("r", ("public", "other"), BOUND, ""))}, False),
        ({"fits": False}, True),
    ],
)
def test_which_partitions_are_taken(change: dict[str, Any], taken: bool) -> None:
    found = Partitions(SCHEME, (OLD._replace(**change),))
    assert bool(whole(subject(found), found)) == taken
    assert gone_leaves(subject(found)) == ([7] if taken else [])


def test_one_that_does_not_fit_into_the_archive_goes_row_by_row() -> None:
    found = Partitions(SCHEME, (OLD._replace(fits=False),), archive_ready=True)
    assert not whole(subject(found, "archive"), found)


def test_what_makes_a_rule_look_at_every_row() -> None:
    found, plain = Partitions(SCHEME, (OLD,)), subject(Partitions(SCHEME, (OLD,)))
    assert by_rows(plain, found) == ""
    reference = Reference(5, "f", "public", "child", ("a",), ("b",), "a", "a")
    reasons = [
        by_rows(subject(found, where="id = 1"), found),
        by_rows(subject(found, whole_partitions=False), found),
        by_rows(plain, replace(found, counted=True)),
        by_rows(replace(plain, references=(reference,)), found),
        by_rows(replace(plain, triggers=(Trigger(5, "t", True, ("delete",)),)), found),
        by_rows(replace(plain, facts=FACTS._replace(secured=True)), found),
        by_rows(plain, replace(found, scheme=SCHEME._replace(column=""))),
        by_rows(plain, replace(found, scheme=SCHEME._replace(column="id"))),
        by_rows(plain, replace(found, scheme=SCHEME._replace(owned=False))),
        by_rows(plain, replace(found, scheme=SCHEME._replace(published=True))),
        by_rows(subject(found, "archive"), found),
        by_rows(subject(found, "archive", archive_to={"directory": "/x"}), replace(found, archive_ready=True)),
    ]
    assert all(reasons)
    assert len(set(reasons)) == 10, "each says what it is"
    assert by_rows(replace(plain, triggers=(Trigger(5, "t", True, ("insert",)),)), found) == ""


def test_a_partition_that_was_on_its_way_goes_on_from_where_it_is() -> None:
    mark = write_mark(Mark("r", ("public", "visits"), BOUND, "mine"))
    (action,) = partition_actions(subject(Partitions(SCHEME, (OLD._replace(pending=True, comment=mark),))), 180000)
    assert action.statement.split(";\n") == [
        'ALTER TABLE "public"."visits" DETACH PARTITION "public"."visits_1" FINALIZE',
        'DROP TABLE "public"."visits_1"',
    ]
    detached = Detached("public", "visits_1", mark, ())
    found = Partitions(SCHEME, detached=(detached,), archive_ready=True)
    (action,) = partition_actions(subject(found, "archive"), 180000)
    assert action.statement.split(";\n") == [
        f'ALTER TABLE "public"."kept" ATTACH PARTITION "public"."visits_1" {BOUND}',
        'COMMENT ON TABLE "public"."visits_1" IS \'mine\'',
    ]


def test_an_archive_is_made_so_that_it_takes_partitions_where_there_are_any() -> None:
    for found, expected in (
        (Partitions(SCHEME, (OLD,), archive_ready=True), True),
        (Partitions(SCHEME, (OLD._replace(old=False),), archive_ready=True), False),
    ):
        chosen = subject(found, "archive")
        work = archive_work(chosen)
        assert work is not None
        texts = [statement.text for statement in partitioned(work, chosen).statements]
        assert texts[0].endswith(' PARTITION BY RANGE ("seen_at")') == expected
        rest = 'CREATE TABLE "public"."kept_default" PARTITION OF "public"."kept" DEFAULT'
        assert (rest in texts) == expected


@given(st.text(), st.text(), st.text(), st.text())
def test_a_mark_is_read_as_it_was_written(rule: str, table: str, bound: str, comment: str) -> None:
    mark = Mark(rule, ("public", table), bound, comment)
    assert parse_mark(write_mark(mark)) == mark


@given(st.text())
def test_other_comments_are_no_marks(comment: str) -> None:
    assert parse_mark(comment) is None
    assert parse_mark(f"dataops.upkeep retention: {comment}") is None
