# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the tasks of PostgreSQL modules that change something in this process, which spares a second for each run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Context, Task, run
from tests.integration.health import context
from tests.stack.endpoint import Endpoint


def do(
    make_task: Callable[[Context], Task[Any]],
    endpoint: Endpoint,
    *,
    check: bool = False,
    state: Path | None = None,
    **params: Any,
) -> dict[str, Any]:
    """Run a task on a server and return the module's result; an error that ends the module is raised.

    :param check: whether in check mode.
    :param state: folder of the memory between runs.
    :param params: the module's options, all that the task reads beside those of the connection.
    """
    options = {"lock_timeout": "1s", **endpoint.options(connect_timeout="5s"), **params}
    task_context = context(options, state)
    return run(make_task(task_context), task_context, check).as_dict()


def states(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Kind, subject and state of every action, in order."""
    return [(action["kind"], action["subject"], action["state"]) for action in result["actions"]]
