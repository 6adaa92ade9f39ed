# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs redis_warm in this process, which spares a second for each run; and as a process that may be killed.

Usage: python -m tests.integration.redis_warm < options.json
"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import run
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.task import RedisWarm
from tests.integration.apart import run_apart, start_apart
from tests.integration.health import context
from tests.stack.endpoint import Endpoint

DEFAULTS: dict[str, Any] = {
    "rate": None,
    "max_keys": None,
    "max_value": "1MiB",
    "max_memory_percent": 90.0,
    "batch_target_ms": 5.0,
}


def entry(source: Endpoint | None, query: Any, key: str, **more: Any) -> dict[str, Any]:
    """An entry whose rows come from a store, or from a file."""
    if source is None:
        return {"source": "file", "query": str(query), "key": key, **more}
    connection = source.options(connect_timeout="5s")
    return {"source": source.kind, "query": query, "key": key, "connection": connection, **more}


def options(endpoint: Endpoint, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The task's options over their defaults."""
    return {**endpoint.options(connect_timeout="5s"), **DEFAULTS, "entries": list(entries), **more}


def warm(
    endpoint: Endpoint,
    *entries: dict[str, Any],
    check: bool = False,
    deadline: float = 60,
    clock: Clock | None = None,
    **more: Any,
) -> Any:
    """Run the task and return the module's result; an error that ends the module is raised.

    :param check: whether in check mode.
    :param deadline: in seconds.
    :param clock: what the task measures with.
    """
    clock = clock or Clock()
    limited = replace(context(options(endpoint, *entries, **more)), deadline=Deadline(deadline, clock), clock=clock)
    return run(RedisWarm(limited), limited, check).as_dict()


def start(endpoint: Endpoint, *entries: dict[str, Any], **more: Any) -> subprocess.Popen[str]:
    """Run the task in a process of its own; what it prints is its result, with ``seconds`` and ``peak`` bytes."""
    return start_apart("tests.integration.redis_warm", options(endpoint, *entries, **more))


if __name__ == "__main__":
    run_apart(RedisWarm)
