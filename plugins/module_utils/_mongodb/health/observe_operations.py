# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations that run now, without what they look for."""

from __future__ import annotations

from typing import Any

from ..._core.runner import Context
from ..client import Client
from .observation import Operations
from .observe_server import MONITOR
from .reading import read_operation

__all__ = ["observe_operations"]

MOST_OPERATIONS = 20
"""The longest of them; who has more has one trouble, not many."""

LOCK_HOLDER = "fsyncLockWorker"
"""Name of the server's thread that runs as long as fsyncLock holds."""

MAINTENANCE = ("createIndexes", "compact", "validate", "reIndex", "collMod", "replSetStepDown", "fsync")
"""Commands that take long by their nature and that somebody watches."""

_OF_A_CLIENT: dict[str, Any] = {
    "active": True,
    "secs_running": {"$gte": 1},
    "op": {"$ne": "none"},
    "ns": {"$not": {"$regex": r"^local\."}},
    "cursor.tailable": {"$ne": True},
    "effectiveUsers.user": {"$ne": "__system"},
    "$or": [{"client": {"$exists": True}}, {"client_s": {"$exists": True}}],
    **{f"command.{name}": {"$exists": False} for name in ("hello", "isMaster", "ismaster", *MAINTENANCE)},
}
"""What an application runs: not the server's own threads, replication, waiting hellos and change streams."""

_COMMAND_NAME = {
    "$arrayElemAt": [{"$map": {"input": {"$objectToArray": {"$ifNull": ["$command", {}]}}, "in": "$$this.k"}}, 0]
}

_PIPELINE: list[dict[str, Any]] = [
    {"$currentOp": {"allUsers": True, "idleConnections": False}},
    {"$match": {"$or": [{"desc": LOCK_HOLDER}, _OF_A_CLIENT]}},
    {"$sort": {"secs_running": -1}},
    {"$limit": MOST_OPERATIONS + 1},
    {
        "$project": {
            **dict.fromkeys(("desc", "opid", "ns", "secs_running", "microsecs_running", "appName"), 1),
            **dict.fromkeys(("client", "planSummary", "waitingForLock"), 1),
            "kind": {"$cond": [{"$eq": ["$op", "command"]}, _COMMAND_NAME, "$op"]},
        }
    },
]


def observe_operations(client: Client, _context: Context) -> Operations:
    """Read the longest operations of clients, and whether the server is locked against writes."""
    found = client.aggregate("list the running operations", _PIPELINE, needs=MONITOR)
    running = [read_operation(document) for document in found if document.get("desc") != LOCK_HOLDER]
    return Operations(tuple(running), locked=len(running) < len(found))
