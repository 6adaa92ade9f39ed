# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import datetime, timezone

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._redis.errors import Loading
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.health.decide_server import (
    decide_cluster,
    decide_ping,
    decide_server,
    remember_server,
    unsupported_days,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.observations import Cluster, Ping, Server
from tests.unit._redis.situations import NOW, found, situation


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [(100.0, {}), (100.1, {"redis.latency": "warning"}), (1000.0, {"redis.latency": "warning"}),
     (1000.1, {"redis.latency": "critical"})],
)  # fmt: skip
def test_latency_is_judged_on_both_sides_of_its_limits(milliseconds: float, expected: dict[str, str]) -> None:
    decision = decide_ping(Ping(milliseconds), situation())
    assert found(decision) == expected
    assert decision.metrics == {"redis_ping_seconds": round(milliseconds / 1000, 6)}


def test_a_loading_server_is_critical_and_has_no_latency() -> None:
    refusal = Loading("ping the server", "Redis is loading the dataset in memory")
    decision = decide_ping(Ping(None, refusal), situation())
    assert found(decision) == {"redis.loading": "critical"}
    assert not decision.metrics


@pytest.mark.parametrize(
    ("version", "day", "days"),
    [
        ("6.2.14", datetime(2025, 2, 28, 23, tzinfo=timezone.utc), 0),
        ("6.2.14", datetime(2025, 3, 1, tzinfo=timezone.utc), 1),
        ("7.4.0", datetime(2026, 11, 22, tzinfo=timezone.utc), -8),
        ("5.0.7", datetime(2026, 11, 22, tzinfo=timezone.utc), 846),
        ("8.2.3", NOW, None),
        ("99.0", NOW, None),
        ("nonsense", NOW, None),
        (None, NOW, None),
    ],
)
def test_support_ends_the_day_after_the_last_one(version: str | None, day: datetime, days: int | None) -> None:
    assert unsupported_days(Server("redis", version, "a", 1.0), day) == days


def test_a_fork_is_not_judged_by_the_version_it_pretends_to_be() -> None:
    assert unsupported_days(Server("valkey", "7.2.5", "a", 1.0), NOW) is None


def test_a_last_day_of_support_is_no_finding_and_the_next_is() -> None:
    last = Server("redis", "7.4.1", "a", 1.0)
    assert found(decide_server(last, situation())) == {}
    assert found(decide_server(Server("redis", "7.2.1", "a", 1.0), situation())) == {
        "redis.version_unsupported": "warning"
    }


def test_a_restart_is_seen_by_the_run_id() -> None:
    server = Server("redis", "8.2.3", "b", 1.0)
    assert found(decide_server(server, situation({"run_id": "a"}))) == {"redis.restarted": "warning"}
    assert found(decide_server(server, situation(remember_server(server, situation())))) == {}


@pytest.mark.parametrize("previous", [{}, {"run_id": None}])
def test_a_restart_is_unknown_without_an_earlier_run(previous: dict[str, None]) -> None:
    decision = decide_server(Server("redis", "8.2.3", "b", 1.0), situation(previous))
    assert "redis_restarted" not in decision.metrics
    assert found(decision) == {}


def test_a_server_that_says_nothing_is_no_error() -> None:
    decision = decide_server(Server("redis", None, None, None), situation({"run_id": "a"}))
    assert (decision.findings, decision.metrics) == ([], {})


def test_cluster_state() -> None:
    assert found(decide_cluster(None, situation())) == {}
    assert found(decide_cluster(Cluster("ok", 16384, 0), situation())) == {}
    assert found(decide_cluster(Cluster("fail", 16384, 5461), situation())) == {"redis.cluster_state": "critical"}
    assert found(decide_cluster(Cluster("ok", 16384, 1), situation())) == {"redis.cluster_slots": "critical"}
    (lacking,) = decide_cluster(Cluster("ok", 16383, 5), situation()).findings
    assert (lacking.id, lacking.value) == ("redis.cluster_slots", 6)
