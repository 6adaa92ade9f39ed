# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run at a time: an advisory lock of the server, which goes with the session, however that ends."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from .._core.errors import LockHeld, StoreError
from .client import PostgresqlClient

__all__ = ["advisory_lock", "lock_key"]

TAKE = "SELECT pg_try_advisory_lock(%(key)s::bigint) AS taken"
GIVE_BACK = "SELECT pg_advisory_unlock(%(key)s::bigint) AS taken"

HOLDER = """
SELECT l.pid, coalesce(a.client_addr::text, 'the server itself') AS address,
    coalesce(extract(epoch FROM clock_timestamp() - a.backend_start), 0)::float8 AS seconds
FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (l.classid::bigint << 32 | l.objid::bigint) = %(key)s::bigint"""


class _Taken(NamedTuple):
    taken: bool


class _Holder(NamedTuple):
    pid: int
    address: str
    seconds: float


def lock_key(job: str) -> int:
    """Return the key of a job's lock: 64 bits of a digest, as advisory locks have numbers for names."""
    return int.from_bytes(hashlib.sha256(f"dataops.upkeep/{job}/".encode()).digest()[:8], "big", signed=True)


@contextmanager
def advisory_lock(client: PostgresqlClient, job: str) -> Iterator[None]:
    """Hold the lock of a job in the database that is connected to.

    :param job: what kind of work, such as ``vacuum``.
    :raises LockHeld: another run has it. It is not waited for.
    """
    key = {"key": lock_key(job)}
    if not client.row(f"take the lock of {job}", TAKE, _Taken, key).taken:
        holders = client.rows(f"read who holds the lock of {job}", HOLDER, _Holder, key)
        who = ", ".join(f"pid {found.pid} from {found.address}" for found in holders) or "a run that has just ended"
        raise LockHeld(
            f"begin the {job}",
            f"another run of it is at work in this database ({who})",
            "Let that run finish; the next one does what it leaves.",
        )
    try:
        yield
    finally:
        with suppress(StoreError):  # with the connection the lock is gone as well
            client.row(f"give back the lock of {job}", GIVE_BACK, _Taken, key)
