# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources of rows: where one is, and how it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from .._core.errors import DeadlineExceeded, InvalidInput, UpkeepError
from .._core.runner import Context
from .entry import Entry
from .query import FileQuery, MongodbQuery, PostgresqlQuery

__all__ = ["BATCH", "Rows", "Source", "SourceUnread", "rows_of", "source_of"]

Rows = Iterator["list[Mapping[str, Any] | None]"]
"""Batches of rows; None for one that cannot be read."""

BATCH = 500
"""Rows that are asked for at once: about half a megabyte, for larger answers cost the client more than they save.
Source: performance study C.
"""


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
