# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documents of MongoDB, by a cursor, in batches."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

from .._core.dependency import PYMONGO
from .._core.errors import InvalidInput, StoreError, StoreTimeout
from .._core.runner import Context
from .._mongodb.client import DEFAULTS, LEAST_SECONDS, Client, connect
from .._mongodb.errors import translate
from .query import MongodbQuery
from .source import MOST_ROWS, TOO_SLOW, Rows, batches, connection_of

__all__ = ["MongodbSource"]

TRIED = "read the query's documents"
NEEDS = "read"
_QUOTED = re.compile(r"""'[^']*'|"[^"]*"|\{.*""", re.DOTALL)


class MongodbSource:
    """A find or an aggregation. What an aggregation could write with was refused before.

    :param options: the connection's.
    :param timeout: seconds that one batch may take.
    """

    def __init__(self, query: MongodbQuery, options: Mapping[str, Any], timeout: float, context: Context) -> None:
        self._query = query
        self._timeout = timeout
        self._context = context
        self._connection = connection_of(options, context, DEFAULTS)
        PYMONGO.load()
        self._filter, self._pipeline = _values(query)
        self.label = self._connection.label

    @contextmanager
    def open(self) -> Iterator[Rows]:
        """Open the cursor, which ends with the block."""
        with connect(self._connection, self._context.deadline) as client:
            with self._guarded(client):
                cursor = self._cursor(client)
            try:
                yield batches(lambda size: self._fetched(client, cursor, size))
            finally:
                with suppress(PYMONGO.load().errors.PyMongoError):  # a cursor of a lost connection ends by itself
                    cursor.close()

    def _cursor(self, client: Client) -> Any:
        from bson.binary import UuidRepresentation
        from bson.codec_options import CodecOptions, DatetimeConversion

        name = self._query.database or client.database
        if not name:
            raise InvalidInput("entries", "a query of MongoDB names no database", "Give login_db, or query.database.")
        codec: Any = CodecOptions(
            tz_aware=True,
            uuid_representation=UuidRepresentation.STANDARD,
            datetime_conversion=DatetimeConversion.DATETIME_AUTO,  # a year that Python has not is no reason to end
            unicode_decode_error_handler="surrogateescape",
        )
        query = self._query
        collection = client.driver.get_database(name, codec_options=codec)[query.collection]
        if self._pipeline is not None:
            return collection.aggregate(self._pipeline, batchSize=MOST_ROWS)
        return collection.find(
            self._filter, query.projection, sort=list(query.sort) or None, limit=query.limit, batch_size=MOST_ROWS
        )

    def _fetched(self, client: Client, cursor: Any, size: int) -> list[Mapping[str, Any] | None]:
        with self._guarded(client):
            return list(islice(cursor, size))

    @contextmanager
    def _guarded(self, client: Client) -> Iterator[None]:
        """Bound what is done inside in time, and turn the driver's errors into ours, without the query's values."""
        pymongo = PYMONGO.load()
        try:
            with pymongo.timeout(max(LEAST_SECONDS, self._context.deadline.limit(self._timeout))):
                yield
        except pymongo.errors.PyMongoError as error:
            translated = translate(TRIED, error, needs=NEEDS)
            translated.why = _QUOTED.sub("?", translated.why)
            if isinstance(translated, StoreTimeout):
                translated.remedy = TOO_SLOW
            translated.remedy = translated.remedy or "Check the query in mongosh as the same user."
            raise translated from error
        except (TypeError, ValueError) as error:
            raise StoreError(TRIED, "the driver does not take the query", "Check the query against mongosh.") from error


def _values(query: MongodbQuery) -> tuple[Any, Any]:
    """Return filter and pipeline with extended JSON understood: ``{"$date": ...}``, ``{"$oid": ...}`` and the like.

    :raises InvalidInput: it cannot be.
    """
    from bson import json_util

    try:
        pipeline = None if query.pipeline is None else list(query.pipeline)
        return tuple(json_util.loads(json.dumps(part)) for part in (query.filter, pipeline))
    except Exception as error:  # bson raises errors of many kinds, all of which mean the same
        raise InvalidInput(
            "entries",
            "a query of MongoDB holds a value that is no extended JSON",
            "Write a date as {$date: 2026-01-01T00:00:00Z}.",
        ) from error
