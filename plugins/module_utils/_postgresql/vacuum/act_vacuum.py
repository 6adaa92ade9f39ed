# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Vacuums and analyzes one table, and tells from its statistics whether that was really done.

The server says nothing but a warning, in the language of its messages, where it skips a table; so the warning is passed
on to people, and what counts is whether the time of the last vacuum or analyze has moved.
"""

from __future__ import annotations

from functools import partial

from ..._core.action import Action, ActionState
from ..._core.errors import StoreError, StoreTimeout
from ..._core.runner import Context
from ..client import PostgresqlClient
from ..errors import LOCK_CODES
from ..statement import Statement
from ..work import retried
from .decide_statement import Work
from .observation import Now, Row
from .observe_tables import observe_now
from .policy import Policy

__all__ = ["LATE_SHARE", "left_undone", "set_cost", "vacuum"]

GONE = "the table is gone"
CANCELLED = "57014"
"""SQLSTATE of a statement that was broken off: at its time limit, or by somebody."""
UNDEFINED_TABLE = "42P01"
"""SQLSTATE of a table that is not there any more."""
LATE_SHARE = 0.8
"""The part of the time that was left which a statement must have had, for the deadline to have been what ended it."""
STATISTICS_SECONDS = 3.0
"""How long to wait for statistics before version 15, where they take a way of their own and come half a second late."""


def set_cost(client: PostgresqlClient, policy: Policy) -> None:
    """Make the session's vacuums rest as the user wants."""
    if policy.cost_delay_ms is not None:
        statement = Statement("SET vacuum_cost_delay = {delay}", values={"delay": f"{policy.cost_delay_ms:g}ms"})
        client.execute("set the cost delay of vacuum", statement, policy.cost_delay_ms + 5)


def vacuum(client: PostgresqlClient, action: Action, context: Context) -> Action:
    """Carry out an action whose work is a :class:`Work`.

    :return: it, done with numbers of before and after; or skipped, where something else had the table or time ran out.
    :raises StoreError: it failed for another reason.
    """
    work: Work = action.work
    before = observe_now(client, work.row.oid)
    if before is None:
        return action.became(ActionState.SKIPPED, GONE)
    if before.worker is not None:
        return action.became(ActionState.SKIPPED, f"process {before.worker} is vacuuming or analyzing it by now")
    if _moved(action.kind, work.row, before):
        return action.became(ActionState.SKIPPED, "somebody, or autovacuum, has done it by now")
    started, left = context.clock.monotonic(), context.deadline.remaining
    try:
        after = retried(context, partial(_attempt, client, action, before, context))
    except StoreError as error:
        late = context.clock.monotonic() - started >= LATE_SHARE * left
        return left_undone(action, error, late, "the deadline ended it in the midst of the table, which does no harm")
    return action.became(ActionState.DONE, _changes(action.kind, before, after))


def left_undone(action: Action, error: StoreError, late: bool, over: str) -> Action:
    """Return an action as skipped, where nothing is wrong but somebody's lock or the time.

    :param late: whether the time that was left is over.
    :param over: what to say then.
    :raises StoreError: ``error``, where something else is wrong.
    """
    if error.code in LOCK_CODES:
        return action.became(ActionState.SKIPPED, f"{error.why}; the next run tries again")
    if error.code == UNDEFINED_TABLE:
        return action.became(ActionState.SKIPPED, GONE)
    if late and (error.code == CANCELLED or isinstance(error, StoreTimeout)):
        return action.became(ActionState.SKIPPED, over)
    raise error


def _attempt(client: PostgresqlClient, action: Action, before: Now, context: Context) -> Now:
    """Run the statement once.

    :raises StoreTimeout: it was skipped; ``code`` says so, as if it had waited for the lock in vain.
    """
    work: Work = action.work
    tried = f"{action.kind} {action.subject}"
    client.execute(tried, work.statement, context.deadline.remaining)
    notices = "; ".join(client.notices)
    wait = context.clock.monotonic() + (STATISTICS_SECONDS if client.server.major < 15 else 0.0)
    while True:
        after = observe_now(client, work.row.oid)
        if after is None:
            gone = StoreError(tried, GONE)
            gone.code = UNDEFINED_TABLE
            raise gone
        if work.row.kind == "p" and client.server.major < 14:
            # It keeps no record for partitioned tables; their partitions' numbers are what the next run decides from.
            context.clock.sleep(STATISTICS_SECONDS / 3)
            return after
        if _moved(action.kind, before, after):
            return after
        if context.clock.monotonic() >= wait:
            break
        context.clock.sleep(0.1)
    skipped = StoreTimeout(tried, notices or "the server skipped it: another session holds a lock on the table")
    skipped.code = LOCK_CODES[0]
    raise skipped


def _moved(kind: str, before: Row | Now, after: Now) -> bool:
    was, now = (before.analyzed, after.analyzed) if kind == "analyze" else (before.vacuumed, after.vacuumed)
    return now is not None and (was is None or now > was)


def _changes(kind: str, before: Now, after: Now) -> str:
    """Return what has become less, in numbers.

    Ages grow with every transaction of others. Pages are as they were last counted, and a partitioned table has none
    (-1 from version 14 on), so that more of them, or fewer than none, is no news.
    """
    numbers = [
        ("dead rows", before.dead, after.dead),
        ("pages", before.pages, max(0, after.pages)),
        ("age of the oldest transaction id", before.transactions, after.transactions),
        ("age of the oldest multixact id", before.multixacts, after.multixacts),
        ("rows changed since analyze", before.modified, after.modified),
    ]
    less = ", ".join(f"{name} {was} -> {now}" for name, was, now in numbers if now < was)
    return less or ("" if kind == "analyze" else "nothing to remove")
