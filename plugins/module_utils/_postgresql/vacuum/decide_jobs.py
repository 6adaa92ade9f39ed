# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many tables are worked on at once, and which of them not beside which others. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from ..._core.action import Action, ActionState
from ..._core.finding import Finding
from ..._core.severity import Severity
from .observation import Link, Tables
from .policy import Policy

__all__ = ["Shift", "Turn", "decide_jobs"]

SHARE = 2
"""Of the connections that are free every second one is for the application."""


class Turn(NamedTuple):
    """An action, and the tables whose actions have to be over before it may begin, by oid."""

    action: Action
    after: frozenset[int]

    @property
    def oid(self) -> int:
        """The table's."""
        return int(self.action.work.row.oid)


class Shift(NamedTuple):
    """What is done by how many.

    :param jobs: tables at once, each over a connection of its own; 1: over the one there is.
    :param turns: in the order of the plan.
    """

    jobs: int = 1
    turns: tuple[Turn, ...] = ()
    findings: tuple[Finding, ...] = ()


def decide_jobs(seen: Tables, policy: Policy, actions: Sequence[Action], subject: str) -> Shift:
    """Decide by how many connections the planned actions are done."""
    turns = _turns([action for action in actions if action.state is ActionState.PLANNED], seen.links)
    wanted = min(policy.jobs, len(turns))
    free = max(0, int(seen.server.available_connections) - seen.facts.connections)
    jobs = max(1, min(wanted, free // SHARE))
    if jobs >= wanted:
        return Shift(max(1, wanted), turns)
    message = (
        f"{subject}: tables are worked on {jobs} at once instead of {wanted}: {free} connections are free, of which "
        "half are left to others"
    )
    remedy = "Lower jobs, close idle connections, pool them, or raise max_connections."
    return Shift(
        jobs,
        turns,
        (Finding("postgresql.vacuum_jobs", Severity.WARNING, subject, message, jobs, wanted, remedy),),
    )


def _turns(planned: Sequence[Action], links: Sequence[Link]) -> tuple[Turn, ...]:
    """Return a turn for each action: after what comes before it in the plan and would be in its way, or it in that's.

    ANALYZE of a partitioned table reads all its partitions, before version 18 it analyzes them as well, with the lock
    that their vacuum holds: it would leave them out, or wait where vacuum gives pages back.
    """
    related: dict[int, set[int]] = defaultdict(set)
    for link in links:
        related[link.root].add(link.descendant)
        related[link.descendant].add(link.root)
    turns: list[Turn] = []
    before: set[int] = set()
    for action in planned:
        turn = Turn(action, frozenset())
        turns.append(turn._replace(after=frozenset(before & related[turn.oid])))
        before.add(turn.oid)
    return tuple(turns)
