# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection to a PostgreSQL server: bounded in time, with errors that a user can act on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from .._core.connection import Connection
from .._core.deadline import Deadline
from .._core.dependency import PSYCOPG
from .._core.errors import StoreError, StoreTimeout
from .._core.units import format_duration
from .errors import explain_login, explain_statement, explain_work, text_of
from .options import hosts_in, libpq_options
from .server import Server
from .statement import Statement
from .watchdog import Watchdog

if TYPE_CHECKING:
    import psycopg

__all__ = ["PostgresqlClient", "connect"]

Row = TypeVar("Row")

LATER_SECONDS = 5.0
"""By how much the watchdog is later than the server, which should end a long statement itself, with a clear answer."""

LEAST_SECONDS = 0.05
"""Time for a query where the deadline leaves none: the next check is not begun then."""

_PAUSED = (
    "Look at the server's host: is the process stopped, the disk stuck, the network cut? Or raise connect_timeout."
)

SETTINGS = (
    "max_connections",
    "superuser_reserved_connections",
    "reserved_connections",
    "archive_mode",
    "autovacuum",
    "track_counts",
    "autovacuum_vacuum_threshold",
    "autovacuum_vacuum_max_threshold",
    "autovacuum_vacuum_scale_factor",
    "autovacuum_vacuum_insert_threshold",
    "autovacuum_vacuum_insert_scale_factor",
    "autovacuum_analyze_threshold",
    "autovacuum_analyze_scale_factor",
    "autovacuum_freeze_max_age",
    "autovacuum_multixact_freeze_max_age",
)
"""Settings that checks ask for; those that a version does not have are None."""

SERVER = """
SELECT current_setting('server_version') AS version,
    current_setting('server_version_num')::int AS number,
    current_database()::text AS database,
    current_user::text AS "user",
    pg_is_in_recovery() AS in_recovery,
    extract(epoch FROM pg_postmaster_start_time())::float8 AS started,
    extract(epoch FROM clock_timestamp())::float8 AS now,
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all,
    (SELECT jsonb_object_agg(name, current_setting(name, true))
        FROM unnest(%(settings)s::text[]) AS name) AS settings"""


