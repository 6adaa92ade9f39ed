# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule of unused indexes, both sides of every limit; the kinds themselves are tested on a live server."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.decide_unused import (
    droppable,
    judge_unused,
    undecided,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.ledger import (
    begun_drops,
    unchanged_since,
    updated,
    with_drop,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.observation import (
    Build,
    Indexes,
    IndexUse,
    Policy,
)
from tests.unit._postgresql.index.making import DAY, NOW, foreign_key, index, node, seen, standby


def codes(observed: Indexes, oid: int = 20000) -> tuple[str, ...]:
    return tuple(reason.code for reason in judge_unused(observed)[oid])


LIMITS: tuple[tuple[Indexes, Indexes, str], ...] = (
    (seen(index(bytes=10_000_000)), seen(index(bytes=9_999_999)), "small"),
    (seen(index(scans=3), policy=Policy(scans=3)), seen(index(scans=4), policy=Policy(scans=3)), "used"),
    (seen(index(last_scan=NOW - 30 * DAY)), seen(index(last_scan=NOW - 30 * DAY + 1)), "recently_used"),
    (seen(index(), watched_days=30), seen(index(), watched_days=29.9), "ledger_young"),
    (
        seen(index(), primary=node(kept_since=NOW - 30 * DAY), watched_days=30),
        seen(index(), primary=node(kept_since=NOW - 30 * DAY + 1), watched_days=30),
        "statistics_young",
    ),
    (
        seen(index(), primary=node(reset=NOW - 30 * DAY), watched_days=30),
        seen(index(), primary=node(reset=NOW - 30 * DAY + 1), watched_days=30),
        "statistics_young",
    ),
    (seen(index(), primary=node(counts=True)), seen(index(), primary=node(counts=False)), "statistics_off"),
    (
        seen(index(), primary=node(receivers=1), replicas=(standby(),)),
        seen(index(), primary=node(receivers=2), replicas=(standby(),)),
        "standby_unlisted",
    ),
    (
        seen(index(), primary=node(receivers=2), replicas=(standby(), standby("other"))),
        seen(index(), primary=node(receivers=2), replicas=(standby(receivers=1), standby("other"))),
        "standby_unlisted",
    ),
    (seen(index(), replicas=(standby(count=0),)), seen(index(), replicas=(standby(count=1),)), "standby_used"),
    (
        seen(index(), replicas=(standby(scans={20000: IndexUse(20000, 0, NOW - 30 * DAY)}),)),
        seen(index(), replicas=(standby(scans={20000: IndexUse(20000, 0, NOW - 30 * DAY + 1)}),)),
        "standby_used",
    ),
    (
        seen(index(), replicas=(standby(kept_since=NOW - 30 * DAY),), watched_days=30),
        seen(index(), replicas=(standby(kept_since=NOW - 30 * DAY + 1),), watched_days=30),
        "standby_young",
    ),
    (seen(index(), replicas=(standby(),)), seen(index(), replicas=(standby(error="down"),)), "standby_unknown"),
    (seen(index(), replicas=(standby(),)), seen(index(), replicas=(standby(system="8"),)), "standby_unknown"),
    (seen(index(), replicas=(standby(),)), seen(index(), replicas=(standby(in_recovery=False),)), "standby_unknown"),
    (seen(index(), replicas=(standby(),)), seen(index(), replicas=(standby(counts=False),)), "standby_unknown"),
)  # fmt: skip


@pytest.mark.parametrize(("goes", "stays", "code"), LIMITS, ids=[f"{n} {limit[2]}" for n, limit in enumerate(LIMITS)])
def test_both_sides_of_each_limit(goes: Indexes, stays: Indexes, code: str) -> None:
    assert codes(goes) == ()
    assert codes(stays) == (code,)


def test_an_index_that_a_standby_has_not_yet_is_kept() -> None:
    assert codes(seen(index(), replicas=(standby(scans={}),))) == ("standby_young",)


SPECIAL: tuple[tuple[dict[str, Any], tuple[str, ...]], ...] = (
    ({"valid": False}, ("invalid",)),
    ({"primary": True, "unique": True}, ("primary_key",)),
    ({"unique": True}, ("unique",)),
    ({"exclusion": True}, ("exclusion",)),
    ({"constraint": "c", "unique": True}, ("unique", "constraint")),
    ({"replica_identity": True}, ("replica_identity",)),
    ({"clustered": True}, ("clustered",)),
    ({"partitioned": True}, ("partitioned",)),
    ({"parent": 7}, ("partition",)),
    ({"system": True}, ("system",)),
    ({"system": True, "temporary": True}, ("temporary",)),
    ({"extension": True}, ("extension",)),
    ({"locked": True}, ("locked", "ledger_young")),
    ({"predicate": "(a > 5)", "texts": ("lower(a)",), "include": (2,), "method": "gin"}, ()),
)


@pytest.mark.parametrize(("special", "expected"), SPECIAL)
def test_each_kind(special: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert codes(seen(index(**special))) == expected


def test_builds() -> None:
    assert codes(seen(index(), builds=(Build(20000, 5, False),))) == ("building",)
    assert codes(seen(index(), builds=(Build(30000, 5, False), Build(None, 6, True)))) == ()
    assert codes(seen(index(valid=False), builds=(Build(None, 6, True),))) == ("building", "invalid")


def test_foreign_keys_keep_one_index_each() -> None:
    key = foreign_key()
    assert codes(seen(index(), keys=(key,))) == ("foreign_key",)
    both = seen(index(), index(20001, keys=(1, 2)), keys=(key,))
    assert (codes(both), codes(both, 20001)) == (("foreign_key",), ())
    used = seen(index(), index(20001, keys=(1, 2), scans=5), keys=(key,))
    assert (codes(used), codes(used, 20001)) == ((), ("used",))
    young = seen(index(), index(20001, keys=(1, 2)), keys=(key,), watched_days=None)
    assert (codes(young), codes(young, 20001)) == (("ledger_young", "foreign_key"), ("ledger_young",))
    assert codes(seen(index(keys=(2, 1)), keys=(key,))) == ()
    assert codes(seen(index(keys=(2, 1)), keys=(foreign_key(keys=(1, 2), columns=("a", "b")),))) == ("foreign_key",)
    assert codes(seen(index(predicate="(a IS NOT NULL)"), keys=(key,))) == ("foreign_key",)
    assert codes(seen(index(predicate="(b IS NOT NULL)"), keys=(key,))) == ()


def test_what_serves_a_foreign_key_in_part_stays_where_nothing_serves_it_whole() -> None:
    key = foreign_key(keys=(1, 2), columns=("a", "b"))
    part = index(keys=(2, 3))
    assert codes(seen(part, keys=(key,))) == ("foreign_key",)
    assert codes(seen(part, index(20001, keys=(2, 1)), keys=(key,))) == ()
    assert codes(seen(index(keys=(3, 2)), keys=(key,))) == (), "a btree has to begin with one"
    assert codes(seen(index(method="brin", keys=(3, 2)), keys=(key,))) == ("foreign_key",)
    assert codes(seen(index(keys=(2, 3), predicate="(c > 5)"), keys=(key,))) == ()
    assert codes(seen(index(keys=(2, 3), valid=False), keys=(key,))) == ("invalid",)


def test_nothing_has_to_be_watched_for_no_time() -> None:
    assert codes(seen(index(), watched_days=None, policy=Policy(seconds=0))) == ()


def test_what_may_go_and_what_is_only_not_known() -> None:
    observed = seen(index(), index(20001, bytes=30_000_000), index(20002, unique=True))
    reasons = judge_unused(observed, declared=(20000,))
    assert [each.oid for each in droppable(observed, reasons)] == [20001]
    assert not undecided(reasons[20000])
    assert undecided(judge_unused(seen(index(), watched_days=1))[20000])
    assert not undecided(judge_unused(seen(index(scans=1), watched_days=1))[20000])


def test_the_ledger_begins_anew_when_counters_do() -> None:
    first = seen(index(), watched_days=40)
    assert unchanged_since(first, first.primary, first.indexes[0]) == NOW - 40 * DAY
    for changed in (
        seen(index(scans=1)),
        seen(index(definition="CREATE INDEX other")),
        seen(index(), primary=node(timeline=2)),
        seen(index(), primary=node(system="8")),
        seen(index(), primary=node(reset=NOW - DAY)),
        seen(index(), primary=node(kept_since=NOW - DAY)),
    ):
        later = changed._replace(ledger=first.ledger)
        assert unchanged_since(later, later.primary, later.indexes[0]) is None
        noted = later._replace(ledger=updated(later, first.ledger))
        assert unchanged_since(noted, noted.primary, noted.indexes[0]) == NOW


def test_the_ledger_keeps_what_it_cannot_see_now() -> None:
    first = seen(index(), replicas=(standby(),), watched_days=40)
    away = first._replace(indexes=(index(locked=True, definition=""),), replicas=(standby(error="down"),))
    assert updated(away, first.ledger) == first.ledger
    noted = {**first.ledger, **with_drop(first.ledger, first.indexes[0])}
    assert begun_drops(first._replace(ledger=noted)) == [], "it is valid: the drop has not begun"
    assert updated(first, noted)["dropping"] == []
    begun = first._replace(indexes=(index(valid=False),), ledger=noted)
    assert begun_drops(begun) == [begun.indexes[0]]
    assert updated(begun, noted)["dropping"] == noted["dropping"]
    assert begun_drops(begun._replace(indexes=(index(valid=False, definition="CREATE INDEX other"),))) == []
    gone = first._replace(indexes=())
    assert [node["indexes"] for node in updated(gone, first.ledger)["nodes"].values()] == [{}, {}]
