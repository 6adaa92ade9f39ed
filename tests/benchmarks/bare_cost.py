# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a health task without a store costs beside a task that does nothing, and beside its work done bare."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.bench_postgresql_health import MOST_RATIO, ROUNDS, TASKS, playbook_seconds

__all__ = ["report"]

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
    arguments = ArgumentSpec(dict(options=dict(type="raw"))).merge(common_arguments(), state_arguments())
    run_module(arguments, lambda context: Nothing(), open_memory)
"""


def report(module: str, options: dict[str, Any], imports: str, bare: Callable[[], float], what: str) -> bool:
    """Measure, print the table, and return whether the ratio is held.

    :param imports: what of Python's library both the module and one that does nothing have to import.
    :param bare: does the module's reading with nothing of ours, and returns how many seconds it took.
    :param what: what ``bare`` does.
    """
    with tempfile.TemporaryDirectory(prefix="upkeep-bench-") as name:
        folder = Path(name)
        (folder / "library").mkdir()
        (folder / "library/trivial.py").write_text(TRIVIAL.format(imports=imports), encoding="utf-8")
        work: dict[str, Callable[[], float]] = {
            "empty": lambda: playbook_seconds(folder, "empty", None),
            "fixed": lambda: playbook_seconds(folder, "fixed", {"trivial": {"options": options}}),
            "module": lambda: playbook_seconds(folder, "module", {f"dataops.upkeep.{module}": options}),
            "bare": bare,
        }
        taken: dict[str, list[float]] = {key: [] for key in work}
        for _round in range(ROUNDS):
            for key, measured in work.items():
                taken[key].append(measured())
    start, bare_seconds = median(taken["empty"]), median(taken["bare"])
    fixed, whole = ((median(taken[key]) - start) / TASKS for key in ("fixed", "module"))
    ratio = whole / (fixed + bare_seconds)
    for text, seconds in (
        ("fixed cost of a task that imports the same", fixed),
        (f"{what}, bare", bare_seconds),
        (f"{module}, all checks", whole),
    ):
        print(f"{text:50} {seconds * 1000:7.1f} ms")
    print(f"ratio {ratio:.2f} (below {MOST_RATIO})")
    return ratio < MOST_RATIO
