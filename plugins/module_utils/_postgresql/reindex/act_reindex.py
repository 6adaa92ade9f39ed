# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rebuilds an index and drops a leftover, concurrently, without standing in front of the application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..._core.action import Action, ActionState
from ..._core.errors import StoreError
from ..._core.runner import Context
from ..._core.units import format_size
from ..blockers import Blocker, described
from ..client import PostgresqlClient
from ..errors import LOCK_CODES, TRANSIENT_CODES
from ..observe_blockers import observe_blockers
from ..statement import Statement
from ..work import retried
from .decide_leftovers import origin_of
from .decide_refusal import too_late
from .decide_reindex import Work
from .observation import Index
from .observe_indexes import is_there, observe_indexes, observe_size

__all__ = ["Patience", "Reindexer"]

LOOK_SECONDS = 0.5
"""Between two looks at whether an old transaction has ended."""
FIRST_REST = 0.5
"""Before the second try of a rebuild; each further rest is twice as long."""
CLEAN_UP_SHARE = 0.1
CLEAN_UP_SECONDS = 10.0
"""What a rebuild leaves of the deadline, so that its leftover can be dropped if it has to be broken off."""
UNIQUE_VIOLATION = "23505"
GONE_CODES = ("42P01", "42704")
"""SQLSTATEs of REINDEX and DROP INDEX, where the index is not there any more."""


class Patience(NamedTuple):
    """How long is waited.

    :param transactions: seconds for old transactions, before an index is begun.
    :param lock: seconds that a statement waits for a lock.
    :param retries: how often a rebuild is begun anew after it was broken off for a lock.
    """

    transactions: float
    lock: float
    retries: int


