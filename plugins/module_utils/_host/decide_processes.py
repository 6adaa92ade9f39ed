# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges the processes that rules name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .._core.finding import Finding
from .._core.health import Situation
from .._core.result import metric_name
from .._core.runner import Decision
from .._core.severity import Severity
from .facts import ProcessUse

__all__ = ["decide_processes"]


def decide_processes(uses: Sequence[ProcessUse], situation: Situation) -> Decision:
    """Enough processes of each rule, and the gravest of them against the limits of one process."""
    decision = Decision()
    for use in uses:
        decision.extend(_decide_rule(use, situation))
    return decision


def _decide_rule(use: ProcessUse, situation: Situation) -> Decision:
    subject = f"{situation.subject}:{use.rule}"
    findings = _missing(use, subject)
    for name, numbers, what in (
        ("process_memory_bytes", use.resident, "holds in memory"),
        ("process_cpu_percent", use.cpu_percent, "uses of one CPU"),
        ("process_open_files_percent", use.open_files_percent, "has open, of its limit of open files,"),
    ):
        pid, value = _most(numbers)
        finding_id = f"host.{name.removesuffix('_percent').removesuffix('_bytes')}"
        findings += situation.thresholds.judge(name, finding_id, subject, value, f"process {pid} {what}")
    metrics: dict[str, float | int | None] = {
        "host_processes_count": len(use.pids),
        "host_processes_memory_bytes": sum(use.resident.values()),
        "host_process_memory_max_bytes": _most(use.resident)[1],
        "host_processes_cpu_percent": sum(use.cpu_percent.values()) if use.cpu_percent else None,
        "host_process_open_files_max_percent": _most(use.open_files_percent)[1],
    }
    named = {metric_name(n, process=use.rule): round(v, 2) for n, v in metrics.items() if v is not None}
    return Decision(findings, metrics=named)


def _most(numbers: Mapping[int, float]) -> tuple[int | None, float | None]:
    """Return the process with the highest number, and the number; None for both if there is none."""
    return max(numbers.items(), key=lambda item: item[1], default=(None, None))


def _missing(use: ProcessUse, subject: str) -> list[Finding]:
    running = len(use.pids)
    if running >= use.minimum:
        return []
    message = f"{subject}: {running} processes run, {use.minimum} are expected"
    remedy = "See why it ended: systemctl status and journalctl -u of its unit, or pm2 logs. Then start it."
    return [Finding("host.process_missing", Severity.CRITICAL, subject, message, running, use.minimum, remedy)]
