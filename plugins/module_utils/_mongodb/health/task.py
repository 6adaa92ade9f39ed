# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of ``mongodb_health_info`` and the task that runs them."""

from __future__ import annotations

from ..._core.connection import Connection
from ..._core.dependency import PYMONGO
from ..._core.health import Check, HealthTask
from ..._core.runner import Context
from ..._core.threshold import Thresholds
from ..client import DEFAULTS, Client, connect
from . import decide_load as load
from .decide_operations import decide_operations
from .decide_replication import decide_oplog, decide_replication
from .decide_server import decide_latency, decide_uptime, decide_version, remember_process
from .decide_storage import decide_storage, remember_storage
from .observe_operations import observe_operations
from .observe_replication import observe_replication
from .observe_server import identify, observe_latency, observe_oplog, observe_server, observe_status
from .observe_storage import observe_storage
from .thresholds import HEALTH_THRESHOLDS

__all__ = ["CHECKS", "mongodb_health"]

CHECKS: tuple[Check[Client], ...] = (
    Check("ping", observe_latency, decide_latency),
    Check("version", observe_server, decide_version),
    Check("uptime", observe_status, decide_uptime, remember_process),
    Check("replication", observe_replication, decide_replication),
    Check("oplog", observe_oplog, decide_oplog),
    Check("connections", observe_status, load.decide_connections),
    Check("queues", observe_status, load.decide_queues),
    Check("cache", observe_status, load.decide_cache),
    Check("asserts", observe_status, load.decide_asserts, load.remember_asserts),
    Check("page_faults", observe_status, load.decide_page_faults, load.remember_page_faults),
    Check("cursors", observe_status, load.decide_cursors, load.remember_cursors),
    Check("operations", observe_operations, decide_operations),
    Check("storage", observe_storage, decide_storage, remember_storage),
)


def mongodb_health(context: Context) -> HealthTask[Client]:
    """Return the task that checks the server which the context's options name.

    :raises InvalidInput: an option cannot be understood.
    :raises MissingDependency: pymongo is absent or too old.
    """
    thresholds = Thresholds(HEALTH_THRESHOLDS, context.params["thresholds"])
    connection = Connection.of(context, DEFAULTS)
    PYMONGO.load()
    return HealthTask(
        context,
        kind="mongodb",
        label=connection.label,
        connect=lambda: connect(connection, context.deadline),
        identify=identify,
        checks=CHECKS,
        thresholds=thresholds,
        scope=connection.database,
    )
