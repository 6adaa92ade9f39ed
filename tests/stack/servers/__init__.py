# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How each kind of store is prepared, started and known to be ready."""

from __future__ import annotations

from collections.abc import Callable

from tests.stack.endpoint import Endpoint
from tests.stack.servers import mongodb, postgresql, redis
from tests.stack.servers.base import Ready

__all__ = ["READY", "ready_check"]

READY: dict[str, Callable[[Endpoint, int], Ready]] = {
    "postgresql": postgresql.ready,
    "mongodb": mongodb.ready,
    "redis": redis.ready,
}


def ready_check(endpoint: Endpoint, port: int) -> Ready:
    """A function that tells whether the server behind one port of a store answers."""
    return READY[endpoint.kind](endpoint, port)
