# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from checkpoints and from the archiving of WAL. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core.counters import grown
from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..._core.units import format_duration
from ..checkpoints import Checkpoints
from ..rights import hidden
from .observation import Archiver, Archiving

__all__ = ["decide_archiving", "decide_checkpoints", "remember_archiver", "remember_checkpoints"]

FEWEST_CHECKPOINTS = 4
"""Below that a backup or two, which request one each, would pass for pressure."""


def decide_checkpoints(seen: Checkpoints, situation: Situation) -> Decision:
    """Judge how many of the checkpoints since the last run the amount of WAL forced."""
    timed = grown("timed", seen._asdict(), situation.previous, "reset")
    requested = grown("requested", seen._asdict(), situation.previous, "reset")
    if timed is None or requested is None:
        return Decision()
    decision = Decision(
        metrics={
            "postgresql_new_checkpoints_timed_total": timed,
            "postgresql_new_checkpoints_requested_total": requested,
        }
    )
    if requested >= FEWEST_CHECKPOINTS:
        percent = 100 * requested / (timed + requested)
        what = f"of {timed + requested} checkpoints since the last run, not by the clock:"
        decision.findings += situation.thresholds.judge(
            "checkpoints_requested_percent", "postgresql.checkpoints", situation.subject, percent, what
        )
    return decision


def remember_checkpoints(seen: Checkpoints, _situation: Situation) -> Mapping[str, Any]:
    """Keep the counters."""
    return seen._asdict()


def decide_archiving(seen: Archiving, situation: Situation) -> Decision:
    """Judge whether WAL is being archived, where it is to be."""
    archiver = seen.archiver
    if seen.server.settings.get("archive_mode") == "off":
        return Decision()
    decision = Decision(
        metrics={
            "postgresql_archived_files_total": archiver.archived,
            "postgresql_archive_failures_total": archiver.failed,
        }
    )
    failing = _failing(archiver, seen, situation)
    failures = grown("failed", archiver._asdict(), situation.previous, "reset")
    what = f"failures since the last run, the last of them with {archiver.last_failed_file}:"
    decision.findings += failing or situation.thresholds.judge(
        "archive_failures", "postgresql.archive_failures", situation.subject, failures, what
    )
    if seen.waiting is None:
        decision.findings.append(
            hidden(situation, "archiving", seen.server.user, "how many WAL files wait for archiving")
        )
    else:
        decision.metrics["postgresql_archive_waiting_files"] = seen.waiting
        decision.findings += situation.thresholds.judge(
            "archive_waiting",
            "postgresql.archive_waiting",
            situation.subject,
            seen.waiting,
            "WAL files to be archived:",
        )
    return decision


def remember_archiver(seen: Archiving, _situation: Situation) -> Mapping[str, Any]:
    """Keep the counters."""
    return {"failed": seen.archiver.failed, "reset": seen.archiver.reset}


def _failing(archiver: Archiver, seen: Archiving, situation: Situation) -> list[Finding]:
    """Return the finding that the newest attempt to archive failed."""
    if archiver.last_failed is None or archiver.last_failed < (archiver.last_archived or 0):
        return []
    ago = format_duration(max(0.0, seen.server.now - archiver.last_failed))
    message = f"{situation.subject}: archiving fails; the last attempt, with {archiver.last_failed_file}, was {ago} ago"
    remedy = situation.thresholds["archive_failures"].remedy
    return [
        Finding(
            "postgresql.archiving_fails", Severity.CRITICAL, situation.subject, message, archiver.failed, None, remedy
        )
    ]
