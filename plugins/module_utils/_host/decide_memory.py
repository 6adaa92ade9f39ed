# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges memory, swap, what was killed for want of memory, and open files."""

from __future__ import annotations

from .._core.finding import Finding
from .._core.health import Remembered, Situation
from .._core.runner import Decision
from .._core.severity import Severity
from .._core.units import format_size
from .facts import Memory, OomKills, OpenFiles, Swap

__all__ = ["decide_memory", "decide_oom_kills", "decide_open_files", "decide_swap", "remember_oom_kills"]


def decide_memory(memory: Memory, situation: Situation) -> Decision:
    """Memory that is not available, against ``memory_percent``."""
    metrics: dict[str, float | int] = {"host_memory_total_bytes": memory.total}
    if memory.available is None:
        message = f"{situation.subject}: the kernel does not tell how much memory is available"
        remedy = "MemAvailable is in Linux 3.14 and newer; free memory alone says nothing. Update the kernel."
        unknown = Finding("host.memory_unknown", Severity.WARNING, situation.subject, message, remedy=remedy)
        return Decision([unknown], metrics=metrics)
    used = memory.total - memory.available
    percent = 100 * used / memory.total if memory.total else None
    place = "the container's limit" if memory.limited else "memory"
    what = f"{format_size(used)} of {format_size(memory.total)} of {place} are in use,"
    metrics["host_memory_available_bytes"] = memory.available
    if percent is not None:
        metrics["host_memory_used_percent"] = round(percent, 2)
    return Decision(
        situation.thresholds.judge("memory_percent", "host.memory", situation.subject, percent, what), metrics=metrics
    )


def decide_swap(swap: Swap, situation: Situation) -> Decision:
    """Swap in use against ``swap_percent``; a host without swap has nothing to judge."""
    used = swap.total - swap.free
    metrics: dict[str, float | int] = {"host_swap_total_bytes": swap.total, "host_swap_used_bytes": used}
    if not swap.total:
        return Decision(metrics=metrics)
    percent = 100 * used / swap.total
    metrics["host_swap_used_percent"] = round(percent, 2)
    what = f"{format_size(used)} of {format_size(swap.total)} of swap are in use,"
    return Decision(
        situation.thresholds.judge("swap_percent", "host.swap", situation.subject, percent, what), metrics=metrics
    )


def kills_since(kills: OomKills, situation: Situation) -> int | None:
    """Return the kills since the last run; None without a last run, for those since boot may be old news.

    A host that was started anew counts from 0, so all that it counts came since.
    """
    before = situation.previous.get("count")
    if kills.killed is None or before is None:
        return None
    went_on = situation.previous.get("booted") == kills.booted and before <= kills.killed
    return kills.killed - before if went_on else kills.killed


def decide_oom_kills(kills: OomKills, situation: Situation) -> Decision:
    """Processes killed since the last run against ``oom_kills``."""
    since = kills_since(kills, situation)
    metrics: dict[str, float | int] = {}
    if kills.killed is not None:
        metrics["host_oom_kills_total"] = kills.killed
    if since is not None:
        metrics["host_oom_kills_since_last_run_count"] = since
    what = "processes killed for want of memory since the last run:"
    return Decision(
        situation.thresholds.judge("oom_kills", "host.oom_kill", situation.subject, since, what), metrics=metrics
    )


def remember_oom_kills(kills: OomKills, _situation: Situation) -> Remembered:
    """The counter, and the boot that it counts from."""
    return {} if kills.killed is None else {"count": kills.killed, "booted": kills.booted}


def decide_open_files(files: OpenFiles, situation: Situation) -> Decision:
    """Open files of the system against ``open_files_percent``."""
    percent = 100 * files.used / files.maximum if files.maximum > 0 else None
    what = f"{files.used} of {files.maximum} file handles are open,"
    metrics: dict[str, float | int] = {"host_open_files_count": files.used}
    if percent is not None:
        metrics["host_open_files_percent"] = round(percent, 2)
    return Decision(
        situation.thresholds.judge("open_files_percent", "host.open_files", situation.subject, percent, what),
        metrics=metrics,
    )
