# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of queue_cleanup."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from ..._core.action import Action, ActionState
from ..._core.errors import StoreError
from ..._core.runner import Context, Decision
from ..._redis.client import RedisClient
from ..._redis.lock import RunLock
from ..._redis.nodes import primaries
from ..._redis.stall import Pace
from ..._redis.work import RedisWork
from ..observations import Place, display
from .act_clean import clean
from .act_dispose import dispose
from .act_remains import remove_ghosts, remove_orphans, trim_events
from .act_retry import retry
from .decide_cleanup import CLEAN, GHOSTS, ORPHANS, TRIM, decide_cleanup
from .decide_retry import DISPOSALS, RETRY
from .observation import Seen
from .observe_cleanup import observe_cleanup
from .options import parse_options
from .tools import Tools

__all__ = ["QueueCleanup"]

Act = Callable[[Tools, Action], Action]

ACTS: Mapping[str, Act] = {
    CLEAN: clean,
    GHOSTS: remove_ghosts,
    ORPHANS: remove_orphans,
    TRIM: trim_events,
    RETRY: retry,
    **dict.fromkeys(DISPOSALS.values(), dispose),
}
"""What carries out an action, by its kind."""


LEAST_JOBS = 200
"""A batch gets no smaller: it keeps the server for little more than a millisecond. Where a busy machine, and not the
server, makes batches slow, smaller ones would make it worse. Measured: 150,000 jobs a second.
"""

MOVES = (RETRY, *DISPOSALS.values())
"""Kinds of actions after which failed jobs are elsewhere."""

UNMOVED = "failed jobs that go elsewhere could not be moved, and would go with the others"


class QueueCleanup(RedisWork[Seen]):
    """Cleans queues of one prefix, one batch at a time."""

    kind: ClassVar[str] = "queue"
    job: ClassVar[str] = "queue_cleanup"

    def __init__(self, context: Context) -> None:
        self.options = parse_options(context.params)
        super().__init__(context)
        self._nodes: list[RedisClient] = []
        self._locks: dict[str, RunLock] = {}
        self._scripts = False
        self._unmoved: set[str] = set()
        self._paces = [self.pace]

    @property
    def label(self) -> str:
        """Server, database and prefix."""
        place = f"/{self.target.database}" if self.target.database else ""
        return f"{self.target.label}{place} {self.options.prefix}"

    def read(self, client: RedisClient) -> Seen:
        """Read the queues, and what there is to do in them."""
        missing: list[StoreError] = []
        self._nodes = self._open.enter_context(primaries(client, self.target, self.context.deadline, missing))
        seen = observe_cleanup(self._nodes, self.context, self.pace, self.options, missing)
        self._scripts = seen.scripts
        return seen

    def decide(self, observation: Seen) -> Decision:
        """Choose what is done."""
        return decide_cleanup(observation, self.options, self.label)

    def act(self, action: Action) -> Action:
        """Carry out an action; before the first one on a queue, take the queue's lock.

        The lock is the queue's, and not the server's, so that it lies on the node of a cluster that has the queue.

        :raises LockHeld: another run is at work on the queue.
        """
        place: Place = action.work.place
        lock = self._locks.get(place.base)
        if lock is None:
            lock = RunLock(self._nodes[place.node], self.context.clock, f"{self.job}:{place.base[:-1]}")
            lock.take()
            self._locks[place.base] = lock
        client = self._nodes[place.node]
        largest = self.options.batch_size
        pace = Pace(self.context.clock, min(LEAST_JOBS, largest), min(LEAST_JOBS, largest), largest)
        pace.learn_idle(lambda: client.ask("ping the server", lambda redis: redis.ping()))
        self._paces.append(pace)
        tools = Tools(client, self.context, pace, self.options, self._scripts, lock.keep)
        moves, cleans_failed = action.kind in MOVES, action.kind == CLEAN and action.work.what.state == "failed"
        if cleans_failed and place.base in self._unmoved:
            return action.became(ActionState.SKIPPED, UNMOVED)
        moved = False
        try:
            became = ACTS[action.kind](tools, action)
            moved = became.state is not ActionState.FAILED
            return became
        finally:
            if moves and not moved:
                self._unmoved.add(place.base)

    def paces(self) -> Sequence[Pace]:
        """Return that of looking, and one for each action."""
        return self._paces

    def server(self, observation: Seen) -> dict[str, Any]:
        """Return what the server is, and which library keeps each queue."""
        queues = {
            display(work.place.queue.name): {
                "flavour": work.place.queue.flavour.name,
                "version": work.place.queue.flavour.version,
                "evidence": work.place.queue.flavour.evidence,
            }
            for work in observation.works
        }
        known = super().server(observation)
        return {**known, "prefix": self.options.prefix, "scripts": observation.scripts, "queues": queues}

    def close(self) -> None:
        """Give back the queues' locks and close the connections."""
        for lock in self._locks.values():
            lock.give_back()
        super().close()
