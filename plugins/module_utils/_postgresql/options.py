# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection options as libpq wants them."""

from __future__ import annotations

from typing import Any

from .._core.connection import Connection, Defaults
from .._core.dependency import PSYCOPG
from .._core.errors import InvalidInput

__all__ = ["DEFAULTS", "hosts_in", "libpq_options"]

DEFAULTS = Defaults("PostgreSQL", 5432, {"login_host": "PGHOST", "login_port": "PGPORT"})
"""User, password and database are left to libpq: it looks into the environment only where a URI does not say."""

FORM = "Write it as postgresql://user@host:5432/database; in user and password write @ as %40, / as %2F, : as %3A."

KEEPALIVE = {"keepalives_idle": 20, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
"""TCP's own look-out for a lost peer: seconds, seconds, times, milliseconds."""

LOCK_TIMEOUT_MS = 50
"""How long to wait for a lock on a catalogue: never in front of the application. Source: pgmetrics."""


def libpq_options(connection: Connection, seconds: float, read_only: bool = True) -> dict[str, Any]:
    """Return the options of a connection.

    :param seconds: how long connecting, and each statement, may take.
    :param read_only: whether the session must not write.
    :raises InvalidInput: the URI cannot be understood. Its text is not repeated: it may hold the password.
    """
    options = _address(connection)
    given = {"user": connection.user, "password": connection.password, "dbname": connection.database}
    options.update({name: value for name, value in given.items() if value is not None})
    options.update(_tls(connection))
    # libpq would follow a stray PGHOSTADDR even where a host is given.
    options.setdefault("hostaddr", "")
    options["application_name"] = "upkeep"
    # A server or network that is gone is noticed within a minute, also in the midst of a statement that takes hours.
    for name, value in KEEPALIVE.items():
        options.setdefault(name, value)
    # psycopg counts whole seconds and at least two; the exact limit is the caller's.
    options["connect_timeout"] = max(2, round(seconds + 0.5))
    options["options"] = f"{options.get('options', '')} {_session(seconds, read_only)}".strip()
    return options


def hosts_in(options: dict[str, Any]) -> int:
    """Return how many servers a URI names: each of them may take its time."""
    return str(options.get("host") or "").count(",") + 1


def _address(connection: Connection) -> dict[str, Any]:
    if connection.uri is None:
        return {"host": connection.host, "port": connection.port}
    driver = PSYCOPG.load()
    try:
        options = dict(driver.conninfo.conninfo_to_dict(connection.uri))
    except driver.Error as error:
        raise InvalidInput("uri", "it is no PostgreSQL URI", FORM) from error
    # libpq takes what follows a bare / or @ in a password for host, port or database, and shows it in its errors.
    login = connection.uri.partition("?")[0].partition("://")[2].rpartition("@")[0]
    ports = str(options.get("port") or "").split(",")
    if "@" in login or "/" in login or not all(port.isdecimal() or not port for port in ports):
        raise InvalidInput("uri", "its user, password, host and port cannot be told apart", FORM)
    return options


def _session(seconds: float, read_only: bool) -> str:
    """Return the settings of the session; as start-up options they cost no round trip."""
    settings: dict[str, str | int] = {
        # A little less than the client waits, so that the server's clear answer comes first.
        "statement_timeout": max(1, int(seconds * 900)),
        "lock_timeout": LOCK_TIMEOUT_MS,
        "search_path": "pg_catalog",
        "timezone": "UTC",
        "datestyle": "ISO",
        # Compiling a query over the catalogue takes longer than running it.
        "jit": "off",
    }
    if read_only:
        settings["default_transaction_read_only"] = "on"
    return " ".join(f"-c {name}={value}" for name, value in settings.items())


def _tls(connection: Connection) -> dict[str, str]:
    """Return libpq's TLS options; a certificate that is given means that TLS is wanted."""
    files = {
        "sslrootcert": connection.ca_cert,
        "sslcert": connection.client_cert,
        "sslkey": connection.client_key,
    }
    options = {name: path for name, path in files.items() if path}
    wanted = connection.tls if connection.tls is not None else (True if options else None)
    if wanted is None:
        return {}
    if not wanted:
        return {"sslmode": "disable"}
    options["sslmode"] = "verify-full" if connection.validate_certs else "require"
    if connection.validate_certs and not connection.ca_cert and PSYCOPG.load().pq.version() >= 160000:
        options["sslrootcert"] = "system"
    if not connection.validate_certs:
        # With a root certificate at hand libpq verifies against it, even in the mode ``require``.
        options.pop("sslrootcert", None)
    return options
