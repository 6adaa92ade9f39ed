# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the sample application is to be filled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """The same settings give the same data."""

    now: datetime
    """All ages count back from here; with a time zone."""
    seed: int = 7
    scale: float = 1.0
    """1 is some thirty thousand rows in all; 100 is for benchmarks."""
    planted: bool = True
    """Whether the troubles of :mod:`tests.stack.application.planted` are put in."""

    def count(self, number: int) -> int:
        """So many rows at this scale, at least ten."""
        return max(10, round(number * self.scale))
