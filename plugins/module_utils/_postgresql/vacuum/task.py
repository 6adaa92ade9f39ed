# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of postgresql_vacuum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, NamedTuple

from ..._core.action import Action, ActionState
from ..._core.finding import Finding
from ..._core.runner import Context, Decision, sub_finding
from ..._core.severity import Severity
from ..client import PostgresqlClient
from ..relation import resolve_relations
from ..statement import Statement
from ..work import WorkTask
from .act_jobs import Crew
from .act_rewrite import clean, rewrite
from .act_vacuum import set_cost, vacuum
from .decide_jobs import Shift, decide_jobs
from .decide_leftovers import CleanWork
from .decide_proof import decide_proof, decide_rewrite_proof
from .decide_rewrite import RewriteWork, decide_rewrite
from .decide_work import decide_work
from .observation import Tables
from .observation_rewrite import Rewrites
from .observe_rewrites import observe_rewrites
from .observe_tables import observe_tables, with_partitions
from .policy import Policy

__all__ = ["VacuumTask"]

SETTING_SECONDS = 5.0


class Seen(NamedTuple):
    """What was read: for a rewrite, or for all other modes."""

    tables: Tables | None
    rewrites: Rewrites | None


class VacuumTask(WorkTask[Seen]):
    """Vacuums, freezes and analyzes by need, or gives space back."""

    job: ClassVar[str] = "vacuum"

    def __init__(self, context: Context) -> None:
        self.policy = Policy.of(context.params)
        super().__init__(context)
        self._ready = False
        self._shift = Shift()
        self._crew: Crew | None = None

    def read(self, client: PostgresqlClient) -> Seen:
        """Read all tables, or those that are named, with their partitions."""
        relations = resolve_relations(client, "tables", self.params["tables"])
        oids = with_partitions(client, [relation.oid for relation in relations]) if relations else None
        if self.policy.mode == "rewrite":
            return Seen(None, observe_rewrites(client, self.context, self.policy, oids))
        return Seen(observe_tables(client, oids, self.params["system_catalogs"]), None)

    def decide(self, observation: Seen) -> Decision:
        """Decide from the statistics."""
        if observation.rewrites is not None:
            return decide_rewrite(observation.rewrites, self.policy, self.subject)
        if observation.tables is not None:
            decision = decide_work(observation.tables, self.policy, self.subject)
            self._shift = decide_jobs(observation.tables, self.policy, decision.actions, self.subject)
            decision.findings += self._shift.findings
            return decision
        return Decision()

    def has_begun(self, action: Action) -> bool:
        """Whether one of several jobs has begun an action."""
        return self._crew is not None and self._crew.has_begun(action)

    def carry_out(self, client: PostgresqlClient, action: Action) -> Action:
        """Vacuum, analyze or rewrite one table."""
        if self._shift.jobs > 1:
            became = self._hired(client).outcome(action)
            if became:
                return became
        if not self._ready:
            set_cost(client, self.policy)
            self._ready = True
        if isinstance(action.work, RewriteWork):
            return rewrite(client, action, self.policy, self.context)
        if isinstance(action.work, CleanWork):
            return clean(client, action, self.context)
        return vacuum(client, action, self.context)

    def _hired(self, client: PostgresqlClient) -> Crew:
        """Return those who do the work over connections of their own; the first connection has the lock for all."""
        if self._crew is None:
            if client.server.major >= 14:
                # It idles for as long as they work.
                client.execute("keep the session", Statement("SET idle_session_timeout = 0"), SETTING_SECONDS)
            crew = Crew(
                self._shift, self.context, client, self._prepared, lambda own, action: vacuum(own, action, self.context)
            )
            self._crew = self._open.enter_context(crew)
        return self._crew

    @contextmanager
    def _prepared(self) -> Iterator[PostgresqlClient]:
        with self.connection() as client:
            set_cost(client, self.policy)
            yield client

    def prove(self, observation: Seen, actions: Sequence[Action]) -> list[Finding]:
        """Judge again what was done."""
        done = [action for action in actions if action.state is ActionState.DONE]
        if self.policy.mode == "rewrite":
            return self._prove_rewrites([action.work for action in done if isinstance(action.work, RewriteWork)])
        pairs = [(action.work.row.oid, action.kind) for action in done]
        after = observe_tables(self.client, [oid for oid, _kind in pairs], self.params["system_catalogs"])
        absent = self._crew.absent if self._crew else []
        missing = [sub_finding(self.subject, "postgresql", error, Severity.WARNING, "vacuum_jobs") for error in absent]
        return missing[:1] + decide_proof(after, pairs, self.policy, self.subject)

    def _prove_rewrites(self, works: Sequence[RewriteWork]) -> list[Finding]:
        oids = [work.table.oid for work in works]
        after = observe_rewrites(self.client, self.context, self.policy, oids)
        return decide_rewrite_proof(after, [work.table for work in works], self.policy, self.subject)
