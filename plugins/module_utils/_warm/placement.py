# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of a cluster's primaries has a key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from .._redis.client import RedisClient
from .._redis.wire import packed

__all__ = ["Owner", "by_owner", "in_cluster", "owner_among"]

Owner = Callable[[bytes], "int | None"]
"""Tells of a key's name the number of the client whose server has it; None: it cannot be reached."""
Thing = TypeVar("Thing")

TRIED = "read which node has which slots (CLUSTER SLOTS)"


def owner_among(clients: Sequence[RedisClient]) -> Owner:
    """Return what tells which of some clients is the one for a key.

    :param clients: one server alone, or the primaries of a cluster that can be reached.
    :raises StoreError: the cluster cannot be asked.
    """
    if not in_cluster(clients):
        return lambda _key: 0
    from redis.crc import key_slot

    numbers = {_asked(client, "MYID"): number for number, client in enumerate(clients)}
    by_slot = {
        slot: numbers[master[2]]
        for first, last, master, *_replicas in _asked(clients[0], "SLOTS")
        if master[2] in numbers
        for slot in range(first, last + 1)
    }
    return lambda key: by_slot.get(key_slot(key))


def in_cluster(clients: Sequence[RedisClient]) -> bool:
    """Whether the servers make up a cluster, so that keys of one request have to be of one slot."""
    return clients[0].info().flag("cluster_enabled")


def _asked(client: RedisClient, what: str) -> Any:
    (reply,) = client.exchange(TRIED, packed([("CLUSTER", what)]), 1)
    if isinstance(reply, Exception):
        raise client.explain(TRIED, reply)
    return reply


def by_owner(owner: Owner, things: Iterable[Thing], key_of: Callable[[Thing], bytes]) -> dict[int, list[Thing]]:
    """Sort things by the server that has their key; those of servers that cannot be reached are left out."""
    groups: dict[int, list[Thing]] = {}
    for thing in things:
        number = owner(key_of(thing))
        if number is not None:
            groups.setdefault(number, []).append(thing)
    return groups
