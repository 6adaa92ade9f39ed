# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rewrites one table, and removes what an interrupted pg_repack left. Whether it was done, the table's file tells."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from ..._core.action import Action, ActionState
from ..._core.errors import StoreError, StoreTimeout
from ..._core.runner import Context
from ..._core.units import format_size
from ..client import PostgresqlClient
from ..errors import LOCK_CODES
from ..observe_spaces import observe_spaces
from ..spaces import SPACE_FACTOR
from ..statement import Statement
from ..work import retried
from .act_repack import repack
from .act_vacuum import LATE_SHARE, left_undone
from .decide_leftovers import CleanWork
from .decide_rewrite import RewriteWork
from .observation_rewrite import Sized
from .observe_rewrites import REPACK_LOCK, observe_sizes
from .policy import Policy

__all__ = ["clean", "rewrite"]

LOCK = Statement("SELECT pg_try_advisory_lock({prefix}, {key}) AS taken")
UNLOCK = Statement("SELECT pg_advisory_unlock({prefix}, {key}) AS taken")
SHORT_SECONDS = 10.0


class _Taken(NamedTuple):
    taken: bool


def rewrite(client: PostgresqlClient, action: Action, policy: Policy, context: Context) -> Action:
    """Carry out an action whose work is a :class:`RewriteWork`.

    :return: it, done with the sizes of before and after; or skipped, where something stood in the way.
    :raises StoreError: it failed for another reason.
    """
    work: RewriteWork = action.work
    before = _sized(client, work.table.oid)
    if before is None:
        return action.became(ActionState.SKIPPED, "the table is gone, or somebody has locked it")
    if policy.free_space is None:
        free = observe_spaces(client).free.get(before.tablespace)
        if free is None or free < before.bytes * SPACE_FACTOR:
            measured = "unknown" if free is None else format_size(free)
            return action.became(ActionState.SKIPPED, f"not enough disk is free by now: {measured}")
    started, left = context.clock.monotonic(), context.deadline.remaining
    try:
        after = retried(context, partial(_attempt, client, action, before, context))
    except StoreError as error:
        late = context.clock.monotonic() - started >= LATE_SHARE * left
        return left_undone(action, error, late, "the deadline ended it; the table is as it was")
    return action.became(
        ActionState.DONE, f"{format_size(before.bytes)} -> {format_size(after.bytes)} with its indexes"
    )


def _attempt(client: PostgresqlClient, action: Action, before: Sized, context: Context) -> Sized:
    """Run the method once.

    :raises StoreTimeout: the table was skipped; ``code`` says so, as if it had waited for the lock in vain.
    """
    work: RewriteWork = action.work
    tried = f"rewrite {action.subject}"
    if work.statement is None:
        said = repack(client, work.argv, tried, context)
    else:
        client.execute(tried, work.statement, context.deadline.remaining)
        said = "; ".join(client.notices)
    after = _sized(client, before.oid)
    if after is not None and after.filenode != before.filenode:
        return after
    skipped = StoreTimeout(tried, said or "the server skipped it: another session holds a lock on the table")
    skipped.code = LOCK_CODES[0]
    raise skipped


def clean(client: PostgresqlClient, action: Action, context: Context) -> Action:
    """Carry out an action whose work is a :class:`CleanWork`, holding pg_repack's own lock of the table meanwhile."""
    work: CleanWork = action.work
    values = {"prefix": REPACK_LOCK, "key": work.table_oid - 2**31}
    tried = f"remove what pg_repack left of {action.subject}"
    take, give_back = (Statement(lock.template, values=values) for lock in (LOCK, UNLOCK))
    if not client.fetch(tried, take, _Taken, SHORT_SECONDS)[0].taken:
        return action.became(ActionState.SKIPPED, "a pg_repack is at work on the table by now")
    try:
        # One message of several statements is one transaction.
        retried(context, lambda: client.execute(tried, work.statement, SHORT_SECONDS))
    except StoreError as error:
        return left_undone(action, error, False, "")
    finally:
        if not client.lost:
            client.fetch(tried, give_back, _Taken, SHORT_SECONDS)
    return action.became(ActionState.DONE, "removed")


def _sized(client: PostgresqlClient, oid: int) -> Sized | None:
    return next(iter(observe_sizes(client, [oid])), None)
