# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads of many keys what a rule asks of them, in a page of commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..client import RedisClient
from ..errors import Redirected
from ..stall import Pace
from ..wire import packed
from .decide_keys import FIELD_TYPES, LONGEST_VALUE, may_be_due
from .observation import Facts
from .rule import Rule

__all__ = ["AWAY", "read_facts", "sent"]

TRIED = "look at keys (TYPE, PTTL, OBJECT IDLETIME)"
TRIED_FIELD = "read the field of keys (HGET, GETRANGE)"


GONE = Facts(b"none", -2, None)
"""What is read of a key that is not there."""

AWAY = object()
"""Stands for the reply about a key of a cluster whose slot has gone to another node, or is about to."""


def sent(client: RedisClient, pace: Pace, tried: str, commands: Sequence[Sequence[Any]]) -> list[Any]:
    """Send commands in one go and return their replies, :data:`AWAY` for keys that are not to be had here.

    :param pace: measures how long that keeps the server busy.
    :raises StoreError: the first error among them.
    """
    blob = packed(commands)
    with pace.page():
        replies = client.exchange(tried, blob, len(commands))
    return [_of_error(client, tried, reply) if isinstance(reply, Exception) else reply for reply in replies]


def _of_error(client: RedisClient, tried: str, reply: Exception) -> object:
    error = client.explain(tried, reply)
    if isinstance(error, Redirected):
        return AWAY
    raise error


def read_facts(client: RedisClient, pace: Pace, rule: Rule, keys: Sequence[bytes]) -> list[Facts]:
    """Read what the rule's conditions are about; a field is read only of keys that may be due by all else.

    Nothing but the reading of a field counts as a use of the key.

    :raises StoreError: the server refused, or is gone.
    """
    asked: list[tuple[bytes, ...]] = []
    if rule.types or rule.field is not None:
        asked.append((b"TYPE",))
    if rule.lasting:
        asked.append((b"PTTL",))
    if rule.idle is not None:
        asked.append((b"OBJECT", b"IDLETIME"))
    if not asked:
        return [Facts()] * len(keys)
    replies = iter(sent(client, pace, TRIED, [(*command, key) for key in keys for command in asked]))
    facts = []
    for _key in keys:
        kind = next(replies) if rule.types or rule.field is not None else None
        ttl = next(replies) if rule.lasting else None
        idle = next(replies) if rule.idle is not None else None
        facts.append(GONE if AWAY in (kind, ttl, idle) else Facts(kind, ttl, idle))
    return facts if rule.field is None else _with_values(client, pace, rule, rule.field, keys, facts)


def _with_values(
    client: RedisClient, pace: Pace, rule: Rule, field: bytes, keys: Sequence[bytes], facts: list[Facts]
) -> list[Facts]:
    wanted = [at for at, each in enumerate(facts) if each.kind in FIELD_TYPES and may_be_due(rule, each)]
    commands: list[tuple[Any, ...]] = [
        (b"HGET", keys[at], field) if facts[at].kind == b"hash" else (b"GETRANGE", keys[at], 0, LONGEST_VALUE - 1)
        for at in wanted
    ]
    blob = packed(commands)
    with pace.page():
        replies = client.exchange(TRIED_FIELD, blob, len(commands))
    for at, reply in zip(wanted, replies, strict=True):
        if not isinstance(reply, Exception):
            facts[at] = facts[at]._replace(value=reply)
        elif "WRONGTYPE" in str(reply):
            continue  # somebody has put another value there since its type was read: it is in use
        elif _of_error(client, TRIED_FIELD, reply) is AWAY:
            facts[at] = GONE
    return facts
