# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Memory in two tables of a PostgreSQL database, made when first written to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from .._core.connection import Connection, Defaults
from .._core.dependency import PSYCOPG
from .._core.errors import AccessDenied, AuthenticationFailed, StoreError, StoreUnreachable
from .._core.memory import Record
from .codec import decode, encode, stored_name
from .session import Session

if TYPE_CHECKING:
    import psycopg

__all__ = ["PostgresqlMemory", "open_postgresql"]

SAFE = "/:@ ,=+"
CREATE_LOCK = 0x75706B656570
"""Key of the advisory lock under which the tables are made ("upkeep"): CREATE TABLE IF NOT EXISTS alone can collide."""

CREATE = """
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
READ = "SELECT value, version FROM upkeep_state WHERE key = %s"
INSERT = "INSERT INTO upkeep_state (key, value, version) VALUES (%s, %s, 1) ON CONFLICT (key) DO NOTHING"
UPDATE = "UPDATE upkeep_state SET value = %s, version = version + 1, changed_at = now() WHERE key = %s AND version = %s"
APPEND = "INSERT INTO upkeep_series (series, value) VALUES (%s, %s)"
TRIM = """
DELETE FROM upkeep_series WHERE series = %s AND id <= (
    SELECT id FROM upkeep_series WHERE series = %s ORDER BY id DESC OFFSET %s LIMIT 1
)"""
TAIL = "SELECT value FROM upkeep_series WHERE series = %s ORDER BY id DESC LIMIT %s"


class PostgresqlMemory:
    """Memory in the tables ``upkeep_state`` and ``upkeep_series``.

    :param session: the connection, in autocommit.
    """

    def __init__(self, session: Session[psycopg.Connection[Any]]) -> None:
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
        with self._session.use(f"write the document {key}") as connection:
            return _write(connection, statement, values) == 1

    def append(self, series: str, record: Record, keep: int = 1000) -> None:
        """Append a record and delete what is older than the newest ``keep``."""
        name = stored_name(series, SAFE)
        with self._session.use(f"append to the series {series}") as connection:
            _write(connection, APPEND, (name, encode(record)))
            connection.execute(TRIM, (name, name, keep))

    def tail(self, series: str, limit: int) -> Sequence[Record]:
        """Return the newest records, oldest first."""
        rows = self._rows(f"read the series {series}", TAIL, (stored_name(series, SAFE), max(0, limit)))
        where = f"a row {series} of upkeep_series in {self._session.label}"
        return [decode(row[0], where) for row in reversed(rows)]

    def _rows(self, tried: str, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """Return a query's rows, none if the tables are not made yet."""
        with self._session.use(tried) as connection:
            try:
                return connection.execute(statement, values).fetchall()
            except PSYCOPG.load().errors.UndefinedTable:
                return []


def _write(connection: psycopg.Connection[Any], statement: str, values: tuple[Any, ...]) -> int:
    """Run a statement and return how many rows it wrote; make the tables if they are absent."""
    try:
        return connection.execute(statement, values).rowcount
    except PSYCOPG.load().errors.UndefinedTable:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (CREATE_LOCK,))
            connection.execute(CREATE)
        return connection.execute(statement, values).rowcount


def open_postgresql(uri: str) -> PostgresqlMemory:
    """Return the memory in the database that ``uri`` names.

    :raises MissingDependency: psycopg is absent.
    """
    PSYCOPG.load()
    connection = Connection.resolve({"uri": uri}, {}, Defaults("PostgreSQL", 5432, {}))
    return PostgresqlMemory(Session(connection.label, partial(_connect, uri, connection.timeout), _translated))


@contextmanager
def _connect(uri: str, timeout: float) -> Iterator[psycopg.Connection[Any]]:
    """Connect, with limits on how long a statement may run or wait for a lock."""
    driver = PSYCOPG.load()
    with _translated("connect"):
        connection = driver.connect(
            uri, autocommit=True, connect_timeout=max(2, round(timeout)), application_name="upkeep state"
        )
    with connection:
        milliseconds = round(timeout * 1000)
        connection.execute(f"SET statement_timeout = {milliseconds}; SET lock_timeout = {milliseconds}")
        yield connection


@contextmanager
def _translated(tried: str) -> Iterator[None]:
    """Turn psycopg's errors into StoreErrors."""
    driver = PSYCOPG.load()
    try:
        yield
    except driver.errors.InsufficientPrivilege as error:
        remedy = "Grant the user CREATE on the schema once, or let an administrator make the tables for it."
        raise AccessDenied(tried, _first_line(error), remedy) from error
    except (driver.errors.InvalidPassword, driver.errors.InvalidAuthorizationSpecification) as error:
        raise AuthenticationFailed(tried, _first_line(error), "Correct user and password in `state`.") from error
    except driver.OperationalError as error:
        raise StoreUnreachable(tried, _first_line(error)) from error
    except driver.Error as error:
        raise StoreError(tried, _first_line(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
