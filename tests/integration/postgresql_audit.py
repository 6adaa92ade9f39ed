# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the task of postgresql_audit_info in this process."""

from __future__ import annotations

from typing import Any

import psycopg

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.task import CHECKS, postgresql_audit
from tests.integration.health import HealthRunner

__all__ = ["Audit", "vacuum"]

OPTIONS: dict[str, Any] = {
    "exact": False,
    "exact_max_size": "10GB",
    "accepted_settings": [],
    "unused_after": "30d",
    "min_size": "10MB",
    "max_scans": 0,
    "replicas": [],
    "queries": [],
    "search_path": ["$user", "public"],
}
"""The module's own options with their defaults, where these are not None."""


def vacuum(session: psycopg.Connection[Any], table: str = "") -> None:
    """Vacuum and analyze one table of a plain name, or all.

    What the session itself changed is counted before; else it would count as changed since.
    """
    session.execute("SELECT pg_stat_force_next_flush()")
    session.execute(f"VACUUM (ANALYZE) {table}".encode())


class Audit(HealthRunner):
    """Runs postgresql_audit_info on one database."""

    def run(self, *checks: str, options: dict[str, Any] | None = None, **thresholds: Any) -> dict[str, Any]:
        """Run the module; all checks by default.

        :param options: the module's own options, beside those of every audit.
        """
        return self.check(postgresql_audit, CHECKS, checks, thresholds=thresholds, **{**OPTIONS, **(options or {})})
