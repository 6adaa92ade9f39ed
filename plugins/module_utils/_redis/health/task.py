# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of a Redis server, over one connection."""

from __future__ import annotations

from ..._core.connection import Connection
from ..._core.dependency import REDIS
from ..._core.health import Check, HealthTask
from ..._core.runner import Context
from ..._core.threshold import Thresholds
from ..client import DEFAULTS, RedisClient, connect
from ..decide_latency import decide_latency, decide_slow_log, remember_latency, remember_slow_log
from ..observe_latency import observe_latency, observe_slow_log
from ..observe_memory import observe_cache, observe_keyspace, observe_memory
from ..observe_server import identify, observe_cluster, observe_ping, observe_server
from .decide_memory import decide_cache, decide_keyspace, decide_memory, remember_cache, remember_memory
from .decide_server import decide_cluster, decide_ping, decide_server, remember_server
from .decide_service import (
    decide_clients,
    decide_persistence,
    decide_replication,
    remember_clients,
    remember_replication,
)
from .observe_service import observe_clients, observe_persistence, observe_replication
from .thresholds import HEALTH_THRESHOLDS

__all__ = ["CHECKS", "redis_health"]

CHECKS: tuple[Check[RedisClient], ...] = (
    Check("ping", observe_ping, decide_ping),
    Check("server", observe_server, decide_server, remember_server),
    Check("memory", observe_memory, decide_memory, remember_memory),
    Check("cache", observe_cache, decide_cache, remember_cache),
    Check("clients", observe_clients, decide_clients, remember_clients),
    Check("persistence", observe_persistence, decide_persistence),
    Check("replication", observe_replication, decide_replication, remember_replication),
    Check("cluster", observe_cluster, decide_cluster),
    Check("slow_log", observe_slow_log, decide_slow_log, remember_slow_log),
    Check("latency", observe_latency, decide_latency, remember_latency),
    Check("keyspace", observe_keyspace, decide_keyspace),
)


def redis_health(context: Context) -> HealthTask[RedisClient]:
    """Make the task of ``redis_health_info``. The driver is imported here, so that connecting is measured without."""
    REDIS.load()
    connection = Connection.of(context, DEFAULTS)
    return HealthTask(
        context,
        kind="redis",
        label=connection.label,
        connect=lambda: connect(connection, context.deadline),
        identify=identify,
        checks=CHECKS,
        thresholds=Thresholds(HEALTH_THRESHOLDS, context.params["thresholds"]),
    )
