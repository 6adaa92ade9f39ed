# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of an audit, and the task that makes them."""

from __future__ import annotations

from functools import partial

from ..._core.health import Check, HealthTask
from ..._core.runner import Context
from ..._core.units import parse_size
from ..checks import checks_task
from ..client import PostgresqlClient
from ..index.catalogue import Catalogue
from ..index.memory import keep_ledger
from ..index.observe_use import observe_index_use
from .decide_bloat import decide_bloat, remember_ratios
from .decide_growth import decide_growth, remember_growth
from .decide_indexes import decide_indexes
from .decide_missing import decide_missing, remember_use
from .decide_plans import decide_plans
from .decide_sequences import decide_sequences
from .decide_settings import decide_settings
from .decide_statements import decide_statements, remember_statements
from .decide_table_ages import decide_table_ages
from .decide_upkeep import decide_upkeep, remember_upkeep
from .declared_plans import declared_queries
from .observe_bloat import observe_bloat
from .observe_growth import observe_growth
from .observe_missing import observe_missing
from .observe_plans import observe_plans
from .observe_sequences import observe_sequences
from .observe_settings import observe_settings
from .observe_statements import observe_statements
from .observe_vacuum import observe_table_ages, observe_upkeep
from .thresholds import AUDIT_THRESHOLDS

__all__ = ["CHECKS", "postgresql_audit"]


def _checks() -> tuple[Check[PostgresqlClient], ...]:
    """Return the checks of one run; those that are about indexes share what they read."""
    catalogue = Catalogue()
    return (
        Check("bloat", observe_bloat, decide_bloat, remember_ratios),
        Check("vacuum", observe_upkeep, decide_upkeep, remember_upkeep),
        Check("wraparound", observe_table_ages, decide_table_ages),
        Check("sequences", observe_sequences, decide_sequences),
        Check("growth", observe_growth, decide_growth, remember_growth),
        Check("settings", observe_settings, decide_settings),
        Check("indexes", partial(observe_index_use, catalogue=catalogue), decide_indexes, keep=keep_ledger),
        Check("missing_indexes", partial(observe_missing, catalogue=catalogue), decide_missing, remember_use),
        Check("queries", observe_statements, decide_statements, remember_statements),
        Check("plans", observe_plans, decide_plans),
    )


CHECKS = _checks()
"""What checks there are."""


def postgresql_audit(context: Context) -> HealthTask[PostgresqlClient]:
    """Make the task.

    :raises InvalidInput: an option cannot be understood.
    :raises MissingDependency: psycopg is absent or too old.
    """
    declared_queries(context.params["queries"])
    parse_size(context.params["exact_max_size"], "exact_max_size")
    return checks_task(context, _checks(), AUDIT_THRESHOLDS, "audit")
