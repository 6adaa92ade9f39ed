# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger that an archive in another database keeps of pieces in doubt, as SQL. Pure.

Two databases cannot commit at once. The archive commits first, and writes down in the same transaction by which
transaction the rows leave the source. The source alone decides: if that transaction is known to have failed, the rows
are taken out of the archive again, by the number of the transaction that put them there.
"""

from __future__ import annotations

from typing import NamedTuple

from ..statement import Statement

__all__ = ["LEDGER", "Entry", "create_ledger", "forget", "note", "take_back", "unfinished"]

LEDGER = "upkeep_archive_ledger"
"""Name of the table, in the archive's schema. It is empty but while a piece moves, and after a crash."""

UNFINISHED = """
SELECT source_transaction::text AS source_transaction, own_transaction::text AS own_transaction, rows
FROM {ledger} WHERE source = {source} AND archive = {archive} ORDER BY own_transaction"""


class Entry(NamedTuple):
    """A piece in doubt.

    :param source_transaction: the transaction of the source that takes the rows.
    :param own_transaction: the transaction of the archive's database that brought them.
    """

    source_transaction: str
    own_transaction: str
    rows: int


def create_ledger(schema: str) -> Statement:
    """Make the ledger."""
    return Statement(
        "CREATE TABLE IF NOT EXISTS {ledger} (source text NOT NULL, archive text NOT NULL,"
        " source_transaction xid8 NOT NULL, own_transaction xid8 NOT NULL, rows bigint NOT NULL,"
        " noted timestamptz NOT NULL DEFAULT now())",
        names={"ledger": (schema, LEDGER)},
    )


def unfinished(archive: tuple[str, str], source: str) -> Statement:
    """Read the entries of one source and one archive.

    :param source: system identifier and database of the source.
    """
    return Statement(UNFINISHED, {"ledger": (archive[0], LEDGER)}, {"source": source, "archive": archive[1]})


def note(archive: tuple[str, str], source: str, source_transaction: str, rows: int) -> Statement:
    """Write down the piece of this transaction, and return its entry."""
    return Statement(
        "INSERT INTO {ledger} (source, archive, source_transaction, own_transaction, rows)"
        " VALUES ({source}, {archive}, {transaction}::xid8, pg_catalog.pg_current_xact_id(), {rows})"
        " RETURNING source_transaction::text AS source_transaction, own_transaction::text AS own_transaction, rows",
        names={"ledger": (archive[0], LEDGER)},
        values={"source": source, "archive": archive[1], "transaction": source_transaction, "rows": rows},
    )


def forget(archive: tuple[str, str], source: str, entry: Entry) -> Statement:
    """Take an entry out."""
    return Statement(
        "DELETE FROM {ledger} WHERE source = {source} AND archive = {archive} AND own_transaction = {own}::xid8",
        names={"ledger": (archive[0], LEDGER)},
        values={"source": source, "archive": archive[1], "own": entry.own_transaction},
    )


def take_back(archive: tuple[str, str], entry: Entry) -> Statement:
    """Take a piece's rows out of the archive."""
    return Statement(
        "DELETE FROM {archive} WHERE xmin = {own}::xid8::xid",
        names={"archive": archive},
        values={"own": entry.own_transaction},
    )
