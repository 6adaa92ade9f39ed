# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two looks at CPU counters, between which everything else is read."""

from __future__ import annotations

import os
from typing import NamedTuple

from .._core.errors import StoreError
from .cgroup import container_cpu_seconds
from .facts import CpuTimes
from .reader import Host

__all__ = ["Sample", "parse_cpu_times", "stat_number", "take_sample"]


class Sample(NamedTuple):
    """Counters at one moment.

    :param at: seconds of the monotonic clock.
    :param cpu: of the whole host.
    :param container_seconds: CPU seconds used by the container; None without a container's counter.
    :param process_seconds: CPU seconds by process id.
    """

    at: float
    cpu: CpuTimes
    container_seconds: float | None
    process_seconds: dict[int, float]


def parse_cpu_times(text: str) -> CpuTimes:
    """Read the first line of /proc/stat (proc_stat(5)).

    :raises StoreError: it is not as expected.
    """
    fields = text.split("\n", 1)[0].split()
    try:
        numbers = [int(field) for field in fields[1:]] + [0] * 8
        user, nice, system, idle, iowait, irq, softirq, steal = numbers[:8]
    except ValueError as error:
        raise StoreError("understand /proc/stat", "it does not begin with numbers") from error
    if fields[:1] != ["cpu"]:
        raise StoreError("understand /proc/stat", "it does not begin with the CPU times")
    busy = user + nice + system + irq + softirq + steal
    return CpuTimes(busy, iowait, steal, busy + idle + iowait)


def stat_number(text: str, name: str) -> int | None:
    """Return the number behind ``name`` in a file of lines ``name number``, such as /proc/stat and /proc/vmstat."""
    for line in text.splitlines():
        key, _space, value = line.partition(" ")
        if key == name:
            return int(value.split()[0])
    return None


def process_cpu_seconds(text: str, ticks_per_second: int) -> float:
    """Read /proc/PID/stat: user and system time. The name in brackets may hold spaces and brackets itself."""
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / ticks_per_second


def take_sample(host: Host, at: float, pids: list[int]) -> Sample:
    """Read the counters of the host, of the container, and of some processes.

    :raises StoreError: /proc/stat cannot be read.
    """
    ticks = os.sysconf("SC_CLK_TCK")
    processes = {pid: host.read_if_there(f"proc/{pid}/stat") for pid in pids}
    return Sample(
        at,
        parse_cpu_times(host.read("proc/stat")),
        container_cpu_seconds(host),
        {pid: process_cpu_seconds(text, ticks) for pid, text in processes.items() if text},
    )
