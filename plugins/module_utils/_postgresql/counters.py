# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counters that a server starts anew: what they say about the time since the last run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["grown"]


def grown(name: str, now: Mapping[str, Any], before: Mapping[str, Any] | None) -> int | None:
    """Return by how much a counter grew since the last run, None if there was none.

    A counter that started anew meanwhile (another time of reset, or a smaller value after a crash) counts from zero.

    :param now: the counters, with ``reset``, the moment they were last set to zero.
    :param before: those that the last run remembered.
    """
    if before is None or before.get(name) is None:
        return None
    current, former = int(now[name]), int(before[name])
    return current - former if now.get("reset") == before.get("reset") and current >= former else current
