# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is planned for a rule, and what is refused with which reason."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.action import ActionState
from ansible_collections.dataops.upkeep.plugins.module_utils._core.severity import Severity
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.decide_rules import (
    RowsWork,
    decide_rules,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.observation import (
    Count,
    Index,
    Subject,
    Trigger,
)
from tests.unit._postgresql.retention.making import (
    COLUMNS,
    KEY,
    TABLE,
    archive,
    column,
    facts,
    leaf,
    observation,
    reference,
    rule,
    subject,
)

ARCHIVE = rule(action="archive", archive_to="events_archive")
AGE = Index(TABLE, ("created_at",), primary=False, key=False, unique=False)


def way(found: Subject, number: int = 180006) -> str:
    """By what the rows are taken."""
    (action,) = decide_rules(observation(found, number=number)).actions
    assert isinstance(action.work, RowsWork)
    return action.work.way


def refused(found: Subject, number: int = 180006) -> tuple[str, Severity]:
    """Id and severity of the finding that says why nothing is done."""
    decision = decide_rules(observation(found, number=number))
    (finding,), (action,) = decision.findings, decision.actions
    assert (action.state, action.detail) == (ActionState.SKIPPED, finding.message)
    return finding.id, finding.severity


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        (Count(1, True), "old: 1 row older than 90d"),
        (Count(2, True), "old: 2 rows older than 90d"),
        (Count(123456, False), "old: about 123456 rows (estimated) older than 90d"),
    ],
)
def test_the_reason_says_how_many_rows(count: Count, reason: str) -> None:
    (action,) = decide_rules(observation(subject(count=count))).actions
    assert (action.kind, action.subject, action.reason) == ("delete", "public.events", reason)


def test_nothing_old_nothing_planned() -> None:
    decision = decide_rules(observation(subject(ARCHIVE, count=Count(0, True), archive=archive())))
    assert (decision.actions, decision.findings) == ([], [])
    assert decision.metrics == {'postgresql_retention_rows_due{rule="old"}': 0}


@pytest.mark.parametrize(("event", "named"), [("delete", True), ("update", False), ("insert", False)])
def test_triggers_that_fire_are_named(event: str, named: bool) -> None:
    trigger = Trigger(TABLE, "noted", True, (event,))
    (action,) = decide_rules(observation(subject(triggers=(trigger,)))).actions
    assert action.reason.endswith("; fires noted") is named


@pytest.mark.parametrize(
    ("rows", "indexes", "expected"),
    [(100, (KEY, AGE), "age"), (101, (KEY, AGE), "pages"), (100, (KEY,), "pages")],
)
def test_few_old_rows_are_looked_up_by_their_age(rows: int, indexes: tuple[Index, ...], expected: str) -> None:
    assert way(subject(count=Count(rows, True), indexes=indexes)) == expected


def test_a_table_that_was_never_counted_is_read_as_a_whole() -> None:
    assert way(subject(count=Count(1, True), indexes=(KEY, AGE), facts=facts(rows=-1.0))) == "pages"


@pytest.mark.parametrize(("number", "expected"), [(130020, "key"), (140000, "pages")])
def test_ranges_of_pages_from_version_14(number: int, expected: str) -> None:
    assert way(subject(), number) == expected


def test_another_kind_of_table_is_read_by_its_key() -> None:
    assert way(subject(leaves=(leaf(), leaf(access="columnar")))) == "key"


def test_version_13_needs_a_key() -> None:
    assert refused(subject(indexes=()), 130020) == ("postgresql.retention_no_key", Severity.CRITICAL)
    assert way(subject(indexes=()), 140000) == "pages"


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ({"facts": facts(may_select=False)}, "SELECT on public.events"),
        ({"facts": facts(may_update=False)}, "UPDATE on public.events"),
        ({"facts": facts(may_delete=False)}, "DELETE on public.events"),
        ({"leaves": (leaf(name="events_1", may_delete=False),)}, "DELETE on public.events_1"),
    ],
)
def test_missing_rights(changes: dict[str, Any], lacks: str) -> None:
    assert refused(subject(**changes)) == ("postgresql.retention_denied", Severity.CRITICAL)
    assert lacks in decide_rules(observation(subject(**changes))).findings[0].message


def test_an_update_needs_no_right_to_delete() -> None:
    update = rule(action="update", set={"kind": "old"})
    assert way(subject(update, facts=facts(may_delete=False))) == "pages"


def test_rows_that_others_refer_to() -> None:
    found = subject(referred=("public.notes (notes_event_fkey)",))
    assert refused(found) == ("postgresql.retention_referred", Severity.WARNING)


@pytest.mark.parametrize("references", [(reference(),), ()])
def test_what_cascades_from_an_archive_would_be_lost(references: tuple[Any, ...]) -> None:
    include = rule(action="archive", archive_to="events_archive", on_cascade="include")
    found = subject(include, references=references, archive=archive(*COLUMNS))
    if references:
        assert refused(found) == ("postgresql.retention_referred", Severity.WARNING)
    else:
        assert way(found) == "pages"


def test_an_archive_that_cannot_hold_the_rows() -> None:
    there = archive(column("id", "integer"), *COLUMNS[1:])
    assert refused(subject(ARCHIVE, archive=there)) == ("postgresql.retention_drift", Severity.CRITICAL)


def test_an_archive_is_made_before_rows_go_there() -> None:
    actions = decide_rules(observation(subject(ARCHIVE, archive=archive()))).actions
    assert [(action.kind, action.subject) for action in actions] == [
        ("create", "public.events_archive"),
        ("archive", "public.events"),
    ]


def test_row_security_is_said_and_the_rest_is_done() -> None:
    decision = decide_rules(observation(subject(facts=facts(secured=True))))
    assert [finding.id for finding in decision.findings] == ["postgresql.retention_row_security"]
    assert [action.state for action in decision.actions] == [ActionState.PLANNED]
