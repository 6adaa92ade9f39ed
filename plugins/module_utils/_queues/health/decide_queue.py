# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges queues. Pure."""

from __future__ import annotations

from typing import Any

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.result import metric_name
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..._core.units import format_duration
from ..decide_problem import problem_finding
from ..observations import STATES, WAITING_STATES, Finished, Keeping, Queue, Reading, display

__all__ = [
    "decide_active",
    "decide_backlog",
    "decide_counts",
    "decide_delayed",
    "decide_events",
    "decide_eviction",
    "decide_failures",
    "decide_paused",
    "failure_percent",
    "remember_backlog",
]

LEAST_FINISHED = 20
"""Below this many finished jobs a failure rate says nothing."""


def decide_counts(reading: Reading, situation: Situation) -> Decision:
    """Report jobs by state; limits on them are the other checks'."""
    decision = Decision(_problems(reading, situation))
    for queue in reading.queues:
        for state in STATES:
            name = metric_name("queue_jobs", queue=display(queue.name), state=state)
            decision.metrics[name] = queue.counts.get(state, 0)
    return decision


def decide_backlog(reading: Reading, situation: Situation) -> Decision:
    """Judge how many jobs wait, how long, and whether any worker takes them."""
    decision = Decision(_problems(reading, situation))
    for queue in reading.queues:
        subject = _subject(queue, situation)
        waiting = sum(queue.counts.get(state, 0) for state in WAITING_STATES)
        decision.findings += situation.thresholds.judge("waiting", "queue.waiting", subject, waiting, "jobs waiting:")
        age = _age(queue.waiting.since, situation)
        if age is not None:
            decision.metrics[_metric("queue_oldest_waiting_seconds", queue)] = round(age)
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
    decision = Decision(_problems(reading, situation))
    for queue in reading.queues:
        subject, stalled = _subject(queue, situation), len(queue.active.stalled)
        age = _age(queue.active.since, situation)
        if age is not None:
            decision.metrics[_metric("queue_oldest_active_seconds", queue)] = round(age)
        decision.metrics[_metric("queue_stalled_jobs", queue)] = stalled
        decision.findings += situation.thresholds.judge(
            "oldest_active_seconds", "queue.oldest_active", subject, age, "the oldest active job has been in work for"
        )
        names = ", ".join(display(job) for job in queue.active.stalled[:5])
        decision.findings += situation.thresholds.judge(
            "stalled",
            "queue.stalled",
            subject,
            stalled,
            f"of {queue.active.sampled} active jobs have no worker ({names}{', ...' if stalled > 5 else ''}):",
        )
    return decision


def decide_paused(reading: Reading, situation: Situation) -> Decision:
    """Judge whether a queue is paused."""
    decision = Decision(_problems(reading, situation))
    for queue in reading.queues:
        decision.metrics[_metric("queue_paused", queue)] = int(queue.paused)
        limit = situation.thresholds["paused"]
        if limit.crossed(int(queue.paused), limit.warning):
            waiting = sum(queue.counts.get(state, 0) for state in WAITING_STATES)
            subject = _subject(queue, situation)
            message = f"{subject}: the queue is paused, and {waiting} jobs wait in it"
            decision.findings.append(
                Finding("queue.paused", limit.severity(1), subject, message, True, False, limit.remedy)
            )
    return decision


def decide_failures(reading: Reading, situation: Situation) -> Decision:
    """Judge the share of failed jobs among those that ended within the window."""
    decision = Decision(_problems(reading, situation))
    for queue in reading.queues:
        completed, failed = _ended(queue.finished)
        decision.metrics[_metric("queue_recently_completed_jobs", queue)] = completed
        decision.metrics[_metric("queue_recently_failed_jobs", queue)] = failed
        share = failure_percent(queue.finished, queue.window)
        if share is None:
            continue
        decision.metrics[_metric("queue_failure_percent", queue)] = share
        if completed + failed >= LEAST_FINISHED:
            decision.findings += situation.thresholds.judge(
                "failure_percent",
                "queue.failure_rate",
                _subject(queue, situation),
                share,
                f"{failed} of {completed + failed} jobs that ended in the last {format_duration(queue.window)} failed:",
            )
    return decision


def decide_delayed(reading: Reading, situation: Situation) -> Decision:
    """Judge delayed jobs that nobody fetched when they were due."""
    decision = Decision(_problems(reading, situation))
    for queue in reading.queues:
        decision.metrics[_metric("queue_delayed_overdue_jobs", queue)] = queue.delayed_overdue
        decision.findings += situation.thresholds.judge(
            "delayed_overdue",
            "queue.delayed_overdue",
            _subject(queue, situation),
            queue.delayed_overdue,
            "delayed jobs that are due and not fetched:",
        )
    return decision


def decide_events(reading: Reading, situation: Situation) -> Decision:
    """Judge the length of the event stream, which Bull does not have."""
    decision = Decision(_problems(reading, situation))
    for queue in reading.queues:
        if queue.flavour.is_bull:
            continue
        decision.metrics[_metric("queue_events_length", queue)] = queue.events
        decision.findings += situation.thresholds.judge(
            "events_ratio",
            "queue.events",
            _subject(queue, situation),
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


def failure_percent(finished: Finished, window: float) -> float | None:
    """Return the share of failed jobs in percent, None where it cannot be known.

    The library's own metrics are exact. Without them the jobs that are kept are counted, which says nothing when
    jobs are removed as they end.

    :param window: seconds that ``finished`` looks back.
    """
    completed, failed = _ended(finished)
    if completed + failed == 0:
        return None
    if finished.counted_completed is None and (
        _cut(finished.completed_keeping, finished.completed_kept, window)
        or _cut(finished.failed_keeping, finished.failed_kept, window)
    ):
        return None
    return round(failed * 100 / (completed + failed), 2)


def _cut(keeping: Keeping | None, kept: int, window: float) -> bool:
    """Whether jobs that ended within the window may have been removed already."""
    if keeping is None:
        return False
    by_count = keeping.number is not None and kept >= keeping.number
    return by_count or (keeping.age is not None and keeping.age < window)


def _ended(finished: Finished) -> tuple[int, int]:
    """Completed and failed jobs within the window, from the best source there is."""
    if finished.counted_completed is None:
        return finished.completed, finished.failed
    return finished.counted_completed, finished.counted_failed or 0


def _stuck_seconds(queue: Queue, situation: Situation) -> float | None:
    """For how long the same job has been next in line, None if it is another one than in the last run."""
    before = situation.previous.get(display(queue.name))
    if not before or not queue.waiting.next_job or before["job"] != display(queue.waiting.next_job):
        return None
    return max(0.0, situation.now.timestamp() - float(before["since"]))


def _problems(reading: Reading, situation: Situation) -> list[Finding]:
    return [problem_finding(problem, situation.subject) for problem in reading.problems]


def _subject(queue: Queue, situation: Situation) -> str:
    return f"{situation.subject} {display(queue.name)}"


def _metric(name: str, queue: Queue) -> str:
    return metric_name(name, queue=display(queue.name))


def _age(since: float | None, situation: Situation) -> float | None:
    return None if since is None else max(0.0, situation.now.timestamp() - since)
