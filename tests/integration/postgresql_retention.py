# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the task of postgresql_retention in this process, on tables of known content."""

from __future__ import annotations

from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import run
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.task import PostgresqlRetention
from tests.integration.health import context
from tests.stack.endpoint import Endpoint

DEFAULTS: dict[str, Any] = {
    "connect_timeout": "5s",
    "deadline": "1h",
    "lock_timeout": "1s",
    "batch_target_ms": 25,
    "rest_ratio": 0.0,
    "max_replica_lag": "10s",
    "max_changes": None,
}

EVENTS = """
CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL, amount numeric(10, 2),
    doubled numeric GENERATED ALWAYS AS (amount * 2) STORED, note varchar(40), created_at timestamptz NOT NULL);
INSERT INTO events (kind, amount, note, created_at)
    SELECT CASE n % 10 WHEN 0 THEN 'failed' ELSE 'done' END, n / 100.0, 'note ' || n, now() - n * interval '1 hour'
    FROM generate_series(1, 4800) AS n
"""
"""A table with a row for each of the last 200 days' hours; 2640 of them are older than 90 days."""

OLD = 4800 - 90 * 24


def rule(action: str = "delete", **more: Any) -> dict[str, Any]:
    """A rule over the events older than 90 days."""
    return {
        "name": "old events",
        "table": "events",
        "age_column": "created_at",
        "older_than": "90d",
        "action": action,
        **more,
    }


def retain(endpoint: Endpoint, *rules: dict[str, Any], check: bool = False, **params: Any) -> dict[str, Any]:
    """Run the module's task and return its result."""
    task_context = context({**endpoint.options(), **DEFAULTS, **params, "rules": list(rules)})
    return run(PostgresqlRetention(task_context), task_context, check_mode=check).as_dict()
