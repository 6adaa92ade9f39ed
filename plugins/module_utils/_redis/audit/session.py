# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An audit's connection, and the one pass over the keys that several checks share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..._core.connection import Connection
from ..._core.errors import StoreError, UpkeepError
from ..._core.runner import Context
from ..._core.units import parse_age, parse_duration
from ..client import RedisClient, connect
from ..info import Info
from ..nodes import primaries
from .census import Census
from .observation import KeySpace
from .observe_keys import Pass
from .rules import parse_rules

__all__ = ["AuditSession", "open_session"]

SHARE = 0.8
"""Of the time that is left for the task, at most, so that the other checks have theirs."""


class AuditSession:
    """What the checks of one audit share.

    :param client: the connection.
    :param target: where it leads to; the other primaries of a cluster take the same login.
    """

    def __init__(self, client: RedisClient, target: Connection, context: Context) -> None:
        self.client = client
        self._target = target
        self._context = context
        self._key_space: KeySpace | None = None
        self._error: UpkeepError | None = None

    def key_space(self) -> KeySpace:
        """Return what one pass over the keys saw; the pass is made when a check first asks.

        :raises StoreError: the keys cannot be read.
        :raises DeadlineExceeded: the time is over.
        """
        if self._error:
            raise self._error
        if self._key_space is None:
            try:
                self._key_space = self._look()
            except UpkeepError as error:
                self._error = error
                raise
        return self._key_space

    def take(self) -> KeySpace:
        """Return what the pass saw, to be judged; the first check that takes it is told which nodes are missing.

        :raises UpkeepError: as :meth:`key_space`.
        """
        whole = self.key_space()
        self._key_space = whole._replace(missing=())
        return whole

    @property
    def open_to_all(self) -> bool:
        """Whether we were let in without a password."""
        options = self.client.ask("look at the connection", lambda redis: redis.connection_pool.connection_kwargs)
        return not options.get("password")

    def queues(self) -> bool | None:
        """Whether there are queues of Bull or BullMQ; None if no pass has looked at the keys."""
        return None if self._key_space is None else self._key_space.queues > 0

    def _look(self) -> KeySpace:
        """Pass over the keys of every primary; each gets an equal share of the time and of the sample."""
        params, clock = self._context.params, self._context.clock
        rules = parse_rules(params["policies"])
        idle = parse_age(params["idle_after"], "idle_after").seconds
        info = self.client.info()
        heat = heat_of(info)
        whole, passes, missing = Census(rules, idle), list[Pass](), list[StoreError]()
        started = clock.monotonic()
        seconds = min(parse_duration(params["scan_seconds"], "scan_seconds"), self._context.deadline.remaining * SHARE)
        with primaries(self.client, self._target, self._context.deadline, missing) as nodes:
            for number, node in enumerate(nodes):
                left = len(nodes) - number
                most = None if params["sample"] is None else max(1, (params["sample"] - whole.seen) // left)
                census = Census(rules, idle)
                share = (seconds - (clock.monotonic() - started)) / left
                one = Pass(node, clock, census, heat if heat == "idle" else None, most, share)
                one.run()
                whole.absorb(census, 1 if one.complete or not census.seen else one.total / census.seen)
                passes.append(one)
            infos = [node.info() for node in nodes]
        return _key_space(whole, passes, infos, heat, clock.monotonic() - started)._replace(missing=tuple(missing))


def heat_of(info: Info) -> str | None:
    """Return what the server counts for each key: when it was last used, or how often; that depends on its policy."""
    policy = info.text("maxmemory_policy")
    if policy is None:
        return None
    return "frequency" if policy.endswith("-lfu") else "idle"


def _key_space(whole: Census, passes: list[Pass], infos: list[Info], heat: str | None, seconds: float) -> KeySpace:
    policies = {info.text("maxmemory_policy") for info in infos}
    by_size, by_elements = whole.largest()
    return KeySpace(
        total=sum(one.total for one in passes),
        seen=whole.seen,
        complete=all(one.complete for one in passes),
        scripts=all(one.scripts for one in passes),
        sized=all(one.sized for one in passes),
        heat=heat,
        nodes=len(passes),
        seconds=seconds,
        longest_stall=max(one.pace.longest for one in passes),
        prefixes=whole.prefixes(),
        by_size=by_size,
        by_elements=by_elements,
        kinds=whole.kinds,
        rules=whole.met(),
        queues=whole.queues,
        eviction=policies.pop() if len(policies) == 1 else None,
        maximum=_sum(infos, "maxmemory"),
        used=_sum(infos, "used_memory"),
    )


def _sum(infos: list[Info], field: str) -> int | None:
    """Add up a number of all nodes; None where one of them has none."""
    numbers = [info.integer(field) for info in infos]
    return sum(number or 0 for number in numbers) if all(numbers) else None


@contextmanager
def open_session(target: Connection, context: Context) -> Iterator[AuditSession]:
    """Connect.

    :raises StoreError: there is no connection, or it was lost while it was in use.
    """
    with connect(target, context.deadline) as client:
        yield AuditSession(client, target, context)
