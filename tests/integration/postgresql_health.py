# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the task of postgresql_health_info in this process, as the module does, which spares a second for each run."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import psycopg

from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.memory import NoMemory
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Context, run
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health import CHECKS, postgresql_health
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect


def parameters(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "login_host": endpoint.host,
        "login_port": endpoint.port,
        "login_user": endpoint.user,
        "login_password": endpoint.password,
        "login_db": endpoint.database,
        "connect_timeout": "5s",
    }


class Health:
    """Runs the task on one server, with a memory of its own, and on a clock that can be moved on."""

    def __init__(self, endpoint: Endpoint, folder: Path | None = None) -> None:
        self.endpoint, self.folder, self.ahead = endpoint, folder, timedelta()

    def run(self, *checks: str, role: str = "any", **thresholds: Any) -> dict[str, Any]:
        params = {
            **parameters(self.endpoint),
            "checks": list(checks) or [check.name for check in CHECKS],
            "thresholds": thresholds,
            "expected_role": role,
        }
        secrets = Secrets()
        context = Context(
            params,
            Deadline(60),
            Clock(now=lambda: datetime.now(timezone.utc) + self.ahead),
            open_memory(str(self.folder), secrets) if self.folder else NoMemory(),
            {},
            secrets,
        )
        return run(postgresql_health(context), context, False).as_dict()


def found(result: dict[str, Any], finding_id: str) -> dict[str, Any]:
    """The one finding of this id."""
    (finding,) = [finding for finding in result["findings"] if finding["id"] == finding_id]
    return dict(finding)


def ids(result: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((finding["id"], finding["severity"]) for finding in result["findings"])


def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so, at most ten seconds."""
    for _attempt in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


@contextlib.contextmanager
def session(endpoint: Endpoint, *statements: str) -> Iterator[psycopg.Connection[Any]]:
    """A session that has run the statements and stays."""
    with connect(endpoint) as opened:
        for statement in statements:
            opened.execute(statement)
        yield opened
