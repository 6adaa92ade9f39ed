# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of redis_cleanup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, ClassVar

from ..._core.action import Action, ActionState
from ..._core.errors import InvalidInput, StoreError
from ..._core.runner import Context, Decision
from ..._core.units import format_duration, parse_duration
from ..client import RedisClient
from ..errors import OutOfMemory
from ..no_touch import leave_no_trace
from ..nodes import primaries
from ..scripting import takes_scripts
from ..stall import Pace
from ..wire import raw
from ..work import RedisWork
from .act_keys import Servers, Sweep
from .act_memory import defragment, purge
from .decide_cleanup import DEFRAGMENT, PURGE, decide_cleanup
from .observation import Seen, Tally
from .observe_keys import Counter
from .observe_memory import read_memory
from .rule import Rule, parse_rules
from .spared import Spared

__all__ = ["RedisCleanup"]

CONDITIONAL_EXPIRY = (7, 0)
"""From this version on PEXPIRE knows NX."""


MOST_CHANGES = 500
"""Keys of one request that changes them: more would save little, and a busy machine makes a long request longer."""


class RedisCleanup(RedisWork[Seen]):
    """Removes keys, or gives them a TTL, rule by rule; and gives memory back."""

    job: ClassVar[str] = "redis_cleanup"

    def __init__(self, context: Context) -> None:
        params = context.params
        self._rules = parse_rules(params["rules"])
        self._spared = Spared([raw(pattern) for pattern in params["protect"]])
        self._most = _most(params["max_changes"])
        self._defragment_for = parse_duration(params["defragment_for"], "defragment_for")
        self._memory = [kind for kind in (DEFRAGMENT, PURGE) if params[kind]]
        if not self._rules and not self._memory:
            raise InvalidInput("rules", "there are none, and nothing else is asked for", "Give rules, or purge_memory.")
        super().__init__(context)
        budget = _budget(params["batch_target_ms"])
        self.pace = Pace(context.clock, budget=budget)
        self._changes = Pace(context.clock, largest=MOST_CHANGES, budget=budget)
        self._nodes: list[RedisClient] = []
        self._servers: Servers | None = None
        self._taken = 0

    def read(self, client: RedisClient) -> Seen:
        """Count what every rule is about."""
        self._changes.learn_idle(lambda: client.ask("ping the server", lambda redis: redis.ping()))
        missing: list[StoreError] = []
        self._nodes = self._open.enter_context(primaries(client, self.target, self.context.deadline, missing))
        info, now = client.info(), _time_of(client)
        cluster = info.flag("cluster_enabled")
        version = _version(info.text("redis_version") or "")
        scripts = all(takes_scripts(node) for node in self._nodes)
        if any(rule.field is not None for rule in self._rules):
            for node in self._nodes:
                leave_no_trace(node)  # without it a key that is read counts as used, which is no harm
        policy = info.text("maxmemory_policy") or ""
        countable = [rule for rule in self._rules if rule.idle is None or "lfu" not in policy]
        paces = (self.pace, self._changes)
        counter = Counter(self._nodes, cluster, now, self._spared, paces, scripts)
        known = {tally.rule.name: tally for tally in counter.count(countable)} if countable else {}
        self._servers = Servers(
            nodes=self._nodes,
            cluster=cluster,
            names=counter.names,
            now=now,
            scripts=scripts,
            conditional=version >= CONDITIONAL_EXPIRY,
            spared=self._spared,
            pace=self._changes,
            deadline=self.context.deadline,
            keep_lock=self.keep_lock,
        )
        return Seen(
            now=now,
            keys=counter.keys,
            policy=policy,
            queues=tuple(sorted(self._spared.queues.bases)),
            tallies=tuple(known.get(rule.name) or Tally(rule) for rule in self._rules),
            scripts=scripts,
            memory=tuple(read_memory(node) for node in self._nodes) if self._memory else (),
            longest=max(pace.worst for pace in self.paces()),
            missing=tuple(missing),
        )

    def decide(self, observation: Seen) -> Decision:
        """Choose what is done."""
        return decide_cleanup(observation, self.label, self._memory, self._most)

    def act(self, action: Action) -> Action:
        """Carry out an action, also on a server whose memory is full, which takes no lock.

        To remove keys is what helps it. Two runs at once would do no harm, as a key is judged and changed in one step;
        only ``max_changes`` counts for each of them.

        :raises LockHeld: another run is at work.
        """
        try:
            return super().act(action)
        except OutOfMemory:
            if self._lock is not None:
                raise
        became = self.carry_out(self.client, action)
        return replace(became, detail=f"{became.detail}; without the lock, for which the server has no memory")

    def paces(self) -> Sequence[Pace]:
        """Return those of looking and of changing."""
        return [self.pace, self._changes]

    def lock_places(self) -> Sequence[RedisClient]:
        """Return every primary, one of which has the lock's key."""
        return self._nodes

    def carry_out(self, client: RedisClient, action: Action) -> Action:
        """Change a rule's keys, or give memory back."""
        if action.kind == PURGE:
            return purge(action, self._nodes, self.context)
        if action.kind == DEFRAGMENT:
            return defragment(action, self._nodes, self.context, self._defragment_for)
        return self._sweep(action, action.work)

    def _sweep(self, action: Action, rule: Rule) -> Action:
        if self._servers is None:
            raise RuntimeError("nothing has been read yet")
        for pace in self.paces():
            pace.restart()
        sweep = Sweep(self._servers, rule, None if self._most is None else self._most - self._taken)
        try:
            sweep.run()
        except StoreError as error:
            became = action.became(ActionState.FAILED, f"{error} Before that: {self._told(sweep)}.")
            return replace(became, touched=sweep.swept.keys > 0)
        finally:
            self._taken += sweep.swept.keys
        return action.became(ActionState.DONE if sweep.swept.keys else ActionState.SKIPPED, self._told(sweep))

    def _told(self, sweep: Sweep) -> str:
        """Say what a sweep did."""
        swept = sweep.swept
        parts = [f"{swept.keys} keys in {swept.pages} pages by {sweep.changer.name}"]
        parts.append(f"longest stall {format_duration(max(pace.longest for pace in self.paces()))}")
        if swept.stayed:
            parts.append(f"{swept.stayed} were touched meanwhile and stay")
        if swept.away:
            parts.append(f"{swept.away} are on their way to another node; the next run takes them")
        if swept.spared:
            parts.append(f"{swept.spared} are protected")
        if swept.stopped:
            parts.append(f"ended early: {swept.stopped}; the next run goes on")
        return "; ".join(parts)

    def server(self, observation: Seen) -> dict[str, Any]:
        """Return what the server is, and which queues are left alone."""
        known = super().server(observation)
        return {**known, "nodes": len(self._nodes), "scripts": observation.scripts, "queues": len(observation.queues)}


def _most(value: int | None) -> int | None:
    if value is not None and value < 1:
        raise InvalidInput("max_changes", f"{value} is too small", "Give 1 or more, or leave it away.")
    return value


def _budget(milliseconds: float) -> float:
    if not 0 < milliseconds < float("inf"):
        raise InvalidInput(
            "batch_target_ms", f"{milliseconds:g} is no such time", "Give a number above zero, such as 5."
        )
    return milliseconds / 1000


def _time_of(client: RedisClient) -> datetime:
    """Read the server's clock, by which keys are old."""
    seconds, _micros = client.ask("read the server's clock (TIME)", lambda redis: redis.time())
    return datetime.fromtimestamp(int(seconds), timezone.utc)


def _version(text: str) -> tuple[int, ...]:
    """Return a version's numbers; those of what cannot be read are the lowest."""
    return tuple(int(number) for number in re.findall(r"\d+", text)[:2]) or (0,)
