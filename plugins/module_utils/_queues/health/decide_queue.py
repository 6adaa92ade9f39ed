# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges queues. Pure."""

from __future__ import annotations

from typing import Any

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..._core.units import format_duration
from ..decide_problem import foreign_findings
from ..observations import STATES, WAITING_STATES, Queue, Reading, display
from .decide_ended import LEAST_FINISHED, ended, failure_percent
from .naming import age_of, metric_of, problems_of, subject_of
from .observation import Looked

__all__ = [
    "decide_active",
    "decide_backlog",
    "decide_counts",
    "decide_delayed",
    "decide_events",
    "decide_eviction",
    "decide_failures",
    "decide_paused",
    "remember_backlog",
]


def decide_counts(reading: Reading, situation: Situation) -> Decision:
    """Report jobs by state; limits on them are the other checks'."""
    decision = Decision(problems_of(reading.problems, situation))
    for queue in reading.queues:
        decision.findings += foreign_findings(queue, situation.subject)
        for state in STATES:
            decision.metrics[metric_of("queue_jobs", queue, state=state)] = queue.counts.get(state, 0)
    return decision


def decide_backlog(reading: Reading, situation: Situation) -> Decision:
    """Judge how many jobs wait, how long, and whether any worker takes them; dead letters wait on purpose."""
    decision = Decision(problems_of(reading.problems, situation))
    for queue in reading.queues:
        subject = subject_of(queue, situation)
        waiting = sum(queue.counts.get(state, 0) for state in WAITING_STATES)
        if queue.letters:
            decision.metrics[metric_of("queue_dead_letters", queue)] = waiting
            decision.findings += situation.thresholds.judge(
                "dead_letters", "queue.dead_letters", subject, waiting, "dead letters:"
            )
            continue
        decision.findings += situation.thresholds.judge("waiting", "queue.waiting", subject, waiting, "jobs waiting:")
        age = age_of(queue.waiting.since, situation)
        if age is not None:
            decision.metrics[metric_of("queue_oldest_waiting_seconds", queue)] = round(age)
        decision.findings += situation.thresholds.judge(
            "oldest_waiting_seconds", "queue.oldest_waiting", subject, age, "the oldest waiting job was added before"
        )
        if not queue.paused:
            decision.findings += situation.thresholds.judge(
                "stuck_seconds",
                "queue.stuck",
                subject,
                _stuck_seconds(queue, situation),
                f"job {display(queue.waiting.next_job or '')} has been next in line and not taken for",
            )
    return decision


def remember_backlog(reading: Reading, situation: Situation) -> dict[str, Any]:
    """Keep which job is next in line and since when; of queues that this run did not read, what was known."""
    now = situation.now.timestamp()
    seen = {
        display(queue.name): {
            "job": display(queue.waiting.next_job or ""),
            "since": now - (_stuck_seconds(queue, situation) or 0.0),
        }
        for queue in reading.queues
    }
    return {**situation.previous, **seen}


def decide_active(reading: Reading, situation: Situation) -> Decision:
    """Judge how long jobs are in work, and whether their workers still live."""
    decision = Decision(problems_of(reading.problems, situation))
    for queue in reading.queues:
        subject, stalled = subject_of(queue, situation), len(queue.active.stalled)
        age = age_of(queue.active.since, situation)
        if age is not None:
            decision.metrics[metric_of("queue_oldest_active_seconds", queue)] = round(age)
        decision.metrics[metric_of("queue_stalled_jobs", queue)] = stalled
        decision.findings += situation.thresholds.judge(
            "oldest_active_seconds", "queue.oldest_active", subject, age, "the oldest active job has been in work for"
        )
        names = ", ".join(display(job) for job in queue.active.stalled[:5])
        decision.findings += situation.thresholds.judge(
            "stalled",
            "queue.stalled",
            subject,
            0 if queue.active.watched else stalled,
            f"of {queue.active.sampled} active jobs have no worker ({names}{', ...' if stalled > 5 else ''}), and none "
            "looks for such jobs:",
        )
    return decision


