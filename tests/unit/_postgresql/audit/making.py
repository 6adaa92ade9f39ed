# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The situation of an audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._core.health import Situation
from ansible_collections.dataops.upkeep.plugins.module_utils._core.threshold import Thresholds
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.thresholds import AUDIT_THRESHOLDS
from tests.unit._postgresql.making import situation as health_situation


def situation(previous: Mapping[str, Any] | None = None, hours: float = 24, **thresholds: Any) -> Situation:
    """As for health, with the audit's thresholds."""
    usual = health_situation(previous, hours)
    limits = Thresholds(AUDIT_THRESHOLDS, thresholds)
    return Situation(usual.subject, limits, usual.now, usual.previous, usual.previous_at)
