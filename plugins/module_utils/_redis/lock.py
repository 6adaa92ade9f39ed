# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run at a time: a key of the server that expires by itself if its run dies."""

from __future__ import annotations

import os
import secrets
import socket

from .._core.clock import Clock
from .._core.errors import LockHeld, StoreUnreachable, UpkeepError
from .client import RedisClient

__all__ = ["RunLock"]

LIFE_SECONDS = 60
"""How long the lock outlives a run that was killed; one that works renews it well before."""

RENEW_SECONDS = 15.0

SAFE_MILLISECONDS = 5000
"""A lock that ends sooner is not touched any more: between the look at it and the change another run could take it."""

PREFIX = "upkeep:lock:"
"""Keys of ours. No rule of a clean-up takes them."""


class RunLock:
    """The lock of a job on one server and database, held by a token that is nobody else's.

    It is taken and renewed with plain commands, so that it works where scripts are forbidden.

    :param job: what kind of work.
    """

    def __init__(self, client: RedisClient, clock: Clock, job: str) -> None:
        self._client = client
        self._clock = clock
        self._job = job
        self._key = f"{PREFIX}{job}"
        self._token = f"{socket.gethostname()} pid {os.getpid()} {secrets.token_hex(8)}"
        self._renewed: float | None = None

    def take(self) -> None:
        """Take the lock.

        :raises LockHeld: another run has it. It is not waited for.
        """
        tried = f"take the lock of {self._job}"
        taken = self._client.ask(
            tried, lambda redis: redis.set(self._key, self._token, nx=True, px=LIFE_SECONDS * 1000)
        )
        if not taken:
            holder = self._client.ask(tried, lambda redis: redis.get(self._key)) or "a run that has just ended"
            raise LockHeld(
                f"begin the {self._job}",
                f"another run of it is at work on this database ({str(holder).rpartition(' ')[0] or holder})",
                f"Let that run finish. If it was killed, its lock ends within {LIFE_SECONDS} s.",
            )
        self._renewed = self._clock.monotonic()

    def keep(self) -> None:
        """Renew the lock if it is time to; to be called between two pieces of work.

        :raises StoreUnreachable: the lock was lost, so another run may be at work: whoever gets this must stop.
        """
        if self._renewed is None or self._clock.monotonic() - self._renewed < RENEW_SECONDS:
            return
        tried = f"keep the lock of {self._job}"
        if not self._is_ours(tried):
            raise StoreUnreachable(tried, "it has expired or was removed", "Run again; the next run goes on here.")
        self._client.ask(tried, lambda redis: redis.pexpire(self._key, LIFE_SECONDS * 1000))
        self._renewed = self._clock.monotonic()

    def give_back(self) -> None:
        """Remove the lock if it is still ours."""
        if self._renewed is None:
            return
        self._renewed = None
        try:
            tried = f"give back the lock of {self._job}"
            if self._is_ours(tried):
                self._client.ask(tried, lambda redis: redis.unlink(self._key))
        except UpkeepError:
            return  # the server is gone or the time is over: it expires by itself

    def _is_ours(self, tried: str) -> bool:
        """Whether the lock is ours and stays so for long enough to change it."""
        held, left = self._client.ask_all(tried, [("GET", self._key), ("PTTL", self._key)])
        return bool(held == self._token and int(left) >= SAFE_MILLISECONDS)
