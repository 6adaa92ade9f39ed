# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges how full the file systems are, and when they will be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from .._core.finding import Finding
from .._core.health import Remembered, Situation
from .._core.history import Sample, full_at, thin
from .._core.result import metric_name
from .._core.runner import Decision
from .._core.severity import Severity
from .._core.units import format_size
from .facts import MountUse

__all__ = ["decide_disk", "remember_disk"]

KEEP = 60
"""Samples that are remembered for each mount: two months of daily runs."""
FORGET_SECONDS = 30 * 86400.0
"""A mount that was not looked at for so long is forgotten."""


def percent(used: int | None, available: int | None) -> float | None:
    """Return the use in percent as df does: what is reserved for root counts as neither. None if nothing is known."""
    if used is None or available is None or used + available <= 0:
        return None
    return 100 * used / (used + available)


def remembered_samples(mount: str, previous: Remembered) -> list[Sample]:
    """Return what earlier runs have seen of a mount's use."""
    seen: dict[str, Any] = previous.get("mounts", {}).get(mount, {})
    return [(float(at), float(used)) for at, used in seen.get("samples", ())]


def samples_with(use: MountUse, situation: Situation) -> list[Sample]:
    """Return the samples of earlier runs with that of this one."""
    return [*remembered_samples(use.mount, situation.previous), (situation.now.timestamp(), float(use.used))]


def decide_disk(uses: Sequence[MountUse], situation: Situation) -> Decision:
    """Every mount against ``disk_percent``, ``inodes_percent`` and ``days_until_full``."""
    decision = Decision()
    for use in uses:
        decision.extend(_unusable(use, situation) if use.error else _decide_mount(use, situation))
    return decision


def _unusable(use: MountUse, situation: Situation) -> Decision:
    """A file system that hangs, or one that was named and is not there."""
    subject = f"{situation.subject}:{use.mount}"
    if use.hangs:
        remedy = "Programs that touch it hang as well. See whether its server is up; umount -f -l frees the host."
        message = f"{subject}: the file system does not answer: {use.error}"
        return Decision([Finding("host.mount_hangs", Severity.CRITICAL, subject, message, remedy=remedy)])
    remedy = "Mount it (mount -a; see /etc/fstab and journalctl -b), or take it out of the option mounts."
    message = f"{subject}: cannot tell how full it is: {use.error}"
    return Decision([Finding("host.mount_missing", Severity.CRITICAL, subject, message, remedy=remedy)])


def _decide_mount(use: MountUse, situation: Situation) -> Decision:
    subject = f"{situation.subject}:{use.mount}"
    judge = situation.thresholds.judge
    disk = percent(use.used, use.available)
    inodes = percent(use.inodes_used, use.inodes_available)
    full = None if use.read_only else full_at(samples_with(use, situation), use.used + use.available, situation.now)
    days = None if full is None else (full - situation.now).total_seconds() / 86400
    metrics = {
        "host_disk_used_percent": disk,
        "host_disk_used_bytes": use.used,
        "host_disk_available_bytes": use.available,
        "host_inodes_used_percent": inodes,
        "host_disk_days_until_full": days,
    }
    findings = _read_only(use, subject, situation)
    if not use.read_only:
        findings += judge(
            "disk_percent", "host.disk", subject, disk, f"{format_size(use.available)} are left, in use are"
        )
        findings += judge("inodes_percent", "host.inodes", subject, inodes, "inodes in use are")
        findings += judge("days_until_full", "host.disk_forecast", subject, days, _forecast_text(full))
    return Decision(
        findings,
        metrics={metric_name(n, mount=use.mount): round(v, 2) for n, v in metrics.items() if v is not None},
    )


def _forecast_text(full: datetime | None) -> str:
    return f"full on {full:%Y-%m-%d} at the present growth, in" if full else ""


def _read_only(use: MountUse, subject: str, situation: Situation) -> list[Finding]:
    """A file system that could be written in the last run and cannot now: the kernel does that after disk errors."""
    seen = situation.previous.get("mounts", {}).get(use.mount, {})
    if not use.read_only or seen.get("read_only", True):
        return []
    message = f"{subject}: the file system is read-only now and was not in the last run"
    remedy = "See journalctl -k for errors of the disk before anything else; then fsck and mount -o remount,rw."
    return [Finding("host.read_only", Severity.CRITICAL, subject, message, remedy=remedy)]


def remember_disk(uses: Sequence[MountUse], situation: Situation) -> Remembered:
    """Each mount's use over time, and whether it could be written. A mount that was not asked keeps its past.

    One that has become read-only is remembered as it was before, so that every run says so until it is repaired.
    """
    before = situation.previous.get("mounts", {})
    oldest = situation.now.timestamp() - FORGET_SECONDS
    kept = {mount: seen for mount, seen in before.items() if seen["samples"][-1][0] > oldest}
    for use in uses:
        if not use.error:
            was_writable = before.get(use.mount, {}).get("read_only") is False
            samples = thin(samples_with(use, situation), KEEP)
            kept[use.mount] = {"samples": samples, "read_only": use.read_only and not was_writable}
    return {"mounts": kept}
