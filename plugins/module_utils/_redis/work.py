# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module that changes a Redis server has in common: one connection, guards, one run at a time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Any, ClassVar, Generic, TypeVar

from .._core.action import Action
from .._core.connection import Connection
from .._core.dependency import REDIS
from .._core.errors import StoreError
from .._core.finding import Finding
from .._core.result import Metrics
from .._core.runner import Context, Decision
from .client import DEFAULTS, RedisClient, connect
from .errors import Redirected
from .lock import RunLock
from .nodes import refuse_replica
from .observe_server import identify
from .stall import Pace

__all__ = ["RedisWork"]

Observation = TypeVar("Observation")


class RedisWork(Generic[Observation]):
    """A task that changes a server: connects once, only reads until the first action, and holds the job's lock then.

    A subclass says what to ``read``, ``decide`` and ``carry_out``, and may ``prove`` and ``remember``.

    :raises InvalidInput: an option cannot be understood.
    :raises MissingDependency: redis-py is absent or too old.
    """

    kind: ClassVar[str] = "redis"
    job: ClassVar[str]
    """What the work is called: the name of its lock."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.params = context.params
        self.target = Connection.of(context, DEFAULTS)
        REDIS.load()
        self.pace = Pace(context.clock)
        self._open = ExitStack()
        self._client: RedisClient | None = None
        self._lock: RunLock | None = None
        self._identity: dict[str, Any] = {}

    @property
    def subject(self) -> str:
        """Kind and label."""
        return f"{self.kind} {self.label}"

    @property
    def label(self) -> str:
        """Which server it is, for people."""
        return self.target.label

    @property
    def client(self) -> RedisClient:
        """The connection, once ``observe`` has made it."""
        if self._client is None:
            raise RuntimeError("the task has not been connected yet")
        return self._client

    def observe(self) -> Observation:
        """Connect and read.

        :raises ReplicaServer: the server is a replica, which takes no changes.
        """
        self._client = self._open.enter_context(connect(self.target, self.context.deadline))
        self._identity = identify(self._client)
        refuse_replica(self._client, self.job, self.label)
        self.pace.learn_idle(lambda: self.client.ask("ping the server", lambda redis: redis.ping()))
        return self.read(self._client)

    def read(self, client: RedisClient) -> Observation:
        """Read what there is to decide from."""
        raise NotImplementedError

    def decide(self, observation: Observation) -> Decision:
        """Decide what is wrong and what is to be done: pure."""
        raise NotImplementedError

    def carry_out(self, client: RedisClient, action: Action) -> Action:
        """Do one action, and return what became of it."""
        raise NotImplementedError

    def act(self, action: Action) -> Action:
        """Carry out an action; before the first one, take the lock of the job.

        :raises LockHeld: another run of the same job is at work.
        """
        if self._lock is None:
            self._lock = self._take_lock()
        return self.carry_out(self.client, action)

    def _take_lock(self) -> RunLock:
        """Take the lock, on the node of a cluster that has its key."""
        places = self.lock_places()
        for client in places:
            lock = RunLock(client, self.context.clock, self.lock_name())
            try:
                lock.take()
            except Redirected:
                if client is places[-1]:
                    raise
            else:
                return lock
        raise RuntimeError("there is no place for the lock")

    def paces(self) -> Sequence[Pace]:
        """Return all by which requests were measured."""
        return [self.pace]

    def measured(self) -> Metrics:
        """Return for how long one request kept a server busy at most, looking and changing."""
        return {"redis_longest_stall_milliseconds": round(max(pace.worst for pace in self.paces()) * 1000, 3)}

    def lock_places(self) -> Sequence[RedisClient]:
        """Return where the lock's key may be: of a cluster, every primary."""
        return [self.client]

    def lock_name(self) -> str:
        """Return the name of the lock: the job's, where all of the database is meant."""
        return self.job

    def keep_lock(self) -> None:
        """To be called between two pieces of a long action.

        :raises StoreError: the lock was lost; the action has to end.
        """
        if self._lock is not None:
            self._lock.keep()

    def prove(self, observation: Observation, actions: Sequence[Action]) -> list[Finding]:
        """Look again at what was done."""
        return []

    def remember(self, observation: Observation, decision: Decision) -> None:
        """Nothing to remember."""

    def server(self, observation: Observation) -> dict[str, Any]:
        """Return what the server is."""
        return {"kind": self.kind, "address": self.label, **self._identity}

    def close(self) -> None:
        """Give back the lock and close the connection. What broke it was said before."""
        with suppress(StoreError):
            if self._lock is not None:
                self._lock.give_back()
            self._open.close()
