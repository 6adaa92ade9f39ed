# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of a PostgreSQL server, and the task that makes them."""

from __future__ import annotations

from ..._core.health import Check, HealthTask
from ..._core.runner import Context
from ..checks import checks_task
from ..client import PostgresqlClient
from ..decide_overdue import remember_overdue
from ..observe_changes import observe_changes
from ..observe_checkpoints import observe_checkpoints
from .decide_availability import decide_availability, remember_start
from .decide_connections import decide_connections
from .decide_databases import decide_activity, decide_cache, decide_sizes, remember_counters, remember_sizes
from .decide_indexes import decide_indexes
from .decide_replication import decide_replication, remember_replication
from .decide_sessions import decide_sessions
from .decide_vacuum import decide_vacuum
from .decide_wal import decide_archiving, decide_checkpoints, remember_archiver, remember_checkpoints
from .decide_wraparound import decide_wraparound
from .observe_indexes import observe_indexes
from .observe_replication import observe_replication
from .observe_server import observe_availability, observe_connections, observe_sessions
from .observe_statistics import (
    observe_archiving,
    observe_databases,
    observe_sizes,
    observe_wraparound,
)
from .thresholds import HEALTH_THRESHOLDS

__all__ = ["CHECKS", "postgresql_health"]

CHECKS: tuple[Check[PostgresqlClient], ...] = (
    Check("availability", observe_availability, decide_availability, remember_start),
    Check("connections", observe_connections, decide_connections),
    Check("sessions", observe_sessions, decide_sessions),
    Check("replication", observe_replication, decide_replication, remember_replication),
    Check("wraparound", observe_wraparound, decide_wraparound),
    Check("cache", observe_databases, decide_cache, remember_counters),
    Check("activity", observe_databases, decide_activity, remember_counters),
    Check(
        "checkpoints",
        lambda client, _context: observe_checkpoints(client),
        decide_checkpoints,
        remember_checkpoints,
    ),
    Check("archiving", observe_archiving, decide_archiving, remember_archiver),
    Check("sizes", observe_sizes, decide_sizes, remember_sizes),
    Check("vacuum", lambda client, _context: observe_changes(client, toast=False), decide_vacuum, remember_overdue),
    Check("indexes", observe_indexes, decide_indexes),
)


def postgresql_health(context: Context) -> HealthTask[PostgresqlClient]:
    """Make the task.

    :raises InvalidInput: an option cannot be understood.
    :raises MissingDependency: psycopg is absent or too old.
    """
    return checks_task(context, CHECKS, HEALTH_THRESHOLDS, "health")
