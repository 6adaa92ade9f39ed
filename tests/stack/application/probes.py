# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The application's own look at its stores, for `/health`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

import psycopg
import pymongo
import pymongo.errors
import redis

from tests.stack.endpoint import Endpoint
from tests.stack.servers import postgresql
from tests.stack.servers import redis as redis_server

__all__ = ["StoreProbes"]

SECONDS = 2
PATIENCE_SECONDS = 3.0


class StoreProbes:
    """Asks every store one question, side by side, and never waits long for a dead one."""

    def __init__(self, endpoints: Mapping[str, Endpoint]) -> None:
        makers: dict[str, Callable[[Endpoint], Callable[[], None]]] = {
            "postgresql": _postgresql,
            "mongodb": _mongodb,
            "redis": _redis,
        }
        self._probes = {kind: makers[kind](endpoint) for kind, endpoint in endpoints.items()}
        self._pool = ThreadPoolExecutor(max_workers=4 * max(1, len(self._probes)))

    def look(self) -> dict[str, dict[str, Any]]:
        """State of each store: `status` is `ok` or `error`, with the milliseconds it took."""
        waiting = {kind: (time.monotonic(), self._pool.submit(probe)) for kind, probe in self._probes.items()}
        return {kind: _judge(began, future) for kind, (began, future) in waiting.items()}


def _judge(began: float, future: Future[None]) -> dict[str, Any]:
    try:
        future.result(timeout=PATIENCE_SECONDS)
    except (FutureTimeoutError, psycopg.Error, pymongo.errors.PyMongoError, redis.RedisError):
        return {"status": "error"}  # the reason may name hosts and users: it belongs into the log, not here
    return {"status": "ok", "latency_ms": round((time.monotonic() - began) * 1000, 1)}


def _postgresql(endpoint: Endpoint) -> Callable[[], None]:
    def probe() -> None:
        with postgresql.connect(endpoint, connect_timeout=SECONDS) as session:
            session.execute("SELECT 1")

    return probe


def _mongodb(endpoint: Endpoint) -> Callable[[], None]:
    milliseconds = SECONDS * 1000
    client: pymongo.MongoClient = pymongo.MongoClient(
        endpoint.uri,
        serverSelectionTimeoutMS=milliseconds,
        connectTimeoutMS=milliseconds,
        socketTimeoutMS=milliseconds,
        connect=False,
    )

    def probe() -> None:
        client.admin.command("ping")

    return probe


def _redis(endpoint: Endpoint) -> Callable[[], None]:
    client = redis_server.connect(endpoint, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)

    def probe() -> None:
        client.ping()

    return probe
