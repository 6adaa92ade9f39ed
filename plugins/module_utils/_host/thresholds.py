# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits of a host's health."""

from __future__ import annotations

from .._core.threshold import Threshold

__all__ = ["HEALTH_THRESHOLDS"]

GIB = 1024**3

HEALTH_THRESHOLDS = (
    Threshold(
        "cpu_percent", "percent", 80, 95,
        remedy="See what works: top -o %CPU. Move batch work to a quiet hour, or give the host more CPUs.",
        source="B2, P8: CPU above 80 %",
    ),
    Threshold(
        "load_per_core", "ratio", 1.5, None,
        remedy="More tasks want a CPU or a disk than there are CPUs: see vmstat 1 (r: CPU, b: disk) and top.",
        source="1 is a host just fully used; 1.5 over five minutes is a queue that does not drain; slow, and no outage",
    ),
    Threshold(
        "memory_percent", "percent", 85, 95,
        remedy="See who holds it: ps aux --sort=-rss. Lower the caches of the stores or add memory before the kernel "
        "kills a process.",
        source="B2: memory above 85 %; measured by what is available, not by what is free",
    ),
    Threshold(
        "swap_percent", "percent", 80, None,
        remedy="Swapped-out data makes a store slow: see vmstat 1 (si, so) and lower its memory settings.",
        source="awesome-prometheus-alerts: HostSwapIsFillingUp",
    ),
    Threshold(
        "oom_kills", "count", 0, None,
        remedy="See which process was killed and why: journalctl -k --grep 'Out of memory' (or dmesg), then limit "
        "it or add memory.",
        source="awesome-prometheus-alerts: HostOomKillDetected",
    ),
    Threshold(
        "disk_percent", "percent", 85, 95,
        remedy="Find what fills it: du -xh --max-depth=2 on the mount; archive logs and old backups, or enlarge it. "
        "A store that cannot write stops.",
        source="B2: disk above 85 %; percentages as df computes them",
    ),
    Threshold(
        "inodes_percent", "percent", 85, 95,
        remedy="Many small files: find the folder with find -xdev -printf '%h\\n' | sort | uniq -c | sort -n, "
        "remove old sessions, caches and mail queues.",
        source="as disk_percent: without inodes nothing can be created, however much space is free",
    ),
    Threshold(
        "days_until_full", "days", 14, 3, below=True,
        remedy="At the present growth the mount is full on that day: clean up or enlarge it before.",
        source="two weeks leave time to order, three days a weekend",
    ),
    Threshold(
        "open_files_percent", "percent", 80, 95,
        remedy="See who holds them: lsof -n | awk '{print $1}' | sort | uniq -c | sort -n; raise fs.file-max if it is "
        "rightful.",
        source="node exporter mixin: NodeFileDescriptorLimit (70/90), with one step less noise",
    ),
    Threshold(
        "clock_error_seconds", "seconds", 5, None,
        remedy="Start a time service (chrony or systemd-timesyncd) and see timedatectl. Where the hypervisor or "
        "another service keeps the time, name a time_server, or set thresholds: {clock_error_seconds: off}.",
        source="the kernel adds 0.5 ms a second since it was last set right: 5 s is nearly three hours without",
    ),
    Threshold(
        "clock_skew_seconds", "seconds", 0.05, 1,
        remedy="Start or repair the time service: chronyc tracking or timedatectl timesync-status.",
        source="awesome-prometheus-alerts: HostClockSkew (50 ms); replication, tokens and logs suffer at a second",
    ),
    Threshold(
        "process_memory_bytes", "bytes", GIB, None,
        remedy="If it grows from run to run it leaks: restart it and take a heap snapshot. If it is rightful, raise "
        "the threshold process_memory_bytes.",
        source="P8: memory of a process above 1 GB (1024 cubed in the guides)",
    ),
    Threshold(
        "process_cpu_percent", "percent", 80, None,
        remedy="See what it does: top -H -p PID. One busy thread blocks a Node.js process: profile it.",
        source="P8: CPU above 80 % (of one CPU)",
    ),
    Threshold(
        "process_open_files_percent", "percent", 80, 95,
        remedy="It leaks files or connections (ls -l /proc/PID/fd), or its limit is too low: LimitNOFILE in its unit.",
        source="as open_files_percent, for the limit of the process itself, which is reached first",
    ),
)  # fmt: skip
"""Every limit of ``host_health_info``."""
