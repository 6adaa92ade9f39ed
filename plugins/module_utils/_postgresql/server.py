# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server is, as every task reads it when it connects. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["Server"]


class Server(NamedTuple):
    """The server and the session's rights.

    :param number: version as 180006.
    :param started: seconds since 1970.
    :param now: likewise, by the server's clock.
    :param sees_all: whether the user may read all statistics (pg_read_all_stats, as in pg_monitor).
    :param settings: server settings by name; None where this version does not have it.
    """

    version: str
    number: int
    database: str
    user: str
    in_recovery: bool
    started: float
    now: float
    sees_all: bool
    settings: Mapping[str, str | None]

    @property
    def major(self) -> int:
        """Major version, as 18."""
        return self.number // 10000

    @property
    def role(self) -> str:
        """``primary`` or ``standby``."""
        return "standby" if self.in_recovery else "primary"

    def identity(self) -> dict[str, Any]:
        """Return what the envelope says of the server."""
        return {"version": self.version, "role": self.role, "database": self.database, "user": self.user}

    @property
    def available_connections(self) -> float:
        """How many connections ordinary users may have: what is reserved for others is none of theirs."""
        reserved = (self.setting("superuser_reserved_connections") or 0) + (self.setting("reserved_connections") or 0)
        return (self.setting("max_connections") or 0) - reserved

    def setting(self, name: str) -> float | None:
        """Return a setting that is a number without unit, None if this version does not have it."""
        text = self.settings.get(name)
        return None if text is None else float(text)
