# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the audit reads of the server's settings and of what they have to fit: a class for each query's rows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..server import Server

__all__ = ["Facts", "Setting", "Settings"]

UNITS = {"B": 1, "kB": 1024, "8kB": 8192, "16kB": 16384, "32kB": 32768, "MB": 1024**2, "GB": 1024**3}


class Setting(NamedTuple):
    """A setting of the server.

    :param value: as pg_settings has it, in ``unit``.
    :param source: where the value comes from.
    :param pending: whether the file holds another value that waits for a restart.
    """

    name: str
    value: str
    unit: str | None
    source: str
    pending: bool

    @property
    def bytes(self) -> float:
        """The value, if it is a size."""
        return float(self.value) * UNITS.get(self.unit or "B", 1)


class Facts(NamedTuple):
    """What the settings have to fit.

    :param superusers: roles that may log in and may do anything.
    :param database_bytes: size of this database.
    :param largest_bytes: size of its largest table, as of the last vacuum or analyze.
    :param deadlocks: of all databases since their statistics began.
    :param idle_seconds: for how long the session longest idle in a transaction has been so; None: there is none, or
        the user may not see it.
    """

    superusers: int
    database_bytes: int
    largest_bytes: int
    deadlocks: int
    idle_seconds: float | None


class Settings(NamedTuple):
    """The settings that are looked at, and what they have to fit.

    :param timed: checkpoints that the clock brought about; ``requested`` those that something else did.
    :param accepted: names of settings that are what they are on purpose.
    """

    server: Server
    settings: Mapping[str, Setting]
    facts: Facts
    timed: int
    requested: int
    accepted: frozenset[str]

    def text(self, name: str) -> str | None:
        """Return a setting; None if this version does not have it, or it is this session's and not the server's."""
        setting = self.settings.get(name)
        return (
            None
            if setting is None or setting.source in ("session", "client", "user", "database user")
            else setting.value
        )

    def number(self, name: str) -> float | None:
        """Return a setting that is a number, in its own unit."""
        value = self.text(name)
        return None if value is None else float(value)

    def size(self, name: str) -> float | None:
        """Return a setting that is a size, in bytes."""
        return None if self.text(name) is None else self.settings[name].bytes
