# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads how indexes are used on standbys: each server counts its own scans only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._core.connection import Connection
from ..._core.dependency import PSYCOPG
from ..._core.errors import InvalidInput, StoreError
from ..._core.runner import Context
from ..client import PostgresqlClient, connect
from ..options import DEFAULTS, libpq_options
from .observation import IndexUse, Node
from .observe_indexes import read_node

__all__ = ["read_replicas", "replica_connections"]

USE = """
SELECT i.indexrelid::bigint AS oid, coalesce(pg_stat_get_numscans(i.indexrelid), 0) AS scans, {last_scan} AS last_scan
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indexrelid >= 16384"""

INHERITED = (
    "login_user", "login_password", "login_db", "tls", "validate_certs", "ca_cert", "client_cert", "client_key",
    "connect_timeout",
)  # fmt: skip
"""Options that a replica has from the module's own where it does not say otherwise."""


def replica_connections(context: Context, target: Connection) -> list[Connection]:
    """Put the connections of the option ``replicas`` together, and register their secrets.

    :param target: the primary's: a replica has login, database and TLS from it where it does not say otherwise.
    :raises InvalidInput: an entry names no address, or cannot be understood.
    """
    common = {**{name: context.params.get(name) for name in INHERITED}, **_login(target)}
    connections = []
    for number, given in enumerate(context.params.get("replicas") or (), 1):
        own = {name: value for name, value in given.items() if value is not None}
        if not own.get("uri") and not own.get("login_host"):
            remedy = "Give each standby login_host (and login_port), or uri."
            raise InvalidInput(f"replicas[{number}]", "it names no server", remedy)
        context.secrets.add(own.get("login_password"))
        context.secrets.add_uri(own.get("uri"))
        taken = {name: value for name, value in common.items() if value is not None and not _says(own, name)}
        connection = Connection.resolve({**taken, **own}, {}, DEFAULTS)
        _check_address(connection, f"replicas[{number}]")
        connections.append(connection)
    return connections


def _check_address(connection: Connection, option: str) -> None:
    """Check the URI of a replica before anything is done.

    :raises InvalidInput: it is none; said of this replica, not of the module's own.
    """
    try:
        libpq_options(connection, connection.timeout)
    except InvalidInput as error:
        raise InvalidInput(f"{option}.uri", error.why, error.remedy) from error


def _says(own: Mapping[str, Any], name: str) -> bool:
    """Whether a replica's URI speaks of what the option ``name`` would say."""
    if not own.get("uri"):
        return False
    try:
        options = PSYCOPG.load().conninfo.conninfo_to_dict(own["uri"])
    except PSYCOPG.load().Error:
        return False  # the connection itself says what is wrong with it
    return {"login_user": "user", "login_password": "password", "login_db": "dbname"}.get(name, "") in options


def _login(target: Connection) -> dict[str, Any]:
    """Return the login that stands in the primary's URI."""
    if not target.uri:
        return {}
    try:
        options = PSYCOPG.load().conninfo.conninfo_to_dict(target.uri)
    except PSYCOPG.load().Error:
        return {}
    own = {"login_user": target.user, "login_password": target.password, "login_db": target.database}
    names = {"login_user": "user", "login_password": "password", "login_db": "dbname"}
    return {name: own[name] or options.get(names[name]) for name in names if own[name] or options.get(names[name])}


def read_replicas(context: Context, connections: Sequence[Connection], database: str) -> tuple[Node, ...]:
    """Ask every standby. One that does not answer is returned with the reason.

    :param database: the database that is looked at.
    """
    return tuple(_read(context, connection, database) for connection in connections)


def _read(context: Context, connection: Connection, database: str) -> Node:
    try:
        with connect(connection, context.deadline) as client:
            node = read_node(client, connection.label)
            if client.server.database != database:
                return node._replace(error=f"it was asked about the database {client.server.database}, not {database}")
            return node._replace(scans=_scans(client))
    except StoreError as error:
        return Node(connection.label, error=context.secrets.redact(error.why))


def _scans(client: PostgresqlClient) -> dict[int, IndexUse]:
    known = client.server.number >= 160000
    last = "extract(epoch FROM pg_stat_get_lastscan(i.indexrelid))::float8" if known else "NULL::float8"
    rows = client.rows("read the use of indexes", USE, IndexUse, parts={"last_scan": last})
    return {row.oid: row for row in rows}
