# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gives memory back to the system, and measures what that brought."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..._core.action import Action, ActionState
from ..._core.errors import AccessDenied, StoreError
from ..._core.runner import Context
from ..client import RedisClient
from .decide_memory import FREED_BYTES, fragmented, told, unsupported
from .observation import NodeMemory
from .observe_memory import read_memory

__all__ = ["MARK", "defragment", "purge"]

MARK = "upkeep:activedefrag"
"""Key that stands while defragmentation is on because of us, so that the run after one that was killed ends it."""

SETTLE_SECONDS = 0.3
"""The server looks at its allocator every tenth of a second."""

FREE_SECONDS = 30.0
"""How long to wait at most until what was removed is freed too, which the server does beside its other work."""

LOOK_SECONDS = 0.5

Node = Callable[[RedisClient, NodeMemory], tuple[ActionState, str]]


def purge(action: Action, nodes: Sequence[RedisClient], context: Context) -> Action:
    """Give back the pages that the allocator holds and does not use (MEMORY PURGE)."""

    def one(client: RedisClient, before: NodeMemory) -> tuple[ActionState, str]:
        client.ask("give memory back (MEMORY PURGE)", lambda redis: redis.execute_command("MEMORY PURGE"))
        context.clock.sleep(SETTLE_SECONDS)
        after = read_memory(client)
        freed = before.resident - after.resident
        state = ActionState.DONE if freed >= FREED_BYTES else ActionState.SKIPPED
        return state, f"{told(before)}; after it {told(after)}"

    return _each(action, nodes, context, one)


def defragment(action: Action, nodes: Sequence[RedisClient], context: Context, seconds: float) -> Action:
    """Let the server move its values together, and switch that off again.

    :param seconds: how long at most.
    """
    marks = len(nodes) == 1  # of a cluster only one node takes the mark's key

    def one(client: RedisClient, before: NodeMemory) -> tuple[ActionState, str]:
        ours = marks and bool(client.ask("look for a mark", lambda redis: redis.exists(MARK)))
        if _setting(client) == "yes" and not ours:
            return ActionState.SKIPPED, "activedefrag is on already"
        if marks:
            client.ask("leave a mark", lambda redis: redis.set(MARK, "1"))
        try:
            _switch(client, "yes")
            end = context.clock.monotonic() + min(seconds, context.deadline.remaining * 0.9)
            while context.clock.monotonic() < end and fragmented(read_memory(client)):
                context.clock.sleep(LOOK_SECONDS)
        finally:
            if client.lost is None:
                _switch(client, "no", quietly=True)
                if marks:
                    client.ask("remove the mark", lambda redis: redis.unlink(MARK))
        after = read_memory(client)
        gained = (before.frag_bytes or 0) - (after.frag_bytes or 0)
        state = ActionState.DONE if gained >= FREED_BYTES else ActionState.SKIPPED
        return state, f"{told(before)}; after it {told(after)}"

    return _each(action, nodes, context, one)


def _each(action: Action, nodes: Sequence[RedisClient], context: Context, one: Node) -> Action:
    """Do it on every server that is fragmented still, after what was removed before is freed."""
    states, details = [], []
    for client in nodes:
        memory = _settled(client, context)
        why = unsupported(memory)
        if why:
            state, detail = ActionState.SKIPPED, f"unsupported: {why}"
        elif not fragmented(memory):
            state, detail = ActionState.SKIPPED, f"there is no need: {told(memory)}"
        else:
            state, detail = _supported(client, memory, one)
        states.append(state)
        details.append(detail)
    done = ActionState.DONE in states
    return replace(action, touched=done).became(
        ActionState.DONE if done else ActionState.SKIPPED, " | ".join(dict.fromkeys(details))
    )


def _supported(client: RedisClient, memory: NodeMemory, one: Node) -> tuple[ActionState, str]:
    """Do it, or say that this server does not let us."""
    try:
        return one(client, memory)
    except AccessDenied as error:
        return ActionState.SKIPPED, f"unsupported: {error}"
    except StoreError as error:
        if client.lost is not None or "jemalloc" not in str(error).lower():
            raise
        return ActionState.SKIPPED, f"unsupported: {error}"


def _settled(client: RedisClient, context: Context) -> NodeMemory:
    """Read memory once nothing waits to be freed."""
    end = context.clock.monotonic() + min(FREE_SECONDS, context.deadline.remaining / 2)
    memory = read_memory(client)
    while memory.pending and context.clock.monotonic() < end:
        context.clock.sleep(SETTLE_SECONDS)
        memory = read_memory(client)
    context.clock.sleep(SETTLE_SECONDS)
    return read_memory(client)


def _setting(client: RedisClient) -> str:
    answer = client.ask("read activedefrag (CONFIG GET)", lambda redis: redis.config_get("activedefrag"))
    return str(answer.get("activedefrag", ""))


def _switch(client: RedisClient, setting: str, quietly: bool = False) -> None:
    """Switch defragmentation on or off. :param quietly: a server that cannot do it at all has nothing to end."""
    try:
        client.ask("set activedefrag (CONFIG SET)", lambda redis: redis.config_set("activedefrag", setting))
    except StoreError:
        if not quietly or client.lost is not None:
            raise
