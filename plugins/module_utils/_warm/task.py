# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of redis_warm."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar

from .._core.action import Action, ActionState
from .._core.errors import InvalidInput, StoreError, UpkeepError
from .._core.finding import Finding
from .._core.runner import Context, Decision, sub_finding
from .._core.severity import Severity
from .._core.units import format_duration, parse_size
from .._redis.client import RedisClient
from .._redis.nodes import primaries
from .._redis.scripting import takes_scripts
from .._redis.stall import Pace
from .._redis.wire import packed
from .._redis.work import RedisWork
from .act_warm import Means, Warmed, Warming
from .decide_warm import decide_warm
from .entry import Entry, parse_entries
from .observation import Item, NodeMemory, Seen, Tally
from .observe_entries import Looker
from .placement import Owner, by_owner, in_cluster, owner_among
from .source import source_of
from .writers import Writer, writer_for

__all__ = ["RedisWarm"]


LEAST_KEYS = 200
"""Keys of the smallest page. The server is done with them in half a millisecond; what takes longer is the way there, or
another process on its machine, and smaller pages would not help.
"""


class RedisWarm(RedisWork[Seen]):
    """Reads rows of other stores and sets keys that hold them."""

    job: ClassVar[str] = "redis_warm"

    def __init__(self, context: Context) -> None:
        params = context.params
        self._entries = parse_entries(params["entries"])
        self._rate = _above_zero(params["rate"], "rate")
        most = _above_zero(params["max_keys"], "max_keys")
        self._most = None if most is None else int(most)
        self._percent = _above_zero(params["max_memory_percent"], "max_memory_percent") or 100.0
        self._most_bytes = parse_size(params["max_value"], "max_value")
        budget = (_above_zero(params["batch_target_ms"], "batch_target_ms") or 0.0) / 1000
        super().__init__(context)
        self._sources = {entry.name: source_of(entry, context) for entry in self._entries}
        self.pace = Pace(context.clock, smallest=LEAST_KEYS, budget=budget)
        self._changes = Pace(context.clock, smallest=LEAST_KEYS, budget=budget)
        self._nodes: list[RedisClient] = []
        self._looker: Looker | None = None
        self._scripts: Callable[[], bool] = lambda: False
        self._owner: Owner = lambda _key: 0
        self._taken = 0
        self._samples: list[Item] = []

    def read(self, client: RedisClient) -> Seen:
        """Read every source, and look which keys are there."""
        self._changes.learn_idle(lambda: client.ask("ping the server", lambda redis: redis.ping()))
        missing: list[StoreError] = []
        self._nodes = self._open.enter_context(primaries(client, self.target, self.context.deadline, missing))
        self._owner = owner_among(self._nodes)
        self._scripts = cache(lambda: all(takes_scripts(node) for node in self._nodes))
        looker = Looker(self._nodes, self._owner, self._sources, self.pace, self.context.deadline, self._most_bytes)
        self._looker = looker
        return Seen(
            tallies=tuple(looker.look(entry) for entry in self._entries),
            memory=self._memory(),
            policy=client.info().text("maxmemory_policy") or "",
            longest=max(pace.worst for pace in self.paces()),
            missing=tuple(missing),
        )

    def _memory(self) -> tuple[NodeMemory, ...]:
        tried = "read the server's memory (INFO memory)"
        known = [node.ask(tried, lambda redis: redis.info("memory")) for node in self._nodes]
        return tuple(
            NodeMemory(
                max(0, int(each.get("used_memory", 0)) - int(each.get("mem_not_counted_for_evict", 0))),
                int(each.get("maxmemory", 0)) or None,
            )
            for each in known
        )

    def decide(self, observation: Seen) -> Decision:
        """Choose what is done."""
        return decide_warm(observation, self.label, self._most, self._percent)

    def paces(self) -> Sequence[Pace]:
        """Return those of looking and of changing."""
        return [self.pace, self._changes]

    def lock_places(self) -> Sequence[RedisClient]:
        """Return every primary, one of which has the lock's key."""
        return self._nodes

    def carry_out(self, client: RedisClient, action: Action) -> Action:
        """Set an entry's keys."""
        entry: Entry = action.work
        means = Means(
            clients=self._nodes,
            owner=self._owner,
            pace=self._changes,
            clock=self.context.clock,
            deadline=self.context.deadline,
            rate=self._rate,
            percent=self._percent,
            memory=self._memory,
            keep_lock=self.keep_lock,
        )
        for pace in self.paces():
            pace.restart()
        writer = writer_for(entry, self._scripts, self._changes, in_cluster(self._nodes))
        warming = Warming(means, writer, None if self._most is None else self._most - self._taken)
        try:
            with closing(self._batches(entry)) as batches:
                warmed = warming.run(batches)
        except UpkeepError as error:
            told = f"{error} Before that: {self._told(warming.warmed, writer)}."
            became = action.became(ActionState.FAILED, self.context.secrets.redact(told))
            return replace(became, touched=warming.warmed.keys > 0)
        finally:
            self._taken += warming.warmed.keys
            self._samples += warming.warmed.sample
        return action.became(ActionState.DONE if warmed.keys else ActionState.SKIPPED, self._told(warmed, writer))

    def _batches(self, entry: Entry) -> Generator[list[Item], None, None]:
        """Return what was found due, or read the source again where that is too much to be kept."""
        if self._looker is None:
            raise RuntimeError("nothing has been read yet")
        batches = self._looker.remembered.take(entry.name)
        return self._looker.items(entry, Tally(entry)) if batches is None else batches

    def _told(self, warmed: Warmed, writer: Writer) -> str:
        """Say what was done."""
        parts = [f"{warmed.keys} keys in {warmed.pages} pages by {writer.name}"]
        parts.append(f"longest stall {format_duration(max(pace.longest for pace in self.paces()))}")
        if warmed.stayed:
            parts.append(f"{warmed.stayed} were there and stay")
        if warmed.away:
            parts.append(f"{warmed.away} are of nodes that cannot be reached, or on their way to another one")
        if warmed.stopped:
            parts.append(f"ended early: {warmed.stopped}; the next run goes on")
        return "; ".join(parts)

    def prove(self, observation: Seen, actions: Sequence[Action]) -> list[Finding]:
        """Look at some of the keys again: a server that has no room evicts what it has just been given."""
        try:
            gone = self._gone()
        except UpkeepError as error:  # no time is left, or the server went
            return [sub_finding(self.label, self.kind, error, Severity.WARNING)]
        if not gone:
            return []
        message = f"{self.label}: {gone} of {len(self._samples)} keys that were looked at again are gone already"
        remedy = "See whether the server evicts keys (evicted_keys, maxmemory), or somebody removes them."
        return [Finding("redis.warm_lost", Severity.WARNING, self.label, message, gone, remedy=remedy)]

    def _gone(self) -> int:
        """Count the keys of the sample that are gone, but for those that live for no longer than the run itself."""
        gone = 0
        for number, items in by_owner(self._owner, self._samples, lambda item: item.key).items():
            commands = packed((b"PTTL", item.key) for item in items)
            lives = self._nodes[number].exchange("look at keys again (PTTL)", commands, len(items))
            longest = self.context.deadline.seconds * 1000
            gone += sum(
                left == -2 and (not item.life or item.life > longest) for item, left in zip(items, lives, strict=True)
            )
        return gone

    def server(self, observation: Seen) -> dict[str, Any]:
        """Return what the server is."""
        return {**super().server(observation), "nodes": len(self._nodes)}


def _above_zero(value: float | None, option: str) -> float | None:
    """Return a number above zero, or None.

    :raises InvalidInput: it is not above zero, or no number at all.
    """
    if value is not None and not 0 < value < math.inf:
        wrong = "too large" if value == math.inf else "too small"
        raise InvalidInput(option, f"{value:g} is {wrong}", "Give a number above zero, or leave it away.")
    return value
