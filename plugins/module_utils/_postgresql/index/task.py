# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of postgresql_index: declared indexes exist, unused ones go by the rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..._core.action import Action, ActionState
from ..._core.finding import Finding
from ..._core.runner import Context, Decision
from ..client import PostgresqlClient
from ..work import WorkTask
from .act_index import Indexer
from .decide_declared import HELD, Work, decide_declared, hold_drops, replaces
from .decide_proof import decide_proof
from .decide_room import Room, decide_room
from .decide_work import decide_unused_work
from .declared import parse_declared
from .memory import keep_ledger, note_drop
from .observation import Indexes
from .observe_declared import observe_declared
from .observe_indexes import read_indexes
from .observe_replicas import replica_connections
from .observe_room import observe_room
from .observe_use import observe_index_use
from .options import policy_of
from .wanted import Wanted

__all__ = ["IndexTask", "postgresql_index"]


class Seen(NamedTuple):
    """All indexes and their use, what was found of the declared ones, and the room for those to be made."""

    indexes: Indexes
    wanted: tuple[Wanted, ...]
    room: Room


class IndexTask(WorkTask[Seen]):
    """Makes declared indexes and drops unused ones.

    :raises InvalidInput: an option cannot be understood.
    """

    job = "index"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._declared = parse_declared(self.params["indexes"])
        self._policy = policy_of(self.params)
        replica_connections(context, self.target)
        self._indexer: Indexer | None = None
        self._seen: Indexes | None = None
        self._unmade: list[Action] = []

    def read(self, client: PostgresqlClient) -> Seen:
        """Read all indexes, their use on every server, what is declared, and what disk that takes."""
        seen = self._seen = observe_index_use(client, self.context)
        wanted = observe_declared(client, self._declared, seen.indexes)
        return Seen(seen, wanted, observe_room(client, wanted, seen.indexes))

    def decide(self, observation: Seen) -> Decision:
        """Decide on declared indexes first, then on those that nothing uses."""
        seen, wanted, room = observation
        decision = decide_declared(wanted, seen.indexes, seen.builds, self.label, seen.server.database)
        decision.actions = hold_drops(decide_room(decision.actions, room))
        decision.extend(decide_unused_work(seen, wanted, self.params["unused"] == "drop", self.label))
        return decision

    def carry_out(self, client: PostgresqlClient, action: Action) -> Action:
        """Make, attach or drop one index."""
        if self._indexer is None:
            self._indexer = Indexer(client, self.context, self.lock_timeout)
        work: Work = action.work
        if not work.unused and any(replaces(other, action) for other in self._unmade):
            return action.became(ActionState.SKIPPED, HELD)
        if work.unused and work.drops is not None and self._seen is not None:
            note_drop(self._seen, self.context, work.drops)
        done = self._indexer.carry_out(action)
        if done.state is not ActionState.DONE:
            self._unmade.append(done)
        return done

    def prove(self, observation: Seen, actions: Sequence[Action]) -> list[Finding]:
        """Look whether what was made is valid, and what was dropped is gone."""
        return decide_proof(actions, read_indexes(self.client), self.label, self.client.server.database)

    def remember(self, observation: Seen, decision: Decision) -> None:
        """Note in the ledger how often each index had been used."""
        keep_ledger(observation.indexes, self.context)


def postgresql_index(context: Context) -> IndexTask:
    """Make the task.

    :raises InvalidInput: an option cannot be understood.
    :raises MissingDependency: psycopg is absent or too old.
    """
    return IndexTask(context)
