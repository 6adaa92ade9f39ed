# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a task in a process of its own, which may be killed and whose memory can be measured."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Context, Task, run
from tests.integration.health import context
from tests.integration.running import ROOT, environment


def start_apart(module: str, params: Mapping[str, Any]) -> subprocess.Popen[str]:
    """Run a module of these tests, whose ``main`` is :func:`run_apart`; what it prints is the task's result.

    :param params: the task's options, all that it reads.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=environment(PYTHONPATH=str(ROOT / ".collections")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    process.stdin.write(json.dumps(params))
    process.stdin.close()
    process.stdin = None
    return process


def run_apart(make_task: Callable[[Context], Task[Any]]) -> None:
    """Run the task that standard input asks for, and print its result.

    Beside it stand ``seconds``, ``cpu``, which are those of the processor, and ``peak``, bytes of memory.
    """
    task_context = replace(context(json.load(sys.stdin)), deadline=Deadline(600))
    started, used = time.monotonic(), time.process_time()
    result = run(make_task(task_context), task_context, False).as_dict()
    seconds, cpu = time.monotonic() - started, time.process_time() - used
    print(json.dumps({**result, "seconds": seconds, "cpu": cpu, "peak": peak_bytes()}))


def peak_bytes() -> int:
    """Bytes of memory that this process had at most; what it was started from is not counted, as in getrusage."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
