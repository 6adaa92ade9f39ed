# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits of a PostgreSQL database in good order, with where each comes from."""

from __future__ import annotations

from ..._core.threshold import Threshold
from .thresholds_indexes import INDEX_THRESHOLDS
from .thresholds_plans import PLAN_THRESHOLDS
from .thresholds_statements import STATEMENT_THRESHOLDS

__all__ = ["AUDIT_THRESHOLDS"]

STORAGE_THRESHOLDS = (
    Threshold(
        "sequence_percent",
        "percent",
        80,
        90,
        remedy="Give the column a wider type (bigint) and the sequence a higher limit before inserts fail.",
        source="PgHero (90 %); a change of type rewrites the table and has to be planned, so it warns earlier",
    ),
)

AUDIT_THRESHOLDS = (*STORAGE_THRESHOLDS, *INDEX_THRESHOLDS, *STATEMENT_THRESHOLDS, *PLAN_THRESHOLDS)
