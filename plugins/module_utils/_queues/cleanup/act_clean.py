# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes old finished jobs."""

from __future__ import annotations

from contextlib import suppress

from ..._core.action import Action
from ..._core.errors import UpkeepError
from ..decide_job import Tally, told
from ..keys import job_suffixes
from ..observations import Place
from ..page import run_script
from .act_clean_transaction import LARGEST_TRANSACTION, clean_in_transaction
from .batches import Progress, in_batches
from .options import milliseconds_before
from .scripts.clean import CLEAN
from .tools import Tools

__all__ = ["clean"]


def clean(tools: Tools, action: Action) -> Action:
    """Remove what is old, oldest first; what has to stay is passed over."""
    place: Place = action.work.place
    state = action.work.what.state
    before = milliseconds_before(action.work.what.older_than, tools.context.clock.now())
    tried = f"clean the {state} jobs of {place.name}"
    total, ghosts_go = Tally(), tools.options.ghosts

    def batch(progress: Progress) -> None:
        nonlocal total
        kept = total.seen - total.left(ghosts_go)
        if tools.scripts:
            most = progress.room(tools.pace.size)
            limits = (before, kept, most, tools.options.keep_last, int(ghosts_go))
            arguments = (place.base, *limits, *job_suffixes(place.queue.flavour)[1:])
            keys = (place.key(state), place.key("repeat"))
            done = Tally(*run_script(tools.client, tools.pace, tried, CLEAN, keys, arguments))
        else:
            most = progress.room(min(tools.pace.size, LARGEST_TRANSACTION))
            done = clean_in_transaction(tools, place, state, before, kept, most, tried)
        total = total.plus(done)
        progress.changed = total.left(ghosts_go)
        progress.finished = done.seen == 0

    became = in_batches(tools, action, batch, lambda _progress: told(total, ghosts_go))
    if total.removed:
        _announce(tools, place, total.removed)
    return became


def _announce(tools: Tools, place: Place, removed: int) -> None:
    """Tell BullMQ's listeners, as its own clean-up does; Bull has no stream. That it cannot be told undoes nothing.

    The stream is not trimmed here: a long one would go at once, and the server stand still.
    """
    if not place.queue.flavour.name.startswith("bullmq"):
        return
    entry = ("XADD", place.key("events"), "*", "event", "cleaned", "count", removed)
    with suppress(UpkeepError):
        tools.client.ask_all("announce what was removed", [entry])
