# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Endpoints, replies and situations of decisions."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._core.health import Situation
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Decision
from ansible_collections.dataops.upkeep.plugins.module_utils._core.threshold import Thresholds
from ansible_collections.dataops.upkeep.plugins.module_utils._http.facts import Address, Endpoint, Reply
from ansible_collections.dataops.upkeep.plugins.module_utils._http.thresholds import HEALTH_THRESHOLDS

NOW = datetime(2026, 11, 22, 2, tzinfo=timezone.utc)
AT = NOW.timestamp()
PLAIN = Address(False, "app.example.com", 80, "/health")
SECURE = Address(True, "app.example.com", 443, "/health")


def endpoint(**more: Any) -> Endpoint:
    """An endpoint of which nothing special is asked."""
    return Endpoint(**{"name": "health", "address": PLAIN, **more})


def reply(body: bytes = b"{}", status: int = 200, size: int | None = None, **headers: str) -> Reply:
    """An answer that took 5 ms; a header's name is written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, named, body, len(body) if size is None else size, False, 5.0)


def situation(previous: dict[str, Any] | None = None, now: datetime = NOW, **limits: Any) -> Situation:
    """What a decision knows beside the observation."""
    return Situation("shop", Thresholds(HEALTH_THRESHOLDS, limits), now, previous or {})


def found(decision: Decision) -> dict[str, str]:
    """Severity by finding id."""
    return {finding.id: finding.severity.value for finding in decision.findings}
