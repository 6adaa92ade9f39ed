# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which indexes must not or cannot be rebuilt while they are in use, and why. Pure."""

from __future__ import annotations

from ..._core.units import format_duration
from ..server import Server
from .observation import Index

__all__ = ["RIGHT", "refusal_of", "too_late", "unsafe_server"]

RIGHT = "right"
"""Kind of refusal of an index that the user may not rebuild: the only one that a bloated index is reported for."""


def unsafe_server(server: Server, prepared: bool) -> str:
    """Return why indexes that this server builds concurrently may be corrupt; empty if they are not.

    :param prepared: whether the server takes prepared transactions.
    Source: release notes of 14.4 (bug 17485) and of 13.5 and 14.1 (prepared transactions).
    """
    number = server.number
    if 140000 <= number < 140004:
        return (
            f"PostgreSQL {server.version} can leave rows out of an index that it builds concurrently (bug 17485); "
            "upgrade to 14.4 or newer"
        )
    if prepared and number < 130005:
        return (
            f"PostgreSQL {server.version} can leave rows of prepared transactions out of an index that it builds "
            "concurrently; upgrade to the newest release of version 13, or to a newer version"
        )
    return ""


def refusal_of(index: Index) -> tuple[str, str] | None:
    """Return the kind of refusal, for counting, and the reason for people; None: it may be rebuilt."""
    if index.system:
        return "system", "it is the system catalogue's, which cannot be rebuilt concurrently"
    if index.temporary:
        return "temporary", "it is a temporary table's, which only its own session can reach"
    if index.excludes:
        return "exclusion", "it belongs to an exclusion constraint, which cannot be rebuilt concurrently"
    if index.toast and not index.usable:
        return "toast", "it is an invalid index of a TOAST table, which cannot be rebuilt; dropping it is all there is"
    if not index.may_rebuild:
        return RIGHT, "the user may not rebuild it: make it owner of the table" + _maintain(index)
    return None


def too_late(index: Index, pace: float, left: float) -> str:
    """Return why there is no time left for an index, for a rebuild that is broken off is lost; empty if there is.

    :param pace: bytes a second of the quickest rebuild of this run; 0: there was none yet.
    :param left: seconds.
    """
    if not pace or index.bytes / pace <= left:
        return ""
    needed = format_duration(index.bytes / pace)
    return f"it would take about {needed}, and {format_duration(left)} are left; the next run goes on here"


def _maintain(index: Index) -> str:
    if index.toast:
        return ", with the right USAGE on the schema pg_toast"
    return ", or grant it MAINTAIN on the table (version 17 and newer)"
