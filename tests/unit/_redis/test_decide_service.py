# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._redis.health.decide_service import (
    decide_clients,
    decide_persistence,
    decide_replication,
    remember_clients,
    remember_replication,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.observations import (
    Clients,
    Persistence,
    Replica,
    Replication,
)
from tests.unit._redis.situations import found, situation

CALM = Clients(800, 1000, 100, {"run_id": "a", "rejected": 5})
SAVED = Persistence(
    loading=False,
    loading_eta=None,
    snapshots=True,
    changes=10,
    save_age=48 * 3600.0,
    save_status="ok",
    aof=False,
    aof_write_status="ok",
    aof_rewrite_status="ok",
)
FOLLOWER = Replica("10.0.0.2:6379", "online", 10.0, 100 * 1024**2)


@pytest.mark.parametrize(
    ("clients", "expected"),
    [
        (CALM, {}),
        (CALM._replace(connected=801), {"redis.clients": "warning"}),
        (CALM._replace(connected=951), {"redis.clients": "critical"}),
        (CALM._replace(maximum=None), {}),
        (CALM._replace(maximum=0), {}),
        (CALM._replace(connected=None), {}),
        (CALM._replace(blocked=101), {"redis.blocked_clients": "warning"}),
        (CALM._replace(blocked=None), {}),
    ],
)
def test_clients(clients: Clients, expected: dict[str, str]) -> None:
    assert found(decide_clients(clients, situation())) == expected


def test_rejected_connections_since_the_last_run() -> None:
    more = CALM._replace(counters={"run_id": "a", "rejected": 6})
    earlier = situation(remember_clients(CALM, situation()))
    assert found(decide_clients(CALM, earlier)) == {}
    assert found(decide_clients(more, earlier)) == {"redis.rejected_connections": "warning"}
    assert found(decide_clients(more, situation())) == {}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (SAVED, {}),
        (SAVED._replace(save_age=48 * 3600 + 1.0), {"redis.save_overdue": "warning"}),
        (SAVED._replace(save_age=9e9, changes=0), {}),
        (SAVED._replace(save_age=9e9, changes=None), {}),
        (SAVED._replace(save_age=None), {}),
        (SAVED._replace(save_age=9e9, snapshots=False), {}),
        (SAVED._replace(save_age=9e9, snapshots=None), {"redis.save_overdue": "warning"}),
        (SAVED._replace(save_status="err"), {"redis.rdb_failed": "critical"}),
        (SAVED._replace(save_status=None), {}),
        (SAVED._replace(aof_write_status="err"), {}),
        (SAVED._replace(aof=True, aof_write_status="err"), {"redis.aof_failed": "critical"}),
        (SAVED._replace(aof=True, aof_rewrite_status="err"), {"redis.aof_rewrite_failed": "warning"}),
    ],
)
def test_persistence(state: Persistence, expected: dict[str, str]) -> None:
    assert found(decide_persistence(state, situation())) == expected


def test_a_user_who_may_not_read_settings_is_told_of_the_doubt() -> None:
    finding = decide_persistence(SAVED._replace(save_age=9e9, snapshots=None), situation()).findings[0]
    assert "may not be read" in finding.message


@pytest.mark.parametrize(
    ("replica", "expected"),
    [
        (FOLLOWER, {}),
        (FOLLOWER._replace(lag_seconds=11), {"redis.replica_lag": "warning"}),
        (FOLLOWER._replace(lag_seconds=61), {"redis.replica_lag": "critical"}),
        (FOLLOWER._replace(lag_seconds=None, lag_bytes=None), {}),
        (FOLLOWER._replace(lag_bytes=100 * 1024**2 + 1), {"redis.replica_lag_bytes": "warning"}),
        (FOLLOWER._replace(state="wait_bgsave"), {"redis.replica_not_online": "warning"}),
    ],
)
def test_each_replica_of_a_master(replica: Replica, expected: dict[str, str]) -> None:
    decision = decide_replication(Replication("master", (replica,)), situation())
    assert found(decision) == expected
    assert all("10.0.0.2:6379" in finding.subject for finding in decision.findings)


def test_a_replica_that_is_gone() -> None:
    earlier = situation(remember_replication(Replication("master", (FOLLOWER,)), situation()))
    decision = decide_replication(Replication("master"), earlier)
    assert found(decision) == {"redis.replica_lost": "warning"}
    assert "10.0.0.2:6379" in decision.findings[0].message
    assert found(decide_replication(Replication("master"), situation())) == {}
    assert found(decide_replication(Replication("master", (FOLLOWER,)), earlier)) == {}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (Replication("slave", master="m:1", link="up", silent_seconds=10), {}),
        (Replication("slave", master="m:1", link="up", silent_seconds=11), {"redis.replica_lag": "warning"}),
        (Replication("slave", master="m:1", link="down", down_seconds=5), {"redis.replication_link": "critical"}),
        (Replication("slave", master="m:1", link="down", down_seconds=-1), {"redis.replication_link": "critical"}),
        (Replication("slave", master="m:1", link=None), {"redis.replication_link": "critical"}),
        (Replication(None), {}),
    ],
)
def test_a_replica_and_its_master(state: Replication, expected: dict[str, str]) -> None:
    assert found(decide_replication(state, situation())) == expected
