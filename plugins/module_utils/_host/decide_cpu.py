# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges CPU use and load."""

from __future__ import annotations

from dataclasses import replace

from .._core.health import Remembered, Situation
from .._core.runner import Decision
from .._core.severity import Severity
from .facts import CpuTimes, CpuUse, Load

__all__ = ["decide_cpu", "decide_load", "remember_cpu"]


def share(first: CpuTimes, second: CpuTimes, part: str) -> float | None:
    """Return the share in percent that ``part`` had of the time between two looks; None if no time has passed."""
    total = second.total - first.total
    if total <= 0:
        return None
    spent: int = getattr(second, part) - getattr(first, part)
    return min(100.0, max(0.0, 100 * spent / total))


def used_percent(use: CpuUse) -> float | None:
    """Return the CPU use in percent, of the container's limit where there is one."""
    if use.limit and use.container_seconds is not None:
        return 100 * use.container_seconds / (use.seconds * use.limit) if use.seconds > 0 else None
    return share(use.first, use.second, "busy")


def used_since(use: CpuUse, situation: Situation) -> float | None:
    """Return the host's mean CPU use since the last run; None without one, or if the host was started anew since."""
    seen = situation.previous
    if use.limit or seen.get("booted") != use.booted or not {"busy", "total"} <= set(seen):
        return None
    return share(CpuTimes(seen["busy"], 0, 0, seen["total"]), use.second, "busy")


def decide_cpu(use: CpuUse, situation: Situation) -> Decision:
    """CPU use now, and in the mean since the last run, against ``cpu_percent``.

    The use now is a warning at most: any host is fully at work for a second now and then.
    """
    now, since = used_percent(use), used_since(use, situation)
    judge, subject = situation.thresholds.judge, situation.subject
    brief = judge("cpu_percent", "host.cpu", subject, now, f"CPU use over {use.seconds:.1f} s is")
    decision = Decision(
        [replace(finding, severity=Severity.WARNING) for finding in brief]
        + judge("cpu_percent", "host.cpu_sustained", subject, since, "mean CPU use since the last run is")
    )
    numbers = {
        "host_cpu_used_percent": now,
        "host_cpu_used_since_last_run_percent": since,
        "host_cpu_iowait_percent": share(use.first, use.second, "iowait"),
        "host_cpu_steal_percent": share(use.first, use.second, "steal"),
        "host_cpu_limit_count": use.limit,
    }
    decision.metrics.update({name: round(value, 2) for name, value in numbers.items() if value is not None})
    return decision


def remember_cpu(use: CpuUse, _situation: Situation) -> Remembered:
    """The counters, and the boot that they count from."""
    return {"busy": use.second.busy, "total": use.second.total, "booted": use.booted}


def decide_load(load: Load, situation: Situation) -> Decision:
    """Load over five minutes against ``load_per_core``; one minute would show the checks themselves."""
    per_core = load.five / load.cpus
    what = f"load {load.five:g} on {load.cpus} CPUs, per CPU"
    return Decision(
        situation.thresholds.judge("load_per_core", "host.load", situation.subject, per_core, what),
        metrics={
            "host_load1_ratio": load.one,
            "host_load5_ratio": load.five,
            "host_load15_ratio": load.fifteen,
            "host_load_per_core_ratio": round(per_core, 3),
            "host_cpus_count": load.cpus,
            "host_uptime_seconds": load.uptime_seconds,
        },
    )
