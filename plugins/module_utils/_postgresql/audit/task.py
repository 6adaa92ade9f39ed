# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of an audit, and the task that makes them."""

from __future__ import annotations

from ..._core.health import Check, HealthTask
from ..._core.runner import Context
from ..checks import checks_task
from ..client import PostgresqlClient
from ..index.memory import keep_ledger
from ..index.observe_use import observe_index_use
from .decide_indexes import decide_indexes
from .decide_missing import decide_missing, remember_use
from .decide_plans import decide_plans
from .decide_sequences import decide_sequences
from .decide_statements import decide_statements, remember_statements
from .declared_plans import declared_queries
from .observe_missing import observe_missing
from .observe_plans import observe_plans
from .observe_sequences import observe_sequences
from .observe_statements import observe_statements
from .thresholds import AUDIT_THRESHOLDS

__all__ = ["CHECKS", "postgresql_audit"]

CHECKS: tuple[Check[PostgresqlClient], ...] = (
    Check("sequences", observe_sequences, decide_sequences),
    Check("indexes", observe_index_use, decide_indexes, keep=keep_ledger),
    Check("missing_indexes", observe_missing, decide_missing, remember_use),
    Check("queries", observe_statements, decide_statements, remember_statements),
    Check("plans", observe_plans, decide_plans),
)


def postgresql_audit(context: Context) -> HealthTask[PostgresqlClient]:
    """Make the task.

    :raises InvalidInput: an option cannot be understood.
    :raises MissingDependency: psycopg is absent or too old.
    """
    declared_queries(context.params["queries"])
    return checks_task(context, CHECKS, AUDIT_THRESHOLDS, "audit")
