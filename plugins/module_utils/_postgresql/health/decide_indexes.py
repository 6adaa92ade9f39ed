# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from invalid indexes. Pure."""

from __future__ import annotations

from ..._core.health import Situation
from ..._core.runner import Decision
from ..invalid import invalid_index
from ..rights import hidden
from .observation import Indexes

__all__ = ["decide_indexes"]


def decide_indexes(seen: Indexes, situation: Situation) -> Decision:
    """Report every index that costs each write and serves no query.

    Where builds of other users are hidden, none can be told from an index that is just being made.
    """
    if seen.invalid and seen.hidden_builds:
        what = f"{seen.hidden_builds} index builds, so {len(seen.invalid)} invalid indexes may be theirs"
        return Decision([hidden(situation, "indexes", seen.server.user, what)])
    findings = [
        invalid_index(index.schema, index.name, index.table, seen.server.database, situation) for index in seen.invalid
    ]
    return Decision(findings, metrics={"postgresql_invalid_indexes_total": len(seen.invalid)})
