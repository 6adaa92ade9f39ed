# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of a query of PostgreSQL, by a cursor of the server in a transaction that only reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .._core.dependency import PSYCOPG
from .._core.errors import StoreError, StoreTimeout
from .._core.runner import Context
from .._postgresql.client import PostgresqlClient, connect
from .._postgresql.errors import LOCK_CODES
from .._postgresql.options import DEFAULTS
from .._postgresql.retention.observe_tables import read_search_path
from .query import PostgresqlQuery
from .source import TOO_SLOW, Rows, batches, connection_of

__all__ = ["PostgresqlSource"]

TRIED = "read the query's rows"

_DATA = ("22", "23", "P0")
"""SQLSTATE classes whose texts quote values: of the query, of rows, or of a function's author."""


PARAMETER = "08P01"
"""The server's code for a query with parameters, of whose values none are sent. The class is that of lost connections.
"""

DECLARE = "DECLARE upkeep_warm NO SCROLL CURSOR WITHOUT HOLD FOR"
_CONSTANT = re.compile(r"""at or near "['0-9$].*""", re.DOTALL)


class PostgresqlSource:
    """A query.

    The server's transaction is read-only, the query is sent by the protocol that takes one statement only, and a cursor
    can be declared for nothing but a query: so whatever the text says, it changes nothing.

    :param options: the connection's.
    :param timeout: seconds that one batch may take.
    """

    def __init__(self, query: PostgresqlQuery, options: Mapping[str, Any], timeout: float, context: Context) -> None:
        self._query = query
        self._timeout = timeout
        self._context = context
        self._connection = connection_of(options, context, DEFAULTS)
        context.secrets.add(context.environment.get("PGPASSWORD"))
        PSYCOPG.load()
        self.label = self._connection.label

    @contextmanager
    def open(self) -> Iterator[Rows]:
        """Declare the cursor; the rows are dicts by column."""
        with connect(self._connection, self._context.deadline) as client:
            settings = {
                "search_path": read_search_path(client),
                # Longer than the deadline, so that a pause between batches does not end the session.
                "idle_in_transaction_session_timeout": f"{int(self._context.deadline.seconds) + 60}s",
            }
            with _without_data(), client.guarded(TRIED, self._timeout):
                client.connection.execute("BEGIN READ ONLY")
                for name, value in settings.items():
                    client.connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", [name, value])
                # In binary format the driver uses the protocol in which the server takes one statement only.
                client.connection.execute(f"{DECLARE} {self._query.sql}".encode(), binary=True)
            yield batches(lambda size: self._fetched(client, size))

    def _fetched(self, client: PostgresqlClient, size: int) -> list[Mapping[str, Any] | None]:
        """Return the next rows.

        :raises StoreError: the server refused; or Python has no such value, as the moment ``infinity``.
        """
        driver = PSYCOPG.load()
        with (
            _without_data(),
            client.guarded(TRIED, self._timeout),
            client.connection.cursor(row_factory=driver.rows.dict_row) as cursor,
        ):
            try:
                return list(cursor.execute(f"FETCH {size} FROM upkeep_warm".encode()).fetchall())
            except driver.DataError as error:
                if error.sqlstate is not None:
                    raise
                why = "a row holds a value that Python does not know, such as the moment infinity"
                raise StoreError(TRIED, why, "Cast the column to text in the query.") from None


@contextmanager
def _without_data() -> Iterator[None]:
    """Keep values out of errors."""
    try:
        yield
    except StoreError as error:
        code = error.code or ""
        if code.startswith(_DATA):
            raise StoreError(TRIED, f"a value does not fit (SQLSTATE {code})", "Run the query in psql.") from None
        if code.startswith("42"):
            why = _CONSTANT.sub("?", error.why)
            raise type(error)(TRIED, why, error.remedy or "Check the query with psql as the same user.") from None
        if code == PARAMETER:
            raise StoreError(TRIED, "it has a parameter such as $1", "Write the value itself in the query.") from None
        if isinstance(error, StoreTimeout) and code not in LOCK_CODES:
            error.remedy = TOO_SLOW
        raise
