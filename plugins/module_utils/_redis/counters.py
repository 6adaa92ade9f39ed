# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counters that a server starts anew: what they say about the time since the last run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["grown"]


def grown(name: str, current: Mapping[str, Any], previous: Mapping[str, Any]) -> float | None:
    """Return by how much a counter grew since the last run, None if there was none or the server does not have it.

    A counter that started anew meanwhile (another ``run_id``, or a smaller value after CONFIG RESETSTAT) counts from
    zero.

    :param current: the counters now, with ``run_id``.
    :param previous: those that the last run remembered.
    """
    now, before = current.get(name), previous.get(name)
    if now is None or before is None:
        return None
    same_life = current.get("run_id") == previous.get("run_id") and now >= before
    return float(now - before) if same_life else float(now)
