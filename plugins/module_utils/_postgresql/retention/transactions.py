# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Transactions by their numbers: which one this is, and what became of another."""

from __future__ import annotations

from typing import NamedTuple

from ..._core.errors import StoreError
from ..client import PostgresqlClient
from ..statement import Statement

__all__ = ["commit_for_good", "identity_of_source", "number_of_transaction", "status_of_transaction"]

FUTURE = "22023"
"""SQLSTATE of a transaction that there has not been yet."""

# Transactions are numbered for each server; a copy of it has its identifier and goes its own way.
IDENTITY = """
SELECT s.system_identifier::text || '/' || d.oid::text || '/' || d.datname AS name
FROM pg_control_system() s, pg_database d WHERE d.datname = current_database()"""


class _Name(NamedTuple):
    name: str


class _Status(NamedTuple):
    status: str | None


def identity_of_source(client: PostgresqlClient) -> str:
    """Return the server's system identifier and its database."""
    return client.row("read which server it is", IDENTITY, _Name).name


def commit_for_good(client: PostgresqlClient, limit: float) -> None:
    """See to it that what is committed is on the disk: no crash of the server makes a transaction undone that counts.

    A setting that promises more, such as waiting for standbys, stays.
    """
    statement = Statement(
        "SELECT pg_catalog.set_config('synchronous_commit', 'on', false) AS name"
        " WHERE pg_catalog.current_setting('synchronous_commit') = 'off'"
    )
    client.execute("prepare the session", statement, limit)


def number_of_transaction(client: PostgresqlClient, limit: float) -> str:
    """Return the number of the transaction that is open."""
    statement = Statement("SELECT pg_catalog.pg_current_xact_id()::text AS name")
    return client.fetch("read the transaction's number", statement, _Name, limit)[0].name


def status_of_transaction(client: PostgresqlClient, number: str, limit: float) -> str | None:
    """Return what became of a transaction: ``committed``, ``aborted``, ``in progress``; None: it is not known any more.

    One that this server has not come to yet was lost, in a failover or with what a restored backup did not have.

    :param number: as :func:`number_of_transaction` gave it.
    """
    statement = Statement("SELECT pg_catalog.pg_xact_status({number}::xid8) AS status", values={"number": number})
    try:
        return client.fetch("ask what became of a transaction", statement, _Status, limit)[0].status
    except StoreError as error:
        if error.code != FUTURE:
            raise
        return "aborted"
