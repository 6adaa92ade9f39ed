# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The replica set as the server that was asked sees it."""

from __future__ import annotations

from ..._core.runner import Context
from ..client import Client
from .observation import ReplicaSet
from .observe_server import MONITOR, observe_server
from .reading import read_members

__all__ = ["observe_replication"]

SUSPICIOUS_LAG_SECONDS = 2.0
"""On a quiet set the first write after a pause makes every secondary look as late as the pause was long."""

SECOND_LOOK_AFTER_SECONDS = 1.0


def observe_replication(client: Client, context: Context) -> ReplicaSet:
    """Read the members' states; a lag is looked at twice, for a real one is still there a second later."""
    server = observe_server(client)
    if not server.replica_set:
        return ReplicaSet(None, broken=server.expects_replica_set)
    replica_set = _read(client)
    if max(replica_set.lags().values(), default=0.0) > SUSPICIOUS_LAG_SECONDS:
        context.clock.sleep(context.deadline.limit(SECOND_LOOK_AFTER_SECONDS))
        replica_set = _read(client)
    return replica_set


def _read(client: Client) -> ReplicaSet:
    status = client.command("read the state of the replica set", {"replSetGetStatus": 1}, needs=MONITOR)
    config = client.command("read the replica set's configuration", {"replSetGetConfig": 1}, needs=MONITOR)
    return read_members(status, config["config"])
