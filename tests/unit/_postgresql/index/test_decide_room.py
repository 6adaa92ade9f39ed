# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which indexes fit on the disk: both sides of the limit."""

from __future__ import annotations

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.action import Action, ActionState
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.decide_declared import Work
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.decide_room import (
    Entries,
    Room,
    decide_room,
    index_bytes,
)
from tests.unit._postgresql.index.making import index


def make(name: str, given_back: int | None = None) -> Action:
    drops = None if given_back is None else index(bytes=given_back, valid=False)
    return Action("create_index", name, "", work=Work((), "public", name, 1, 1, drops, creates=True))


def fits(free: int | None, *actions: Action, needed: float = 1000.0) -> list[bool]:
    room = Room(free, {("public", action.subject): needed for action in actions if action.subject != "unknown"})
    return [action.state is ActionState.PLANNED for action in decide_room(actions, room)]


@pytest.mark.parametrize(("free", "expected"), [(1099, False), (1100, True), (None, True)])
def test_the_limit_is_the_estimate_and_a_tenth(free: int | None, expected: bool) -> None:
    assert fits(free, make("a")) == [expected]


def test_what_does_not_fit_takes_nothing_from_what_comes_after() -> None:
    assert fits(1500, make("a"), make("b"), make("unknown")) == [True, False, True]
    assert fits(2200, make("a"), make("b")) == [True, True]


def test_an_invalid_index_gives_back_its_own() -> None:
    assert fits(600, make("a", given_back=499)) == [False]
    assert fits(600, make("a", given_back=500)) == [True]


def test_what_is_skipped_before_stays_as_it_is() -> None:
    action = make("a").became(ActionState.SKIPPED, "not ours")
    assert decide_room([action], Room(1, {("public", "a"): 1000.0}))[0].detail == "not ours"


def test_the_estimate_grows_with_rows_and_width() -> None:
    assert index_bytes(Entries(0, 4)) == 2 * 8192
    # 16 bytes of a tuple and 4 of its pointer, on pages filled to nine tenths: about 21 MB for a million integers.
    assert 20e6 < index_bytes(Entries(1e6, 4)) < 28e6
    assert index_bytes(Entries(1e6, 40)) > 1.5 * index_bytes(Entries(1e6, 4))
