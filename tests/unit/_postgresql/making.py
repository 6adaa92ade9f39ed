# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observations in order, of which a test changes one thing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._core.finding import Finding
from ansible_collections.dataops.upkeep.plugins.module_utils._core.health import Situation
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Decision
from ansible_collections.dataops.upkeep.plugins.module_utils._core.threshold import Thresholds
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.autovacuum import Table
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.observation import Session
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.thresholds import HEALTH_THRESHOLDS
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.server import Server

NOW = datetime(2026, 11, 22, 2, tzinfo=timezone.utc)
SETTINGS = {
    "max_connections": "100",
    "superuser_reserved_connections": "3",
    "reserved_connections": "0",
    "archive_mode": "on",
    "autovacuum": "on",
    "track_counts": "on",
    "autovacuum_vacuum_threshold": "50",
    "autovacuum_vacuum_max_threshold": "100000000",
    "autovacuum_vacuum_scale_factor": "0.2",
    "autovacuum_vacuum_insert_threshold": "1000",
    "autovacuum_vacuum_insert_scale_factor": "0.2",
    "autovacuum_analyze_threshold": "50",
    "autovacuum_analyze_scale_factor": "0.1",
    "autovacuum_freeze_max_age": "200000000",
    "autovacuum_multixact_freeze_max_age": "400000000",
}


def server(*, settings: Mapping[str, str | None] | None = None, **changes: Any) -> Server:
    """A primary of version 18 that has run for ten days."""
    facts: dict[str, Any] = {
        "version": "18.6",
        "number": 180006,
        "database": "app",
        "user": "monitor",
        "in_recovery": False,
        "started": NOW.timestamp() - 864000,
        "now": NOW.timestamp(),
        "sees_all": True,
        **changes,
    }
    return Server(settings={**SETTINGS, **(settings or {})}, **facts)


def situation(
    previous: Mapping[str, Any] | None = None, hours: float = 24, thresholds: Mapping[str, Any] | None = None
) -> Situation:
    """The situation at NOW, the last run ``hours`` ago if there was one."""
    at = None if previous is None else NOW - timedelta(hours=hours)
    return Situation("db:5432", Thresholds(HEALTH_THRESHOLDS, thresholds), NOW, previous or {}, at)


def session(pid: int = 1, **changes: Any) -> Session:
    """A session in a short transaction."""
    facts: dict[str, Any] = {
        "database": "app",
        "user": "web",
        "application": "api",
        "state": "active",
        "waits": False,
        "transaction_seconds": 1.0,
        "state_seconds": 1.0,
        **changes,
    }
    return Session(pid, **facts)


def table(name: str = "events", **changes: Any) -> Table:
    """A table of 10000 rows in which nothing is due."""
    facts: dict[str, Any] = {
        "rows": 10_000.0,
        "pages": 100,
        "frozen_pages": 0,
        "options": (),
        "dead": 0,
        "modified": 0,
        "inserted": 0,
        "vacuum_seconds": 3600.0,
        "analyze_seconds": 3600.0,
        "running": False,
        **changes,
    }
    return Table("public", name, **facts)


def ids(decision: Decision) -> list[tuple[str, str]]:
    """Id and severity of every finding."""
    return [(finding.id, finding.severity.value) for finding in decision.findings]


def one(decision: Decision) -> Finding:
    """The only finding."""
    (finding,) = decision.findings
    return finding
