# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Says what is wrong where a queue could not be read. Pure."""

from __future__ import annotations

from .._core.finding import Finding
from .._core.runner import sub_finding
from .._core.severity import Severity
from .observations import Problem, display

__all__ = ["problem_finding"]


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
