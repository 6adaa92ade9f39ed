# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides what is done to queues. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..._core.action import Action, ActionState
from ..._core.finding import Finding
from ..._core.result import metric_name
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..decide_job import AWAITED, FOREIGN, LOCKED, SCHEDULED
from ..decide_problem import foreign_findings, problem_finding
from .decide_retry import failed_actions, failed_findings, failed_metrics
from .observation import QueueWork, Seen
from .options import KEEP, Options
from .piece import Piece

__all__ = ["CLEAN", "GHOSTS", "ORPHANS", "TRIM", "decide_cleanup"]

CLEAN, GHOSTS, ORPHANS, TRIM = "clean", "remove_ghosts", "remove_orphans", "trim_events"

UNTOUCHABLE = (LOCKED, SCHEDULED, AWAITED, FOREIGN)
"""Why a failed job is kept that cleaning keeps too."""

USED_UP = "max_changes is used up; the next run goes on here"


def decide_cleanup(seen: Seen, options: Options, label: str) -> Decision:
    """Choose what is done, queue by queue.

    :param label: the server's label.
    """
    decision = Decision([problem_finding(problem, label) for problem in seen.problems])
    decision.metrics["redis_longest_stall_milliseconds"] = round(seen.longest * 1000, 3)
    for work in seen.works:
        decision.findings += foreign_findings(work.place.queue, label)
        decision.findings += _findings(work, label)
        decision.findings += failed_findings(work, options, label, seen.cluster)
        for name, counts in (("queue_old_jobs", work.old), ("queue_kept_jobs", work.kept)):
            for state, count in counts.items():
                decision.metrics[metric_name(name, queue=work.place.name, state=state)] = count
        decision.metrics[metric_name("queue_ghosts", queue=work.place.name)] = _number_of_ghosts(work)
        decision.metrics.update(failed_metrics(work))
        decision.actions += _actions(work, options, seen.cluster)
    decision.actions = list(limited(decision.actions, options.max_changes))
    return decision


def limited(actions: list[Action], most: int | None) -> Iterator[Action]:
    """Share out how many jobs may be changed, in the order of the actions; those that get none are skipped."""
    for action in actions:
        if most is None or action.work.jobs == 0 or action.state is not ActionState.PLANNED:
            yield action
            continue
        if most == 0:
            yield action.became(ActionState.SKIPPED, USED_UP)
            continue
        share = min(most, action.work.jobs)
        most -= share
        yield Action(**{**vars(action), "work": action.work._replace(most=share)})


def _actions(work: QueueWork, options: Options, cluster: bool) -> Iterator[Action]:
    """What there is to do in one queue. Retries come before cleaning, so that no job is removed that could succeed."""
    place = work.place
    if options.ghosts:
        for ghosts in work.ghosts:
            count = len(ghosts.ids)
            yield Action(
                GHOSTS,
                f"{place.name} {ghosts.state}",
                f"{_counted(count, 'id')} in {ghosts.state} without a job",
                f"remove from {place.key(ghosts.state)} what has no key",
                work=Piece(place, ghosts, count),
            )
    moves = list(failed_actions(work, options, cluster))
    yield from moves
    for cleaning in options.cleanings:
        count = work.old.get(cleaning.state, 0)
        if cleaning.state == "failed":
            if any(move.state is ActionState.SKIPPED for move in moves):
                continue  # they are to be tried again or set aside, and that cannot be done yet
            count = max(0, min(count, _failed_that_stay(work, moves, count)))
        if count:
            yield Action(
                CLEAN,
                f"{place.name} {cleaning.state}",
                f"about {_counted(count, 'job')} {cleaning.state} more than {cleaning.written} ago"
                + (f", beside the newest {options.keep_last}" if options.keep_last else ""),
                f"ZREM {place.key(cleaning.state)} and UNLINK of the jobs' keys, in batches",
                work=Piece(place, cleaning, count),
            )
    if work.orphans:
        yield Action(
            ORPHANS,
            place.name,
            f"{_counted(len(work.orphans), 'job')} in no state",
            f"UNLINK of the jobs' keys under {place.base} that no state holds",
            work=Piece(place, work.orphans, len(work.orphans)),
        )
    if options.trim_events and work.surplus_events:
        yield Action(
            TRIM,
            f"{place.name} events",
            f"the stream has {place.queue.events} entries, its limit is {place.queue.events_limit}",
            f"XTRIM {place.key('events')} MAXLEN ~ {place.queue.events_limit}, in steps",
            work=Piece(place, None, 0),
        )


def _failed_that_stay(work: QueueWork, moves: Sequence[Action], old: int) -> int:
    """How many failed jobs are left to be cleaned once others were tried again or set aside; ``old`` if all are.

    Ghosts, which are counted among the failed jobs, are gone by then as well; and what nobody may remove stays.
    """
    if work.failed is None:
        return old
    moved = sum(action.work.jobs for action in moves if action.state is ActionState.PLANNED)
    ghosts = sum(len(found.ids) for found in work.ghosts if found.state == "failed")
    untouchable = sum(
        count for verdict, count in work.failed.counts.items() if verdict.outcome == KEEP and verdict.why in UNTOUCHABLE
    )
    return int(sum(work.failed.counts.values()) - moved - ghosts - untouchable)


def _findings(work: QueueWork, label: str) -> Iterator[Finding]:
    subject = f"{label} {work.place.name}"
    number = _number_of_ghosts(work)
    if number:
        yield Finding(
            "queue.ghosts",
            Severity.WARNING,
            subject,
            f"{subject}: {_counted(number, 'id')} without a job in {', '.join(found.state for found in work.ghosts)}",
            number,
            0,
            "Find what removes keys of jobs by itself: an eviction policy other than noeviction, an expiry, a script.",
        )
    for state, length in work.unread.items():
        yield Finding(
            "queue.not_looked_through",
            Severity.WARNING,
            subject,
            f"{subject}: {state} has {length} entries, too many to be looked through without a stall",
            length,
            None,
            "Ghosts in it are left. Start more workers, or drain the queue.",
        )
    if work.orphans_unknown:
        yield Finding(
            "queue.orphans_unknown",
            Severity.WARNING,
            subject,
            f"{subject}: orphans were left, for {work.orphans_unknown}",
            None,
            None,
            "Set orphans to false for this queue.",
        )


def _number_of_ghosts(work: QueueWork) -> int:
    return sum(len(ghosts.ids) for ghosts in work.ghosts)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
