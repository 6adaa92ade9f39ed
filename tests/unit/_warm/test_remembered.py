# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of keys and names is all of it, or none."""

from __future__ import annotations

from ansible_collections.dataops.upkeep.plugins.module_utils._warm.names import EACH as EACH_NAME
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.names import Names
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.observation import Item
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.remembered import EACH, Remembered

ITEM = Item(b"k", b"value", 0)
TAKEN = ITEM.size + EACH


def test_keys_are_kept_up_to_the_limit_and_forgotten_as_a_whole_beyond() -> None:
    remembered = Remembered(most_bytes=2 * TAKEN)
    remembered.add("a", [ITEM])
    remembered.add("a", [ITEM])
    assert remembered.take("a") == [ITEM, ITEM]
    remembered = Remembered(most_bytes=2 * TAKEN - 1)
    remembered.add("a", [ITEM])
    remembered.add("a", [ITEM])
    remembered.add("b", [ITEM])
    assert remembered.take("a") is None
    assert remembered.take("b") == [ITEM], "there is room again"
    remembered.add("a", [ITEM])
    assert remembered.take("a") is None


def test_an_entry_without_keys_has_none() -> None:
    remembered = Remembered()
    remembered.add("a", [])
    assert remembered.take("a") == []
    remembered.forget("a")
    assert remembered.take("a") is None


def test_a_name_is_new_once_and_unknown_where_there_is_no_room() -> None:
    names = Names(most_bytes=EACH_NAME + 2)
    assert names.add(b"a")
    assert not names.add(b"a")
    assert names.add(b"b"), "there is room for one more"
    assert not names.add(b"b")
    assert names.add(b"c")
    assert names.add(b"c")
