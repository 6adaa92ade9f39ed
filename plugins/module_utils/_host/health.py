# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of a host, and the task that makes them."""

from __future__ import annotations

from functools import partial
from typing import Any

from .._core.health import Check, HealthTask
from .._core.runner import Context
from .._core.threshold import Thresholds
from .._core.units import parse_duration
from .client import Watch, watch
from .decide_clock import decide_clock
from .decide_cpu import decide_cpu, decide_load, remember_cpu
from .decide_disk import decide_disk, remember_disk
from .decide_memory import decide_memory, decide_oom_kills, decide_open_files, decide_swap, remember_oom_kills
from .decide_ports import decide_ports
from .decide_processes import decide_processes
from .observe_clock import observe_clock, time_server_of
from .observe_cpu import observe_cpu, observe_load
from .observe_disk import observe_disk
from .observe_memory import observe_memory, observe_oom_kills, observe_open_files, observe_swap
from .observe_ports import observe_ports
from .observe_processes import observe_processes, rules_of
from .reader import Host
from .thresholds import HEALTH_THRESHOLDS

__all__ = ["CHECKS", "host_health"]

CHECKS: tuple[Check[Watch], ...] = (
    Check("load", observe_load, decide_load),
    Check("memory", observe_memory, decide_memory),
    Check("swap", observe_swap, decide_swap),
    Check("oom_kills", observe_oom_kills, decide_oom_kills, remember_oom_kills),
    Check("disk", observe_disk, decide_disk, remember_disk),
    Check("open_files", observe_open_files, decide_open_files),
    Check("clock", observe_clock, decide_clock),
    Check("ports", observe_ports, decide_ports),
    # Last, as they wait for the end of the interval that the others fill.
    Check("cpu", observe_cpu, decide_cpu, remember_cpu),
    Check("processes", observe_processes, decide_processes),
)
"""Every check of ``host_health_info``."""


def identify(watch: Watch) -> dict[str, Any]:
    """Kernel, system and age of the host."""
    release = watch.host.read_if_there("etc/os-release") or ""
    named = [line.partition("=")[2].strip("\"'") for line in release.splitlines() if line.startswith("PRETTY_NAME=")]
    return {
        "version": (watch.host.read_if_there("proc/sys/kernel/osrelease") or "").strip(),
        "system": named[0] if named else "",
    }


def host_health(context: Context, host: Host | None = None) -> HealthTask[Watch]:
    """Make the task of ``host_health_info``.

    :param host: another host's files than this one's, for tests.
    :raises InvalidInput: an option cannot be understood.
    """
    opened = host or Host()
    thresholds = Thresholds(HEALTH_THRESHOLDS, context.params["thresholds"])
    interval = parse_duration(context.params["cpu_interval"], "cpu_interval")
    rules = rules_of(context.params) if "processes" in context.params["checks"] else []
    time_server_of(context.params["time_server"])
    name = (opened.read_if_there("proc/sys/kernel/hostname") or "localhost").strip()
    connect = partial(watch, context, opened, rules, interval)
    return HealthTask(context, "host", name, connect, identify, CHECKS, thresholds, connects=False)
