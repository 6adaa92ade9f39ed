# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of postgresql_vacuum: what is needed, no more, and in the order of need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ..._core.action import Action, ActionState
from ..._core.finding import Finding
from ..._core.runner import Context, Decision
from ..client import PostgresqlClient
from ..relation import resolve_relations
from ..work import WorkTask
from .act_vacuum import set_cost, vacuum
from .decide_proof import decide_proof
from .decide_work import decide_work
from .observation import Tables
from .observe_tables import observe_tables
from .policy import Policy

__all__ = ["VacuumTask"]


class VacuumTask(WorkTask[Tables]):
    """Vacuums, freezes and analyzes by need."""

    job: ClassVar[str] = "vacuum"

    def __init__(self, context: Context) -> None:
        self.policy = Policy.of(context.params)
        super().__init__(context)
        self._ready = False

    def read(self, client: PostgresqlClient) -> Tables:
        """Read all tables, or those that are named, with their partitions."""
        relations = resolve_relations(client, "tables", self.params["tables"])
        oids = [relation.oid for relation in relations] or None
        return observe_tables(client, oids, self.params["system_catalogs"])

    def decide(self, observation: Tables) -> Decision:
        """Decide from the statistics."""
        return decide_work(observation, self.policy, self.subject)

    def carry_out(self, client: PostgresqlClient, action: Action) -> Action:
        """Vacuum or analyze one table."""
        if not self._ready:
            set_cost(client, self.policy)
            self._ready = True
        return vacuum(client, action, self.context)

    def prove(self, observation: Tables, actions: Sequence[Action]) -> list[Finding]:
        """Judge again what was vacuumed and analyzed."""
        done = [(action.work.oid, action.kind) for action in actions if action.state is ActionState.DONE]
        after = observe_tables(self.client, [oid for oid, _kind in done], self.params["system_catalogs"])
        return decide_proof(after, done, self.policy, self.subject)
