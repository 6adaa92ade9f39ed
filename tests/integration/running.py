# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs modules and playbooks as a user does: through ansible-playbook, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CALLBACKS = ROOT / "tests/integration/support/record_callback"


@dataclass(frozen=True)
class Run:
    """What a run of ansible-playbook left.

    :param code: exit code.
    :param output: standard output and error, at the verbosity asked for.
    :param tasks: ``{outcome, host, task, action, result}`` of every task, in order.
    """

    code: int
    output: str
    tasks: list[dict[str, Any]] = field(default_factory=list)

    def results(self, action: str) -> list[dict[str, Any]]:
        """The results of every task of one module, by its short name."""
        return [task["result"] for task in self.tasks if task["action"] == f"dataops.upkeep.{action}"]


def environment(**more: str) -> dict[str, str]:
    """The environment for Ansible: this interpreter's programs, the checkout as collection, nothing of the user's."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(ROOT / "tests/integration/support/ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        "ANSIBLE_CALLBACKS_ENABLED": "record",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_RETRY_FILES_ENABLED": "false",
        "ANSIBLE_NOCOLOR": "true",
        "LC_ALL": "C.UTF-8",
        **more,
    }


def run_playbook(
    playbook: str | Path,
    *arguments: str,
    extra_vars: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 300,
) -> Run:
    """Run a playbook: a path, or a name as ``dataops.upkeep.daily``. Extra variables go through a private file."""
    with tempfile.TemporaryDirectory(prefix="upkeep-test-") as folder:
        record, variables = Path(folder, "record"), Path(folder, "vars.json")
        variables.write_text(json.dumps(dict(extra_vars or {})), encoding="utf-8")
        command = ["ansible-playbook", str(playbook), *arguments, "-e", f"@{variables}"]
        chosen = environment(**{**(env or {}), "UPKEEP_TEST_RECORD": str(record)})
        done = subprocess.run(
            command, env=chosen, cwd=cwd or folder, capture_output=True, text=True, timeout=timeout, check=False
        )
        lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    return Run(done.returncode, done.stdout + done.stderr, [json.loads(line) for line in lines])


def run_tasks(
    tasks: Sequence[Mapping[str, Any]], *arguments: str, env: Mapping[str, str] | None = None, timeout: float = 300
) -> Run:
    """Run tasks on this host, as a playbook of theirs alone."""
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": sys.executable},
        "tasks": [{"name": f"Run {number}", **task} for number, task in enumerate(tasks)],
    }
    with tempfile.TemporaryDirectory(prefix="upkeep-test-") as folder:
        playbook = Path(folder, "play.json")
        playbook.write_text(json.dumps([play]), encoding="utf-8")
        return run_playbook(playbook, "-i", "localhost,", *arguments, env=env, timeout=timeout)


def run_module(
    name: str,
    params: Mapping[str, Any],
    *,
    check: bool = False,
    env: Mapping[str, str] | None = None,
    verbosity: int = 0,
    timeout: float = 120,
) -> dict[str, Any]:
    """Run one module of ours on this host and return its result, with ``output`` (all that was printed) beside it.

    :param env: environment of the run, and so of the module.
    :param verbosity: number of ``-v``.
    """
    arguments = (["--check"] if check else []) + ["-v"] * verbosity
    task = {f"dataops.upkeep.{name}": dict(params), "diff": check}
    run = run_tasks([task], *arguments, env=env, timeout=timeout)
    if not run.tasks:
        raise AssertionError(f"the module did not run:\n{run.output}")
    return {**run.tasks[-1]["result"], "outcome": run.tasks[-1]["outcome"], "output": run.output}
