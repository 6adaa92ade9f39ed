# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a store is and how to log in: options first, then the environment, then the usual port on this host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .arguments import connection_arguments
from .errors import InvalidInput
from .runner import Context
from .secrets import without_password
from .units import parse_duration

__all__ = ["Connection", "Defaults"]


@dataclass(frozen=True)
class Defaults:
    """What a store takes for what nobody said.

    :param store: the store's name for people.
    :param port: its usual port.
    :param environment: option name to the environment variable that stands in for it, as ``login_host: PGHOST``.
    """

    store: str
    port: int
    environment: Mapping[str, str]


@dataclass(frozen=True, repr=False)
class Connection:
    """A store's address, the login, and the limits of a connection.

    :param uri: the whole address as one URI; host and port are None then.
    :param tls: True, False, or None for what the URI or the driver says.
    :param timeout: seconds to wait for a connection, and for one answer of a health check.
    """

    store: str
    uri: str | None
    host: str | None
    port: int | None
    user: str | None
    password: str | None
    database: str | None
    tls: bool | None
    validate_certs: bool
    ca_cert: str | None
    client_cert: str | None
    client_key: str | None
    timeout: float

    @classmethod
    def resolve(cls, params: Mapping[str, Any], environment: Mapping[str, str], defaults: Defaults) -> Connection:
        """Put a connection together from module options.

        An option wins over the environment; an address in the options (``uri`` or ``login_host``) makes the
        environment's address void, so that a stray ``REDIS_URL`` never redirects a task.

        :raises InvalidInput: the time-out cannot be understood.
        """
        addressed = any(params.get(name) is not None for name in ("uri", "login_host", "login_port"))
        merged = dict(params)
        for name, variable in defaults.environment.items():
            void = addressed and name in ("uri", "login_host", "login_port")
            if merged.get(name) is None and environment.get(variable) and not void:
                merged[name] = environment[variable]
        uri = merged.get("uri")
        return cls(
            store=defaults.store,
            uri=uri,
            host=None if uri else merged.get("login_host") or "localhost",
            port=None if uri else _port(merged.get("login_port"), defaults),
            user=merged.get("login_user"),
            password=merged.get("login_password"),
            database=merged.get("login_db"),
            tls=params.get("tls"),
            validate_certs=params.get("validate_certs", True),
            ca_cert=params.get("ca_cert"),
            client_cert=params.get("client_cert"),
            client_key=params.get("client_key"),
            timeout=_timeout(params.get("connect_timeout") or "5s"),
        )

    @classmethod
    def of(cls, context: Context, defaults: Defaults) -> Connection:
        """Put a task's connection together and register its secrets, those from the environment too."""
        connection = cls.resolve(context.params, context.environment, defaults)
        context.secrets.add(connection.password)
        context.secrets.add_uri(connection.uri)
        return connection

    @classmethod
    def nested(cls, context: Context, given: Mapping[str, Any], option: str, defaults: Defaults) -> Connection:
        """Put together the connection to another store, whose options stand in a dict of their own.

        The environment is not asked: it speaks of the store that the task is about. Secrets are registered.

        :param given: the dict, with options named as those of a module.
        :param option: what the dict is called, for errors.
        :raises InvalidInput: it holds what is no such option, or the time-out cannot be understood.
        """
        known = connection_arguments().options
        strange = sorted(set(given) - set(known))
        if strange:
            raise InvalidInput(option, f"there is no option {strange[0]!r}", f"There are: {', '.join(known)}.")
        context.secrets.add_nested(given)
        connection = cls.resolve(given, {}, defaults)
        context.secrets.add(connection.password)
        context.secrets.add_uri(connection.uri)
        return connection

    @property
    def label(self) -> str:
        """The address for people and for the key of what is remembered about it: no user, no secret."""
        if self.uri:
            address = without_password(self.uri).partition("://")[2].partition("?")[0]
            return address.rpartition("@")[2].rstrip("/") or self.store
        return f"{self.host}:{self.port}" if not str(self.host).startswith("/") else f"{self.host}"

    def __repr__(self) -> str:
        return f"Connection({self.store} at {self.label})"


def _timeout(text: Any) -> float:
    seconds = parse_duration(text, "connect_timeout")
    if seconds <= 0:
        raise InvalidInput("connect_timeout", f"{text} leaves no time to connect", "Give a duration above zero, as 5s.")
    return seconds


def _port(given: Any, defaults: Defaults) -> int:
    """Return a port from an option or from the environment, where it is a text.

    :raises InvalidInput: it is none.
    """
    if given is None:
        return defaults.port
    if not str(given).isdecimal() or not 0 < int(given) < 65536:
        where = defaults.environment.get("login_port")
        option = f"login_port (or {where} in the environment)" if where else "login_port"
        raise InvalidInput(option, f"{given!r} is no TCP port", "Give a number from 1 to 65535.")
    return int(given)
