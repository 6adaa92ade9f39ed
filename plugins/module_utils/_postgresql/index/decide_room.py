# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which indexes that are to be made would not fit on the disk. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..._core.action import Action, ActionState
from ..._core.units import format_size
from ..bloat import BLOCK, IndexColumn, IndexShape, estimate_index
from ..spaces import SPACE_FACTOR
from .decide_declared import Work

__all__ = ["Entries", "Room", "decide_room", "index_bytes"]

FILLFACTOR = 90
"""Percent to which a btree's leaf pages are filled, unless it is declared otherwise, which it cannot be here."""


class Entries(NamedTuple):
    """What an index will hold, as the planner estimates: so many rows, of so many bytes each on average."""

    rows: float
    width: float


class Room(NamedTuple):
    """Disk, and what indexes that do not exist will take of it.

    :param free: bytes where a new index goes; None: not known.
    :param needed: bytes by schema and name of the index; one that is not there cannot be estimated.
    """

    free: int | None = None
    needed: Mapping[tuple[str, str], float] = {}


def index_bytes(entries: Entries) -> float:
    """Estimate the size of a btree.

    Equal keys are not taken as stored together: the server first sorts every entry on the disk, one by one.
    """
    column = IndexColumn(width=entries.width, nulls=0.0, distinct=None, length=-1, alignment=1)
    return BLOCK * estimate_index(IndexShape(entries.rows, FILLFACTOR, False, [column])).pages


def decide_room(actions: Sequence[Action], room: Room) -> list[Action]:
    """Return the actions, skipped those that make an index for which there is no room beside those before it."""
    if room.free is None:
        return list(actions)
    left = float(room.free)
    decided = []
    for action in actions:
        work = action.work
        needed = room.needed.get(work.parts, 0.0) * SPACE_FACTOR if _makes(action) else 0.0
        given_back = work.drops.bytes if needed and work.drops else 0
        if needed and left + given_back < needed:
            detail = f"it takes about {format_size(needed)} of free disk, and {format_size(left)} is left for it"
            decided.append(action.became(ActionState.SKIPPED, detail))
        else:
            left += given_back - needed
            decided.append(action)
    return decided


def _makes(action: Action) -> bool:
    return action.state is ActionState.PLANNED and isinstance(action.work, Work) and action.work.creates
