# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections of the server's and of their own limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.decide_connections import (
    decide_connections,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.observation import (
    Connections,
    Group,
    Limit,
)
from tests.unit._postgresql.making import ids, one, server, situation


def seen(used: int, *limits: Limit, sees_all: bool = True) -> Connections:
    groups = (
        Group("app", "web", "active", "client backend", used),
        Group(None, None, None, "checkpointer", 1),
        Group(None, "copy", "active", "walsender", 2),
        Group("app", None, None, "autovacuum worker", 3),
    )
    return Connections(server(sees_all=sees_all), groups, limits)


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (1, []),
        (77, []),  # of 97: 79.4 %
        (78, [("postgresql.connections", "warning")]),  # 80.4 %
        (92, [("postgresql.connections", "warning")]),  # 94.8 %
        (93, [("postgresql.connections", "critical")]),  # 95.9 %
        (99, [("postgresql.connections", "critical")]),  # superusers beyond the others' share
    ],
)
def test_share_of_what_is_not_reserved(used: int, expected: list[tuple[str, str]]) -> None:
    assert ids(decide_connections(seen(used), situation())) == expected


def test_reserved_connections_count_where_there_are_any() -> None:
    assert server().available_connections == 97
    assert server(settings={"reserved_connections": "10"}).available_connections == 87
    assert server(settings={"reserved_connections": None}).available_connections == 97


def test_without_any_connection_to_give_there_is_no_share() -> None:
    nothing = server(settings={"max_connections": "3"})
    decision = decide_connections(Connections(nothing, (), ()), situation())
    assert ids(decision) == []
    assert "postgresql_connections_used_percent" not in decision.metrics


@pytest.mark.parametrize(("used", "severity"), [(8, None), (9, "warning"), (10, "critical")])
def test_a_limit_of_a_role(used: int, severity: str | None) -> None:
    decision = decide_connections(seen(used, Limit("role", "web", 10)), situation())
    assert ids(decision) == ([("postgresql.connection_limit", severity)] if severity else [])


def test_a_limit_of_another_database_is_not_used_up_by_this_one() -> None:
    assert ids(decide_connections(seen(50, Limit("database", "other", 10)), situation())) == []


def test_what_is_hidden_counts_and_is_said_to_be() -> None:
    hidden_group = Group("app", "web", None, None, 96)
    background = Group(None, None, None, None, 7)
    decision = decide_connections(Connections(server(sees_all=False), (hidden_group, background), ()), situation())
    assert ids(decision) == [("postgresql.connections", "critical"), ("postgresql.access_denied", "warning")]
    assert "at most 96 of 97" in decision.findings[0].message
    assert 'GRANT pg_monitor TO "monitor"' in decision.findings[1].remedy


@given(used=st.integers(0, 10_000), most=st.integers(0, 10_000), reserved=st.integers(0, 100))
def test_any_numbers_give_a_verdict(used: int, most: int, reserved: int) -> None:
    limits = {"max_connections": str(most), "superuser_reserved_connections": str(reserved)}
    groups = (Group("app", "web", "idle", "client backend", used),)
    decision = decide_connections(Connections(server(settings=limits), groups, ()), situation())
    crossed = most > reserved and 100 * used / (most - reserved) > 80
    assert bool(decision.findings) == crossed


def test_one_finding_says_what_the_connections_do() -> None:
    groups = (Group("app", "web", "active", "client backend", 10), Group("app", "web", "idle", "client backend", 80))
    message = one(decide_connections(Connections(server(), groups, ()), situation())).message
    assert "90 of 97 connections are in use (10 active, 80 idle)" in message
