# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of postgresql_retention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..._core.action import Action, ActionState
from ..._core.errors import InvalidInput, StoreError
from ..._core.finding import Finding
from ..._core.result import Metrics
from ..._core.runner import Context, Decision
from ..._core.severity import Severity
from ..._core.units import format_duration, parse_duration
from ..client import PostgresqlClient
from ..work import WorkTask, retried
from .act_rows import do_archive_work, mover_for, silent_references, walks_of
from .decide_archive import ArchiveWork
from .decide_rules import RowsWork, decide_rules
from .observation import Observation
from .observe_rules import observe_rules
from .outside import Outside
from .rule import parse_rules
from .session import as_the_application
from .sweep import FEW, Policy, Sweep, Swept

__all__ = ["PostgresqlRetention"]


class PostgresqlRetention(WorkTask[Observation]):
    """Deletes, moves or changes rows that are old enough, rule by rule."""

    job = "retention"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._rules = parse_rules(self.params["rules"])
        self._outside = Outside(context, self._rules, self.lock_timeout)
        self._policy = _policy(context, self.lock_timeout)
        self._taken = 0
        self._longest = 0.0
        self._left: list[Finding] = []
        self._search_path = "pg_catalog"

    def read(self, client: PostgresqlClient) -> Observation:
        """Read tables, keys, references, archives, and how many rows there are."""
        observation = observe_rules(client, self.context, self._rules, self._outside.observe)
        self._search_path = observation.search_path
        return observation

    def decide(self, observation: Observation) -> Decision:
        """Decide rule by rule."""
        return decide_rules(observation)

    def carry_out(self, client: PostgresqlClient, action: Action) -> Action:
        """Prepare an archive, or take a rule's rows."""
        work = action.work
        if isinstance(work, ArchiveWork):
            retried(self.context, lambda: do_archive_work(client, work, self.context.deadline.remaining))
            return action.became(ActionState.DONE, "done")
        if isinstance(work, RowsWork):
            return self._take(client, action, work)
        became = self._outside.carry_out(client, action)
        if became is None:
            raise NotImplementedError(action.kind)
        return became

    def prove(self, observation: Observation, actions: Sequence[Action]) -> list[Finding]:
        """Say what the last look at the tables found to be due still."""
        return self._left

    def measured(self) -> Metrics:
        """Return how many rows were taken, and how long a piece of the work held its rows at most."""
        return {
            "postgresql_retention_rows_taken": self._taken,
            "postgresql_retention_longest_piece_seconds": round(self._longest, 4),
        }

    def _take(self, client: PostgresqlClient, action: Action, work: RowsWork) -> Action:
        left = None if self._policy.most is None else self._policy.most - self._taken
        policy = replace(self._policy, most=left)
        mover = self._outside.mover(client, work) or mover_for(work)
        sweep = Sweep(client, self.context, mover, policy, silent_references(work.subject))
        # Nobody is made to wait behind a piece of ours that waits: it gives up after the time that a piece may take.
        wait = f"{max(1, int(1000 * min(policy.lock_seconds, policy.target_seconds)))}ms"
        try:
            with as_the_application(client, self._search_path, lock_timeout=wait):
                swept = sweep.run(walks_of(work))
        except StoreError as error:
            failed = action.became(ActionState.FAILED, f"{error} Before that: {_told(sweep.swept)}.")
            return replace(failed, touched=sweep.swept.rows > 0)
        finally:
            self._taken += sweep.swept.rows
            self._longest = max(self._longest, sweep.swept.longest)
        self._left += _left(action.subject, work.subject.rule.name, swept)
        state = ActionState.DONE if swept.rows else ActionState.SKIPPED
        return action.became(state, _told(swept))


def _left(label: str, name: str, swept: Swept) -> list[Finding]:
    """Return what has to be said of rows that are due still."""
    if not swept.held and not swept.stopped:
        return []
    why = swept.stopped or "other sessions hold them"
    rows = f"{swept.held} rows" if swept.held and swept.held <= FEW else "more rows"
    return [
        Finding(
            "postgresql.retention_due",
            Severity.WARNING,
            label,
            f"{label}: {rows} of rule {name} are due still: {why}",
            swept.held,
            remedy="The next run goes on; give it more time or a higher max_changes if that happens again.",
        )
    ]


def _policy(context: Context, lock_seconds: float) -> Policy:
    params = context.params
    milliseconds, most, ratio = params["batch_target_ms"], params.get("max_changes"), params["rest_ratio"]
    for option, value, least in (("batch_target_ms", milliseconds, 1), ("max_changes", most, 1)):
        if value is not None and value < least:
            raise InvalidInput(option, f"{value} is too small", f"Give {least} or more.")
    if ratio < 0:
        raise InvalidInput("rest_ratio", f"{ratio} is below zero", "Give 0 for no rest, 1 to rest half of the time.")
    lag = parse_duration(params["max_replica_lag"], "max_replica_lag")
    return Policy(milliseconds / 1000, most, lag, ratio, lock_seconds)


def _told(swept: Swept) -> str:
    """Say what a sweep did."""
    parts = [f"{swept.rows} rows in {swept.pieces} pieces, the longest {format_duration(swept.longest)}"]
    if swept.held:
        parts.append(f"{swept.held} left that others hold" if swept.held <= FEW else "more than 1000 left")
    if swept.stopped:
        parts.append(f"ended early: {swept.stopped}; the next run goes on")
    if swept.rested:
        parts.append(f"rested {format_duration(swept.rested)}")
    return "; ".join([*parts, swept.note] if swept.note else parts)
