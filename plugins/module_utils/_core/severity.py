# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How bad a thing is, and how several judgements roll up into one."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

__all__ = ["Severity", "worst"]


class Severity(str, Enum):
    """The three states of a check; their order of definition is their order of gravity."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Position on the scale, 0 for ok."""
        return list(type(self)).index(self)


def worst(severities: Iterable[Severity]) -> Severity:
    """Return the gravest of ``severities``; nothing at all is ok."""
    return max(severities, key=lambda severity: severity.rank, default=Severity.OK)
