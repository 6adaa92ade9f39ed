# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.decide_need import (
    Needed,
    freeze_limits,
    table_need,
    useless_since,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.observation import Holder
from tests.unit._postgresql.making import NOW
from tests.unit._postgresql.vacuum.making import ago, holder, policy, row, seen, toast

# Of 10000 rows: autovacuum vacuums from 50 + 0.2 * 10000 dead rows on, or 1000 + 0.2 * 10000 inserted ones, and
# analyzes from 50 + 0.1 * 10000 changed ones on; half of that is enough here.


def need(*parts: Any, mode: str = "auto", ratio: float = 0.5, **facts: Any) -> Needed | None:
    """What the first of these tables needs."""
    return table_need(parts[0], seen(*parts, **facts), policy(mode=mode, need_ratio=ratio))


def what(found: Needed | None) -> str:
    """The needs, in a word each."""
    if found is None:
        return ""
    words = ("vacuum", "freeze", "analyze", "rows_held", "age_held", "critical")
    return " ".join(word for word in words if getattr(found, word))


def test_a_table_in_order_needs_nothing() -> None:
    assert need(row()) is None


@pytest.mark.parametrize(
    ("changes", "ratio", "expected"),
    [
        ({"dead": 1024}, 0.5, ""),
        ({"dead": 1025}, 0.5, "vacuum"),
        ({"dead": 2049}, 1.0, ""),
        ({"dead": 2050}, 1.0, "vacuum"),
        ({"inserted": 1499}, 0.5, ""),
        ({"inserted": 1500}, 0.5, "vacuum"),
        ({"modified": 524}, 0.5, ""),
        ({"modified": 525}, 0.5, "analyze"),
        ({"dead": 1025, "modified": 525}, 0.5, "vacuum analyze"),
        # The table's own storage parameters count, also where they switch autovacuum off.
        ({"dead": 500, "options": ["autovacuum_enabled=false"]}, 0.5, ""),
        ({"dead": 1025, "options": ["autovacuum_enabled=false"]}, 0.5, "vacuum"),
        (
            {"dead": 500, "options": ["autovacuum_vacuum_threshold=0", "autovacuum_vacuum_scale_factor=0.1"]},
            0.5,
            "vacuum",
        ),
        ({"inserted": 5000, "options": ["autovacuum_vacuum_insert_threshold=-1"]}, 0.5, ""),
        ({"inserted": 1500, "frozen_pages": 100}, 1.0, "vacuum"),
    ],
)
def test_need_by_changes(changes: dict[str, Any], ratio: float, expected: str) -> None:
    assert what(need(row(**changes), ratio=ratio)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"analyzed": None}, "analyze"),
        ({"analyzed": None, "live": 0}, "analyze"),
        ({"analyzed": None, "rows": -1.0}, "analyze"),
        ({"analyzed": None, "live": 0, "rows": 0.0}, ""),
        ({"analyzed": None, "live": 0, "rows": -1.0}, ""),
        ({"analyzed": None, "live": 0, "rows": -1.0, "filled": True}, "analyze"),
    ],
)
def test_a_table_that_was_never_analyzed_and_is_known_to_hold_rows(changes: dict[str, Any], expected: str) -> None:
    assert what(need(row(**changes))) == expected


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("auto", "freeze analyze"),
        ("vacuum", "vacuum"),
        ("analyze", "analyze"),
        ("freeze", "freeze"),
    ],
)
def test_a_mode_looks_at_its_own_need(mode: str, expected: str) -> None:
    assert what(need(row(dead=5000, modified=5000, transactions=150_000_000), mode=mode)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"transactions": 149_999_999}, ""),
        ({"transactions": 150_000_000}, "freeze"),
        ({"transactions": 199_999_999}, "freeze"),
        ({"transactions": 200_000_000}, "freeze critical"),
        ({"multixacts": 149_999_999}, ""),
        ({"multixacts": 150_000_000}, "freeze"),
        ({"multixacts": 400_000_000}, "freeze critical"),
        # A table's own limit counts where it is lower: freezing begins at 95 % of it.
        ({"transactions": 94_999_999, "options": ["autovacuum_freeze_max_age=100000000"]}, ""),
        ({"transactions": 95_000_000, "options": ["autovacuum_freeze_max_age=100000000"]}, "freeze"),
        ({"transactions": 100_000_000, "options": ["autovacuum_freeze_max_age=100000000"]}, "freeze critical"),
        ({"transactions": 150_000_000, "options": ["autovacuum_freeze_max_age=900000000"]}, "freeze"),
        ({"multixacts": 95_000_000, "options": ["autovacuum_multixact_freeze_max_age=100000000"]}, "freeze"),
    ],
)
def test_need_by_age(changes: dict[str, Any], expected: str) -> None:
    assert what(need(row(**changes))) == expected
    assert what(need(row(), toast(**changes))) == expected


