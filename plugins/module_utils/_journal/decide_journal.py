# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from a journal's verification: findings and metrics. Pure."""

from __future__ import annotations

from datetime import datetime

from .._core.finding import Finding
from .._core.runner import Decision
from .._core.severity import Severity
from .chain import Problem, Verdict

__all__ = ["decide_journal"]

REMEDIES = {
    "tampered": "Somebody or something other than the journal changed the file. Find out who could write to it, "
    "compare it with a backup, and keep both. The records before the line named are sound.",
    "missing": "Bring the missing files back from a backup. If they were put away on purpose, set since to a time "
    "after them.",
    "torn": "A run was killed or the machine lost power while it wrote. The next run closes the line and declares it; "
    "nothing else is to be done.",
    "unreadable": "Run this as the user who keeps the journal, or as a member of its group.",
}


def decide_journal(verdict: Verdict) -> Decision:
    """Judge a verification: what was changed or is gone is critical, a line that was cut short a warning."""
    decision = Decision([_finding(problem) for problem in verdict.problems])
    decision.metrics.update(
        journal_files=verdict.files,
        journal_records=verdict.records,
        journal_runs=len(verdict.runs),
        journal_runs_unfinished=len(verdict.unfinished),
        journal_torn_lines_declared=verdict.torn,
        journal_problems=verdict.problem_count,
        journal_intact=1 if verdict.intact else 0,
    )
    if verdict.last_at:
        moment = datetime.fromisoformat(verdict.last_at)
        decision.metrics["journal_last_record_timestamp_seconds"] = round(moment.timestamp(), 3)
    return decision


def _finding(problem: Problem) -> Finding:
    severity = Severity.WARNING if problem.kind == "torn" else Severity.CRITICAL
    place = f"{problem.file}, line {problem.line}" if problem.line else problem.file
    message = f"{place}: {problem.what}"
    value = problem.line or None
    return Finding(f"journal.{problem.kind}", severity, problem.file, message, value, None, REMEDIES[problem.kind])
