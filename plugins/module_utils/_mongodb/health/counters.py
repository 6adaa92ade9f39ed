# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a counter of the server has grown by since the last run, over restarts and changes of the member asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .observation import Status

__all__ = ["Growth", "growth", "remembered"]


RATE_SECONDS = 60.0


@dataclass(frozen=True)
class Growth:
    """What was counted in a span of time.

    :param count: how many.
    :param seconds: in how long, never 0.
    """

    count: int
    seconds: float

    @property
    def per_second(self) -> float:
        """The mean rate, over a minute at least: the first seconds after a start are no storm."""
        return self.count / max(self.seconds, RATE_SECONDS)


def remembered(status: Status, **counters: int) -> dict[str, Any]:
    """Return what the next run needs to tell growth from a restart."""
    return {"host": status.host, "process": status.process, "uptime": status.uptime, **counters}


def growth(status: Status, previous: Mapping[str, Any], name: str, now: int) -> Growth | None:
    """Return the growth of the counter ``name`` since the last run.

    After a restart it is what was counted since then. None if there was no last run, if it asked another member,
    or if the counter ran over.
    """
    if name not in previous or previous.get("host") != status.host:
        return None
    count, seconds = now, status.uptime
    if previous.get("process") == status.process:
        count, seconds = now - int(previous[name]), status.uptime - float(previous["uptime"])
    return Growth(count, seconds) if count >= 0 and seconds > 0 else None
