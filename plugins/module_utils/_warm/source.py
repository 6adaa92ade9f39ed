# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources of rows: where one is, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from .._core.connection import Connection, Defaults
from .._core.errors import DeadlineExceeded, InvalidInput, UpkeepError
from .._core.runner import Context
from .entry import Entry
from .query import FileQuery, MongodbQuery, PostgresqlQuery

__all__ = [
    "TOO_SLOW",
    "Rows",
    "Source",
    "SourceUnread",
    "batches",
    "connection_of",
    "next_size",
    "rows_of",
    "source_of",
]

Rows = Iterator["list[Mapping[str, Any] | None]"]
"""Batches of rows; None for one that cannot be read."""

FIRST_ROWS = 20
MOST_ROWS = 1000
BATCH_BYTES = 512 * 2**10
"""What a batch should hold: larger answers cost the client more than they save. Source: performance study C."""

GROWTH = 4
SAMPLE = 8


TOO_SLOW = "Make the query faster, or raise the entry's timeout."
"""The remedy where a source does not answer in time."""


class SourceUnread(UpkeepError):
    """A source could not be read, which is no fault of the server that is warmed.

    :param error: why.
    """

    def __init__(self, error: UpkeepError) -> None:
        super().__init__(error.tried, error.why, error.remedy)
        self.condition = error.condition


class Source(Protocol):
    """One entry's source."""

    label: str
    """Where it is, for people."""

    def open(self) -> AbstractContextManager[Rows]:
        """Begin to read, from the first row, in a session that only reads, and end it at the end.

        :raises StoreError: it cannot be read; what is returned may raise that too.
        """


def next_size(batch: Sequence[Any], size: int) -> int:
    """Return how many rows the next batch should have, by what some of the last one's hold.

    :param size: how many were asked for.
    """
    some = batch[:: max(1, len(batch) // SAMPLE)]
    average = sum(len(repr(row)) for row in some) // len(some)
    return max(1, min(MOST_ROWS, size * GROWTH, BATCH_BYTES // max(1, average)))


def batches(fetch: Callable[[int], list[Mapping[str, Any] | None]]) -> Rows:
    """Yield batches until there are no more rows.

    :param fetch: returns the next rows, so many at most.
    """
    size = FIRST_ROWS
    while batch := fetch(size):
        yield batch
        size = next_size(batch, size)


def connection_of(options: Mapping[str, Any], context: Context, defaults: Defaults) -> Connection:
    """Put a source's connection together, and register its secrets.

    :raises InvalidInput: its time-out cannot be understood.
    """
    connection = Connection.resolve(options, context.environment, defaults)
    context.secrets.add(connection.password)
    context.secrets.add_uri(connection.uri)
    return connection


def source_of(entry: Entry, context: Context) -> Source:
    """Return an entry's source, which is not connected before it is opened. Its secrets are registered.

    :raises InvalidInput: its connection cannot be understood.
    :raises MissingDependency: its driver is absent or too old.
    """
    query = entry.query
    if isinstance(query, PostgresqlQuery):
        from .source_postgresql import PostgresqlSource

        return PostgresqlSource(query, entry.connection, entry.timeout, context)
    if isinstance(query, MongodbQuery):
        from .source_mongodb import MongodbSource

        return MongodbSource(query, entry.connection, entry.timeout, context)
    if isinstance(query, FileQuery):
        from .source_file import FileSource

        return FileSource(query)
    raise TypeError(f"there is no source of {query!r}")


def rows_of(source: Source) -> Rows:
    """Read a source from its first row to its last.

    :raises SourceUnread: it cannot be read.
    :raises InvalidInput: its options cannot be understood.
    :raises DeadlineExceeded: the time is over.
    """
    try:
        with source.open() as batches:
            yield from batches
    except (DeadlineExceeded, InvalidInput):
        raise
    except UpkeepError as error:
        raise SourceUnread(error) from error
