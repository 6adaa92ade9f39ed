# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ways to set the keys of a page, each of them only if it may be set at that very moment, with its life in one step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from .._core.errors import StoreError
from .._redis.client import RedisClient
from .._redis.errors import Redirected
from .._redis.stall import Pace
from .._redis.wire import packed
from .entry import Entry
from .observation import Item

__all__ = ["Writer", "Written", "writer_for"]

TRIED = "set keys"

# ARGV: the type; whether a key that is there stays; the milliseconds that it gets to live; then a string's value, or a
# hash's fields and values in turn, of which the server takes some thousands at once. What the user may not do shows
# before anything is lost by it.
SCRIPT = b"""
local key, kind, life = KEYS[1], redis.call('TYPE', KEYS[1]).ok, ARGV[3]
if kind ~= 'none' and (ARGV[2] == '1' or kind ~= ARGV[1]) then return 0 end
if ARGV[1] == 'string' then
  if life == '0' then redis.call('SET', key, ARGV[4]) else redis.call('SET', key, ARGV[4], 'PX', life) end
  return 1
end
if life ~= '0' then redis.call('PEXPIRE', key, life) end
if kind ~= 'none' then
  redis.call('HSET', key, ARGV[4], ARGV[5])
  redis.call('UNLINK', key)
end
for at = 4, #ARGV, 1000 do
  redis.call('HSET', key, unpack(ARGV, at, math.min(at + 999, #ARGV)))
end
if life ~= '0' then redis.call('PEXPIRE', key, life) end
return 1
"""


class Written(NamedTuple):
    """What became of a page.

    :param keys: how many were set.
    :param away: how many of a cluster were on their way to another node.
    :param error: why others could not be set.
    """

    keys: int = 0
    away: int = 0
    error: StoreError | None = None


class Writer(Protocol):
    """One way to set keys."""

    name: str

    def write(self, client: RedisClient, items: Sequence[Item]) -> Written:
        """Set keys.

        :raises StoreError: the server does not answer; how many were set is unknown.
        """


class Plain:
    """``SET`` with ``NX``, which is enough for strings that must not replace anything."""

    name = "SET NX"

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    def write(self, client: RedisClient, items: Sequence[Item]) -> Written:
        """Set keys that are not there."""
        commands: list[Sequence[Any]] = [
            (b"SET", item.key, item.value, b"PX", b"%d" % item.life, b"NX")
            if item.life
            else (b"SET", item.key, item.value, b"NX")
            for item in items
        ]
        return _counted(client, _replies(client, self._pace, commands))


class Scripted:
    """A script looks at a key and sets it in one step."""

    name = "a script"

    def __init__(self, entry: Entry, pace: Pace) -> None:
        self._begin = (entry.kind, b"1" if entry.nx else b"0")
        self._pace = pace

    def write(self, client: RedisClient, items: Sequence[Item]) -> Written:
        """Set keys that may be set."""
        commands = [(b"EVAL", SCRIPT, b"1", item.key, *self._begin, b"%d" % item.life, *_parts(item)) for item in items]
        return _counted(client, _replies(client, self._pace, commands))


class Transactional:
    """Keys are watched, looked at, and set unless somebody wrote to one of them meanwhile."""

    name = "transactions"

    def __init__(self, entry: Entry, pace: Pace, cluster: bool) -> None:
        self._entry = entry
        self._pace = pace
        self._cluster = cluster

    def write(self, client: RedisClient, items: Sequence[Item]) -> Written:
        """Set keys, all in one transaction; one by one where that fails, so that one touched key stops no other."""
        whole = None if self._cluster else self._attempt(client, items)
        if whole is not None:
            return whole
        keys = away = 0
        for item in items:
            one = self._attempt(client, [item]) or Written()
            keys += one.keys
            away += one.away
            if one.error:
                return Written(keys, away, one.error)
        return Written(keys, away)

    def _attempt(self, client: RedisClient, items: Sequence[Item]) -> Written | None:
        """Set keys at once; None: somebody wrote to one of them."""
        looks: list[Sequence[Any]] = [(b"WATCH", *(item.key for item in items))]
        looks += [(b"TYPE", item.key) for item in items]
        try:
            watched, *kinds = _replies(client, self._pace, looks)
            if any(isinstance(reply, Exception) for reply in (watched, *kinds)):
                return _counted(client, (watched, *kinds), of=len(items))
            due = [item for item, kind in zip(items, kinds, strict=True) if self._may(kind)]
            if not due:
                return Written()
            changes = [command for item in due for command in self._changes(item)]
            replies = _replies(client, self._pace, [(b"MULTI",), *changes, (b"EXEC",)])
        finally:
            if client.lost is None:
                client.exchange("let go of keys (UNWATCH)", packed([(b"UNWATCH",)]), 1)
        # Why a command is refused is said when it is queued; EXEC says no more than that one was.
        if any(isinstance(reply, Exception) for reply in replies):
            return _counted(client, replies, of=len(items))
        return None if replies[-1] is None else Written(len(due))

    def _may(self, kind: bytes) -> bool:
        return kind == b"none" or (not self._entry.nx and kind == self._entry.kind)

    def _changes(self, item: Item) -> list[Sequence[Any]]:
        changes: list[Sequence[Any]]
        if isinstance(item.value, bytes):
            changes = [(b"SET", item.key, item.value)]
        else:
            changes = [(b"UNLINK", item.key), (b"HSET", item.key, *item.value)]
        return [*changes, (b"PEXPIRE", item.key, b"%d" % item.life)] if item.life else changes


def _parts(item: Item) -> tuple[bytes, ...]:
    return (item.value,) if isinstance(item.value, bytes) else item.value


def _replies(client: RedisClient, pace: Pace, commands: Sequence[Sequence[Any]]) -> list[Any]:
    blob = packed(commands)
    with pace.page():
        return client.exchange(TRIED, blob, len(commands))


def _counted(client: RedisClient, replies: Sequence[Any], of: int | None = None) -> Written:
    """Count the keys that were set, also those that come after one that was refused.

    :param of: how many keys a transaction was about that was refused, so that none was set.
    """
    errors = [client.explain(TRIED, reply) for reply in replies if isinstance(reply, Exception)]
    refused = next((error for error in errors if not isinstance(error, Redirected)), None)
    if of is not None:
        gone = bool(errors) and isinstance(errors[0], Redirected)
        return Written(0, of) if gone else Written(error=refused)
    away = sum(isinstance(error, Redirected) for error in errors)
    return Written(sum(reply in (b"OK", 1) for reply in replies), away, refused)


def writer_for(entry: Entry, scripts: Callable[[], bool], pace: Pace, cluster: bool) -> Writer:
    """Return the cheapest way that is safe.

    :param scripts: whether the servers run scripts for us.
    :param cluster: whether keys of one transaction have to be of one slot.
    """
    if entry.nx and entry.kind == b"string":
        return Plain(pace)
    return Scripted(entry, pace) if scripts() else Transactional(entry, pace, cluster)
