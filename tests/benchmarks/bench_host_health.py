# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What host_health_info costs beside a task that does nothing, and beside its files read bare.

Usage: python -m tests.benchmarks.bench_host_health

Held: what ``task_cost`` says. The interval over which CPU use is measured is nearly nothing here: it is waited for, and
not worked.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.benchmarks.task_cost import Task, report

INTERVAL = 0.01
FILES = (
    "loadavg", "uptime", "stat", "meminfo", "vmstat", "self/mountinfo", "sys/fs/file-nr", "net/tcp", "net/tcp6",
    "sys/kernel/hostname", "sys/kernel/osrelease",
)  # fmt: skip


def bare() -> float:
    """Seconds for the same reading: kernel files, two looks at the CPU, the root's fill, and who holds which socket."""
    started = time.perf_counter()
    for name in FILES:
        with suppress(OSError):
            Path("/proc", name).read_bytes()
    os.statvfs("/")
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdecimal():
                for descriptor in (process / "fd").iterdir():
                    descriptor.readlink()
    time.sleep(max(0.0, started + INTERVAL - time.perf_counter()))
    Path("/proc/stat").read_bytes()
    return time.perf_counter() - started


def main() -> int:
    """Print the table and return the exit code."""
    imports = "import ctypes, ipaddress, socket"
    return report(Task("host_health_info", {"cpu_interval": INTERVAL}, imports, bare, "files"))


if __name__ == "__main__":
    sys.exit(main())
