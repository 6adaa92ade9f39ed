# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task of ours costs beside one that does nothing, and beside its work done bare.

Held: a task takes less than ``MOST_RATIO`` times the fixed cost of a task (a module of ours that takes the same
options, imports the same libraries and does nothing) plus the time of the same work with nothing of ours. Medians of
interleaved rounds; the start of Ansible, measured with an empty playbook, is taken off.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.integration.running import run_tasks
from tests.stack.endpoint import Endpoint
from tests.stack.stack import Stack

__all__ = ["Connections", "Task", "report", "server"]

ROUNDS = 5
TASKS = 5
"""Equal tasks in one playbook."""

MOST_RATIO = 1.3

TRIVIAL = """#!/usr/bin/python
{imports}
from ansible_collections.dataops.upkeep.plugins.module_utils._core.arguments import (
    ArgumentSpec, common_arguments, state_arguments
)
from ansible_collections.dataops.upkeep.plugins.module_utils._core.module import run_module
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Decision, InfoTask
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory


class Nothing(InfoTask):
    subject = "nothing"

    def observe(self):
        return None

    def decide(self, observation):
        return Decision()

    def server(self, observation):
        return dict()


if __name__ == "__main__":
    options = dict((name, dict(type="raw", no_log=name == "login_password")) for name in {options})
    arguments = ArgumentSpec(options).merge(common_arguments(), state_arguments())
    run_module(arguments, lambda context: Nothing(), open_memory)
"""


@dataclass(frozen=True)
class Task:
    """A task to be measured.

    :param module: its module, by the short name.
    :param options: the module's options.
    :param imports: the statement that imports the libraries which the module cannot do without.
    :param bare: does the module's work with nothing of ours, and returns how many seconds it took.
    :param work: what ``bare`` does, for the table.
    """

    module: str
    options: dict[str, Any]
    imports: str
    bare: Callable[[], float]
    work: str


@dataclass(frozen=True)
class Connections:
    """How many connections one run of a task made, and how many are right."""

    made: int
    right: int = 1


def report(task: Task, connections: Connections | None = None) -> int:
    """Measure, print the table, and return the exit code: 1 if a ratio or a number is not what it has to be."""
    fixed, bare, whole = _measure(task)
    ratio = whole / (fixed + bare)
    for what, seconds in (
        ("fixed cost of a task with the same imports", fixed),
        (f"{task.work}, bare", bare),
        (f"{task.module}, all checks", whole),
    ):
        print(f"{what:50} {seconds * 1000:7.1f} ms")
    print(f"ratio {ratio:.2f} (below {MOST_RATIO})")
    if connections:
        print(f"connections {connections.made} (exactly {connections.right})")
    return int(ratio >= MOST_RATIO or (connections is not None and connections.made != connections.right))


@contextmanager
def server(store: str) -> Iterator[Endpoint]:
    """A server for one benchmark alone.

    :param store: which, by its name in a stack: ``redis8``.
    """
    with tempfile.TemporaryDirectory(prefix="upkeep-bench-") as folder:
        Path(folder).chmod(0o755)  # servers run as a user of their own
        with Stack(Path(folder) / "stack", (store,), owned=True) as stack:
            yield stack.endpoints[store]


def _measure(task: Task) -> tuple[float, float, float]:
    """Medians in seconds: of a task that does nothing, of the bare work, and of the task."""
    with tempfile.TemporaryDirectory(prefix="upkeep-bench-") as library:
        trivial = TRIVIAL.format(imports=task.imports, options=tuple(task.options))
        Path(library, "trivial.py").write_text(trivial, encoding="utf-8")
        work: dict[str, Callable[[], float]] = {
            "empty": lambda: _playbook_seconds(library, []),
            "fixed": lambda: _playbook_seconds(library, [{"trivial": task.options}] * TASKS),
            "whole": lambda: _playbook_seconds(library, [{f"dataops.upkeep.{task.module}": task.options}] * TASKS),
            "bare": task.bare,
        }
        taken: dict[str, list[float]] = {name: [] for name in work}
        for _round in range(ROUNDS):
            for name, seconds in work.items():
                taken[name].append(seconds())
    start = median(taken["empty"])
    fixed, whole = ((median(taken[name]) - start) / TASKS for name in ("fixed", "whole"))
    return fixed, median(taken["bare"]), whole


def _playbook_seconds(library: str, tasks: list[dict[str, Any]]) -> float:
    """Seconds for one run of a playbook.

    :param library: the folder of modules that belong to no collection.
    """
    started = time.perf_counter()
    run = run_tasks(tasks, env={"ANSIBLE_LIBRARY": library})
    seconds = time.perf_counter() - started
    if run.code != 0 or any(done["outcome"] != "ok" for done in run.tasks):
        raise SystemExit(f"a task failed:\n{run.output}")
    return seconds
