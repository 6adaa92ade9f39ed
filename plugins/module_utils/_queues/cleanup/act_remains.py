# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes ids without job, jobs without state, and surplus entries of the event stream."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.action import Action, ActionState
from ..keys import LISTS, job_suffixes
from ..observations import Ghosts, Place
from ..page import ask_page, run_script
from .batches import Progress, in_batches
from .options import milliseconds_before
from .scripts.ghosts import GHOSTS
from .scripts.orphans import ORPHANS
from .tools import Tools
from .transactions import transact

__all__ = ["remove_ghosts", "remove_orphans", "trim_events"]

LIST_BATCH = 20
"""Entries to remove from a list in one request, for each of which the server walks over the list."""

ENTRIES_FOR_ONE = 10
"""Entries of a stream that go in the time of one job: they go by whole nodes."""


def remove_ghosts(tools: Tools, action: Action) -> Action:
    """Remove ids from a state that still have no job."""
    place: Place = action.work.place
    ghosts: Ghosts = action.work.what
    largest = LIST_BATCH if ghosts.state in LISTS else tools.options.batch_size
    tried = f"remove ids without a job from {ghosts.state} of {place.name}"
    position = 0

    def batch(progress: Progress) -> None:
        nonlocal position
        ids = ghosts.ids[position : position + progress.room(min(tools.pace.size, largest))]
        if ids:
            progress.changed += _remove_page(tools, place, ghosts.state, ids, tried)
        position += len(ids)
        progress.finished = position >= len(ghosts.ids)

    return in_batches(tools, action, batch, lambda progress: f"{progress.changed} of {len(ghosts.ids)} removed")


def _remove_page(tools: Tools, place: Place, state: str, ids: Sequence[str], tried: str) -> int:
    """Return how many ids were removed from a state; those that have a job by now stay."""
    key = place.key(state)
    if tools.scripts:
        return int(run_script(tools.client, tools.pace, tried, GHOSTS, [key], [place.base, *ids]))
    jobs = [place.key(id_) for id_ in ids]

    def prepare() -> list[tuple[str | int, ...]]:
        there = ask_page(tools.client, tools.pace, tried, [("EXISTS", job) for job in jobs])
        gone = [id_ for id_, exists in zip(ids, there, strict=True) if not exists]
        if state in LISTS:
            return [("LREM", key, 0, id_) for id_ in gone]
        return [("ZREM", key, *gone)] if gone else []

    return sum(transact(tools.client, tools.pace, tried, jobs, prepare))


def remove_orphans(tools: Tools, action: Action) -> Action:
    """Remove jobs that still are in no state, each looked for in all states in the same step."""
    place: Place = action.work.place
    orphans: Sequence[str] = action.work.what
    if tools.options.orphans is None:
        return action.became(ActionState.SKIPPED, "orphans are not asked for")
    before = milliseconds_before(tools.options.orphans, tools.context.clock.now())
    suffixes = job_suffixes(place.queue.flavour)
    position = 0

    def batch(progress: Progress) -> None:
        nonlocal position
        ids = orphans[position : position + progress.room(min(tools.pace.size, LIST_BATCH))]
        arguments = (place.base, before, len(suffixes), *suffixes, *ids)
        tried = f"remove jobs of {place.name} that are in no state"
        progress.changed += int(run_script(tools.client, tools.pace, tried, ORPHANS, [place.key("meta")], arguments))
        position += len(ids)
        progress.finished = position >= len(orphans)

    return in_batches(tools, action, batch, lambda progress: f"{progress.changed} of {len(orphans)} removed")


def trim_events(tools: Tools, action: Action) -> Action:
    """Trim the event stream step by step; the server takes away whole nodes, so about a hundred entries may be left."""
    place: Place = action.work.place
    key, limit = place.key("events"), place.queue.events_limit
    tried = f"trim the events of {place.name}"

    def batch(progress: Progress) -> None:
        (length,) = ask_page(tools.client, tools.pace, tried, [("XLEN", key)])
        step = tools.pace.size * ENTRIES_FOR_ONE
        wanted = max(limit, int(length) - step)
        (removed,) = ask_page(tools.client, tools.pace, tried, [("XTRIM", key, "MAXLEN", "~", wanted)])
        progress.changed += int(removed)
        progress.finished = wanted == limit or removed == 0

    return in_batches(tools, action, batch, lambda progress: f"{progress.changed} entries removed")