def decide_paused(reading: Reading, situation: Situation) -> Decision:
    """Judge whether a queue is paused."""
    decision = Decision(problems_of(reading.problems, situation))
    for queue in reading.queues:
        decision.metrics[metric_of("queue_paused", queue)] = int(queue.paused)
        limit = situation.thresholds["paused"]
        if limit.crossed(int(queue.paused), limit.warning):
            waiting = sum(queue.counts.get(state, 0) for state in WAITING_STATES)
            subject = subject_of(queue, situation)
            message = f"{subject}: the queue is paused, and {waiting} jobs wait in it"
            decision.findings.append(
                Finding("queue.paused", limit.severity(1), subject, message, True, False, limit.remedy)
            )
    return decision


def decide_failures(reading: Reading, situation: Situation) -> Decision:
    """Judge the share of failed jobs among those that ended within the window."""
    decision = Decision(problems_of(reading.problems, situation))
    for queue in reading.queues:
        completed, failed = ended(queue.finished)
        decision.metrics[metric_of("queue_recently_completed_jobs", queue)] = completed
        decision.metrics[metric_of("queue_recently_failed_jobs", queue)] = failed
        share = failure_percent(queue.finished, queue.window)
        if share is None:
            continue
        decision.metrics[metric_of("queue_failure_percent", queue)] = share
        if completed + failed >= LEAST_FINISHED:
            decision.findings += situation.thresholds.judge(
                "failure_percent",
                "queue.failure_rate",
                subject_of(queue, situation),
                share,
                f"{failed} of {completed + failed} jobs that ended in the last {format_duration(queue.window)} failed:",
            )
    return decision


def decide_delayed(reading: Reading, situation: Situation) -> Decision:
    """Judge delayed jobs that nobody fetched when they were due."""
    decision = Decision(problems_of(reading.problems, situation))
    for queue in reading.queues:
        decision.metrics[metric_of("queue_delayed_overdue_jobs", queue)] = queue.delayed_overdue
        decision.findings += situation.thresholds.judge(
            "delayed_overdue",
            "queue.delayed_overdue",
            subject_of(queue, situation),
            queue.delayed_overdue,
            "delayed jobs that are due and not fetched:",
        )
    return decision


def decide_events(looked: Looked, situation: Situation) -> Decision:
    """Judge the length of the event stream, which Bull does not have."""
    decision = Decision(problems_of(looked.problems, situation))
    for one in looked.details:
        queue = one.queue
        if queue.flavour.is_bull:
            continue
        decision.metrics[metric_of("queue_events_length", queue)] = queue.events
        if one.events_bytes is not None:
            decision.metrics[metric_of("queue_events_bytes", queue)] = one.events_bytes
        decision.findings += situation.thresholds.judge(
            "events_ratio",
            "queue.events",
            subject_of(queue, situation),
            queue.events / queue.events_limit if queue.events_limit else None,
            f"the event stream holds {queue.events} entries at a limit of {queue.events_limit}, a ratio of",
        )
    return decision


def decide_eviction(policy: str | None, situation: Situation) -> Decision:
    """Judge the server's eviction policy: a queue whose keys may be evicted loses jobs without a word."""
    if policy is None or policy == "noeviction":
        return Decision()
    return Decision(
        [
            Finding(
                "queue.eviction_policy",
                Severity.WARNING,
                situation.subject,
                f"{situation.subject}: maxmemory-policy is {policy}, so keys of queues may be evicted",
                policy,
                "noeviction",
                "Set maxmemory-policy noeviction, or keep queues in a Redis of their own, apart from caches.",
            )
        ]
    )


def _stuck_seconds(queue: Queue, situation: Situation) -> float | None:
    """For how long the same job has been next in line, None if it is another one than in the last run."""
    before = situation.previous.get(display(queue.name))
    if not before or not queue.waiting.next_job or before["job"] != display(queue.waiting.next_job):
        return None
    return max(0.0, situation.now.timestamp() - float(before["since"]))
