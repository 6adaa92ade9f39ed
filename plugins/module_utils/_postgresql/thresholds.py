# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits that the daily check of a server and the audit of a database have in common, with where each comes from."""

from __future__ import annotations

from .._core.threshold import Threshold

__all__ = ["VACUUM_THRESHOLDS", "WRAPAROUND_THRESHOLDS"]

HOUR = 3600

_FREEZE = (
    "Run VACUUM (FREEZE) on the database's oldest tables once nothing holds them back any more: old "
    "transactions, prepared transactions, replication slots."
)

WRAPAROUND_THRESHOLDS = (
    Threshold(
        "transaction_age",
        "count",
        1_300_000_000,
        1_400_000_000,
        remedy=_FREEZE,
        source="check_postgres (txn_wraparound); the server stops at 2147 million",
    ),
    Threshold(
        "multixact_age",
        "count",
        1_300_000_000,
        1_400_000_000,
        remedy=_FREEZE,
        source="as transaction_age",
    ),
    Threshold(
        "freeze_percent",
        "percent",
        150,
        remedy="Autovacuum should have begun long ago: see that it is on, not blocked, and fast enough "
        "(autovacuum_max_workers, autovacuum_vacuum_cost_limit).",
        source="autovacuum_freeze_max_age: autovacuum begins by itself at 100 %",
    ),
    Threshold(
        "held_age",
        "count",
        10_000_000,
        150_000_000,
        remedy="End the session, finish the prepared transaction or drop the slot: vacuum removes nothing newer.",
        source="three quarters of autovacuum_freeze_max_age (200 million) is critical",
    ),
)

VACUUM_THRESHOLDS = (
    Threshold(
        "vacuum_overdue_ratio",
        "ratio",
        2,
        remedy="Run VACUUM (ANALYZE) on it; switch autovacuum on for it, or make it faster.",
        source="1 is where autovacuum begins by its own formula",
    ),
    Threshold(
        "analyze_overdue_ratio",
        "ratio",
        2,
        remedy="Run ANALYZE on it; switch autovacuum on for it.",
        source="1 is where autovacuum begins by its own formula",
    ),
    Threshold(
        "overdue_seconds",
        "seconds",
        12 * HOUR,
        remedy="See vacuum_overdue_ratio and analyze_overdue_ratio; both have to be crossed.",
        source="half a day; PgHero and awesome-prometheus-alerts wait for ten",
    ),
)
