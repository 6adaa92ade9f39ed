# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the task of postgresql_audit_info in this process."""

from __future__ import annotations

from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.task import CHECKS, postgresql_audit
from tests.integration.health import HealthRunner

__all__ = ["Audit"]

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


class Audit(HealthRunner):
    """Runs postgresql_audit_info on one database."""

    def run(self, *checks: str, options: dict[str, Any] | None = None, **thresholds: Any) -> dict[str, Any]:
        """Run the module; all checks by default.

        :param options: the module's own options, beside those of every audit.
        """
        return self.check(postgresql_audit, CHECKS, checks, thresholds=thresholds, **{**OPTIONS, **(options or {})})
