# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Understands a queue that BullMQ 6 keeps in PostgreSQL, so that it is judged as those in Redis are. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..decide_finished import counted
from ..decide_flavour import keeping
from ..observations import Active, Finished, Flavour, Queue, Waiting
from .observation import RATE_SECONDS, Details, Schedules

__all__ = ["LATE_MILLISECONDS", "Kept", "details_of"]

LATE_MILLISECONDS = 60_000
"""A delayed job is overdue, a scheduler late, and a lock gone for good, when its time has been over for so long: a
worker looks for such jobs twice before it takes them back (stalledInterval is 30 s).
"""

STREAM_LIMIT = 10_000
"""Length at which BullMQ trims a queue's events if the queue does not say another."""

_OFF: Sequence[Any] = (None, None, None, ())


class Kept(NamedTuple):
    """What was read of one queue; moments are milliseconds since 1970.

    :param meta: the queue's own fields; None: it has none.
    :param counts: jobs by state, those of a paused queue among ``waiting``.
    :param ended: for ``completed`` and ``failed`` when the oldest ended, how many did within the window and lately, and
        the options of the newest.
    :param metrics: for the same, where they are on, what the library counted, as it names it for Redis.
    :param late: schedulers whose time is over, each with whether its next job is there.
    :param workers: connections of workers; None: they cannot be told.
    :param window: seconds that ``ended`` looks back.
    """

    meta: Mapping[str, str] | None
    counts: Mapping[str, int]
    next_job: str | None
    waiting_since: int | None
    active_since: int | None
    stalled: Sequence[str]
    delayed_overdue: int
    delayed_since: int | None
    parent_since: int | None
    ended: Mapping[str, Mapping[str, Any]]
    metrics: Mapping[str, Sequence[Any]] | None
    events: int
    schedulers: int
    next_run: int | None
    late: Sequence[tuple[str, bool]]
    workers: int | None
    name: str = ""
    now: float = 0.0
    window: float = 0.0


def details_of(kept: Kept, schema: str) -> Details:
    """Return the queue as all checks take it.

    :param schema: where the tables are.
    """
    queue = _queue(kept, schema)
    moments = {
        "waiting": kept.waiting_since,
        "active": kept.active_since,
        "delayed": kept.delayed_since,
        "waiting-children": kept.parent_since,
        **{state: found["oldest"] for state, found in kept.ended.items()},
    }
    return Details(
        queue=queue,
        oldest={state: moment / 1000 for state, moment in moments.items() if moment is not None},
        recent=_finished(kept, "lately", RATE_SECONDS),
        schedules=Schedules(
            total=kept.schedulers,
            since=kept.next_run / 1000 if kept.next_run is not None and kept.next_run <= kept.now else None,
            late=[name for name, _has_job in kept.late],
            dead=[name for name, has_job in kept.late if not has_job],
        ),
    )


def _queue(kept: Kept, schema: str) -> Queue:
    meta = kept.meta or {}
    paused = meta.get("paused") == "1"
    counts = dict(kept.counts)
    counts["paused"] = counts.pop("waiting") if paused else 0  # as the library's own getJobCounts has it
    version = str(meta.get("version") or "").partition(":")[2] or None
    limit = str(meta.get("opts.maxLenEvents") or "")
    return Queue(
        name=kept.name,
        flavour=Flavour("bullmq6", version, f"the tables of the schema {schema} in PostgreSQL"),
        counts={"waiting": 0, **counts},
        paused=paused,
        events=kept.events,
        events_limit=int(limit) if limit.isdecimal() else STREAM_LIMIT,
        delayed_overdue=kept.delayed_overdue,
        window=kept.window,
        waiting=Waiting(kept.next_job, None if kept.waiting_since is None else kept.waiting_since / 1000),
        active=Active(
            None if kept.active_since is None else kept.active_since / 1000, kept.stalled, kept.counts["active"]
        ),
        finished=_finished(kept, "recent", kept.window),
        kept_in="postgresql",
    )


def _finished(kept: Kept, span: str, window: float) -> Finished:
    """What ended within a window: ``recent`` or ``lately``."""

    def counted_of(state: str) -> int | None:
        *head, minutes = (kept.metrics or {}).get(state, _OFF)
        return counted([_text(value) for value in head], [str(value) for value in minutes or ()], kept.now, window)

    completed, failed = kept.ended["completed"], kept.ended["failed"]
    return Finished(
        completed=completed[span],
        failed=failed[span],
        counted_completed=counted_of("completed"),
        counted_failed=counted_of("failed"),
        completed_kept=kept.counts["completed"],
        failed_kept=kept.counts["failed"],
        # As in Redis: what removes completed jobs is told by a job that failed, and the other way round.
        completed_keeping=keeping((failed["options"] or completed["options"] or {}).get("removeOnComplete")),
        failed_keeping=keeping((completed["options"] or failed["options"] or {}).get("removeOnFail")),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
