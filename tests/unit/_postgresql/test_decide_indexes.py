# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Invalid indexes."""

from __future__ import annotations

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.decide_indexes import decide_indexes
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.observation import Index, Indexes
from tests.unit._postgresql.making import ids, one, server, situation

BROKEN = Index(1, "public", "users", "users_email_key")
LEFT = Index(2, "public", "users", "users_pkey_ccnew")


def test_each_is_a_finding_with_its_own_remedy() -> None:
    decision = decide_indexes(Indexes(server(), (BROKEN, LEFT), 0), situation())
    assert ids(decision) == [("postgresql.invalid_index", "warning")] * 2
    assert "create it anew" in decision.findings[0].remedy
    assert "left over from REINDEX" in decision.findings[1].message
    assert decision.findings[1].remedy == 'Run DROP INDEX CONCURRENTLY "public"."users_pkey_ccnew".'
    assert decision.metrics["postgresql_invalid_indexes_total"] == 2


def test_the_statement_to_run_holds_names_as_sql_wants_them() -> None:
    decision = decide_indexes(Indexes(server(), (Index(1, "My.App", "t", 'Odd"Name'),), 0), situation())
    assert 'DROP INDEX CONCURRENTLY "My.App"."Odd""Name" and create it anew' in one(decision).remedy


def test_none_is_in_order() -> None:
    decision = decide_indexes(Indexes(server(), (), 3), situation())
    assert ids(decision) == []
    assert decision.metrics["postgresql_invalid_indexes_total"] == 0


def test_one_that_may_be_somebody_elses_build_is_not_reported_as_broken() -> None:
    decision = decide_indexes(Indexes(server(sees_all=False), (BROKEN,), 1), situation())
    assert one(decision).id == "postgresql.access_denied"
    assert decision.metrics == {}
