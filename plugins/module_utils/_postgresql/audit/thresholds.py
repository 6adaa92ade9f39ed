# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits of a PostgreSQL database in good order, with where each comes from."""

from __future__ import annotations

from .thresholds_indexes import INDEX_THRESHOLDS
from .thresholds_plans import PLAN_THRESHOLDS
from .thresholds_statements import STATEMENT_THRESHOLDS
from .thresholds_storage import STORAGE_THRESHOLDS

__all__ = ["AUDIT_THRESHOLDS"]

AUDIT_THRESHOLDS = (*STORAGE_THRESHOLDS, *INDEX_THRESHOLDS, *STATEMENT_THRESHOLDS, *PLAN_THRESHOLDS)
