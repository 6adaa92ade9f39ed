# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Memory in two tables of a PostgreSQL database, made when first written to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .._core.bounded import bounded
from .._core.connection import Connection
from .._core.dependency import PSYCOPG
from .._core.errors import AccessDenied, StoreError, StoreTimeout
from .._core.memory import Record
from .._core.units import format_duration
from .._postgresql.errors import explain_login, explain_statement, text_of
from .._postgresql.options import DEFAULTS, hosts_in, libpq_options
from .._postgresql.watchdog import Watchdog
from .codec import decode, encode, stored_name
from .session import Session

if TYPE_CHECKING:
    import psycopg

__all__ = ["PostgresqlMemory", "open_postgresql"]

SAFE = "/:@ ,=+"
CREATE = """
SELECT pg_advisory_xact_lock(128870446327152);
CREATE TABLE IF NOT EXISTS upkeep_state (
    key text PRIMARY KEY,
    version bigint NOT NULL,
    value text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS upkeep_series (
    series text NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    value text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (series, id)
)"""
"""One transaction, as all that is sent in one message. It locks, for two CREATE TABLE IF NOT EXISTS can collide."""
READ = "SELECT value, version FROM upkeep_state WHERE key = %s"
INSERT = "INSERT INTO upkeep_state (key, value, version) VALUES (%s, %s, 1) ON CONFLICT (key) DO NOTHING"
UPDATE = "UPDATE upkeep_state SET value = %s, version = version + 1, changed_at = now() WHERE key = %s AND version = %s"
APPEND = "INSERT INTO upkeep_series (series, value) VALUES (%s, %s)"
TRIM = """
DELETE FROM upkeep_series WHERE series = %s AND id <= (
    SELECT id FROM upkeep_series WHERE series = %s ORDER BY id DESC OFFSET %s LIMIT 1
)"""
TAIL = "SELECT value FROM upkeep_series WHERE series = %s ORDER BY id DESC LIMIT %s"


class MissingTables(StoreError):
    """Nothing was written here before."""


class Tables:
    """A connection to the tables, on which every statement has a limit of time.

    The client of the health checks has none for writers: it never waits for a lock, and here one run may wait shortly
    for another's.

    :param connection: in autocommit.
    :param timeout: seconds for one statement.
    """

    def __init__(self, connection: psycopg.Connection[Any], timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout
        self._watchdog = Watchdog(connection.fileno())

    def execute(self, tried: str, statement: str, values: tuple[Any, ...] = ()) -> psycopg.Cursor[Any]:
        """Run a statement.

        :raises MissingTables: the tables are not there.
        :raises StoreError: anything else went wrong.
        """
        driver = PSYCOPG.load()
        try:
            with self._watchdog.limit(self._timeout):
                return self._connection.execute(statement, values or None)
        except driver.errors.UndefinedTable as error:
            raise MissingTables(tried, text_of(error)) from error
        except driver.errors.InsufficientPrivilege as error:
            remedy = "Grant the user CREATE on the schema once, or let an administrator make the tables for it."
            raise AccessDenied(tried, text_of(error), remedy) from error
        except driver.Error as error:
            if self._watchdog.barked:
                raise StoreTimeout(tried, f"no answer within {format_duration(self._timeout)}") from error
            raise explain_statement(tried, error.sqlstate, text_of(error)) from error

    def write(self, tried: str, statement: str, values: tuple[Any, ...]) -> int:
        """Run a statement and return how many rows it wrote; make the tables if they are absent."""
        try:
            return self.execute(tried, statement, values).rowcount
        except MissingTables:
            self.execute("make the tables upkeep_state and upkeep_series", CREATE)
            return self.execute(tried, statement, values).rowcount

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
        self._watchdog.close()


class PostgresqlMemory:
    """Memory in the tables ``upkeep_state`` and ``upkeep_series``.

    :param session: gives the tables.
    """

    def __init__(self, session: Session[Tables]) -> None:
        self._session = session

    def read(self, key: str) -> tuple[Record | None, int]:
        """Return the document and its version."""
        rows = self._rows(f"read the document {key}", READ, (stored_name(key, SAFE),))
        if not rows:
            return None, 0
        return decode(rows[0][0], f"the row {key} of upkeep_state in {self._session.label}"), int(rows[0][1])

    def compare_and_set(self, key: str, value: Record, version: int) -> bool:
        """Replace the document if its version still is ``version``."""
        name, text = stored_name(key, SAFE), encode(value)
        statement, values = (UPDATE, (text, name, version)) if version else (INSERT, (name, text))
        tried = f"write the document {key}"
        with self._session.use(tried) as tables:
            return tables.write(tried, statement, values) == 1

    def append(self, series: str, record: Record, keep: int = 1000) -> None:
        """Append a record and delete what is older than the newest ``keep``."""
        name, tried = stored_name(series, SAFE), f"append to the series {series}"
        with self._session.use(tried) as tables:
            tables.write(tried, APPEND, (name, encode(record)))
            tables.execute(tried, TRIM, (name, name, keep))

    def tail(self, series: str, limit: int) -> Sequence[Record]:
        """Return the newest records, oldest first."""
        rows = self._rows(f"read the series {series}", TAIL, (stored_name(series, SAFE), max(0, limit)))
        where = f"a row {series} of upkeep_series in {self._session.label}"
        return [decode(row[0], where) for row in reversed(rows)]

    def _rows(self, tried: str, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """Return a query's rows, none if the tables are not made yet."""
        with self._session.use(tried) as tables:
            try:
                return tables.execute(tried, statement, values).fetchall()
            except MissingTables:
                return []


def open_postgresql(uri: str) -> PostgresqlMemory:
    """Return the memory in the database that ``uri`` names.

    :raises InvalidInput: it cannot be understood.
    :raises MissingDependency: psycopg is absent.
    """
    PSYCOPG.load()
    connection = Connection.resolve({"uri": uri}, {}, DEFAULTS)
    _options(connection)
    return PostgresqlMemory(Session(connection.label, lambda: _connect(connection)))


def _options(connection: Connection) -> dict[str, Any]:
    """Return libpq's options, with the session's settings as the URI and the server have them, the schema above all.

    :raises InvalidInput: the URI cannot be understood.
    """
    options = libpq_options(connection, connection.timeout, read_only=False)
    own = PSYCOPG.load().conninfo.conninfo_to_dict(connection.uri or "").get("options")
    return {**options, "options": own or "", "application_name": "upkeep state"}


@contextmanager
def _connect(connection: Connection) -> Iterator[Tables]:
    """Connect within the limit of time, the look-up of the name included."""
    driver, tried = PSYCOPG.load(), f"connect to {connection.store} at {connection.label}"
    options = _options(connection)
    try:
        opened = bounded(
            lambda: driver.connect(**options, autocommit=True), connection.timeout * hosts_in(options), tried
        )
    except driver.Error as error:
        raise explain_login(tried, text_of(error)) from error
    tables = Tables(opened, connection.timeout)
    try:
        limit = round(connection.timeout * 900)  # a little less than the client waits, so that the server answers first
        tables.execute("set time limits", f"SET lock_timeout = {limit}; SET statement_timeout = {limit}")
        yield tables
    finally:
        tables.close()
