# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs redis_cleanup in this process, which spares a second for each run; and as a process that may be killed.

Usage: python -m tests.integration.redis_cleanup < options.json
"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import run
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.cleanup.task import RedisCleanup
from tests.integration.apart import run_apart, start_apart
from tests.integration.health import context
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect

DEFAULTS: dict[str, Any] = {
    "rules": [],
    "protect": [],
    "max_changes": None,
    "batch_target_ms": 5.0,
    "purge_memory": False,
    "defragment": False,
    "defragment_for": "5min",
}


def clean(
    endpoint: Endpoint,
    *rules: dict[str, Any],
    check: bool = False,
    deadline: float = 60,
    clock: Clock | None = None,
    **more: Any,
) -> Any:
    """Run the task with these rules and return the module's result; an error that ends the module is raised.

    :param check: whether in check mode.
    :param deadline: in seconds.
    :param clock: what the task measures with.
    :param more: the module's other options over their defaults.
    """
    params = {**endpoint.options(connect_timeout="5s"), **DEFAULTS, "rules": list(rules), **more}
    clock = clock or Clock()
    limited = replace(context(params), deadline=Deadline(deadline, clock), clock=clock)
    return run(RedisCleanup(limited), limited, check).as_dict()


def raw_keys(endpoint: Endpoint) -> set[bytes]:
    """The names of all keys."""
    with connect(endpoint, decode_responses=False) as client:
        return set(client.scan_iter(count=1000))


def start(endpoint: Endpoint, *rules: dict[str, Any], **more: Any) -> subprocess.Popen[str]:
    """Run the task in a process of its own; what it prints is its result, with ``seconds`` and ``peak`` bytes."""
    params = {**endpoint.options(connect_timeout="5s"), **DEFAULTS, "rules": list(rules), **more}
    return start_apart("tests.integration.redis_cleanup", params)


if __name__ == "__main__":
    run_apart(RedisCleanup)
