# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many checkpoints there were, and why. Pure."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Checkpoints"]


class Checkpoints(NamedTuple):
    """Checkpoints (on a standby: restart points) since ``reset``."""

    timed: int
    requested: int
    reset: float | None
