# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether what was done shows in the catalogue. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.action import Action, ActionState
from ..._core.finding import Finding
from ..._core.severity import Severity
from .decide_declared import Work
from .observation import Index

__all__ = ["decide_proof"]


def decide_proof(actions: Sequence[Action], indexes: Sequence[Index], subject: str, database: str) -> list[Finding]:
    """Return what was done and does not show.

    :param indexes: all indexes, read after the work.
    :param subject: the server's label.
    """
    now = {(index.schema, index.name): index for index in indexes}
    done = [action.work for action in actions if action.state is ActionState.DONE]
    return [
        Finding(
            "postgresql.index_unproved",
            Severity.CRITICAL,
            f"{subject} index {database}.{work.schema}.{work.name}",
            f"{subject} index {database}.{work.schema}.{work.name}: {why}",
            remedy="Look at it by hand (\\d in psql), and run again.",
        )
        for work in done
        if (why := _unproved(work, now.get(work.parts), now.get(work.attach) if work.attach else None))
    ]


def _unproved(work: Work, index: Index | None, parent: Index | None) -> str:
    if work.attach and (index is None or parent is None or index.parent != parent.oid):
        return f"it was attached to {'.'.join(work.attach)}, and is no part of it"
    if work.creates:
        if index is None:
            return "it was made, and does not exist"
        return "" if index.valid or index.partitioned else "it was made, and is not valid"
    if work.drops is not None and index is not None:
        return "it was dropped, and still exists"
    return ""
