# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Moves rows into a compressed file, so that a crash at any point leaves each of them once: there or in the source."""

from __future__ import annotations

import csv
import hashlib
import io
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timezone
from pathlib import Path
from typing import Any

from ..._core.clock import Clock
from ..._core.errors import StoreError
from ..client import PostgresqlClient
from ..statement import Statement
from .archive_files import (
    Compressor,
    beside,
    compressor,
    created,
    cut,
    explained,
    finish_file,
    locked,
    settle,
    settle_directory,
    write,
)
from .manifest import JOURNAL, PART, ArchiveFacts, Journal, PieceRecord, base_name, journal_line
from .piece import Mover, Piece
from .transactions import commit_for_good, number_of_transaction

__all__ = ["FileMover"]


SECONDS = 30.0


class FileMover(Mover):
    """Moves rows into a new file in a directory.

    :param directory: where the file goes; made if it is not there.
    :param facts: what the file will hold.
    :param statement: makes the statement that deletes a piece's rows and sends them as lines of CSV.
    """

    def __init__(
        self, directory: Path, facts: ArchiveFacts, statement: Callable[[Piece], Statement], clock: Clock
    ) -> None:
        self._statement = statement
        self._directory = directory
        self._facts = facts
        self._clock = clock
        self._open = ExitStack()
        self._pieces: list[PieceRecord] = []
        self._hash = hashlib.sha256()
        self._start = 0
        self._noted = 0
        self._pending: tuple[PieceRecord, Any] | None = None
        self._client: PostgresqlClient | None = None

    def begin(self, client: PostgresqlClient) -> None:
        """Make the file, its first member being the line of column names, and its journal."""
        self._client = client
        commit_for_good(client, SECONDS)
        stamp = self._clock.now().astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        self._path = self._directory / base_name(self._facts, stamp, secrets.token_hex(3))
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow([name for name, _type_name in self._facts.columns])
        with explained(self._path):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._data = self._open.enter_context(created(beside(self._path, PART)))
            self._journal = self._open.enter_context(created(beside(self._path, JOURNAL)))
            locked(self._journal, self._path.name)
            member = compressor(self._facts.compression)
            self._write(member.compress(line.getvalue().encode()) + member.flush(), self._hash)
            self._start = self._data.tell()
            settle(self._data)
            write(self._journal, journal_line(self._facts, start=self._start))
            settle(self._journal)
            self._noted = self._journal.tell()
            settle_directory(self._directory)

    def move(self, client: PostgresqlClient, piece: Piece, limit: float) -> int:
        """Delete the piece's rows, write them as one member, and note it in the journal."""
        tried = f"copy rows of {'.'.join(piece.source)} to {self._path.name}"
        copy = self._statement(piece)
        member = _Member(self._data, self._hash.copy(), compressor(self._facts.compression))
        with explained(self._path), client.guarded(tried, limit), client.connection.cursor() as cursor:
            with cursor.copy(copy.composed(client.connection), copy.parameters) as rows:
                for row in rows:
                    member.add(bytes(row))
            taken = max(0, cursor.rowcount)
        if taken == 0:
            return 0
        if member.rows != taken:
            raise StoreError(tried, f"{taken} rows left the table and {member.rows} arrived", "Report this as a fault.")
        with explained(self._path):
            member.end()
            settle(self._data)
        transaction = number_of_transaction(client, limit)
        record = PieceRecord(taken, self._data.tell(), self._key(member.first), self._key(member.last), transaction)
        with explained(self._path):
            write(self._journal, journal_line(record))
            settle(self._journal)
        self._pending = (record, member.hash)
        return taken

    def settled(self) -> None:
        """Count the piece in."""
        if self._pending:
            record, self._hash = self._pending
            self._pieces.append(record)
            self._noted = self._journal.tell()
            self._pending = None

    def undone(self) -> None:
        """Cut the piece off again, unless nobody knows what became of it: then the next run asks the server."""
        if self._client is not None and self._client.lost:
            return
        self._pending = None
        with explained(self._path):
            cut(self._data, self._pieces[-1].end if self._pieces else self._start)
            cut(self._journal, self._noted)

    def finish(self, client: PostgresqlClient) -> str:
        """Give the file its name and its manifest; a file without rows goes."""
        return finish_file(
            self._path, Journal(self._facts, self._start, tuple(self._pieces)), self._hash.hexdigest(), self._clock
        )

    def close(self) -> None:
        """Close the files. Without ``finish`` they stay as they are, and the next run finishes them."""
        self._open.close()

    def _key(self, row: bytes) -> list[str] | None:
        if not self._facts.key:
            return None
        (values,) = csv.reader(io.StringIO(row.decode(errors="replace"), newline=""))
        places = {name: number for number, (name, _type_name) in enumerate(self._facts.columns)}
        return [values[places[column]] for column in self._facts.key]

    def _write(self, raw: bytes, digest: Any) -> None:
        write(self._data, raw)
        digest.update(raw)


class _Member:
    """One compressed member of the file, being written. Its rows arrive one by one."""

    def __init__(self, data: io.FileIO, digest: Any, compressor: Compressor) -> None:
        self.hash = digest
        self.rows = 0
        self.first = self.last = b""
        self._data = data
        self._compressor = compressor

    def add(self, row: bytes) -> None:
        if not self.rows:
            self.first = row
        self.last = row
        self.rows += 1
        self._write(self._compressor.compress(row))

    def end(self) -> None:
        self._write(self._compressor.flush())

    def _write(self, raw: bytes) -> None:
        if raw:
            write(self._data, raw)
            self.hash.update(raw)
