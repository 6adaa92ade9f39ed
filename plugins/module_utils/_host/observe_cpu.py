# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads CPU use and load."""

from __future__ import annotations

from .._core.errors import StoreError
from .._core.runner import Context
from .cgroup import container_cpu_limit
from .client import Watch
from .facts import CpuUse, Load
from .sample import stat_number

__all__ = ["observe_cpu", "observe_load"]


def observe_cpu(watch: Watch, context: Context) -> CpuUse:
    """Measure CPU use over the interval: of the host, or of the container where its limit is lower.

    :raises StoreError: /proc/stat cannot be read.
    :raises DeadlineExceeded: no time is left to wait for the interval's end.
    """
    first, second = watch.first, watch.second(context)
    stat = watch.host.read("proc/stat")
    limit = container_cpu_limit(watch.host)
    used = None
    if (
        limit is not None
        and limit < cpu_count(stat)
        and None not in (first.container_seconds, second.container_seconds)
    ):
        used = (second.container_seconds or 0.0) - (first.container_seconds or 0.0)
    booted = stat_number(stat, "btime") or 0
    return CpuUse(first.cpu, second.cpu, second.at - first.at, booted, limit if used is not None else None, used)


def observe_load(watch: Watch, _context: Context) -> Load:
    """Read the load averages.

    :raises StoreError: they cannot be read.
    """
    text = watch.host.read("proc/loadavg")
    try:
        one, five, fifteen = (float(field) for field in text.split()[:3])
        uptime = float(watch.host.read("proc/uptime").split()[0])
    except (ValueError, IndexError) as error:
        raise StoreError("understand /proc/loadavg and /proc/uptime", "they hold no numbers") from error
    return Load(one, five, fifteen, cpu_count(watch.host.read("proc/stat")), uptime)


def cpu_count(stat: str) -> int:
    """Return the number of CPUs that are on, by the lines of /proc/stat; at least one."""
    return max(1, sum(line[:3] == "cpu" and line[3:4].isdigit() for line in stat.splitlines()))
