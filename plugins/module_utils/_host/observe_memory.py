# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads memory, swap, what was killed for want of memory, and open files."""

from __future__ import annotations

from .._core.errors import StoreError
from .._core.runner import Context
from .cgroup import container_memory, container_oom_kills
from .client import Watch
from .facts import Memory, OomKills, OpenFiles, Swap
from .reader import Host
from .sample import stat_number

__all__ = ["observe_memory", "observe_oom_kills", "observe_open_files", "observe_swap", "parse_meminfo"]


def parse_meminfo(text: str) -> dict[str, int]:
    """Read /proc/meminfo: bytes by name."""
    found = {}
    for line in text.splitlines():
        name, _colon, rest = line.partition(":")
        fields = rest.split()
        if fields and fields[0].isdigit():
            found[name] = int(fields[0]) * (1024 if fields[1:] == ["kB"] else 1)
    return found


def _meminfo(host: Host) -> dict[str, int]:
    found = parse_meminfo(host.read("proc/meminfo"))
    if not found.get("MemTotal"):
        raise StoreError("understand /proc/meminfo", "it does not name MemTotal")
    return found


def observe_memory(watch: Watch, _context: Context) -> Memory:
    """Read the memory of the host, or of the container if that may use less.

    :raises StoreError: /proc/meminfo cannot be read.
    """
    found = _meminfo(watch.host)
    total, available = found["MemTotal"], found.get("MemAvailable")
    container = container_memory(watch.host)
    if container is not None and container[0] < total:
        limit, used = container
        left = max(0, limit - used)
        return Memory(limit, left if available is None else min(left, available), limited=True)
    return Memory(total, available)


def observe_swap(watch: Watch, _context: Context) -> Swap:
    """Read the swap space.

    :raises StoreError: /proc/meminfo cannot be read.
    """
    found = _meminfo(watch.host)
    return Swap(found.get("SwapTotal", 0), found.get("SwapFree", 0))


def observe_oom_kills(watch: Watch, _context: Context) -> OomKills:
    """Read how many processes were killed for want of memory: in the container where it has a limit, else at all.

    :raises StoreError: neither can be read.
    """
    host = watch.host
    booted = stat_number(host.read("proc/stat"), "btime") or 0
    count = container_oom_kills(host) if container_memory(host) is not None else None
    return OomKills(count if count is not None else stat_number(host.read("proc/vmstat"), "oom_kill"), booted)


def observe_open_files(watch: Watch, _context: Context) -> OpenFiles:
    """Read the file handles of the whole system.

    :raises StoreError: they cannot be read.
    """
    try:
        used, free, maximum = (int(field) for field in watch.host.read("proc/sys/fs/file-nr").split())
    except ValueError as error:
        raise StoreError("understand /proc/sys/fs/file-nr", "it does not hold three numbers") from error
    return OpenFiles(used - free, maximum)
