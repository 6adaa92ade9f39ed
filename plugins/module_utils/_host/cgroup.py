# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits that a container runs under, from cgroup version 1 or 2.

Only the top of the mounted hierarchy is read. Inside a container that is the container's own group; on a host it is the
root group, which has no limits. The group of the login session that runs the check is thus never mistaken for the host.
"""

from __future__ import annotations

from .reader import Host

__all__ = ["container_cpu_limit", "container_cpu_seconds", "container_memory", "container_oom_kills"]

TOP = "sys/fs/cgroup"


def _number(host: Host, path: str) -> int | None:
    text = (host.read_if_there(f"{TOP}/{path}") or "").strip()
    return int(text) if text.lstrip("-").isdigit() else None


def _field(host: Host, path: str, name: str) -> int | None:
    for line in (host.read_if_there(f"{TOP}/{path}") or "").splitlines():
        key, _space, value = line.partition(" ")
        if key == name and value.strip().isdigit():
            return int(value)
    return None


def container_memory(host: Host) -> tuple[int, int] | None:
    """Return limit and use in bytes, or None without a limit. File pages that can be dropped at once are not use."""
    for limit_file, use_file, inactive in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit, used = _number(host, limit_file), _number(host, use_file)
        if limit is not None and used is not None:
            folder = limit_file.rpartition("/")[0]
            droppable = _field(host, f"{folder}/memory.stat" if folder else "memory.stat", inactive) or 0
            return limit, max(0, used - droppable)
    return None


def container_cpu_limit(host: Host) -> float | None:
    """Return how many CPUs' worth of time the container may use, or None without a limit."""
    quota, _space, period = (host.read_if_there(f"{TOP}/cpu.max") or "").strip().partition(" ")
    if quota.isdigit() and period.isdigit() and int(period):
        return int(quota) / int(period)
    old_quota, old_period = _number(host, "cpu/cpu.cfs_quota_us"), _number(host, "cpu/cpu.cfs_period_us")
    return old_quota / old_period if old_quota and old_period and old_quota > 0 else None


def container_cpu_seconds(host: Host) -> float | None:
    """Return the CPU seconds that the container has used, or None where that is not counted."""
    micro = _field(host, "cpu.stat", "usage_usec")
    if micro is not None:
        return micro / 1e6
    nano = _number(host, "cpuacct/cpuacct.usage")
    return nano / 1e9 if nano is not None else None


def container_oom_kills(host: Host) -> int | None:
    """Return how many processes of the container the kernel has killed for want of memory, None where not counted."""
    newer = _field(host, "memory.events", "oom_kill")
    return newer if newer is not None else _field(host, "memory/memory.oom_control", "oom_kill")
