# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How bloat is known, and from where on it is acted on."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.bloat import (
    Density,
    estimate_index,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.reindex.decide_bloat import (
    judge,
    worth_measuring,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.reindex.ledger import Entry
from tests.unit._postgresql.reindex.making import MIB, index, seen, shape

PER_ROW = 100 * MIB / 1_000_000


@pytest.mark.parametrize(("percent", "bloated"), [(29.0, False), (31.0, True)])
def test_measured(percent: float, bloated: bool) -> None:
    verdict = judge(index(), seen(index(), percents={1: percent}), 30)
    assert verdict.bloated is bloated
    assert verdict.percent == pytest.approx(percent, abs=0.1)
    assert "measured by pgstatindex" in verdict.why


def test_unused_pages_count() -> None:
    pages = 100 * MIB // 8192
    found = seen(index())._replace(measured={1: Density(pages, pages // 2, 0, 90.0)})
    verdict = judge(index(), found, 30)
    assert verdict.bloated
    assert "pages are unused" in verdict.why


def test_what_a_rebuild_reached_before_is_the_goal_of_the_next() -> None:
    entry = Entry("shape", PER_ROW, True, 60.0)
    found = seen(index(), percents={1: 33.0}, ledger={"public.orders_code": entry})
    assert not judge(index(), found, 30).bloated
    other = {"public.orders_code": entry._replace(shape="another")}
    assert judge(index(), found._replace(ledger=other), 30).bloated


@pytest.mark.parametrize(("ratio", "bloated"), [(1.99, None), (2.0, True), (3.0, True)])
def test_remembered(ratio: float, bloated: bool | None) -> None:
    ledger = {"public.orders_code": Entry("shape", PER_ROW / ratio)}
    verdict = judge(index(method="gin"), seen(ledger=ledger), 30)
    assert verdict.bloated is bool(bloated)
    assert ("bytes per row" in verdict.why) is bool(bloated)


@pytest.mark.parametrize(
    "changes", [{"method": "brin"}, {"changed_percent": 21.0}, {"rows": -1.0}, {"rows": 0.0}, {"shape": "another"}]
)
def test_what_is_remembered_may_tell_nothing(changes: dict[str, Any]) -> None:
    ledger = {"public.orders_code": Entry("shape", PER_ROW / 5)}
    assert not judge(index(**{"method": "gist", **changes}), seen(ledger=ledger), 30).bloated


def test_twice_is_no_bloat_where_the_user_asks_for_more() -> None:
    ledger = {"public.orders_code": Entry("shape", PER_ROW / 2)}
    assert not judge(index(), seen(ledger=ledger), 51).bloated


def pages_of(bloat: float) -> int:
    """Bytes of an index of a million bigints with so much bloat."""
    return round(estimate_index(shape(1e6)).pages * 8192 / (1 - bloat / 100))


@pytest.mark.parametrize(("bloat", "bloated"), [(35.0, False), (39.9, False), (40.1, True)])
def test_an_estimate_has_to_be_ten_points_over_the_limit(bloat: float, bloated: bool) -> None:
    one = index(bytes=pages_of(bloat))
    verdict = judge(one, seen(one, shapes={1: shape(1e6)}), 30)
    assert verdict.bloated is bloated
    assert "estimated" in verdict.why


def test_an_estimate_is_wrong_if_a_rebuild_found_no_bloat() -> None:
    one = index(bytes=pages_of(60))
    found = seen(one, shapes={1: shape(1e6)})
    for per_row, rebuilt, bloated in ((1.0, True, False), (1.25, True, True), (1.0, False, True)):
        entry = Entry("shape", one.bytes / one.rows / per_row, rebuilt)
        assert judge(one, found._replace(ledger={one.label: entry}), 30).bloated is bloated


@pytest.mark.parametrize(
    ("method", "shapes", "why"),
    [
        ("gin", {}, "gin_clean_pending_list"),
        ("brin", {}, "access method brin"),
        ("btree", {}, "no statistics"),
        ("btree", {1: shape(1e6, columns=())}, "no statistics"),
        ("btree", {1: shape(1e6, changed_percent=50.0)}, "50 % of the rows changed"),
    ],
)
def test_unknown(method: str, shapes: dict[int, Any], why: str) -> None:
    one = index(method=method)
    verdict = judge(one, seen(one, shapes=shapes), 30)
    assert verdict.percent is None
    assert not verdict.bloated
    assert why in verdict.why
    assert judge(one, seen(one, shapes=shapes), 0).bloated, "a limit of 0 means every index"


def test_the_cheapest_are_measured_first_and_not_what_needs_no_measuring() -> None:
    clean = index("clean", oid=5, bytes=pages_of(5))
    joins = index("joins", oid=6, bytes=pages_of(5) + 1)
    some = (
        index("large", oid=2, bytes=900 * MIB),
        index("small", oid=3, bytes=20 * MIB),
        index("tiny", oid=4, bytes=9 * MIB),
        clean,
        joins,
        index("huge", oid=7, bytes=1001 * MIB),
        index("gist", oid=8, method="gist"),
        index("invalid", oid=9, usable=False),
        index("foreign", oid=10, may_rebuild=False),
        index("exclusion", oid=11, excludes=True),
        index("catalogue", oid=12, system=True),
    )
    found = seen(*some, shapes={5: shape(1e6), 6: shape(1e6, joins_equal=True)})
    assert [one.name for one in worth_measuring(found, 30, 10 * MIB, 1000 * MIB)] == ["small", "joins", "large"]
    chosen = found._replace(chosen=frozenset({7}))
    assert [one.name for one in worth_measuring(chosen, 30, 10 * MIB, 1000 * MIB)] == ["huge"]