class Reindexer:
    """Carries out the plan on one connection.

    :param client: may write.
    """

    def __init__(self, client: PostgresqlClient, context: Context, patience: Patience) -> None:
        self._client = client
        self._context = context
        self._patience = patience
        self._stubborn: set[tuple[int | None, str]] = set()
        self._pace = 0.0

    def drop(self, action: Action) -> Action:
        """Drop a leftover, unless it has become something else since it was planned."""
        work: Work = action.work
        if not self._is_leftover(work.target):
            return action.became(ActionState.SKIPPED, "it is not there any more, is valid now, or its table is locked")
        if holders := self._wait(work.target, snapshots=False):
            return action.became(ActionState.SKIPPED, _held(holders))
        try:
            self._drop(work.target, work.statement)
        except StoreError as error:
            return self._given_up(action, error, work.target, snapshots=False)
        return action.became(ActionState.DONE, f"{format_size(work.target.bytes)} given back")

    def rebuild(self, action: Action) -> Action:
        """Rebuild an index; what a try leaves that failed is dropped before the next one."""
        work: Work = action.work
        if not is_there(self._client, work.target):
            return action.became(ActionState.SKIPPED, "somebody has rebuilt or dropped it meanwhile")
        rest, tries_left = FIRST_REST, self._patience.retries
        while True:
            if holders := self._wait(work.target, snapshots=True):
                return action.became(ActionState.SKIPPED, _held(holders))
            if late := too_late(work.target, self._pace, self._limit()):
                return action.became(ActionState.SKIPPED, late)
            try:
                return self._rebuild(action, work)
            except StoreError as error:
                left = self._clean_up(work.target)
                if self._is_replaced(work.target):
                    return action.became(ActionState.DONE, f"{self._sizes(work.target)}.{_remaining(left)}")
                again = error.code in TRANSIENT_CODES and tries_left and not left
                if not again or self._context.deadline.remaining <= rest:
                    return self._given_up(action, error, work.target, snapshots=True, left=left)
            self._context.clock.sleep(rest)
            rest, tries_left = rest * 2, tries_left - 1

    def _rebuild(self, action: Action, work: Work) -> Action:
        started = self._context.clock.monotonic()
        self._client.execute(f"rebuild the index {work.target.label}", work.statement, self._limit())
        seconds = self._context.clock.monotonic() - started
        self._pace = max(self._pace, work.target.bytes / max(seconds, 0.001))
        return action.became(ActionState.DONE, self._sizes(work.target))

    def _sizes(self, index: Index) -> str:
        before = format_size(index.bytes)
        try:
            size = observe_size(self._client, index)
        except StoreError:  # it has just been locked; that the rebuild was done is true all the same
            if self._client.lost:
                raise
            return f"{before} before"
        return f"{before} before, gone now" if size is None else f"{before} -> {format_size(size)}"

    def _limit(self) -> float:
        remaining = self._context.deadline.remaining
        return remaining - min(CLEAN_UP_SECONDS, remaining * CLEAN_UP_SHARE)

    def _wait(self, index: Index, snapshots: bool) -> list[Blocker]:
        """Wait until nobody holds up work on an index; return who does after the time that is allowed.

        Whoever was waited for in vain once is not waited for again.
        """
        until = self._context.deadline.remaining - self._patience.transactions
        while holders := observe_blockers(self._client, index.table_oid, snapshots, self._patience.lock):
            known = any((holder.pid, holder.name) in self._stubborn for holder in holders)
            if known or self._context.deadline.remaining <= max(until, LOOK_SECONDS):
                self._stubborn.update((holder.pid, holder.name) for holder in holders)
                return holders
            self._context.clock.sleep(LOOK_SECONDS)
        return []

    def _siblings(self, index: Index) -> tuple[Index, ...]:
        return observe_indexes(self._client, (index.oid,), (index.table_oid,), 0)

    def _is_replaced(self, index: Index) -> bool:
        """Say whether the new index is in its place: then only the old one's removal was broken off."""
        return any(
            found.parts == index.parts and found.oid != index.oid and found.usable for found in self._siblings(index)
        )

    def _is_leftover(self, index: Index) -> bool:
        siblings = self._siblings(index)
        now = next((found for found in siblings if found.oid == index.oid), None)
        return now is not None and now.parts == index.parts and origin_of(now, siblings) is not None

    def _drop(self, index: Index, statement: Statement) -> None:
        tried = f"drop the leftover {index.label}"
        retried(self._context, lambda: self._client.execute(tried, statement, self._context.deadline.remaining))

    def _clean_up(self, index: Index) -> list[str]:
        """Drop what a rebuild that was broken off left beside the index; return what is still there."""
        if self._client.lost:
            raise self._client.lost
        left = []
        siblings = self._siblings(index)
        for found in siblings:
            origin = origin_of(found, siblings) or _as_if_usable(found, index, siblings)
            if origin is None or origin.parts != index.parts:
                continue
            try:
                self._drop(found, Statement("DROP INDEX CONCURRENTLY {index}", {"index": found.parts}))
            except StoreError:
                if self._client.lost:
                    raise
                left.append(found.label)
        return left

    def _given_up(
        self, action: Action, error: StoreError, index: Index, snapshots: bool, left: Sequence[str] = ()
    ) -> Action:
        """Say what became of an action that failed: skipped if the next run may do it, else failed."""
        if self._client.lost:
            raise error
        over = error.code == "57014" and self._context.deadline.remaining <= max(1.0, CLEAN_UP_SECONDS)
        remains = _remaining(left)
        if error.code in TRANSIENT_CODES or over:
            holders = observe_blockers(self._client, index.table_oid, snapshots, 0) if error.code in LOCK_CODES else []
            why = _held(holders) if holders else f"{error.why}; the next run goes on here."
            return action.became(ActionState.SKIPPED, why + remains)
        if error.code in GONE_CODES:
            return action.became(ActionState.SKIPPED, f"somebody has dropped it meanwhile.{remains}")
        remedy = " First remove the rows with equal keys." if error.code == UNIQUE_VIOLATION else ""
        return action.became(ActionState.FAILED, self._context.secrets.redact(f"{error}{remedy}{remains}"))


def _as_if_usable(found: Index, index: Index, siblings: Sequence[Index]) -> Index | None:
    """Return the index if ``found`` is a leftover of it and it is invalid itself: it was to be made valid."""
    own = next((sibling for sibling in siblings if sibling.oid == index.oid and not sibling.usable), None)
    return None if own is None or found.oid == own.oid else origin_of(found, [own._replace(usable=True)])


def _remaining(left: Sequence[str]) -> str:
    """Say what could not be dropped."""
    return f" What was begun is left as {', '.join(left)}; the next run drops it." if left else ""


def _held(holders: Sequence[Blocker]) -> str:
    """Say who is in the way, and what to do."""
    return f"it would have to wait for {described(holders)}."
