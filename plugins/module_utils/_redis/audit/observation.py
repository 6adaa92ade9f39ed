# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an audit reads of a Redis server. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..._core.errors import StoreError

__all__ = ["TTL_BOUNDS", "Account", "Exposure", "KeySpace", "LargeKey", "Prefix", "RuleCount", "Settings"]

TTL_BOUNDS = (60, 300, 3600, 86400, 7 * 86400, 30 * 86400)
"""Seconds; the histogram counts keys that live as long at most, and the rest."""


class Prefix(NamedTuple):
    """Keys whose names differ by an id only. Where not all keys were looked at, the numbers are extrapolated.

    :param name: a pattern for people, ``sess:*``.
    :param keys: how many.
    :param size: bytes of memory.
    :param lasting_keys: those without a TTL.
    :param lasting_size: their bytes.
    :param ruled_keys: those of them that a rule of the option ``policies`` speaks of.
    :param ruled_size: their bytes.
    :param ttl_counts: keys by the time they have left, as :data:`TTL_BOUNDS` has it, and one more for the rest.
    :param idle_keys: those that nobody has used for long, from a sample; 0 where the server does not say.
    :param idle_size: their bytes, from the same sample.
    :param queue: whether it belongs to a queue of Bull or BullMQ.
    """

    name: str
    keys: int
    size: int
    lasting_keys: int
    lasting_size: int
    ruled_keys: int
    ruled_size: int
    ttl_counts: tuple[int, ...]
    idle_keys: int
    idle_size: int
    queue: bool


class LargeKey(NamedTuple):
    """One large key.

    :param name: for people; what may be a token in it is cut.
    :param kind: ``hash``, ``string`` and so on.
    :param encoding: how the server keeps it: ``listpack``, ``hashtable`` and so on.
    :param size: bytes of memory; of a collection estimated by the server from five elements.
    :param elements: fields, members or entries; 0 for a string, and where nobody asked.
    :param lasting: whether it has no TTL.
    :param queue: whether it belongs to a queue.
    """

    name: str
    kind: str
    encoding: str
    size: int
    elements: int
    lasting: bool
    queue: bool


class RuleCount(NamedTuple):
    """What a rule of the option ``policies`` met.

    :param pattern: the rule's.
    :param max_ttl: seconds that a key may have left; None: any.
    :param required: whether keys have to expire.
    :param keys: that the pattern matches, and no rule before.
    :param lasting: those without a TTL.
    :param too_long: those with a TTL above ``max_ttl``.
    :param longest: seconds of the longest TTL that was seen.
    """

    pattern: str
    max_ttl: float | None
    required: bool
    keys: int
    lasting: int
    too_long: int
    longest: float


class KeySpace(NamedTuple):
    """One pass over the keys.

    :param total: keys that there are, by the server's own count.
    :param seen: keys that were looked at; fewer where time or the sample's size ended it.
    :param complete: whether the pass came to its end.
    :param scripts: whether the server did the looking (scripts) or each key was asked for.
    :param sized: whether the user may ask for sizes.
    :param heat: ``idle`` or ``frequency``: what the server knows of a key's use; None: nothing we may read.
    :param nodes: servers that were looked at: the primaries of a cluster.
    :param seconds: how long the pass took.
    :param longest_stall: seconds that one request of ours kept a server busy, at most.
    :param prefixes: every group of keys, the largest first.
    :param by_size: the largest keys by bytes.
    :param by_elements: the largest collections by elements.
    :param kinds: keys by type and encoding, from a sample of the small ones.
    :param rules: what the policies met, in their order.
    :param queues: queues that were recognised by their keys.
    :param eviction: ``maxmemory-policy``; None: unknown.
    :param maximum: ``maxmemory`` of all nodes in bytes; None where there is no limit or it is unknown.
    :param used: bytes of memory in use by all nodes; None: unknown.
    :param missing: why primaries of the cluster are left out.
    """

    total: int
    seen: int
    complete: bool
    scripts: bool
    sized: bool
    heat: str | None
    nodes: int
    seconds: float
    longest_stall: float
    prefixes: tuple[Prefix, ...]
    by_size: tuple[LargeKey, ...]
    by_elements: tuple[LargeKey, ...]
    kinds: Mapping[tuple[str, str], int]
    rules: tuple[RuleCount, ...]
    queues: int
    eviction: str | None
    maximum: int | None
    used: int | None
    missing: tuple[StoreError, ...] = ()


class Settings(NamedTuple):
    """Settings and what the server shows of their effect.

    :param values: by name, as CONFIG GET tells them; from INFO where CONFIG is refused.
    :param denied: why CONFIG GET was refused; None: it was not.
    :param accepted: names of settings that are what they are on purpose.
    :param keys: keys of all databases.
    :param lasting: those without a TTL.
    :param queues: whether there is a queue of Bull or BullMQ; None: unknown, for the keys were not looked at.
    :param used: bytes of memory in use.
    :param system: bytes of memory of the machine.
    :param frag_ratio: the allocator's fragmentation.
    :param frag_bytes: bytes lost to it.
    :param replica: whether the server is a replica.
    :param replicas: how many replicas it feeds.
    """

    values: Mapping[str, str]
    denied: StoreError | None
    accepted: frozenset[str]
    keys: int
    lasting: int
    queues: bool | None
    used: int | None
    system: int | None
    frag_ratio: float | None
    frag_bytes: int | None
    replica: bool
    replicas: int


class Account(NamedTuple):
    """A user of the access list.

    :param active: whether one may log in as it.
    :param open: whether any password will do.
    :param everything: whether it may run all commands.
    """

    name: str
    active: bool
    open: bool
    everything: bool


class Exposure(NamedTuple):
    """How the server can be reached, and by whom.

    :param values: settings by name, none of them secret; empty where CONFIG is refused.
    :param denied: why something could not be read; None: it could.
    :param accounts: the users; only the default one where the access list may not be read or there is none.
    :param version: first two numbers of the version.
    :param accepted: names of settings that are what they are on purpose.
    """

    values: Mapping[str, str]
    denied: StoreError | None
    accounts: tuple[Account, ...]
    version: tuple[int, ...]
    accepted: frozenset[str]
