# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of an audit, and the task that makes them."""

from __future__ import annotations

from ..._core.health import Check, HealthTask
from ..._core.runner import Context
from ..checks import checks_task
from ..client import PostgresqlClient
from .decide_sequences import decide_sequences
from .observe_sequences import observe_sequences
from .thresholds import AUDIT_THRESHOLDS

__all__ = ["CHECKS", "postgresql_audit"]

CHECKS: tuple[Check[PostgresqlClient], ...] = (Check("sequences", observe_sequences, decide_sequences),)


def postgresql_audit(context: Context) -> HealthTask[PostgresqlClient]:
    """Make the task.

    :raises InvalidInput: an option cannot be understood.
    :raises MissingDependency: psycopg is absent or too old.
    """
    return checks_task(context, CHECKS, AUDIT_THRESHOLDS, "audit")
