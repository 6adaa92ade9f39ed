# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carries out what was decided on a queue, batch by batch, and says what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..._core.action import Action, ActionState
from ..._core.errors import DeadlineExceeded, UpkeepError
from .tools import Tools

__all__ = ["Progress", "in_batches"]


class Progress:
    """What an action did so far.

    :param most: how many jobs it may change; None: no limit.
    """

    def __init__(self, most: int | None) -> None:
        self.most = most
        self.changed = 0
        self.finished = False

    def room(self, size: int) -> int:
        """How many jobs the next batch may have."""
        return size if self.most is None else min(size, self.most - self.changed)


def in_batches(
    tools: Tools, action: Action, batch: Callable[[Progress], None], told: Callable[[Progress], str]
) -> Action:
    """Do batches until there is nothing left, the time is over, or as many jobs were changed as may be.

    :param batch: does one batch, adds to ``changed``, and sets ``finished`` with the last.
    :param told: says what was done.
    :return: the action as it became; what was done before an error stays done, and is said.
    """
    progress, stopped = Progress(action.work.most), ""
    try:
        while not progress.finished:
            if progress.room(1) < 1:
                stopped = "; max_changes is used up, the next run goes on here"
                break
            tools.context.deadline.check("begin the next batch")
            tools.keep_lock()
            batch(progress)
    except DeadlineExceeded:
        stopped = "; the deadline is over, the next run goes on here"
    except UpkeepError as error:
        if not progress.changed:
            raise
        detail = f"{told(progress)}, then: {tools.context.secrets.redact(str(error))}"
        return replace(action.became(ActionState.FAILED, detail), touched=True)
    state = ActionState.DONE if progress.changed else ActionState.SKIPPED
    stall = f"; longest stall {tools.pace.longest * 1000:.1f} ms" if progress.changed else ""
    return action.became(state, f"{told(progress)}{stopped}{stall}")
