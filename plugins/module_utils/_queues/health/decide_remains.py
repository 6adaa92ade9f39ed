# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges what is left of jobs, and whether anybody works on those that wait. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..observations import WAITING_STATES, Queue, display
from .naming import metric_of, problems_of, subject_of
from .observation import Remains, Served

__all__ = ["decide_ghosts", "decide_orphans", "decide_workers"]


def decide_ghosts(remains: Remains, situation: Situation) -> Decision:
    """Judge ids without a job."""
    decision = Decision(problems_of(remains.problems, situation))
    for queue in remains.queues:
        ghosts = remains.ghosts.get(queue.name, ())
        number = sum(len(found.ids) for found in ghosts)
        decision.metrics[metric_of("queue_ghosts", queue)] = number
        where = ", ".join(found.state for found in ghosts)
        decision.findings += situation.thresholds.judge(
            "ghosts",
            "queue.ghosts",
            subject_of(queue, situation),
            number,
            f"of {remains.looked_at.get(queue.name, 0)} ids that were looked at have no job ({where}):",
        )
    return decision


def decide_orphans(remains: Remains, situation: Situation) -> Decision:
    """Judge jobs in no state, and say where they could not be looked for."""
    decision = Decision(problems_of(remains.problems, situation))
    for queue in remains.queues:
        subject = subject_of(queue, situation)
        if queue.name in remains.unknown:
            decision.findings.append(_unknown(subject, remains.unknown[queue.name]))
        orphans = remains.orphans.get(queue.name)
        if orphans is None:
            continue
        decision.metrics[metric_of("queue_orphans", queue)] = len(orphans)
        names = ", ".join(display(id_) for id_ in orphans[:5])
        decision.findings += situation.thresholds.judge(
            "orphans",
            "queue.orphans",
            subject,
            len(orphans),
            f"jobs that are in no state ({names}{', ...' if len(orphans) > 5 else ''}):",
        )
    decision.findings += _incomplete(remains, situation)
    return decision


def _incomplete(remains: Remains, situation: Situation) -> Iterator[Finding]:
    if not remains.complete:
        yield Finding(
            "queue.search_incomplete",
            Severity.WARNING,
            situation.subject,
            f"{situation.subject}: the search for jobs in no state ended before all keys were looked at",
            None,
            None,
            "Give it more time (search_time), or name fewer queues.",
        )


def _unknown(subject: str, why: str) -> Finding:
    return Finding(
        "queue.orphans_unknown",
        Severity.WARNING,
        subject,
        f"{subject}: jobs in no state cannot be told, for {why}",
        None,
        None,
        "Leave the check orphans out for this queue.",
    )


def decide_workers(served: Served, situation: Situation) -> Decision:
    """Judge whether there is a worker where jobs wait."""
    decision = Decision(problems_of(served.problems, situation))
    for queue, workers in served.queues:
        if workers is None:
            continue
        decision.metrics[metric_of("queue_workers", queue)] = workers
        if workers == 0 and not (queue.paused or queue.letters or _in_work(queue)):
            waiting = sum(queue.counts.get(state, 0) for state in WAITING_STATES)
            decision.findings += situation.thresholds.judge(
                "unserved",
                "queue.no_workers",
                subject_of(queue, situation),
                waiting,
                "no worker is connected; jobs wait:",
            )
    return decision


def _in_work(queue: Queue) -> bool:
    """Whether some job is in work and its lock held: then there is a worker, whatever its connection is called."""
    return queue.active.sampled > len(queue.active.stalled)
