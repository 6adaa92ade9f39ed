# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides what is done about a queue's failed jobs: tried again, moved to the dead letters, removed, kept. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ..._core.action import Action, ActionState
from ..._core.finding import Finding
from ..._core.result import Metrics, metric_name
from ..._core.severity import Severity
from .decide_failed import ATTEMPTS, NAME, REASON, RETRY
from .layout import WITH_MARKER, layout_of, letters_layout, same_slot, unclear
from .observation import Failed, QueueWork
from .options import DEAD_LETTER, REMOVE, Options, Retrying
from .piece import Errand, Piece

__all__ = ["DISPOSALS", "RETRY", "failed_actions", "failed_findings", "failed_metrics"]

DISPOSALS = {DEAD_LETTER: "dead_letter", REMOVE: "remove_failed"}
"""Kinds of actions, by the outcome of the jobs that they work on."""

REMEDY = "Start a worker or a Queue of the library on it once, which leaves traces; or resume the queue."


def failed_metrics(work: QueueWork) -> Metrics:
    """Say how many failed jobs meet which outcome, and why."""
    if work.failed is None:
        return {}
    return {
        metric_name("queue_failed_jobs", queue=work.place.name, outcome=verdict.outcome, why=verdict.why): count
        for verdict, count in sorted(work.failed.counts.items())
    }


def failed_actions(work: QueueWork, options: Options, cluster: bool) -> Iterator[Action]:
    """Choose what is done to failed jobs.

    :param cluster: whether the queues lie in a cluster, where one step changes keys of one slot only.
    """
    retrying, failed = options.retry, work.failed
    if retrying is None or failed is None:
        return
    retries = _of(failed, RETRY)
    if retries:
        yield _retry(work, retrying, failed, retries)
    disposed = _of(failed, retrying.otherwise) if retrying.otherwise in DISPOSALS else {}
    if disposed:
        yield _disposal(work, options, retrying, failed, disposed, cluster)


def failed_findings(work: QueueWork, options: Options, label: str, cluster: bool) -> Iterator[Finding]:
    """Report what failed jobs cannot be done to."""
    for action in failed_actions(work, options, cluster):
        if action.state is ActionState.SKIPPED:
            subject = f"{label} {work.place.name}"
            yield Finding(
                f"queue.{action.kind}_refused",
                Severity.WARNING,
                subject,
                f"{subject}: failed jobs were left, for {action.detail}",
                action.work.jobs,
                None,
                _remedy(action, options),
            )


def _retry(work: QueueWork, retrying: Retrying, failed: Failed, counts: dict[str, int]) -> Action:
    place, layout = work.place, layout_of(work.place.queue.flavour)
    reasons = ", ".join(f"{count} by {reason}" for reason, count in counts.items())
    action = Action(
        RETRY,
        f"{place.name} failed",
        f"jobs that failed {reasons}, each tried fewer times than {retrying.max_attempts}",
        f"ZREM {place.key('failed')} and push to {place.key('wait')} or prioritized, in batches",
        work=Piece(place, Errand(retrying, failed.until, layout or ""), sum(counts.values())),
    )
    why = unclear(layout, place.queue)
    return action.became(ActionState.SKIPPED, why) if why else action


def _disposal(
    work: QueueWork, options: Options, retrying: Retrying, failed: Failed, counts: dict[str, int], cluster: bool
) -> Action:
    place = work.place
    letters = f"{options.prefix}:{options.dead_letter}:" if retrying.otherwise == DEAD_LETTER else ""
    layout = letters_layout(place.queue.flavour, work.letters) if letters else None
    what = f"move to {letters}wait" if letters else "UNLINK of the jobs' keys"
    action = Action(
        DISPOSALS[retrying.otherwise],
        f"{place.name} failed",
        "jobs that are not tried again: " + ", ".join(_words(why, count, retrying) for why, count in counts.items()),
        f"ZREM {place.key('failed')} and {what}, in batches",
        work=Piece(place, Errand(retrying, failed.until, layout or "", letters), sum(counts.values())),
    )
    why = _letters_refused(work, layout, place.key("failed"), letters, cluster) if letters else ""
    if letters and not why and layout in WITH_MARKER and ":" in (options.dead_letter or ""):
        why = f"BullMQ opens no queue with a colon in its name, as {options.dead_letter} has"
    return action.became(ActionState.SKIPPED, why) if why else action


def _letters_refused(work: QueueWork, layout: str | None, key: str, letters: str, cluster: bool) -> str:
    """Say why dead letters cannot be written; empty: they can."""
    if cluster and not same_slot(key, f"{letters}wait"):
        return f"{letters}* lies in another slot of the cluster than {key}, and one step cannot change both"
    if work.letters is None:
        return unclear(layout, work.place.queue._replace(paused=False))
    if layout is None and layout_of(work.letters.flavour) is not None:
        return f"another library keeps the queue of the dead letters ({work.letters.flavour.name})"
    why = unclear(layout, work.letters)
    return f"of the queue of the dead letters, {why}" if why else ""


def _remedy(action: Action, options: Options) -> str:
    if "another slot" in action.detail:
        return f"Give queues and dead letters one hash tag: a prefix such as {{{options.prefix}}}."
    if "colon" in action.detail:
        return "Name another queue in dead_letter."
    return "Name a queue of the same library, or a new one." if "another library" in action.detail else REMEDY


def _of(failed: Failed, outcome: str) -> dict[str, int]:
    """How many jobs have an outcome, by why; the most frequent first."""
    found = {verdict.why: count for verdict, count in failed.counts.items() if verdict.outcome == outcome}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _words(why: str, count: int, retrying: Retrying) -> str:
    words = {
        ATTEMPTS: f"tried {retrying.max_attempts} times or more",
        NAME: "of another name",
        REASON: "failed for another reason",
    }
    return f"{count} {words[why]}"
