# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Says what is wrong where a queue could not be read. Pure."""

from __future__ import annotations

from .._core.finding import Finding
from .._core.runner import sub_finding
from .._core.severity import Severity
from .observations import Problem, Queue, display

__all__ = ["foreign_findings", "problem_finding"]


def problem_finding(problem: Problem, place: str) -> Finding:
    """A queue that is not there or cannot be read is a warning: it is unknown how things stand.

    :param place: the server's label.
    """
    subject = f"{place} {display(problem.name)}".rstrip()
    if problem.error:
        return sub_finding(subject, "queue", problem.error, Severity.WARNING)
    where = f", neither in Redis nor in {problem.looked_in}" if problem.looked_in else ""
    what = f"there is no queue {display(problem.name)}" if problem.name else "there is no queue"
    kept = "." if problem.looked_in else ": to look there, set the option postgresql of queue_health_info."
    return Finding(
        "queue.missing",
        Severity.WARNING,
        subject,
        f"{place}: {what}{where}",
        None,
        None,
        "Check name, prefix and login_db. A Bull queue has no keys before its first job, and a BullMQ 6 queue that is "
        f"kept in PostgreSQL has none in Redis at all{kept}",
    )


def foreign_findings(queue: Queue, place: str) -> list[Finding]:
    """Report keys that have the names of jobs, and hold something else: workers that come upon one fail."""
    if not queue.foreign:
        return []
    subject = f"{place} {display(queue.name)}"
    number = len(queue.foreign)
    names = ", ".join(display(id_) for id_ in queue.foreign[:5]) + (", ..." if number > 5 else "")
    return [
        Finding(
            "queue.foreign",
            Severity.WARNING,
            subject,
            f"{subject}: {number} of the jobs that were sampled have a key that is no job's ({names})",
            number,
            0,
            "See what they hold (TYPE) and who writes them. Once they are gone, queue_cleanup removes the ids.",
        )
    ]
