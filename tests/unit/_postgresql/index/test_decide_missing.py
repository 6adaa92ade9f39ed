# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Foreign keys that no index serves, and tables that are read whole; both sides of every limit."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.health import Situation
from ansible_collections.dataops.upkeep.plugins.module_utils._core.threshold import Thresholds
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.decide_missing import (
    decide_missing,
    remember_use,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.thresholds_indexes import (
    INDEX_THRESHOLDS,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.decide_missing import unserved
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.observation import (
    MissingIndexes,
    TableUse,
)
from tests.unit._postgresql.index.making import SERVER, foreign_key, index


def found(observed: MissingIndexes, previous: dict[str, Any] | None = None) -> list[str]:
    now = datetime.now(timezone.utc)
    situation = Situation("db:5432", Thresholds(INDEX_THRESHOLDS), now, previous or {}, now)
    return [finding.id for finding in decide_missing(observed, situation).findings]


def use(rows: int = 20_000, scans: int = 50, index_scans: int = 0) -> MissingIndexes:
    table = TableUse(1, "public", "t", rows, rows * 100, scans, scans * rows, index_scans)
    return MissingIndexes(SERVER, (), (), (table,))


@pytest.mark.parametrize(
    ("in_order", "wrong"),
    [
        (use(rows=10_000), use(rows=10_001)),
        (use(scans=9), use(scans=10)),
        (use(scans=50, index_scans=950), use(scans=50, index_scans=949)),
    ],
)
def test_both_sides_of_a_table_that_is_read_whole(in_order: MissingIndexes, wrong: MissingIndexes) -> None:
    assert found(in_order) == []
    assert found(wrong) == ["postgresql.missing_index"]


def test_only_what_happened_since_the_last_run_counts() -> None:
    before = remember_use(use(scans=50), Situation("db", Thresholds(INDEX_THRESHOLDS), datetime.now(timezone.utc)))
    assert found(use(scans=59), dict(before)) == []
    assert found(use(scans=60), dict(before)) == ["postgresql.missing_index"]
    assert found(use(scans=40), dict(before)) == ["postgresql.missing_index"], "the counters were reset"


def test_both_sides_of_a_foreign_key_without_an_index() -> None:
    assert found(MissingIndexes(SERVER, (), (foreign_key(rows=1000),), ())) == []
    assert found(MissingIndexes(SERVER, (), (foreign_key(rows=1001),), ())) == ["postgresql.foreign_key_without_index"]
    assert found(MissingIndexes(SERVER, (index(),), (foreign_key(),), ())) == []


def test_a_partitioned_table_is_named_once() -> None:
    top = foreign_key(oid=1, partitioned=True, table="p", table_oid=1)
    parts = [foreign_key(oid=oid, parent=1, table=f"p{oid}", table_oid=oid, rows=600.0) for oid in (2, 3, 4)]
    (key,) = unserved([top, *parts], [index(table_oid=3)])
    assert (key.table, key.rows) == ("p", 1200.0)
    assert unserved([top, *parts], [index(oid, table_oid=oid) for oid in (2, 3, 4)]) == []


def test_many_are_counted() -> None:
    keys = tuple(foreign_key(oid=oid, table=f"t{oid}", table_oid=oid, rows=5000.0 + oid) for oid in range(1, 26))
    ids = found(MissingIndexes(SERVER, (), keys, ()))
    assert ids == ["postgresql.foreign_key_without_index"] * 11
