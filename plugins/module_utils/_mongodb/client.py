# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection to one MongoDB server, with a limit of time on every answer."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from .._core.connection import Connection, Defaults
from .._core.deadline import Deadline
from .._core.dependency import PYMONGO
from .._core.errors import AuthenticationFailed, InvalidInput, StoreError, StoreTimeout, StoreUnreachable
from .errors import translate

if TYPE_CHECKING:
    from pymongo import MongoClient

__all__ = ["DEFAULTS", "Client", "OneServer", "connect", "driver_options"]

DEFAULTS = Defaults("MongoDB", 27017, {"uri": "MONGODB_URI"})

LEAST_SECONDS = 0.05
"""Shortest time-out handed to the driver, which takes 0 for "none"."""
SERVER_KEEPS = 0.9
"""The server gives up at this part of the time for an answer, so that its own error arrives before the driver's."""

Document = Mapping[str, Any]


@dataclass
class OneServer:
    """Keeps the driver to the server it chose first, so that a session is one connection and one view."""

    address: tuple[str, int | None] | None = None

    def __call__(self, servers: Sequence[Any]) -> list[Any]:
        """Choose among the servers that fit a request; the driver calls this each time."""
        if self.address is None and servers:
            self.address = min(servers, key=lambda server: server.round_trip_time or 0.0).address
        return [server for server in servers if server.address == self.address]


@dataclass
class Client:
    """A session with one server.

    :param driver: pymongo's client.
    :param timeout: seconds that one answer may take.
    :param deadline: by when the whole task has to be done.
    :param database: the database to look at; None: all that the user may list.
    :param lost: why the session is over: once nobody answers or the login is refused, asking on would only wait.
    :param notes: what one check read and another needs too.
    """

    driver: MongoClient
    timeout: float
    deadline: Deadline
    database: str | None = None
    lost: StoreError | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    _preference: Any = None

    def command(self, tried: str, command: dict[str, Any], database: str = "admin", needs: str = "") -> dict[str, Any]:
        """Run a command and return its answer.

        The server is told to give up a little before the driver does, so that a slow command is told apart from a
        server that has fallen silent.

        :param tried: what it is for, as the end of "could not ...".
        :param needs: the role that it needs, for the remedy if the user lacks it.
        :raises StoreError: the server refused it, or did not answer in time.
        """
        seconds = self.deadline.limit(self.timeout)
        limited = {**command, "maxTimeMS": max(1, round(seconds * SERVER_KEEPS * 1000))}
        if seconds < self.timeout:
            return self._asked(tried, limited, database, max(LEAST_SECONDS, seconds), needs)
        return self._asked(tried, limited, database, None, needs)

    def _asked(
        self, tried: str, command: dict[str, Any], database: str, seconds: float | None, needs: str = ""
    ) -> dict[str, Any]:
        """Send a command.

        :param seconds: a limit over all that it takes, finding the server and logging in too; None: the driver's own.
        """
        if self.lost is not None:
            raise self.lost
        pymongo = PYMONGO.load()
        try:
            with pymongo.timeout(seconds) if seconds is not None else nullcontext():
                answer: dict[str, Any] = self.driver[database].command(command, read_preference=self._preference)
                return answer
        except pymongo.errors.PyMongoError as error:
            translated = translate(tried, error, self._server_errors(), needs)
            answered = isinstance(error, (pymongo.errors.OperationFailure, pymongo.errors.NotPrimaryError))
            if not answered or isinstance(translated, AuthenticationFailed):
                self.lost = translated
            raise translated from error

    def aggregate(self, tried: str, pipeline: Sequence[Document], needs: str = "") -> list[dict[str, Any]]:
        """Run an aggregation over no collection and return its first batch, which has to hold all that is wanted."""
        command = {"aggregate": 1, "pipeline": list(pipeline), "cursor": {}}
        answer = self.command(tried, command, needs=needs)
        batch: list[dict[str, Any]] = answer["cursor"]["firstBatch"]
        return batch

    def select(self, tried: str) -> None:
        """Find a server: the primary, or without one any member that can be read.

        :raises StoreError: none is there, or it refuses the login.
        """
        preferences = PYMONGO.load().ReadPreference
        self._preference = self.driver.read_preference
        seconds = max(LEAST_SECONDS, self.deadline.limit(self.timeout))
        try:
            self._asked(tried, {"ping": 1}, "admin", seconds)
        except (StoreUnreachable, StoreTimeout):
            readable = self.driver.topology_description.has_readable_server(preferences.SECONDARY_PREFERRED)
            if self._preference != preferences.PRIMARY or not readable:
                raise
            self.lost = None
            self._preference = preferences.SECONDARY_PREFERRED
            self._asked(tried, {"ping": 1}, "admin", seconds)
        if self._preference == preferences.PRIMARY:
            # The member stays the same even if it loses its office in the middle of the session.
            self._preference = preferences.PRIMARY_PREFERRED

    def close(self) -> None:
        """Say goodbye; a server that is silent is not waited for."""
        with PYMONGO.load().timeout(LEAST_SECONDS if self.lost else self.timeout):
            self.driver.close()
        _exit_without_waiting()

    def _server_errors(self) -> list[Exception | None]:
        return [server.error for server in self.driver.topology_description.server_descriptions().values()]


