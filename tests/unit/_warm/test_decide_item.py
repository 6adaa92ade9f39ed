# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys rows make, and which rows make none."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._warm.decide_item import items_of
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.entry import Entry, parse_entries
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.observation import Item, Tally


def entry(**more: Any) -> Entry:
    (parsed,) = parse_entries([{"source": "file", "query": "/srv/x", "key": "u:{id}", "jitter_percent": 0, **more}])
    return parsed


def made(chosen: Entry, *rows: Any, most: int = 1000) -> tuple[list[Item], Tally]:
    tally = Tally(chosen)
    return items_of(chosen, rows, most, tally), tally


@pytest.mark.parametrize(
    ("more", "value"),
    [
        ({}, b'{"id":1,"a":{"b":2},"n":null}'),
        ({"fields": ["a.b", "n", "nothing"]}, b'{"a.b":2,"n":null}'),
        ({"value": "a"}, b'{"b":2}'),
        ({"value": "a.b"}, b"2"),
        ({"value": "<{id}>"}, b"<1>"),
        ({"value": "hash"}, (b"id", b"1", b"a", b'{"b":2}')),
        ({"value": "hash", "fields": ["a.b", "n"]}, (b"a.b", b"2")),
    ],
)
def test_values(more: dict[str, Any], value: Any) -> None:
    items, tally = made(entry(**more), {"id": 1, "a": {"b": 2}, "n": None})
    assert items == [Item(b"u:1", value, 3_600_000)]
    assert tally.rows == 1


@pytest.mark.parametrize("more", [{"value": "n"}, {"value": "{n}"}, {"value": "hash", "fields": ["n"]}, {"key": "{n}"}])
def test_rows_that_lack_something_are_counted(more: dict[str, Any]) -> None:
    items, tally = made(entry(**more), {"id": 1, "n": None}, {"id": 2})
    assert not items
    assert (tally.rows, tally.missing) == (2, 2)


def test_rows_that_cannot_be_read_are_counted() -> None:
    items, tally = made(entry(), None, {"id": [1]}, {"id": "\ud800"}, {"id": 1, "a": object()}, {"id": 2})
    assert [item.key for item in items] == [b"u:2"]
    assert (tally.rows, tally.unreadable) == (5, 4)


def test_both_sides_of_the_largest_key() -> None:
    chosen = entry(value="a")
    items, tally = made(chosen, {"id": 1, "a": "x" * 7}, {"id": 2, "a": "x" * 8}, most=10)
    assert [item.size for item in items] == [10]
    assert tally.too_large == 1
    assert Item(b"k", (b"ab", b"c"), 0).size == 4


def test_lives_follow_from_names_within_the_jitter() -> None:
    assert made(entry(ttl="never"), {"id": 1})[0][0].life == 0
    items, _tally = made(entry(ttl=100, jitter_percent=20), *({"id": number} for number in range(500)))
    lives = [item.life for item in items]
    assert 80_000 <= min(lives) < 82_000
    assert 118_000 < max(lives) <= 120_000
    assert lives == [item.life for item in made(entry(ttl=100, jitter_percent=20), *({"id": n} for n in range(500)))[0]]
