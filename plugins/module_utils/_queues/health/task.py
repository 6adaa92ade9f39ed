# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of queues, over one connection to the Redis server that keeps them."""

from __future__ import annotations

from ..._core.connection import Connection
from ..._core.dependency import REDIS
from ..._core.errors import InvalidInput
from ..._core.health import Check, HealthTask
from ..._core.runner import Context
from ..._core.threshold import Thresholds
from ..._core.units import parse_duration
from ..._redis.client import DEFAULTS
from ..client import QueueReader, connect_queues
from ..observations import Reading
from .decide_queue import (
    decide_active,
    decide_backlog,
    decide_counts,
    decide_delayed,
    decide_events,
    decide_eviction,
    decide_failures,
    decide_paused,
    remember_backlog,
)
from .thresholds import HEALTH_THRESHOLDS

__all__ = ["CHECKS", "queue_health"]


def observe_queues(reader: QueueReader, _context: Context) -> Reading:
    """Read the queues."""
    return reader.take()


def observe_eviction(reader: QueueReader, _context: Context) -> str | None:
    """Read the eviction policy, of a cluster one that is not as it should be on any node."""
    policies = reader.policies()
    return next((policy for policy in policies if policy != "noeviction"), policies[0] if policies else None)


CHECKS: tuple[Check[QueueReader], ...] = (
    Check("counts", observe_queues, decide_counts),
    Check("backlog", observe_queues, decide_backlog, remember_backlog),
    Check("active", observe_queues, decide_active),
    Check("paused", observe_queues, decide_paused),
    Check("failures", observe_queues, decide_failures),
    Check("delayed", observe_queues, decide_delayed),
    Check("events", observe_queues, decide_events),
    Check("eviction", observe_eviction, decide_eviction),
)


def queue_health(context: Context) -> HealthTask[QueueReader]:
    """Make the task of ``queue_health_info``. The driver is imported here, so that connecting is measured without.

    :raises InvalidInput: an option cannot be understood.
    """
    window = parse_duration(context.params["failure_window"], "failure_window")
    if window < 60:
        raise InvalidInput("failure_window", "it is below a minute", "Give at least 1min.")
    prefix, names = context.params["prefix"], context.params["queues"]
    if not prefix or not all(names):
        raise InvalidInput("prefix" if not prefix else "queues", "a name is empty", "Leave it out instead.")
    REDIS.load()
    connection = Connection.of(context, DEFAULTS)
    place = f"/{connection.database}" if connection.database else ""
    return HealthTask(
        context,
        kind="queue",
        label=f"{connection.label}{place} {prefix}",
        connect=lambda: connect_queues(connection, context, prefix, names, window),
        identify=QueueReader.identify,
        checks=CHECKS,
        thresholds=Thresholds(HEALTH_THRESHOLDS, context.params["thresholds"]),
    )
