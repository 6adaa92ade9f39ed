# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs health tasks in this process, as their modules do, which spares a second for each run; and reads results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.health import Check, HealthTask
from ansible_collections.dataops.upkeep.plugins.module_utils._core.memory import NoMemory
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Context, run
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory
from tests.stack.endpoint import Endpoint


def context(params: dict[str, Any], state: Path | None = None, ahead: timedelta = timedelta()) -> Context:
    """What a module gives its task.

    :param params: the module's options, all that the task reads.
    :param state: folder of the memory between runs; None for none.
    :param ahead: by how much the task's clock is ahead of this machine's.
    """
    secrets = Secrets()
    clock = Clock(now=lambda: datetime.now(timezone.utc) + ahead)
    memory = open_memory(str(state), secrets) if state else NoMemory()
    return Context(params, Deadline(60), clock, memory, {}, secrets)


class HealthRunner:
    """Runs health tasks on one server, with a memory of its own, and on a clock that can be moved on.

    ``params`` are the options that lead to the server; ``ahead`` is by how much the clock is ahead.
    """

    def __init__(self, endpoint: Endpoint, folder: Path | None = None) -> None:
        self.endpoint, self.folder, self.ahead = endpoint, folder, timedelta()
        self.params = endpoint.options(connect_timeout="5s")

    def check(
        self,
        make_task: Callable[[Context], HealthTask[Any]],
        known: Sequence[Check[Any]],
        chosen: Sequence[str],
        **params: Any,
    ) -> dict[str, Any]:
        """Run a task and return the module's result.

        :param known: the task's checks, all of which are run if none is chosen.
        :param params: the task's other options.
        """
        checks = list(chosen) or [check.name for check in known]
        task_context = context({**self.params, "checks": checks, **params}, self.folder, self.ahead)
        return run(make_task(task_context), task_context, check_mode=False).as_dict()


def ids(result: dict[str, Any]) -> dict[str, str]:
    """Finding id to severity; several findings of one id count once."""
    return {finding["id"]: finding["severity"] for finding in result["findings"]}


def pairs(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Id and severity of every finding, sorted; several findings of one id count each."""
    return sorted((finding["id"], finding["severity"]) for finding in result["findings"])
