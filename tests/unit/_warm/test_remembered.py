# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of keys and names is all of it, or none."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._warm.names import EACH as EACH_NAME
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.names import Names
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.observation import Item
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.remembered import Remembered


def item(number: int) -> Item:
    """One that cannot be packed smaller than it is."""
    return Item(b"%d" % number, random.Random(number).randbytes(1000), number)


def taken(remembered: Remembered, entry: str) -> list[Item] | None:
    batches = remembered.take(entry)
    return None if batches is None else [item for batch in batches for item in batch]


keys = st.builds(Item, st.binary(), st.binary() | st.lists(st.binary(), min_size=2).map(tuple), st.integers(0, 2**40))


@given(st.lists(st.lists(keys, max_size=5), max_size=4))
def test_keys_come_back_whatever_bytes_they_are(batches: list[list[Item]]) -> None:
    remembered = Remembered()
    for batch in batches:
        remembered.add("a", batch)
        remembered.add("b", [item(1)])
    assert taken(remembered, "a") == [each for batch in batches for each in batch]
    assert taken(remembered, "a") == [], "they are let go of"


def test_an_entry_with_too_many_is_forgotten_as_a_whole_and_leaves_room_for_others() -> None:
    remembered = Remembered(most_bytes=2500)
    remembered.add("a", [item(1)])
    remembered.add("a", [item(2)])
    remembered.add("a", [item(3)])
    remembered.add("b", [item(4)])
    assert taken(remembered, "a") is None
    remembered.add("a", [item(5)])
    assert taken(remembered, "a") is None
    remembered.add("b", [item(6)])
    assert taken(remembered, "b") == [item(4), item(6)], "there is room again"


def test_an_entry_without_keys_has_none() -> None:
    remembered = Remembered()
    remembered.add("a", [])
    assert taken(remembered, "a") == []
    remembered.forget("a")
    assert taken(remembered, "a") is None


def test_a_name_is_new_once_and_unknown_where_there_is_no_room() -> None:
    names = Names(most_bytes=EACH_NAME + 2)
    assert names.add(b"a")
    assert not names.add(b"a")
    assert names.add(b"b"), "there is room for one more"
    assert not names.add(b"b")
    assert names.add(b"c")
    assert names.add(b"c")
