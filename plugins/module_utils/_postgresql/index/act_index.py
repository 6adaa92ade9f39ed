# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes, attaches and drops indexes, without standing in front of the application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..._core.action import Action, ActionState
from ..._core.errors import StoreError
from ..._core.runner import Context
from ..._core.units import format_duration, format_size
from ..blockers import Blocker, described
from ..client import PostgresqlClient
from ..errors import TRANSIENT_CODES
from ..observe_blockers import observe_blockers
from ..statement import Statement
from ..work import retried
from .decide_declared import Work, drop_work
from .observation import Index
from .observe_indexes import read_builds, read_indexes

__all__ = ["Indexer"]

QUEUE_SECONDS = 0.2
"""How long a statement may wait that others would have to queue behind. Source: a pause that nobody notices."""
LOOK_SECONDS = 0.2
"""Between two looks at whether an old transaction has ended."""
CLEAN_UP_SECONDS = 10.0
"""What a build leaves of the deadline, so that what it leaves can be dropped if it has to be broken off."""
ATTEMPTS = 3
"""How often a build is begun that is broken off for a lock; rests lie between."""


class _Setting(NamedTuple):
    set_config: str


class Indexer:
    """Carries out the plan on one connection.

    :param client: may write.
    :param lock_timeout: seconds that a statement waits for a lock, and that old transactions are waited for.
    """

    def __init__(self, client: PostgresqlClient, context: Context, lock_timeout: float) -> None:
        self._client = client
        self._context = context
        self._lock_timeout = lock_timeout

    def carry_out(self, action: Action) -> Action:
        """Do one action, unless the index has become something else since it was planned."""
        work: Work = action.work
        if changed := self._changed(work):
            return action.became(ActionState.SKIPPED, changed)
        if work.concurrently and (blockers := self._wait(work)):
            return action.became(ActionState.SKIPPED, f"it would have to wait for {described(blockers)}")
        try:
            if work.creates:
                return self._create(action, work)
            self._do(action, work, work.statements)
        except StoreError as error:
            return self._given_up(action, work, error, "")
        size = f"{format_size(work.drops.bytes)} given back" if work.drops else ""
        return action.became(ActionState.DONE, size)

    def _create(self, action: Action, work: Work) -> Action:
        """Make an index; what a build leaves that failed is dropped before the next try."""
        statements = list(work.statements)
        if work.drops:
            self._do(action, work, statements[:1])
            statements = statements[1:]
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._do(action, work, statements[:1])
                break
            except StoreError as error:
                left = self._clean_up(work)
                if error.code not in TRANSIENT_CODES or left or attempt == ATTEMPTS:
                    return self._given_up(action, work, error, left)
            if blockers := self._wait(work):
                return action.became(ActionState.SKIPPED, f"it would have to wait for {described(blockers)}")
        self._do(action, work, statements[1:])
        made = self._found(work)
        return action.became(ActionState.DONE, format_size(made.bytes) if made and not made.partitioned else "")

    def _do(self, action: Action, work: Work, statements: Sequence[Statement]) -> None:
        for statement in statements:
            concurrent = "CONCURRENTLY" in statement.parts.get("how", "")
            if concurrent and work.creates and not statement.template.startswith("DROP"):
                self._execute(action, statement)
            elif concurrent:
                self._retried(action, statement, self._lock_timeout)
            else:
                # Its lock is one that the application queues behind, so it gets little time for it.
                self._retried(action, statement, min(self._lock_timeout, QUEUE_SECONDS))

    def _retried(self, action: Action, statement: Statement, lock_timeout: float) -> None:
        self._set_lock_timeout(lock_timeout)
        try:
            retried(self._context, lambda: self._execute(action, statement))
        finally:
            if not self._client.lost:
                self._set_lock_timeout(self._lock_timeout)

    def _set_lock_timeout(self, seconds: float) -> None:
        value = f"{max(1, int(seconds * 1000))}ms"
        statement = Statement("SELECT set_config('lock_timeout', {value}, false)", values={"value": value})
        self._client.fetch("bound the wait for locks", statement, _Setting, self._lock_timeout + 5)

    def _execute(self, action: Action, statement: Statement) -> None:
        remaining = self._context.deadline.remaining
        tried = f"{action.kind.partition('_')[0]} the {action.subject}"
        self._client.execute(tried, statement, remaining - min(CLEAN_UP_SECONDS, remaining / 10))

    def _changed(self, work: Work) -> str:
        """Say why an action does not fit any more what there is; empty if it does."""
        now = self._found(work)
        if work.drops is None:
            return "there is an index of that name now" if work.creates and now is not None else ""
        if now is not None and now.locked:
            return "somebody has its table locked for himself alone; the next run goes on here"
        if now is None or now.oid != work.drops.oid or now.definition != work.drops.definition:
            return "it is not there any more, or is another one now"
        if any(build.oid == now.oid or (build.hidden and not now.valid) for build in read_builds(self._client)):
            return "somebody is building it"
        if now.valid != work.drops.valid or (work.unused and now.scans != work.drops.scans):
            return f"it has changed since: {'valid' if now.valid else 'invalid'}, used {now.scans} times"
        return ""

    def _found(self, work: Work) -> Index | None:
        own = read_indexes(self._client, work.table_oid)
        return next((index for index in own if (index.schema, index.name) == work.parts), None)

    def _wait(self, work: Work) -> list[Blocker]:
        """Wait a little until nobody holds up work on the table; return who still does."""
        until = self._context.deadline.remaining - self._lock_timeout
        # Making an index waits for every old snapshot, dropping one only for who uses the table.
        while blockers := observe_blockers(self._client, work.table_oid, work.creates, self._lock_timeout):
            if self._context.deadline.remaining <= max(until, LOOK_SECONDS):
                return blockers
            self._context.clock.sleep(LOOK_SECONDS)
        return []

    def _clean_up(self, work: Work) -> str:
        """Drop what a build left that was broken off; return its name if that fails."""
        if self._client.lost:
            raise self._client.lost
        left = self._found(work)
        if left is None or left.valid or left.partitioned:
            return ""
        statement = drop_work(left).statements[0]
        tried = f"drop what is left of {left.label}"
        try:
            retried(self._context, lambda: self._client.execute(tried, statement, self._context.deadline.remaining))
        except StoreError:
            if self._client.lost:
                raise
            return left.label
        return ""

    def _given_up(self, action: Action, work: Work, error: StoreError, left: str) -> Action:
        """Say what became of an action that failed: skipped if the next run may do it, else failed."""
        if self._client.lost:
            raise error
        remains = f". What was begun is left as {left}; the next run repairs it" if left else ""
        over = error.code == "57014" and self._context.deadline.remaining <= CLEAN_UP_SECONDS
        if error.code in TRANSIENT_CODES or over:
            blockers = observe_blockers(self._client, work.table_oid, work.creates, 0)
            why = f"it would have to wait for {described(blockers)}" if blockers else error.why
            waited = f" (given up after {format_duration(self._lock_timeout)})" if error.code in TRANSIENT_CODES else ""
            return action.became(ActionState.SKIPPED, f"{why}{waited}; the next run goes on here{remains}")
        return action.became(ActionState.FAILED, self._context.secrets.redact(str(error)) + remains)
