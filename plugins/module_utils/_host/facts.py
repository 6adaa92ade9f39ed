# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of a host, as small records: the observations that decisions are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = [
    "ClockState",
    "CpuTimes",
    "CpuUse",
    "Listener",
    "Load",
    "Memory",
    "MountUse",
    "OomKills",
    "OpenFiles",
    "Ports",
    "ProcessUse",
    "Swap",
]


class CpuTimes(NamedTuple):
    """Time that all CPUs together have spent since boot, in ticks of the kernel.

    :param busy: all work; guests are part of user time already.
    :param iowait: idle with a request to a disk outstanding.
    :param steal: taken by the hypervisor for others.
    :param total: all of the time.
    """

    busy: int
    iowait: int
    steal: int
    total: int


class CpuUse(NamedTuple):
    """CPU times before and after an interval.

    :param first: at the beginning.
    :param second: at the end.
    :param seconds: how long the interval was.
    :param booted: moment of boot in seconds since 1970, which tells a counter that went on from one that began anew.
    :param limit: CPUs that a container may use; None: no limit.
    :param container_seconds: CPU seconds that the container used in the interval; None without a limit.
    """

    first: CpuTimes
    second: CpuTimes
    seconds: float
    booted: int
    limit: float | None = None
    container_seconds: float | None = None


class Load(NamedTuple):
    """Load averages over 1, 5 and 15 minutes, the number of CPUs, and how long the host has been up."""

    one: float
    five: float
    fifteen: float
    cpus: int
    uptime_seconds: float


class Memory(NamedTuple):
    """Memory in bytes, of the host or of the container where its limit is lower.

    :param available: what a program could get without swapping; None on kernels before 3.14, which do not tell.
    :param limited: whether a container's limit is what counts.
    """

    total: int
    available: int | None
    limited: bool = False


class Swap(NamedTuple):
    """Swap space in bytes; a total of 0 is none."""

    total: int
    free: int


class OomKills(NamedTuple):
    """Processes that the kernel has killed for want of memory since boot, and when that was (seconds since 1970)."""

    killed: int | None
    booted: int


class MountUse(NamedTuple):
    """How full one file system is.

    :param mount: where it is mounted.
    :param used: bytes in use.
    :param available: bytes that an ordinary user may still write.
    :param inodes_used: None where the file system has no fixed number of inodes; likewise the other.
    :param read_only: whether nothing can be written to it.
    :param error: why it could not be asked; all numbers are 0 then.
    :param hangs: whether it gave no answer in time, as a dead network file system does.
    """

    mount: str
    used: int = 0
    available: int = 0
    inodes_used: int | None = None
    inodes_available: int | None = None
    read_only: bool = False
    error: str = ""
    hangs: bool = False


class OpenFiles(NamedTuple):
    """File handles of the whole system."""

    used: int
    maximum: int


class ClockState(NamedTuple):
    """What is known of the clock.

    :param error: the largest error in seconds that the kernel vouches for; None: it does not say.
    :param skew: seconds that this clock is behind (negative) or ahead of the time server; None: none was asked.
    """

    error: float | None
    skew: float | None = None


class Listener(NamedTuple):
    """A TCP port on which something listens.

    :param address: as people write it; ``0.0.0.0`` and ``::`` are all addresses.
    :param process: name of the process, empty where the user may not see it.
    """

    address: str
    port: int
    process: str
    public: bool


class Ports(NamedTuple):
    """Who listens, and the ports on which somebody should."""

    listeners: Sequence[Listener]
    expected: Sequence[int]


class ProcessUse(NamedTuple):
    """The processes that one rule matches.

    :param rule: the rule's name.
    :param minimum: how many there must be.
    :param resident: bytes in memory by process id.
    :param cpu_percent: share of one CPU by process id; only of those that lived through the interval.
    :param open_files_percent: open files of the process's own limit by id; only of those that the user may see.
    """

    rule: str
    minimum: int
    resident: Mapping[int, int]
    cpu_percent: Mapping[int, float]
    open_files_percent: Mapping[int, float]

    @property
    def pids(self) -> Sequence[int]:
        """The processes' ids."""
        return sorted(self.resident)
