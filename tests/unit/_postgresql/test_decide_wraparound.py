# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The age of transaction ids and what holds them."""

from __future__ import annotations

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.decide_wraparound import (
    decide_wraparound,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.observation import Wraparound
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.horizon import DatabaseAge, Holder
from tests.unit._postgresql.making import ids, one, server, situation

M = 1_000_000


def seen(
    transactions: int = 0, multixacts: int = 0, holder: Holder | None = None, limit: str = "200000000"
) -> Wraparound:
    databases = (DatabaseAge("app", transactions, multixacts), DatabaseAge("template0", 1, 1))
    return Wraparound(server(settings={"autovacuum_freeze_max_age": limit}), databases, holder)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (300 * M, []),  # 150 % of autovacuum_freeze_max_age
        (300 * M + 100_000, [("postgresql.freeze_transactions", "warning")]),
        (1_300 * M, [("postgresql.freeze_transactions", "warning")]),
        (1_300 * M + 1, [("postgresql.wraparound", "warning")]),
        (1_400 * M, [("postgresql.wraparound", "warning")]),
        (1_400 * M + 1, [("postgresql.wraparound", "critical")]),
    ],
)
def test_transaction_ids(age: int, expected: list[tuple[str, str]]) -> None:
    assert ids(decide_wraparound(seen(age), situation())) == expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (600 * M, []),
        (600 * M + 100_000, [("postgresql.freeze_multixacts", "warning")]),
        (1_300 * M + 1, [("postgresql.wraparound", "warning")]),
        (1_400 * M + 1, [("postgresql.wraparound", "critical")]),
    ],
)
def test_multixact_ids(age: int, expected: list[tuple[str, str]]) -> None:
    assert ids(decide_wraparound(seen(multixacts=age), situation())) == expected


def test_a_server_that_is_to_freeze_late_is_not_late() -> None:
    assert ids(decide_wraparound(seen(1_200 * M, limit="1000000000"), situation())) == []


@pytest.mark.parametrize(
    ("age", "severity"), [(10 * M, None), (10 * M + 1, "warning"), (150 * M, "warning"), (150 * M + 1, "critical")]
)
def test_what_holds_them(age: int, severity: str | None) -> None:
    holder = Holder("replication slot", "old_slot", "app", age)
    decision = decide_wraparound(seen(holder=holder), situation())
    assert ids(decision) == ([("postgresql.vacuum_held", severity)] if severity else [])
    if severity:
        assert "replication slot old_slot in app" in one(decision).message


def test_the_finding_names_database_share_and_holder() -> None:
    holder = Holder("prepared transaction", "left", None, 5)
    finding = one(decide_wraparound(seen(1_350 * M, holder=holder), situation()))
    assert finding.subject == "db:5432 database app"
    assert "63 %" in finding.message
    assert "held back by prepared transaction left" in finding.message


def test_no_database_at_all() -> None:
    assert ids(decide_wraparound(Wraparound(server(), (), None), situation())) == []
