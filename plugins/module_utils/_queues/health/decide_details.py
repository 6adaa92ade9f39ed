# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges queues by what was read of them more closely: ages, rates, and the jobs that come again. Pure."""

from __future__ import annotations

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.runner import Decision
from ..observations import STATES, WAITING_STATES, display
from .decide_ended import LEAST_FINISHED, cut_short, ended
from .naming import age_of, metric_of, problems_of, subject_of
from .observation import RATE_SECONDS, Details, Looked

__all__ = ["decide_ages", "decide_rates", "decide_schedulers"]

JUDGED_AGES = {
    "waiting-children": ("oldest_parent_seconds", "queue.oldest_parent", "the oldest parent has waited for"),
    "completed": ("oldest_completed_seconds", "queue.oldest_completed", "the oldest completed job ended before"),
    "failed": ("oldest_failed_seconds", "queue.oldest_failed", "the oldest failed job ended before"),
}
"""States whose oldest job has a limit here; those that wait and those in work have theirs in checks of their own."""


def decide_ages(looked: Looked, situation: Situation) -> Decision:
    """Report since when the oldest job of each state is there, and judge those that ought to go one day."""
    decision = Decision(problems_of(looked.problems, situation))
    for one in looked.details:
        for state in STATES:
            age = age_of(one.oldest.get(state), situation)
            if age is None:
                continue
            decision.metrics[metric_of("queue_oldest_job_seconds", one.queue, state=state)] = round(age)
            if state in JUDGED_AGES:
                limit, finding, what = JUDGED_AGES[state]
                decision.findings += situation.thresholds.judge(
                    limit, finding, subject_of(one.queue, situation), age, what
                )
    return decision


def decide_rates(looked: Looked, situation: Situation) -> Decision:
    """Report how many jobs end in a minute, and judge how long those that wait take at that rate."""
    decision = Decision(problems_of(looked.problems, situation))
    for one in looked.details:
        rates = per_minute(one)
        if rates is None:
            continue
        completed, failed = rates
        decision.metrics[metric_of("queue_completed_jobs_per_minute", one.queue)] = round(completed, 2)
        decision.metrics[metric_of("queue_failed_jobs_per_minute", one.queue)] = round(failed, 2)
        waiting = sum(one.queue.counts.get(state, 0) for state in WAITING_STATES)
        if one.queue.paused or one.queue.letters or (completed + failed) * RATE_SECONDS / 60 < LEAST_FINISHED:
            continue
        seconds = waiting * 60 / (completed + failed)
        decision.metrics[metric_of("queue_drain_seconds", one.queue)] = round(seconds)
        decision.findings += situation.thresholds.judge(
            "drain_seconds",
            "queue.slow_drain",
            subject_of(one.queue, situation),
            seconds,
            f"at {completed + failed:.1f} jobs a minute the {waiting} that wait take",
        )
    return decision


def per_minute(one: Details) -> tuple[float, float] | None:
    """Return completed and failed jobs a minute, None where jobs that ended may be gone already and were not counted.

    The library's own metrics are exact; else the jobs that are kept are counted.
    """
    if cut_short(one.recent, RATE_SECONDS):
        return None
    completed, failed = ended(one.recent)
    return completed * 60 / RATE_SECONDS, failed * 60 / RATE_SECONDS


def decide_schedulers(looked: Looked, situation: Situation) -> Decision:
    """Judge schedulers whose next run lies in the past: no worker makes the one after."""
    decision = Decision(problems_of(looked.problems, situation))
    for one in looked.details:
        schedules = one.schedules
        if not schedules.total:
            continue
        late = age_of(schedules.since, situation) or 0.0
        decision.metrics[metric_of("queue_schedulers", one.queue)] = schedules.total
        decision.metrics[metric_of("queue_scheduler_late_seconds", one.queue)] = round(late)
        decision.metrics[metric_of("queue_dead_schedulers", one.queue)] = len(schedules.dead)
        if one.queue.paused:
            continue
        decision.findings += situation.thresholds.judge(
            "scheduler_late_seconds",
            "queue.scheduler_late",
            subject_of(one.queue, situation),
            late,
            f"of {schedules.total} schedulers {_named(one)} should have run before",
        )
        decision.findings += _dead(one, situation)
    return decision


def _dead(one: Details, situation: Situation) -> list[Finding]:
    names = ", ".join(display(name) for name in one.schedules.dead[:5])
    return situation.thresholds.judge(
        "dead_schedulers",
        "queue.dead_scheduler",
        subject_of(one.queue, situation),
        len(one.schedules.dead),
        f"schedulers whose next job is gone, so that they never run again ({names}):",
    )


def _named(one: Details) -> str:
    names = [display(name) for name in one.schedules.late]
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
