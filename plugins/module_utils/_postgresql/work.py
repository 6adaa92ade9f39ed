# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module that changes a PostgreSQL server has in common: one connection, guards, one run at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import Any, ClassVar, Generic, TypeVar

from .._core.action import Action
from .._core.arguments import ArgumentSpec
from .._core.connection import Connection
from .._core.dependency import PSYCOPG
from .._core.errors import StoreError
from .._core.finding import Finding
from .._core.runner import Context, Decision
from .._core.units import parse_duration
from .client import PostgresqlClient, connect
from .errors import TRANSIENT_CODES, StandbyServer
from .lock import advisory_lock
from .options import DEFAULTS

__all__ = ["WorkTask", "retried", "work_arguments"]

Observation = TypeVar("Observation")
Value = TypeVar("Value")

ATTEMPTS = 5
"""How often a statement is tried that could not have its lock; rests of 0.1, 0.2, 0.4 and 0.8 s lie between."""


def work_arguments(deadline: str = "1h", lock_timeout: str = "1s") -> ArgumentSpec:
    """Options of every module that changes a PostgreSQL server. Documented in the fragment ``postgresql_work``.

    :param deadline: the default of how long the module may take.
    :param lock_timeout: the default of how long a statement may wait for a lock.
    """
    return ArgumentSpec(
        {"deadline": {"type": "str", "default": deadline}, "lock_timeout": {"type": "str", "default": lock_timeout}}
    )


def retried(context: Context, attempt: Callable[[], Value], attempts: int = ATTEMPTS) -> Value:
    """Call ``attempt`` again, after a growing rest, while it fails for what may pass: a lock, a deadlock.

    :param attempts: how often at most.
    :raises StoreError: the last attempt's error, or one that no second attempt can mend.
    """
    rest = 0.1
    for _number in range(attempts - 1):
        try:
            return attempt()
        except StoreError as error:
            if error.code not in TRANSIENT_CODES or context.deadline.remaining <= rest:
                raise
        context.clock.sleep(rest)
        rest *= 2
    return attempt()


class WorkTask(Generic[Observation]):
    """A task that changes a server: connects once, reads in a read-only session, writes under guards.

    A subclass says what to ``read``, ``decide`` and ``carry_out``, and may ``prove`` and ``remember``.

    :raises InvalidInput: an option cannot be understood.
    :raises MissingDependency: psycopg is absent or too old.
    """

    job: ClassVar[str]
    """What the work is called: the name of its lock."""

    on_standby: ClassVar[bool] = False
    """Whether it can be done on a standby."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.params = context.params
        self.target = Connection.of(context, DEFAULTS)
        context.secrets.add(context.environment.get("PGPASSWORD"))
        self.lock_timeout = parse_duration(context.params["lock_timeout"], "lock_timeout")
        PSYCOPG.load()
        self._open = ExitStack()
        self._begun = False
        self._client: PostgresqlClient | None = None

    @property
    def subject(self) -> str:
        """Kind and label."""
        return f"postgresql {self.label}"

    @property
    def label(self) -> str:
        """Which server it is, for people."""
        return self.target.label

    @property
    def client(self) -> PostgresqlClient:
        """The connection, once ``observe`` has made it."""
        if self._client is None:
            raise RuntimeError("the task has not been connected yet")
        return self._client

    def observe(self) -> Observation:
        """Connect and read.

        :raises StandbyServer: the server is a standby and the work cannot be done there.
        """
        self._client = self._open.enter_context(self.connection(read_only=True))
        if self._client.server.in_recovery and not self.on_standby:
            raise StandbyServer(
                f"begin the {self.job}",
                f"the server at {self.label} is a standby, which takes no changes",
                "Point the task at the primary, or use a URI of all servers with target_session_attrs=primary.",
            )
        return self.read(self._client)

    def connection(self, read_only: bool = False) -> AbstractContextManager[PostgresqlClient]:
        """Return one connection more to the same server and database, with the guards of the first.

        :param read_only: whether its session must not write.
        """
        return _opened(self.target, self.context, None if read_only else self.lock_timeout)

    def read(self, client: PostgresqlClient) -> Observation:
        """Read what there is to decide from."""
        raise NotImplementedError

    def decide(self, observation: Observation) -> Decision:
        """Decide what is wrong and what is to be done: pure."""
        raise NotImplementedError

    def carry_out(self, client: PostgresqlClient, action: Action) -> Action:
        """Do one action, and return what became of it."""
        raise NotImplementedError

    def act(self, action: Action) -> Action:
        """Carry out an action; before the first one, take the lock of the job and let the session write.

        :raises LockHeld: another run of the same job is at work.
        """
        if not self._begun:
            self._open.enter_context(advisory_lock(self.client, self.job))
            self.client.allow_writes(self.lock_timeout)
            self._begun = True
        return self.carry_out(self.client, action)

    def prove(self, observation: Observation, actions: Sequence[Action]) -> list[Finding]:
        """Look again at what was done."""
        return []

    def remember(self, observation: Observation, decision: Decision) -> None:
        """Nothing to remember."""

    def server(self, observation: Observation) -> dict[str, Any]:
        """Return what the server is."""
        return {"kind": "postgresql", "address": self.label, **self.client.server.identity()}

    def close(self) -> None:
        """Give back the lock and close the connection. What broke it was said before."""
        with suppress(StoreError):
            self._open.close()


@contextmanager
def _opened(target: Connection, context: Context, lock_timeout: float | None) -> Iterator[PostgresqlClient]:
    with connect(target, context.deadline) as client:
        if lock_timeout is not None:
            client.allow_writes(lock_timeout)
        yield client
