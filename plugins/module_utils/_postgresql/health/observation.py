# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read from a server: one class for the rows of each query, whose columns are its fields. Pure.

Ages and lengths of time are in seconds by the server's own clock, so a clock that is wrong here does no harm.
Named tuples, because a frozen dataclass takes five times as long to make, and each task imports all of them.
"""

from __future__ import annotations

from typing import NamedTuple

from ..horizon import DatabaseAge, Holder
from ..server import Server

__all__ = [
    "Archiver", "Archiving", "Availability", "Connections", "Database", "Group",
    "Index", "Indexes", "Limit", "Prepared", "Receiver", "Replication", "Session", "Sessions", "Size", "Slot",
    "Standby", "Waiter", "Wraparound",
]  # fmt: skip


class Availability(NamedTuple):
    """:param latency_milliseconds: how long the server took to answer SELECT 1."""

    server: Server
    latency_milliseconds: float
    expected_role: str = "any"


class Group(NamedTuple):
    """Sessions that are alike. State and kind are None where the user may not see them."""

    database: str | None
    user: str | None
    state: str | None
    kind: str | None
    sessions: int

    @property
    def is_client(self) -> bool:
        """Whether they count against max_connections; what cannot be seen counts if it has a user and a database."""
        return self.kind == "client backend" or (self.kind is None and bool(self.user and self.database))


class Limit(NamedTuple):
    """How many connections a role or a database may have. :param kind: ``role`` or ``database``."""

    kind: str
    name: str
    connections: int


class Connections(NamedTuple):
    """All sessions in groups, and the limits below the server's own."""

    server: Server
    groups: tuple[Group, ...]
    limits: tuple[Limit, ...]


class Session(NamedTuple):
    """One session with an open transaction.

    :param waits: whether it waits for a lock.
    :param transaction_seconds: since its transaction began.
    :param state_seconds: since it is in its present state.
    """

    pid: int
    database: str | None
    user: str | None
    application: str | None
    state: str | None
    waits: bool
    transaction_seconds: float
    state_seconds: float


class Waiter(NamedTuple):
    """A session that waits for a lock.

    :param seconds: for how long; None where the version does not say (13).
    :param blockers: processes it waits for; 0 is a prepared transaction.
    """

    pid: int
    seconds: float | None
    blockers: tuple[int, ...] | list[int]


class Prepared(NamedTuple):
    """A transaction prepared for two-phase commit."""

    gid: str
    database: str
    seconds: float


class Sessions(NamedTuple):
    """Open transactions, the waits among them, prepared transactions (oldest first)."""

    server: Server
    sessions: tuple[Session, ...]
    waiters: tuple[Waiter, ...]
    prepared: tuple[Prepared, ...]


class Standby(NamedTuple):
    """A receiver of WAL, as its sender sees it. State and lags are None where the user may not see them.

    :param lag_bytes: WAL that it has not replayed yet.
    :param lag_seconds: the server's own measure; None when nothing is under way.
    """

    name: str | None
    address: str | None
    state: str | None
    synchronous: str | None
    lag_bytes: float | None
    lag_seconds: float | None


class Slot(NamedTuple):
    """A replication slot.

    :param retained_bytes: WAL kept for it.
    :param status: wal_status: reserved, extended, unreserved, lost.
    :param inactive_seconds: since nobody uses it; None before version 17.
    :param synced: whether it is the copy of a primary's slot, which nobody uses here.
    """

    name: str
    kind: str
    active: bool
    temporary: bool
    status: str | None
    retained_bytes: float | None
    inactive_seconds: float | None
    synced: bool


class Receiver(NamedTuple):
    """A standby's own view.

    :param lag_bytes: WAL received and not replayed; None before any came.
    :param lag_seconds: age of the last replayed transaction.
    :param configured: whether it is to stream from a primary; None if the user may not see it.
    :param streaming: whether it does; None if the user may not see it.
    """

    lag_bytes: float | None
    lag_seconds: float | None
    paused: bool
    configured: bool | None
    streaming: bool | None


class Replication(NamedTuple):
    """Both directions: who receives from this server, and from whom it receives."""

    server: Server
    standbys: tuple[Standby, ...]
    slots: tuple[Slot, ...]
    receiver: Receiver | None


class Wraparound(NamedTuple):
    """Distance to the end of ids, and the oldest holder of it."""

    server: Server
    databases: tuple[DatabaseAge, ...]
    holder: Holder | None


class Database(NamedTuple):
    """A database's counters since ``reset``. The database named ```` is what all share."""

    database: str
    hit: int
    read: int
    deadlocks: int
    temporary_files: int
    temporary_bytes: int
    checksum_failures: int
    reset: float | None


class Archiver(NamedTuple):
    """The archiver's counters, and when it last succeeded and failed, in seconds since 1970."""

    archived: int
    failed: int
    last_archived: float | None
    last_failed: float | None
    last_failed_file: str | None
    reset: float | None
    may_list: bool


class Archiving(NamedTuple):
    """:param waiting: WAL files that wait to be archived; None if the user may not see it."""

    server: Server
    archiver: Archiver
    waiting: int | None


class Size(NamedTuple):
    """A database's size in bytes; None if the user may not see it."""

    database: str
    bytes: int | None


class Index(NamedTuple):
    """An index that is not valid."""

    oid: int
    schema: str
    table: str
    name: str


class Indexes(NamedTuple):
    """Invalid indexes that nobody is building.

    :param hidden_builds: index builds of other users that the user may not see: an index may be one of theirs.
    """

    server: Server
    invalid: tuple[Index, ...]
    hidden_builds: int
