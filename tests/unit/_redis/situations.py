# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Situations for the tests of Redis decisions, and what findings say in short."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._core.health import Situation
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Decision
from ansible_collections.dataops.upkeep.plugins.module_utils._core.threshold import Thresholds
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.health.thresholds import HEALTH_THRESHOLDS

NOW = datetime(2026, 11, 22, 2, tzinfo=timezone.utc)


def situation(previous: dict[str, Any] | None = None, **settings: Any) -> Situation:
    """A situation a day after the last run, with the default limits but for ``settings``."""
    return Situation(
        subject="cache:6379",
        thresholds=Thresholds(HEALTH_THRESHOLDS, settings),
        now=NOW,
        previous=previous or {},
        previous_at=NOW - timedelta(days=1) if previous else None,
    )


def found(decision: Decision) -> dict[str, str]:
    """Finding id to severity."""
    return {finding.id: finding.severity.value for finding in decision.findings}
