# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every judgement of queues says alike: subjects, metrics, ages, and the queues that could not be read. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.result import metric_name
from ..decide_problem import problem_finding
from ..observations import Problem, Queue, display

__all__ = ["age_of", "metric_of", "problems_of", "subject_of"]


def problems_of(problems: Sequence[Problem], situation: Situation) -> list[Finding]:
    """Return a finding for each queue that could not be read."""
    return [problem_finding(problem, situation.subject) for problem in problems]


def subject_of(queue: Queue, situation: Situation) -> str:
    """Return server and queue, for people."""
    return f"{situation.subject} {display(queue.name)}"


def metric_of(name: str, queue: Queue, **labels: str) -> str:
    """Return the name of a metric of one queue."""
    return metric_name(name, queue=display(queue.name), **labels)


def age_of(since: float | None, situation: Situation) -> float | None:
    """Return the seconds from a moment until now, none below zero; None: the moment is not known."""
    return None if since is None else max(0.0, situation.now.timestamp() - since)
