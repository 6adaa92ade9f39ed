# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How old the oldest transaction ids are, and what keeps vacuum from removing and freezing rows. Pure."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["LAST_ID", "DatabaseAge", "Holder"]

LAST_ID = 2**31
"""Ids are compared modulo 2^32, so a row must be frozen before half of them have passed."""


class DatabaseAge(NamedTuple):
    """Age of a database's oldest unfrozen transaction and multixact, in ids."""

    database: str
    transactions: int
    multixacts: int


class Holder(NamedTuple):
    """What keeps vacuum from freezing and removing rows.

    :param kind: ``session``, ``standby`` (by hot_standby_feedback), ``prepared transaction``, ``replication slot`` or
        ``logical slot``, which holds rows of the system catalogs alone.
    :param name: of a session and a standby who it is, otherwise the object's name.
    :param age: in transaction ids.
    :param seconds: for how long; None where the server does not say.
    :param pid: the server's process, where it is one.
    :param since: where that was asked for: since when at the earliest, in seconds since 1970; None: not known.
    """

    kind: str
    name: str
    database: str | None
    age: int
    seconds: float | None = None
    pid: int | None = None
    since: float | None = None

    @property
    def label(self) -> str:
        """Kind and name."""
        return f"{self.kind} {self.name}"