def test_an_age_of_nothing_is_never_due() -> None:
    limits = freeze_limits(row(transactions=0, multixacts=0), seen(row()))
    assert all(age < begin for _name, age, begin, _forced in limits)


@pytest.mark.parametrize(("dead", "expected"), [(1024, ""), (1025, "vacuum")])
def test_a_toast_table_brings_its_table(dead: int, expected: str) -> None:
    found = need(row(), toast(dead=dead))
    assert what(found) == expected
    if found:
        assert "in its TOAST table" in found.reasons[0]


@pytest.mark.parametrize(
    ("held_for", "vacuumed", "useless"),
    [
        (7200, 3600, True),
        (3600, 3600, True),
        (3599, 3600, False),
        (10, 3600, False),
        (7200, None, False),
        # Nobody knows since when: within a day of the last vacuum it is taken to have been there.
        (None, 86_399, True),
        (None, 86_400, False),
    ],
)
def test_dead_rows_that_the_last_vacuum_could_not_remove_either(
    held_for: float | None, vacuumed: float | None, useless: bool
) -> None:
    table = row(dead=5000, vacuumed=None if vacuumed is None else ago(vacuumed))
    found = useless_since(table, (holder(held_for),), NOW.timestamp())
    assert (found is not None) == useless
    assert what(need(table, holders=[holder(held_for)])) == ("rows_held" if useless else "vacuum")


def test_inserted_rows_are_vacuumed_whoever_holds_dead_ones() -> None:
    found = need(row(dead=5000, inserted=5000), holders=[holder()])
    assert what(found) == "vacuum"
    assert found is not None
    assert found.reasons[0].startswith("5000 dead and 5000 inserted rows")


def test_a_held_table_is_analyzed_all_the_same() -> None:
    found = need(row(dead=5000, modified=5000), holders=[holder()])
    assert what(found) == "analyze rows_held"
    assert found is not None
    assert found.kind == "analyze"


@pytest.mark.parametrize(
    ("age", "expected"),
    [(149_999_999, "freeze"), (150_000_000, "age_held")],
)
def test_freezing_is_useless_while_something_holds_that_age(age: int, expected: str) -> None:
    found = need(row(transactions=160_000_000), holders=[holder(age=age)])
    assert what(found) == expected
    assert found is not None
    assert found.kind == "freeze"
    assert found.possible == (expected == "freeze")


def test_multixact_ids_are_held_by_what_was_there_when_they_were_last_frozen_in_vain() -> None:
    table = row(multixacts=160_000_000)
    assert what(need(table, holders=[holder(7200)])) == "age_held"
    assert what(need(table, holders=[holder(10)])) == "freeze"


def test_one_kind_of_id_that_can_be_frozen_is_enough() -> None:
    table = row(transactions=160_000_000, multixacts=160_000_000, vacuumed=ago(10**6))
    assert what(need(table, holders=[holder(10, age=155_000_000)])) == "freeze"


@given(
    dead=st.integers(0, 10**7),
    inserted=st.integers(0, 10**7),
    modified=st.integers(0, 10**7),
    rows=st.floats(-1, 1e9),
    ratio=st.floats(0.01, 10),
    held=st.one_of(st.none(), st.floats(0, 10**6)),
    mode=st.sampled_from(["auto", "vacuum", "analyze"]),
)
def test_what_was_done_is_not_needed_again(
    dead: int, inserted: int, modified: int, rows: float, ratio: float, held: float | None, mode: str
) -> None:
    """Whatever holds the rest: the run after a vacuum of now does not vacuum again."""
    holders: list[Holder] = [] if held is None else [holder(held)]
    table = row(dead=dead, inserted=inserted, modified=modified, rows=rows)
    found = need(table, mode=mode, ratio=ratio, holders=holders)
    if found is None or not found.possible:
        return
    now = NOW.timestamp()
    after = table
    if found.vacuum:
        after = after._replace(dead=dead if holders else 0, inserted=0, vacuumed=now)
    if found.analyze:
        after = after._replace(modified=0, analyzed=now)
    again = need(after, mode=mode, ratio=ratio, holders=holders)
    assert again is None or not again.possible
