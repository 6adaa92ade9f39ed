# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counters that a server starts anew: what they say about the time since the last run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["grown"]


def grown(name: str, now: Mapping[str, Any], before: Mapping[str, Any] | None, epoch: str) -> int | None:
    """Return by how much a counter grew since the last run, None if there was none or the server does not have it.

    A counter that started anew meanwhile (another epoch, or a smaller value after a crash or a reset) counts from zero.

    :param name: the counter's key in both.
    :param now: the counters now.
    :param before: those that the last run remembered; None or without the counter: there was no such run.
    :param epoch: the key of what changes when the counters start anew, such as a server's run id or moment of reset.
    """
    current, former = now.get(name), (before or {}).get(name)
    if current is None or former is None:
        return None
    same_life = before is not None and now.get(epoch) == before.get(epoch) and current >= former
    return int(current - former) if same_life else int(current)
