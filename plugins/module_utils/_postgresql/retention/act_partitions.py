# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes a partition off its table and to where it goes, without making the application wait."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from ..._core.errors import StoreError
from ..._core.runner import Context
from ..client import PostgresqlClient
from ..errors import TRANSIENT_CODES
from ..identifier import quoted
from ..statement import Statement
from ..work import retried
from .decide_partitions import CONCURRENTLY, PartitionWork
from .session import with_settings

__all__ = ["take_partition"]

BRIEF = "100ms"
"""How long to wait for the table's strongest lock: everybody else waits behind us so long."""

STATE = """
SELECT coalesce((SELECT {pending} FROM pg_catalog.pg_inherits i
    WHERE i.inhrelid = pg_catalog.to_regclass({partition})
        AND i.inhparent = pg_catalog.to_regclass({table})), '')::text AS state"""


class _State(NamedTuple):
    state: str


def take_partition(client: PostgresqlClient, work: PartitionWork, context: Context) -> str:
    """Detach a partition and bring it to where it goes. Return what became of it, for people.

    :raises StoreError: it could not be done. The partition is where it was, or the next run goes on from where it is.
    """
    try:
        retried(context, lambda: _detach(client, work, context))
    except StoreError:
        _unmark(client, work)
        raise
    try:
        retried(context, lambda: _arrive(client, work, context))
    except StoreError as error:
        if client.lost or error.code in TRANSIENT_CODES or error.code is None or not work.keeps:
            raise
        # It does not fit where it should go: better in its table than nowhere.
        retried(context, lambda: _put_back(client, work, context))
        raise
    return "done"


def _detach(client: PostgresqlClient, work: PartitionWork, context: Context) -> None:
    """Go on from whatever state an earlier attempt left."""
    left = context.deadline.remaining
    state = _state(client, work)
    if state == "attached":
        client.execute("mark the partition", work.mark, left)
        _take_off(client, work, left)
        state = _state(client, work)
    if state == "pending":
        client.execute("bring the detaching of the partition to its end", work.finalize, left)


def _take_off(client: PostgresqlClient, work: PartitionWork, left: float) -> None:
    tried = "detach the partition"
    if not work.locked:
        client.execute(tried, work.detach, left)
        return
    lock = Statement("LOCK TABLE ONLY {table} IN ACCESS EXCLUSIVE MODE", {"table": work.table})
    with with_settings(client, {"lock_timeout": BRIEF}), client.transaction(tried):
        # The table before its partition, as every query takes them: no deadlock.
        client.execute(tried, lock, left)
        client.execute(tried, work.detach, left)


def _arrive(client: PostgresqlClient, work: PartitionWork, context: Context) -> None:
    with client.transaction("bring the partition to where it goes"):
        for statement in work.arrive:
            client.execute("bring the partition to where it goes", statement, context.deadline.remaining)


def _unmark(client: PostgresqlClient, work: PartitionWork) -> None:
    """Take the mark off a partition that stayed where it was: somebody else may detach it, and keep it."""
    with suppress(StoreError):
        if _state(client, work) == "attached":
            client.execute("take the mark off the partition", work.unmark, 30.0)


def _put_back(client: PostgresqlClient, work: PartitionWork, context: Context) -> None:
    tried = "put the partition back"
    with client.transaction(tried):
        for statement in (work.back, work.unmark):
            client.execute(tried, statement, context.deadline.remaining)


def _state(client: PostgresqlClient, work: PartitionWork) -> str:
    """Return ``attached``, ``pending``, or nothing: it is no partition of the table."""
    known = client.server.number >= CONCURRENTLY
    pending = "CASE WHEN i.inhdetachpending THEN 'pending' ELSE 'attached' END" if known else "'attached'"
    statement = Statement(
        STATE,
        values={"partition": quoted(*work.partition), "table": quoted(*work.table)},
        parts={"pending": pending},
    )
    return client.fetch("look at the partition", statement, _State, 30.0)[0].state
