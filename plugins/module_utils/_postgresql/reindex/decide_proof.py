# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a rebuild or a drop had its effect. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.action import Action
from ..._core.units import format_size
from .decide_leftovers import origin_of
from .decide_reindex import DROP, Work
from .observation import Index

__all__ = ["doubt_of", "left_by"]

LARGER = 1.05
"""Size after a rebuild, in multiples of before, from which on something is wrong; writes meanwhile make it grow."""


def left_by(action: Action, after: Sequence[Index]) -> list[Index]:
    """Return what a rebuild left beside the index that it made; the arguments are those of :func:`doubt_of`."""
    work: Work = action.work
    found = [(index, origin_of(index, after)) for index in after]
    return [index for index, origin in found if origin is not None and origin.parts == work.target.parts]


def doubt_of(action: Action, after: Sequence[Index]) -> str:
    """Return what speaks against an action having had its effect; empty if nothing does.

    :param after: the indexes of its table as they are now.
    """
    work: Work = action.work
    now = next((index for index in after if index.parts == work.target.parts), None)
    if action.kind == DROP:
        return f"{action.subject} is still there" if now is not None and now.oid == work.target.oid else ""
    return f"{action.subject} is gone after its rebuild" if now is None else _doubt(work.target, now)


def _doubt(before: Index, now: Index) -> str:
    if not now.usable:
        return f"{now.label} is not valid after its rebuild"
    if now.oid == before.oid:
        return f"{now.label} is the same index as before its rebuild"
    if before.usable and now.bytes > before.bytes * LARGER:
        return f"{now.label} was {format_size(before.bytes)} before its rebuild and is {format_size(now.bytes)} now"
    return ""