class PostgresqlClient:
    """A connection in use.

    When an answer stays out or the connection breaks, it is given up: every later query fails with the same error at
    once, so that a dead server costs one time-out and not one for each check.

    :param connection: psycopg's connection, in autocommit.
    :param deadline: bounds every query.
    :param timeout: seconds to wait for one answer.
    """

    server: Server
    """What the server is, read when the connection was made."""

    def __init__(self, connection: psycopg.Connection[Any], deadline: Deadline, timeout: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._timeout = timeout
        self._watchdog = Watchdog(connection.fileno())
        self._statement_milliseconds: int | None = None
        self.lost: StoreError | None = None
        self.notices: list[str] = []
        connection.add_notice_handler(lambda notice: self.notices.append(notice.message_primary or ""))

    @property
    def connection(self) -> psycopg.Connection[Any]:
        """psycopg's connection, for COPY."""
        return self._connection

    def rows(
        self,
        tried: str,
        statement: str,
        row: type[Row],
        values: Mapping[str, Any] | None = None,
        parts: Mapping[str, str] | None = None,
    ) -> list[Row]:
        """Run one query and return its rows, each as an object of the class ``row`` (columns are its fields).

        :param tried: what it is for, for people: "read the sessions".
        :param statement: our own SQL.
        :param values: values of its parameters.
        :param parts: pieces of our own SQL that replace ``{names}``, where versions differ.
        :raises StoreError: the server refused, did not answer in time, or is gone.
        """
        if self.lost:
            raise self.lost
        driver = PSYCOPG.load()
        composed: Any = statement
        if parts:
            composed = driver.sql.SQL(statement).format(**{name: driver.sql.SQL(part) for name, part in parts.items()})
        limit = max(LEAST_SECONDS, self._deadline.limit(self._timeout))
        try:
            with self._watchdog.limit(limit), self._connection.cursor(row_factory=_factory(row)) as cursor:
                found: list[Row] = cursor.execute(composed, values).fetchall()
                return found
        except driver.Error as error:
            raise self._translated(tried, limit, error, explain_statement) from error

    def row(self, tried: str, statement: str, row: type[Row], values: Mapping[str, Any] | None = None) -> Row:
        """Run one query that gives exactly one row; otherwise as :meth:`rows`."""
        return self.rows(tried, statement, row, values)[0]

    def allow_writes(self, lock_timeout_seconds: float) -> None:
        """Let the session, read-only until now, change things; it never waits for a lock for longer than is given.

        A server of version 14 or newer notices within seconds if we die, and breaks a long statement of ours off.
        """
        settings = {
            "default_transaction_read_only": "off",
            "lock_timeout": f"{max(1, int(lock_timeout_seconds * 1000))}ms",
            "idle_in_transaction_session_timeout": "60s",
        }
        if self.server.number >= 140000:
            settings["client_connection_check_interval"] = "2s"
        names = [f"set_config({name!r}, {value!r}, false)" for name, value in settings.items()]
        self.execute("prepare the session", Statement(f"SELECT {', '.join(names)}"), self._timeout)

    def execute(self, tried: str, statement: Statement, limit: float) -> int:
        """Run one statement that changes something, and return the number of rows it is about.

        ``notices`` holds afterwards what the server had to say, such as why it skipped a table.

        :param limit: seconds after which the server ends it; the deadline's rest if that is less.
        :raises StoreError: the server refused, did not answer in time, or is gone. ``code`` is its SQLSTATE.
        """
        with self._cursor(tried, statement, limit, None) as cursor:
            return max(0, int(cursor.rowcount))

    def fetch(self, tried: str, statement: Statement, row: type[Row], limit: float) -> list[Row]:
        """Run one statement as :meth:`execute` does, and return its rows as objects of the class ``row``."""
        with self._cursor(tried, statement, limit, _factory(row)) as cursor:
            found: list[Row] = cursor.fetchall()
            return found

    @contextmanager
    def transaction(self, tried: str) -> Iterator[None]:
        """Make one transaction of the statements inside; an error rolls all of them back.

        :param tried: what it is for.
        :raises StoreError: it could not be begun or committed.
        """
        driver = PSYCOPG.load()
        if self.lost:
            raise self.lost
        try:
            with self._watchdog.limit(self._deadline.seconds + LATER_SECONDS), self._connection.transaction():
                yield
        except driver.Error as error:
            raise self._translated(tried, self._deadline.seconds, error, explain_work) from error
        except BaseException:
            self._statement_milliseconds = None  # a rollback takes the setting back as well
            raise

    @contextmanager
    def guarded(self, tried: str, limit: float) -> Iterator[None]:
        """Do something of one's own with :attr:`connection`, bounded and with errors translated as in :meth:`execute`.

        :param limit: seconds after which the server ends each statement; the deadline's rest if that is less.
        """
        driver = PSYCOPG.load()
        if self.lost:
            raise self.lost
        seconds = max(LEAST_SECONDS, self._deadline.limit(limit))
        self.notices.clear()
        try:
            with self._watchdog.limit(seconds + LATER_SECONDS):
                self._limit_statements(seconds)
                yield
        except driver.Error as error:
            raise self._translated(tried, seconds, error, explain_work) from error

    @contextmanager
    def _cursor(self, tried: str, statement: Statement, limit: float, factory: Any) -> Iterator[Any]:
        with self.guarded(tried, limit):
            chosen = {} if factory is None else {"row_factory": factory}
            with self._connection.cursor(**chosen) as cursor:
                cursor.execute(statement.composed(self._connection), statement.parameters)
                yield cursor

    def _limit_statements(self, seconds: float) -> None:
        """Set statement_timeout, unless it is so already: batches of thousands share one setting."""
        milliseconds = max(1, int(seconds * 1000))
        known = self._statement_milliseconds
        # A second more, or a tenth less, is not worth a round trip for every batch.
        if known is not None and known - 1000 <= milliseconds <= known * 1.1:
            return
        self._connection.execute(f"SET statement_timeout = {milliseconds}".encode())
        self._statement_milliseconds = milliseconds

    def _translated(
        self, tried: str, limit: float, error: Any, explain: Callable[[str, str | None, str], StoreError]
    ) -> StoreError:
        """Return our error for the driver's, and remember it if the connection is gone."""
        self._statement_milliseconds = None
        if self._watchdog.barked:
            translated: StoreError = StoreTimeout(tried, f"no answer within {format_duration(limit)}", _PAUSED)
        else:
            translated = explain(tried, error.sqlstate, text_of(error))
        if self._connection.closed:
            self.lost = translated
        return translated

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
        self._watchdog.close()


def _factory(row: type[Row]) -> Any:
    return PSYCOPG.load().rows.class_row(row)


@contextmanager
def connect(connection: Connection, deadline: Deadline, read_only: bool = True) -> Iterator[PostgresqlClient]:
    """Connect, log in, read what the server is, and close at the end.

    :param connection: where and as whom.
    :param deadline: bounds connecting and every query.
    :param read_only: whether the session must not write.
    :raises InvalidInput: the URI cannot be understood.
    :raises MissingDependency: psycopg is absent or too old.
    :raises StoreError: there is no connection, or it was lost while it was in use.
    """
    tried = f"connect to {connection.store} at {connection.label}"
    seconds = deadline.limit(connection.timeout)
    options = libpq_options(connection, seconds, read_only)
    client = PostgresqlClient(_open(tried, options, seconds * hosts_in(options)), deadline, connection.timeout)
    try:
        client.server = client.row(tried, SERVER, Server, {"settings": list(SETTINGS)})
        yield client
    finally:
        client.close()
    if client.lost:
        raise client.lost


def _open(tried: str, options: Mapping[str, Any], seconds: float) -> psycopg.Connection[Any]:
    """Connect within ``seconds``, the look-up of the name included, which no option of libpq bounds."""
    driver = PSYCOPG.load()
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
    abandoned = threading.Event()

    def work() -> None:
        try:
            answer = driver.connect(**options, autocommit=True, prepare_threshold=None)
        except Exception as error:  # noqa: BLE001 - it is raised again by the thread that waits
            answers.put(error)
            return
        answers.put(answer)
        if abandoned.is_set():
            answer.close()

    threading.Thread(target=work, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        abandoned.set()
        raise StoreTimeout(tried, f"no answer within {format_duration(seconds)}", _PAUSED) from None
    if isinstance(answer, driver.Error):
        raise explain_login(tried, text_of(answer)) from answer
    if isinstance(answer, UnicodeError):  # of Python's own look-up, when no host can have such a name
        raise explain_login(tried, f"this is no host name: {answer}") from answer
    if isinstance(answer, Exception):
        raise answer
    opened: psycopg.Connection[Any] = answer
    return opened
