# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the task of postgresql_health_info in this process, and keeps sessions open for it to see."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.task import CHECKS, postgresql_health
from tests.integration.health import HealthRunner
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect


class Health(HealthRunner):
    """Runs postgresql_health_info on one server."""

    def run(self, *checks: str, role: str = "any", **thresholds: Any) -> dict[str, Any]:
        """Run the module; all checks by default."""
        return self.check(postgresql_health, CHECKS, checks, thresholds=thresholds, expected_role=role)


def found(result: dict[str, Any], finding_id: str) -> dict[str, Any]:
    """The one finding of this id."""
    (finding,) = [finding for finding in result["findings"] if finding["id"] == finding_id]
    return dict(finding)


@contextlib.contextmanager
def session(endpoint: Endpoint, *statements: str) -> Iterator[psycopg.Connection[Any]]:
    """A session that has run the statements and stays."""
    with connect(endpoint) as opened:
        for statement in statements:
            opened.execute(statement)
        yield opened
