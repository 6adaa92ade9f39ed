# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What postgresql_health_info and postgresql_audit_info have in common: checks of one server over one connection."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from .._core.connection import Connection
from .._core.dependency import PSYCOPG
from .._core.health import Check, HealthTask
from .._core.runner import Context
from .._core.threshold import Threshold, Thresholds
from .client import PostgresqlClient, connect
from .options import DEFAULTS

__all__ = ["checks_task"]


def checks_task(
    context: Context, checks: Sequence[Check[PostgresqlClient]], defaults: Sequence[Threshold], depth: str
) -> HealthTask[PostgresqlClient]:
    """Make the task.

    :param checks: the checks that there are.
    :param defaults: their thresholds.
    :param depth: ``health`` or ``audit``.
    :raises InvalidInput: an option cannot be understood.
    :raises MissingDependency: psycopg is absent or too old.
    """
    connection = Connection.of(context, DEFAULTS)
    context.secrets.add(context.environment.get("PGPASSWORD"))
    thresholds = Thresholds(defaults, context.params["thresholds"])
    PSYCOPG.load()
    return HealthTask(
        context,
        "postgresql",
        connection.label,
        partial(connect, connection, context.deadline),
        lambda client: client.server.identity(),
        checks,
        thresholds,
        scope=connection.database,
        depth=depth,
    )
