# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which index replaces which."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.decide_duplicates import find_redundant
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.observation import Index
from tests.unit._postgresql.index.making import index

PAIRS: tuple[tuple[dict[str, Any], dict[str, Any], int | None], ...] = (
    ({}, {}, 2),
    ({"unique": True}, {}, 2),
    ({}, {"unique": True}, 1),
    ({}, {"primary": True, "unique": True}, 1),
    ({"unique": True}, {"constraint": "c", "unique": True}, 1),
    ({"unique": True}, {"constraint": "c", "unique": True, "immediate": False}, None),
    ({"unique": True, "constraint": "c"}, {"unique": True, "constraint": "d"}, None),
    ({"unique": True}, {"unique": True, "nulls_not_distinct": True}, None),
    ({"unique": True}, {"unique": True, "keys": (1, 2)}, None),
    ({}, {"keys": (1, 2)}, 1),
    ({}, {"keys": (2, 1)}, None),
    ({}, {"include": (3,)}, 1),
    ({"include": (3,)}, {"keys": (1, 3)}, 1),
    ({"include": (3,)}, {"keys": (1, 2)}, None),
    ({}, {"options": (3,)}, 2),
    ({}, {"options": (1,)}, None),
    ({"options": (3,)}, {"keys": (1, 2), "options": (0, 3)}, 1),
    ({"options": (3,)}, {"keys": (1, 2), "options": (0, 0)}, 1),
    ({}, {"opclasses": (5,)}, None),
    ({}, {"collations": (5,)}, None),
    ({}, {"predicate": "(a > 5)"}, None),
    ({"predicate": "(a > 5)"}, {"predicate": "(a > 5)"}, 2),
    ({"keys": (0,), "texts": ("lower(a)",)}, {"keys": (0,), "texts": ("lower(a)",)}, 2),
    ({"keys": (0,), "texts": ("lower(a)",)}, {"keys": (0,), "texts": ("upper(a)",)}, None),
    ({"keys": (0,), "texts": ("lower(a)",)}, {"keys": (0, 2), "texts": ("lower(a)", "b")}, 1),
    ({"method": "gin"}, {}, None),
    ({"method": "gin", "keys": (1,)}, {"method": "gin", "keys": (1, 2), "definition": "x USING gin (a, b)"}, None),
    ({"table_oid": 1}, {"table_oid": 2}, None),
    ({"clustered": True}, {}, 2),
    ({"replica_identity": True}, {"clustered": True}, None),
    ({"valid": False}, {}, None),
    ({}, {"locked": True}, None),
    ({}, {"exclusion": True}, None),
    ({"parent": 9}, {}, 2),
    ({"parent": 9}, {"parent": 8}, None),
    ({"extension": True}, {}, 2),
    ({"partitioned": True}, {"partitioned": True}, 2),
)


@pytest.mark.parametrize(("first", "second", "superfluous"), PAIRS)
def test_two_indexes(first: dict[str, Any], second: dict[str, Any], superfluous: int | None) -> None:
    definition = "CREATE INDEX i ON t USING x (a)"
    pair = [index(1, **{"definition": definition, **first}), index(2, **{"definition": definition, **second})]
    for order in (pair, pair[::-1]):
        assert [found.superfluous.oid for found in find_redundant(order)] == ([superfluous] if superfluous else [])


@st.composite
def many(draw: st.DrawFn) -> list[Index]:
    """Indexes of one table, many of them alike."""
    indexes = []
    for oid in range(1, draw(st.integers(1, 8)) + 1):
        keys = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3, unique=True))
        descending = draw(st.booleans())
        indexes.append(
            index(
                oid,
                keys=tuple(keys),
                options=(3 if descending else 0,) * len(keys),
                unique=draw(st.booleans()),
                constraint=draw(st.sampled_from((None, None, "c"))),
                predicate=draw(st.sampled_from((None, None, "(a > 5)"))),
            )
        )
    return indexes


@given(many())
def test_what_replaces_another_stays_itself(indexes: list[Index]) -> None:
    found = find_redundant(indexes)
    gone = {each.superfluous.oid for each in found}
    assert len(gone) == len(found)
    for each in found:
        assert each.covered_by.oid not in gone
        assert tuple(each.covered_by.keys[: len(each.superfluous.keys)]) == tuple(each.superfluous.keys)
        assert each.covered_by.predicate == each.superfluous.predicate
        assert each.covered_by.unique or not each.superfluous.unique
        assert not each.superfluous.protected
    rest = [each for each in indexes if each.oid not in gone]
    assert find_redundant(rest) == [], "one pass is enough"
