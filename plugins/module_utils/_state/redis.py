# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Memory in Redis: a hash for each document, a list for each series, all under ``upkeep_state:``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._core.connection import Connection
from .._core.deadline import Deadline
from .._core.dependency import REDIS
from .._core.memory import Record
from .._redis.client import DEFAULTS, RedisClient, connect
from .codec import decode, encode, stored_name
from .session import NO_DEADLINE_SECONDS, Session

__all__ = ["RedisMemory", "open_redis"]

DOCUMENT = "upkeep_state:document:"
SERIES = "upkeep_state:series:"
SAFE = "/:@,=+"
COMPARE_AND_SET = """
local version = redis.call('HGET', KEYS[1], 'version') or '0'
if version ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', string.format('%d', version + 1), 'value', ARGV[2])
return 1
"""


class RedisMemory:
    """Memory in keys that never expire. A server that evicts any key under pressure may forget them.

    :param session: the connection.
    """

    def __init__(self, session: Session[RedisClient]) -> None:
        self._session = session

    def read(self, key: str) -> tuple[Record | None, int]:
        """Return the document and its version."""
        name = DOCUMENT + stored_name(key, SAFE)
        version, value = self._ask(f"read the document {key}", ["HMGET", name, "version", "value"])
        if version is None or value is None:
            return None, 0
        return decode(value, f"the key {name} in {self._session.label}"), int(version)

    def compare_and_set(self, key: str, value: Record, version: int) -> bool:
        """Replace the document if its version still is ``version``."""
        name, text = DOCUMENT + stored_name(key, SAFE), encode(value)
        return bool(self._ask(f"write the document {key}", ["EVAL", COMPARE_AND_SET, 1, name, str(version), text]))

    def append(self, series: str, record: Record, keep: int = 1000) -> None:
        """Append a record and cut what is older than the newest ``keep``; a kill in between leaves one more."""
        name, text = SERIES + stored_name(series, SAFE), encode(record)
        self._ask(f"append to the series {series}", ["RPUSH", name, text], ["LTRIM", name, -keep, -1])

    def tail(self, series: str, limit: int) -> Sequence[Record]:
        """Return the newest records, oldest first."""
        if limit <= 0:
            return ()
        name = SERIES + stored_name(series, SAFE)
        texts = self._ask(f"read the series {series}", ["LRANGE", name, -limit, -1])
        return [decode(text, f"an entry of {name} in {self._session.label}") for text in texts]

    def _ask(self, tried: str, *commands: Sequence[str | int | float]) -> Any:
        """Send commands in one go and return the first answer."""
        with self._session.use(tried) as client:
            return client.ask_all(tried, commands)[0]


def open_redis(uri: str) -> RedisMemory:
    """Return the memory in the server and database that ``uri`` names.

    :raises MissingDependency: redis-py is absent.
    """
    REDIS.load()
    connection = Connection.resolve({"uri": uri}, {}, DEFAULTS)
    return RedisMemory(Session(connection.label, lambda: connect(connection, Deadline(NO_DEADLINE_SECONDS))))
