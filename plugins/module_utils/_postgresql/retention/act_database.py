# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Moves rows to a table of another database, so that a crash at any point leaves each of them once: there or here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack

from ..._core.errors import LockHeld, StoreError
from ..client import PostgresqlClient
from ..statement import Statement
from .ledger import Entry, forget, note, take_back, unfinished
from .piece import Mover, Piece
from .statements import column_list
from .transactions import commit_for_good, number_of_transaction, status_of_transaction

__all__ = ["DatabaseMover", "settle_ledger"]

SECONDS = 30.0


class DatabaseMover(Mover):
    """Moves rows to another database through this process, in the server's own format.

    :param connected: connects to the other database, for writing.
    :param archive: schema and name of the table there.
    :param columns: the columns that both have.
    :param source: system identifier and database of the source.
    :param statement: makes the statement that deletes a piece's rows and sends them as COPY takes them.
    """

    def __init__(
        self,
        connected: Callable[[], AbstractContextManager[PostgresqlClient]],
        archive: tuple[str, str],
        columns: Sequence[str],
        source: str,
        statement: Callable[[Piece], Statement],
    ) -> None:
        self._statement = statement
        self._connected = connected
        self._archive = archive
        self._columns = column_list(columns)
        self._source = source
        self._open = ExitStack()
        self._entry: Entry | None = None
        self._settled: Entry | None = None
        self._client: PostgresqlClient | None = None

    def begin(self, client: PostgresqlClient) -> None:
        """Connect."""
        self._client = client
        self._there = self._open.enter_context(self._connected())
        for each in (client, self._there):
            commit_for_good(each, SECONDS)

    def move(self, client: PostgresqlClient, piece: Piece, limit: float) -> int:
        """Delete the rows here, put them there, and commit there."""
        tried = f"move rows of {'.'.join(piece.source)} to {'.'.join(self._archive)} of the other database"
        number = number_of_transaction(client, limit)
        with self._there.transaction(tried):
            taken = self._pipe(client, piece, tried, limit)
            if taken:
                # Until its commit is answered for, nobody knows whether this arrives.
                self._entry = self._there.fetch(tried, self._note(number, taken), Entry, limit)[0]
            if self._settled is not None:
                self._there.execute(tried, forget(self._archive, self._source, self._settled), limit)
        self._settled = None
        return taken

    def settled(self) -> None:
        """The rows have left the source: the next piece takes the entry out."""
        self._settled, self._entry = self._entry or self._settled, None

    def undone(self) -> None:
        """Take the rows out of the archive again, unless nobody knows what became of them in the source."""
        entry, self._entry = self._entry, None
        if entry is None or self._there.lost or (self._client is not None and self._client.lost):
            return
        _undo(self._there, self._archive, self._source, entry)

    def finish(self, client: PostgresqlClient) -> str:
        """Take the last entry out."""
        if self._settled is not None:
            self._there.execute("close the ledger", forget(self._archive, self._source, self._settled), SECONDS)
            self._settled = None
        return ""

    def close(self) -> None:
        """Disconnect."""
        self._open.close()

    def _note(self, number: str, rows: int) -> Statement:
        return note(self._archive, self._source, number, rows)

    def _pipe(self, client: PostgresqlClient, piece: Piece, tried: str, limit: float) -> int:
        taking = self._statement(piece)
        putting = Statement(
            "COPY {archive} ({columns}) FROM STDIN (ENCODING 'UTF8')",
            names={"archive": self._archive},
            parts={"columns": self._columns.replace("%%", "%")},
        )
        here, there = client.connection, self._there.connection
        with self._there.guarded(tried, limit), client.guarded(tried, limit), there.cursor() as putter:
            with putter.copy(putting.composed(there)) as into, here.cursor() as taker:
                with taker.copy(taking.composed(here), taking.parameters) as rows:
                    for row in rows:
                        into.write(row)
                taken = max(0, taker.rowcount)
            arrived = putter.rowcount
        if arrived != taken:
            raise StoreError(tried, f"{taken} rows left the table and {arrived} arrived", "Report this fault.")
        return taken


def settle_ledger(client: PostgresqlClient, there: PostgresqlClient, archive: tuple[str, str], source: str) -> str:
    """Settle what a run that was cut off left in doubt, and return what became of it, for people.

    :raises LockHeld: a run is still at work, or its last transaction is.
    """
    told = []
    for entry in there.fetch("read the ledger", unfinished(archive, source), Entry, SECONDS):
        status = status_of_transaction(client, entry.source_transaction, SECONDS)
        if status == "in progress":
            raise LockHeld(
                "settle the ledger", "the transaction that moved the last rows has not ended", "Run again in a minute."
            )
        if status == "aborted":
            _undo(there, archive, source, entry)
            told.append(f"{entry.rows} rows that had not left the table were taken out of the archive")
            continue
        there.execute("settle the ledger", forget(archive, source, entry), SECONDS)
        doubt = "" if status else ", as far as is still known"
        told.append(f"{entry.rows} rows had left the table{doubt}")
    return "; ".join(told) or "nothing was in doubt"


def _undo(there: PostgresqlClient, archive: tuple[str, str], source: str, entry: Entry) -> None:
    tried = "take rows out of the archive that had not left the table"
    with there.transaction(tried):
        taken = there.execute(tried, take_back(archive, entry), SECONDS)
        forgotten = there.execute(tried, forget(archive, source, entry), SECONDS)
        if forgotten and taken != entry.rows:
            raise StoreError(
                tried,
                f"{entry.rows} rows came with transaction {entry.own_transaction}, {taken} are there",
                "Somebody has changed the archive: compare its newest rows with the table.",
            )
