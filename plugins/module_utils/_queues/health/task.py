# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of queues, over one connection to the Redis server that keeps them."""

from __future__ import annotations

from ..._core.connection import Connection
from ..._core.dependency import PSYCOPG, REDIS
from ..._core.errors import InvalidInput
from ..._core.health import Check, HealthTask
from ..._core.runner import Context
from ..._core.threshold import Thresholds
from ..._core.units import parse_duration
from ..._redis.client import DEFAULTS
from ..observations import Reading
from .decide_details import decide_ages, decide_rates, decide_schedulers
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
from .decide_remains import decide_ghosts, decide_orphans, decide_workers
from .elsewhere import elsewhere
from .observation import Looked
from .reader import HealthReader, Wanted, connect_queues
from .thresholds import HEALTH_THRESHOLDS

__all__ = ["CHECKS", "DEFAULT_CHECKS", "queue_health"]


def observe_queues(reader: HealthReader, _context: Context) -> Reading:
    """Read the queues."""
    return reader.take()


def observe_eviction(reader: HealthReader, _context: Context) -> str | None:
    """Read the eviction policy, of a cluster one that is not as it should be on any node."""
    policies = reader.policies()
    return next((policy for policy in policies if policy != "noeviction"), policies[0] if policies else None)


def observe_details(reader: HealthReader, _context: Context) -> Looked:
    """Look closer at the queues."""
    return reader.details()


CHECKS: tuple[Check[HealthReader], ...] = (
    Check("counts", observe_queues, decide_counts),
    Check("backlog", observe_queues, decide_backlog, remember_backlog),
    Check("active", observe_queues, decide_active),
    Check("paused", observe_queues, decide_paused),
    Check("failures", observe_queues, decide_failures),
    Check("delayed", observe_queues, decide_delayed),
    Check("ages", observe_details, decide_ages),
    Check("rates", observe_details, decide_rates),
    Check("schedulers", observe_details, decide_schedulers),
    Check("workers", lambda reader, _context: reader.workers(), decide_workers),
    Check("ghosts", lambda reader, _context: reader.ghosts(), decide_ghosts),
    Check("orphans", lambda reader, _context: reader.orphans(), decide_orphans),
    Check("events", lambda reader, _context: reader.events(), decide_events),
    Check("eviction", observe_eviction, decide_eviction),
)

DEFAULT_CHECKS = tuple(check.name for check in CHECKS if check.name != "orphans")
"""To look for orphans takes a walk over all keys."""


def queue_health(context: Context) -> HealthTask[HealthReader]:
    """Make the task of ``queue_health_info``. The driver is imported here, so that connecting is measured without.

    :raises InvalidInput: an option cannot be understood.
    :raises MissingDependency: a driver is absent or too old.
    """
    window = parse_duration(context.params["failure_window"], "failure_window")
    if window < 60:
        raise InvalidInput("failure_window", "it is below a minute", "Give at least 1min.")
    prefix, names = context.params["prefix"], context.params["queues"]
    if not prefix or not all(names):
        raise InvalidInput("prefix" if not prefix else "queues", "a name is empty", "Leave it out instead.")
    search = parse_duration(context.params["search_time"], "search_time")
    other = elsewhere(context, context.params["postgresql"])
    REDIS.load()
    if other is not None:
        PSYCOPG.load()
    connection = Connection.of(context, DEFAULTS)
    place = f"/{connection.database}" if connection.database else ""
    return HealthTask(
        context,
        kind="queue",
        label=f"{connection.label}{place} {prefix}",
        connect=lambda: connect_queues(connection, context, Wanted(prefix, names, window, search, other)),
        identify=HealthReader.identify,
        checks=CHECKS,
        thresholds=Thresholds(HEALTH_THRESHOLDS, context.params["thresholds"]),
    )
