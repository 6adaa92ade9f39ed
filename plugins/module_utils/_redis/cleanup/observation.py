# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read before keys are removed. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ..._core.errors import StoreError
from .rule import Rule

__all__ = ["Facts", "NodeMemory", "Seen", "Tally"]


class Facts(NamedTuple):
    """What was read of one key; None: not asked for, or not there.

    :param kind: its type.
    :param ttl: milliseconds that it has left; -1: for ever, -2: the key is gone.
    :param idle: seconds since it was used.
    :param value: what the field of a hash holds, or what the string is.
    """

    kind: bytes | None = None
    ttl: int | None = None
    idle: int | None = None
    value: bytes | None = None


class Tally(NamedTuple):
    """How many keys a rule is about.

    :param matched: keys that its pattern takes.
    :param spared: of these, keys that no rule may touch.
    :param due: keys that its conditions hold for.
    :param unreadable: keys whose field is missing or is no time.
    """

    rule: Rule
    matched: int = 0
    spared: int = 0
    due: int = 0
    unreadable: int = 0


class NodeMemory(NamedTuple):
    """What a server's allocator says.

    :param allocator: its name and version, such as jemalloc-5.3.0; empty: unknown.
    :param frag_ratio: memory of the allocator's pages by memory in use in them.
    :param frag_bytes: what lies idle in them.
    :param resident: memory that the process has.
    :param pending: objects that are removed and not yet freed.
    """

    allocator: str
    frag_ratio: float | None
    frag_bytes: int | None
    resident: int
    pending: int


class Seen(NamedTuple):
    """All that a decision is made from.

    :param now: the server's time.
    :param keys: how many keys were looked at.
    :param policy: the server's maxmemory-policy.
    :param queues: names of queues whose keys are there, with their prefix.
    :param scripts: whether every server runs scripts for us.
    :param memory: the servers' memory, where it is asked for.
    :param longest: seconds that the longest of our requests kept a server busy.
    :param missing: why primaries of the cluster are left out.
    """

    now: datetime
    keys: int
    policy: str
    queues: tuple[bytes, ...]
    tallies: tuple[Tally, ...]
    scripts: bool
    memory: tuple[NodeMemory, ...]
    longest: float
    missing: tuple[StoreError, ...] = ()