def _exit_without_waiting() -> None:
    """Keep pymongo from waiting for its threads at the end of the process.

    At exit it joins each monitor, which sleeps for up to half a second although its client was closed: as much as all
    the rest of a task takes. They are daemons, and hold nothing by then. A pymongo that is built otherwise waits.
    """
    monitor = sys.modules.get("pymongo.synchronous.monitor") or sys.modules.get("pymongo.monitor")
    wait = getattr(monitor, "_shutdown_resources", None)
    if wait is not None:
        atexit.unregister(wait)


@contextmanager
def connect(connection: Connection, deadline: Deadline) -> Iterator[Client]:
    """Open a session, and close it in any case.

    A server given by host and port is asked itself, whatever part it has in a replica set. A URI is used as it
    stands; of several servers that it leads to, the primary is chosen.

    :raises StoreError: there is no connection, or it was lost before the end.
    :raises InvalidInput: the URI or a file for TLS cannot be used.
    """
    tried = f"connect to MongoDB at {connection.label}"
    driver = _driver(tried, connection, deadline)
    client = Client(driver, connection.timeout, deadline, connection.database or _database_in_uri(driver))
    try:
        client.select(tried)
        yield client
        if client.lost is not None:
            raise client.lost
    finally:
        client.close()


def _driver(tried: str, connection: Connection, deadline: Deadline) -> MongoClient:
    pymongo = PYMONGO.load()
    seconds = max(LEAST_SECONDS, deadline.limit(connection.timeout))
    try:
        with _certificate_file(connection) as certificate:
            driver: MongoClient = pymongo.MongoClient(
                **driver_options(connection, round(seconds * 1000), certificate), server_selector=OneServer()
            )
            return driver
    except pymongo.errors.ConfigurationError as error:
        if (connection.uri or "").startswith("mongodb+srv:") and not isinstance(error, pymongo.errors.InvalidURI):
            raise StoreUnreachable(tried, str(error), "Check the name in the URI and the DNS.") from error
        raise InvalidInput(
            "uri", str(error), "See https://www.mongodb.com/docs/manual/reference/connection-string/."
        ) from error
    except OSError as error:
        raise InvalidInput("ca_cert or client_cert", str(error), "Name readable files in PEM format.") from error
    except (ValueError, TypeError) as error:
        raise InvalidInput("uri", str(error), "Check the URI and the options beside it.") from error


def _database_in_uri(driver: MongoClient) -> str | None:
    """Return the database that the URI names; admin is named for the login and is none to look at."""
    try:
        name = str(driver.get_default_database().name)
    except PYMONGO.load().errors.ConfigurationError:
        return None
    return None if name == "admin" else name


def driver_options(connection: Connection, milliseconds: int, certificate: str | None = None) -> dict[str, Any]:
    """Return what MongoClient is made with. What stands beside a URI wins over it, but only what was set is given.

    :param milliseconds: the limit on connecting and on each answer.
    :param certificate: file with the client's certificate and its key.
    """
    options: dict[str, Any] = {
        "host": connection.uri or connection.host,
        "appname": "upkeep",
        "maxPoolSize": 1,
        "serverMonitoringMode": "poll",
        "connectTimeoutMS": milliseconds,
        "socketTimeoutMS": milliseconds,
        "serverSelectionTimeoutMS": milliseconds,
    }
    query = (connection.uri or "").partition("?")[2].lower()
    if not connection.uri:
        options |= {"port": connection.port, "directConnection": True}
    if connection.user is not None:
        options |= {"username": connection.user, "password": connection.password}
        if "authsource=" not in query and "authmechanism=" not in query:
            options["authSource"] = "admin"
    if connection.tls is not None:
        options["tls"] = connection.tls
    in_uri = "tls=true" in query or "ssl=true" in query or (connection.uri or "").startswith("mongodb+srv://")
    if connection.tls or (connection.tls is None and in_uri):
        # The driver takes any of these as a wish for TLS, so none of them may stand where TLS is not used.
        options |= {"tlsCAFile": connection.ca_cert} if connection.ca_cert else {}
        options |= {"tlsCertificateKeyFile": certificate} if certificate else {}
        options |= {} if connection.validate_certs else {"tlsAllowInvalidCertificates": True}
    return options


@contextmanager
def _certificate_file(connection: Connection) -> Iterator[str | None]:
    """Give the certificate and its key as the one file that pymongo reads, for as long as it reads it."""
    if not connection.client_cert or connection.client_cert == connection.client_key:
        yield connection.client_cert
        return
    with NamedTemporaryFile("wb", prefix="upkeep-", suffix=".pem") as joined:
        for part in (connection.client_cert, connection.client_key or ""):
            joined.write(Path(part).read_bytes() + b"\n")
        joined.flush()
        yield joined.name
