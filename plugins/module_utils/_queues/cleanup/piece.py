# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an action on a queue works on. Pure data; never shown."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..observations import Place
from .options import Retrying

__all__ = ["Errand", "Piece"]


class Piece(NamedTuple):
    """What an action works on.

    :param place: the queue.
    :param what: what of it: the state, ghosts, orphans, an errand on failed jobs.
    :param jobs: about how many jobs it changes; 0 for what is no job.
    :param most: how many it may change; None: no limit.
    """

    place: Place
    what: Any
    jobs: int
    most: int | None = None


class Errand(NamedTuple):
    """What is to be done to failed jobs.

    :param retrying: the rules for them.
    :param until: when the last of them failed; later ones are left, so that no job is tried twice by one run.
    :param layout: how the queue that they come into keeps its jobs.
    :param letters: what the keys of the queue of dead letters begin with; empty: there is none.
    """

    retrying: Retrying
    until: float
    layout: str = ""
    letters: str = ""
