# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read from pg_stat_statements. Pure."""

from __future__ import annotations

from typing import NamedTuple

from ..server import Server

__all__ = ["MOST_STATEMENTS", "Recorded", "Recording", "Statements"]

MOST_STATEMENTS = 500
"""How many statements are read and remembered, those of the longest total time."""


class Recording(NamedTuple):
    """Whether and how statements are recorded.

    :param version: the extension's, as 1.11; None: it is not in this database.
    :param view: the quoted name of its view; None likewise.
    :param columns: the view's columns, which follow the extension's version and not the server's.
    :param has_info: whether the extension can say how complete it is (1.9).
    :param loaded: whether the server has loaded the library.
    :param tracks: pg_stat_statements.track.
    :param computes: compute_query_id; None before version 14, where the library does it itself.
    """

    version: str | None
    view: str | None
    columns: tuple[str, ...] | list[str]
    has_info: bool
    loaded: bool
    tracks: str | None
    computes: str | None


class Recorded(NamedTuple):
    """What one user's calls of one statement have cost.

    :param id: queryid; None: the user may not see it.
    :param user: the role's oid.
    :param toplevel: whether the application sent it; otherwise a function ran it.
    :param milliseconds: time of executing, and of planning where that is recorded.
    :param hit: blocks found in the cache; ``read``: asked of the operating system.
    :param temporary: bytes written to temporary files.
    :param since: when counting began, in seconds since 1970; None before version 1.11.
    :param text: the query, constants and comments in it; it must not leave the decision as it is.
    """

    id: int | None
    user: int
    toplevel: bool
    calls: int
    milliseconds: float
    hit: int
    read: int
    temporary: int
    since: float | None
    text: str


class Statements(NamedTuple):
    """Statements in this database, the longest total time first.

    :param reset: when all counting began, in seconds since 1970; None before version 1.9.
    :param evicted: how often statements were thrown out to make room; None likewise.
    """

    server: Server
    recording: Recording
    reset: float | None = None
    evicted: int | None = None
    rows: tuple[Recorded, ...] = ()
