# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_retention beside a standby: it waits for one that lags, and changes nothing on one."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.errors import StandbyServer
from tests.integration.postgresql_retention import EVENTS, count, make, retain, rule
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql_standby import wait_replayed

OLD = rule(older_than="1d")


def test_a_standby_that_lags_is_waited_for(postgresql18_pair: tuple[Endpoint, Endpoint]) -> None:
    primary, standby = postgresql18_pair
    make(primary, "DROP TABLE IF EXISTS events", EVENTS)
    wait_replayed(primary, standby)
    with pytest.raises(StandbyServer):
        retain(standby, OLD)
    results: list[dict[str, Any]] = []
    slow = {"batch_target_ms": 1, "rest_ratio": 50.0, "max_replica_lag": "1s"}
    thread = threading.Thread(target=lambda: results.append(retain(primary, OLD, **slow)))
    make(standby, "SELECT pg_wal_replay_pause()")
    try:
        thread.start()
        time.sleep(6)
        before = count(primary)
        time.sleep(2)
        assert count(primary) == before > 24
    finally:
        make(standby, "SELECT pg_wal_replay_resume()")
    thread.join()
    assert "rested" in results[0]["actions"][0]["detail"]
    assert results[0]["status"] == "ok"
    assert count(primary) == 24
