# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Memory in Redis: a hash for each document, a list for each series, all under ``upkeep_state:``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from .._core.connection import Connection, Defaults
from .._core.dependency import REDIS
from .._core.errors import AccessDenied, AuthenticationFailed, StoreError, StoreTimeout, StoreUnreachable
from .._core.memory import Record
from .codec import decode, encode, stored_name
from .session import Session

if TYPE_CHECKING:
    import redis

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

    :param session: the connection, decoding answers to text.
    """

    def __init__(self, session: Session[redis.Redis]) -> None:
        self._session = session

    def read(self, key: str) -> tuple[Record | None, int]:
        """Return the document and its version."""
        name = DOCUMENT + stored_name(key, SAFE)
        with self._session.use(f"read the document {key}") as client:
            version, value = client.hmget(name, ["version", "value"])
        if version is None or value is None:
            return None, 0
        return decode(value, f"the key {name} in {self._session.label}"), int(version)

    def compare_and_set(self, key: str, value: Record, version: int) -> bool:
        """Replace the document if its version still is ``version``."""
        name, text = DOCUMENT + stored_name(key, SAFE), encode(value)
        with self._session.use(f"write the document {key}") as client:
            written: Any = client.eval(COMPARE_AND_SET, 1, name, str(version), text)
        return bool(written)

    def append(self, series: str, record: Record, keep: int = 1000) -> None:
        """Append a record and cut what is older than the newest ``keep``, in one transaction."""
        name, text = SERIES + stored_name(series, SAFE), encode(record)
        with self._session.use(f"append to the series {series}") as client, client.pipeline(transaction=True) as pipe:
            pipe.rpush(name, text)
            pipe.ltrim(name, -keep, -1)
            pipe.execute()

    def tail(self, series: str, limit: int) -> Sequence[Record]:
        """Return the newest records, oldest first."""
        if limit <= 0:
            return ()
        name = SERIES + stored_name(series, SAFE)
        with self._session.use(f"read the series {series}") as client:
            texts = client.lrange(name, -limit, -1)
        return [decode(text, f"an entry of {name} in {self._session.label}") for text in texts]


def open_redis(uri: str) -> RedisMemory:
    """Return the memory in the server and database that ``uri`` names.

    :raises MissingDependency: redis-py is absent.
    """
    REDIS.load()
    connection = Connection.resolve({"uri": uri}, {}, Defaults("Redis", 6379, {}))
    return RedisMemory(Session(connection.label, partial(_connect, uri, connection.timeout), _translated))


@contextmanager
def _connect(uri: str, timeout: float) -> Iterator[redis.Redis]:
    """Connect when first asked, with a limit on each answer."""
    driver = REDIS.load()
    client = driver.Redis.from_url(
        uri, decode_responses=True, socket_timeout=timeout, socket_connect_timeout=timeout, client_name="upkeep-state"
    )
    try:
        yield client
    finally:
        client.close()


@contextmanager
def _translated(tried: str) -> Iterator[None]:
    """Turn redis-py's errors into StoreErrors."""
    errors = REDIS.load().exceptions
    try:
        yield
    except errors.AuthenticationError as error:
        raise AuthenticationFailed(tried, str(error), "Correct user and password in `state`.") from error
    except errors.NoPermissionError as error:
        remedy = "Give the user ~upkeep_state:* +@hash +@list +eval +multi +exec."
        raise AccessDenied(tried, str(error), remedy) from error
    except errors.TimeoutError as error:
        raise StoreTimeout(tried, str(error)) from error
    except errors.ConnectionError as error:
        raise StoreUnreachable(tried, str(error)) from error
    except errors.RedisError as error:
        raise StoreError(tried, str(error)) from error
