# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who would be waited for by work that does not block: transactions and sessions, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .._core.units import format_duration

__all__ = ["Blocker", "described"]

_END = "End it (SELECT pg_terminate_backend(pid)), or wait until it is done; the next run goes on here"


class Blocker(NamedTuple):
    """A transaction that would be waited for.

    :param pid: the server's process; None: a prepared transaction.
    :param name: who it is.
    :param seconds: for how long its transaction is open; None: the user may not see it.
    """

    pid: int | None
    name: str
    state: str | None
    seconds: float | None


def described(blockers: Sequence[Blocker]) -> str:
    """Say who is in the way, and what to do."""
    return f"{'; '.join(map(_described, blockers))}. {_END}"


def _described(blocker: Blocker) -> str:
    who = f"pid {blocker.pid} ({blocker.name})" if blocker.pid is not None else blocker.name
    state = f", {blocker.state}" if blocker.state else ""
    age = f", open for {format_duration(blocker.seconds)}" if blocker.seconds is not None else ""
    return who + state + age
