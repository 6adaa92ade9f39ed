# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host made of files in a folder, with the texts that real kernels write, and the situation of a decision."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.health import Situation
from ansible_collections.dataops.upkeep.plugins.module_utils._core.memory import NoMemory
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Context, Decision
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets
from ansible_collections.dataops.upkeep.plugins.module_utils._core.threshold import Thresholds
from ansible_collections.dataops.upkeep.plugins.module_utils._host.client import Watch
from ansible_collections.dataops.upkeep.plugins.module_utils._host.reader import Host
from ansible_collections.dataops.upkeep.plugins.module_utils._host.thresholds import HEALTH_THRESHOLDS

NOW = datetime(2026, 11, 22, 2, tzinfo=timezone.utc)

STAT = """\
cpu  8523 100 2589 248656 535 7 61 12 30 5
cpu0 1366 50 783 128005 13 3 10 4 10 0
cpu1 7157 50 1806 120651 522 4 51 8 20 5
intr 220904 0 0
ctxt 377026
btime 1795320000
processes 11000
procs_running 2
"""
MEMINFO = """\
MemTotal:       24684084 kB
MemFree:          310056 kB
MemAvailable:   20000000 kB
Buffers:            1216 kB
SwapTotal:       2097148 kB
SwapFree:        2000000 kB
HugePages_Total:       0
"""
KERNEL = {
    "proc/stat": STAT,
    "proc/meminfo": MEMINFO,
    "proc/loadavg": "0.52 0.71 0.65 2/107 10969\n",
    "proc/uptime": "1304.59 2486.57\n",
    "proc/vmstat": "nr_free_pages 6077514\noom_kill 3\n",
    "proc/sys/fs/file-nr": "651\t0\t2466170\n",
    "proc/sys/kernel/hostname": "web1\n",
    "proc/sys/kernel/osrelease": "6.1.0-28-amd64\n",
    "etc/os-release": 'NAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
}


def host_in(
    root: Path, changed: dict[str, str | None] | None = None, statvfs: Callable[[str], os.statvfs_result] = os.statvfs
) -> Host:
    """Make a healthy host in a folder, with some of its files changed, or absent where the text is None."""
    for name, text in {**KERNEL, **(changed or {})}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(text, encoding="utf-8")
    return Host(root, statvfs)


class Ticking:
    """A clock that goes on only when somebody sleeps."""

    def __init__(self) -> None:
        self.at = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: NOW, monotonic=lambda: self.at, sleep=self.sleep)


def context_of(ticking: Ticking | None = None, seconds: float = 60.0, **params: Any) -> Context:
    """A context whose time stands still."""
    clock = (ticking or Ticking()).clock
    return Context(params, Deadline(seconds, clock), clock, NoMemory(), {}, Secrets())


def watch_of(host: Host, context: Context | None = None) -> Watch:
    """Look at a host, without any process rules."""
    return Watch(host, [], 1.0, context or context_of())


def situation(previous: dict[str, Any] | None = None, now: datetime = NOW, **limits: Any) -> Situation:
    """What a decision knows beside the observation."""
    return Situation("web1", Thresholds(HEALTH_THRESHOLDS, limits), now, previous or {})


def found(decision: Decision) -> dict[str, str]:
    """Severity by finding id."""
    return {finding.id: finding.severity.value for finding in decision.findings}
