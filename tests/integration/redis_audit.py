# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the task of redis_audit_info in this process."""

from __future__ import annotations

from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._redis.audit.task import CHECKS, redis_audit
from tests.integration.health import HealthRunner

__all__ = ["OPTIONS", "Audit"]

OPTIONS: dict[str, Any] = {
    "policies": [],
    "idle_after": "30d",
    "scan_seconds": "45s",
    "sample": None,
    "accepted_settings": [],
}
"""The module's own options with their defaults."""


class Audit(HealthRunner):
    """Runs redis_audit_info on one server."""

    def run(self, *checks: str, options: dict[str, Any] | None = None, **thresholds: Any) -> dict[str, Any]:
        """Run the module; all checks by default.

        :param options: the module's own options, beside those of every audit.
        """
        return self.check(redis_audit, CHECKS, checks, thresholds=thresholds, **{**OPTIONS, **(options or {})})
