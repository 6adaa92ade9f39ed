# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many tables are worked on at once, and which never beside which."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.action import Action, ActionState
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.statement import Statement
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.decide_jobs import Shift, decide_jobs
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.decide_statement import Work
from tests.unit._postgresql.vacuum.making import policy, row, seen


def actions(*oids: int) -> list[Action]:
    return [Action("vacuum", f"t{oid}", "due", work=Work(row(f"t{oid}", oid), Statement("VACUUM"))) for oid in oids]


def shift(jobs: int, planned: Sequence[Action], links: Sequence[tuple[int, int]] = (), connections: int = 10) -> Shift:
    return decide_jobs(seen(links=links, connections=connections), policy(jobs=jobs), planned, "postgresql db")


@pytest.mark.parametrize(
    ("wanted", "tables", "connections", "jobs", "found"),
    [
        (1, 5, 10, 1, 0),
        (4, 5, 10, 4, 0),
        (4, 3, 10, 3, 0),
        (4, 0, 10, 1, 0),
        (4, 1, 97, 1, 0),  # one is done over the connection there is
        (4, 5, 89, 4, 0),  # 97 may be had: 8 are free, 4 of them for us
        (4, 5, 90, 3, 1),
        (4, 5, 93, 2, 1),
        (4, 5, 94, 1, 1),
        (4, 5, 97, 1, 1),
        (4, 5, 100, 1, 1),  # a superuser's connections are beyond what others may have
        (2, 5, 93, 2, 0),
    ],
)
def test_half_of_the_free_connections_at_most(
    wanted: int, tables: int, connections: int, jobs: int, found: int
) -> None:
    decided = shift(wanted, actions(*range(1, tables + 1)), connections=connections)
    assert decided.jobs == jobs
    assert len(decided.turns) == tables
    assert [(finding.id, finding.value, finding.threshold) for finding in decided.findings] == (
        [("postgresql.vacuum_jobs", jobs, min(wanted, tables))] if found else []
    )


def test_what_was_skipped_already_has_no_turn() -> None:
    planned = actions(1, 2, 3)
    planned[1] = planned[1].became(ActionState.SKIPPED, "somebody is at it")
    decided = shift(4, planned)
    assert [turn.oid for turn in decided.turns] == [1, 3]
    assert decided.jobs == 2


def test_a_partitioned_table_and_its_partitions_come_one_after_the_other() -> None:
    # 10 has the partitions 1 and 2 and the partitioned partition 20, which has 3; 4 is of no concern.
    links = [(10, 1), (10, 2), (10, 20), (10, 3), (20, 3)]
    decided = shift(4, actions(1, 4, 10, 20, 2, 3), links)
    assert {turn.oid: set(turn.after) for turn in decided.turns} == {
        1: set(),
        4: set(),
        10: {1},
        20: {10},
        2: {10},
        3: {10, 20},
    }


@given(
    oids=st.lists(st.integers(1, 8), unique=True),
    links=st.lists(st.tuples(st.integers(1, 8), st.integers(1, 8)).filter(lambda link: link[0] != link[1])),
)
def test_every_turn_comes_and_no_two_that_are_related_at_once(oids: list[int], links: list[tuple[int, int]]) -> None:
    turns = shift(8, actions(*oids), links).turns
    assert [turn.oid for turn in turns] == oids
    for place, turn in enumerate(turns):
        earlier = {other.oid for other in turns[:place]}
        assert turn.after <= earlier  # so the first that waits can always begin at last
        assert turn.after == {oid for oid in earlier if (oid, turn.oid) in links or (turn.oid, oid) in links}
