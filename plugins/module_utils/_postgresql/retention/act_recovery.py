# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finishes the files that a run left which was cut off."""

from __future__ import annotations

from io import FileIO
from pathlib import Path

from ..._core.clock import Clock
from ..._core.errors import LockHeld, StoreError
from ..client import PostgresqlClient
from .archive_files import beside, cut, digest_of, explained, finish_file, locked
from .manifest import JOURNAL, PART, Journal, PieceRecord, parse_journal
from .transactions import status_of_transaction

__all__ = ["recover"]


def recover(client: PostgresqlClient, path: Path, system: str, limit: float, clock: Clock) -> str:
    """Finish a file that a run which was cut off left, and return what became of it, for people.

    Only the last piece is in doubt; the source knows whether the transaction that took its rows was committed.

    :param path: the journal.
    :param system: which server and database the client is connected to, as in :class:`ArchiveFacts`.
    :raises LockHeld: the run is still at work, or its last transaction is.
    :raises StoreError: the file cannot be finished.
    """
    final = path.with_name(path.name.removesuffix(JOURNAL))
    if not path.exists():
        return f"{final.name}: another run has finished it"
    with explained(path), FileIO(path, "r+") as handle:
        locked(handle, final.name)
        journal = parse_journal(handle.readall())
        part = beside(final, PART)
        if journal is None:
            part.unlink(missing_ok=True)
            path.unlink()
            return f"{final.name}: removed, nothing had been written to it"
        if journal.facts.system != system:
            raise StoreError(
                f"finish {final.name}",
                f"its rows come from another server or database ({journal.facts.system})",
                "Run the rule there, or move the file away.",
            )
        pieces, doubt = _committed(client, journal, final.name, limit)
        whole = Journal(journal.facts, journal.start, pieces)
        if not part.exists():
            if not final.exists():
                raise StoreError(
                    f"finish {final.name}", "the file itself is gone", "Bring it back, or remove its journal."
                )
            return finish_file(final, whole, "", clock) + doubt
        with FileIO(part, "r+") as data:
            cut(data, pieces[-1].end if pieces else journal.start)
            digest = digest_of(data).hexdigest()
        return finish_file(final, whole, digest, clock) + doubt


def _committed(
    client: PostgresqlClient, journal: Journal, name: str, limit: float
) -> tuple[tuple[PieceRecord, ...], str]:
    """Return the pieces whose rows have left the source, and a word where that is not known."""
    if not journal.pieces:
        return (), ""
    last = journal.pieces[-1]
    status = status_of_transaction(client, last.transaction, limit)
    if status == "in progress":
        raise LockHeld(f"finish {name}", "the transaction that wrote it has not ended yet", "Run again in a minute.")
    if status == "aborted":
        return journal.pieces[:-1], ""
    if status is None:
        return journal.pieces, f"; whether its last {last.rows} rows left the table is no longer known: compare them"
    return journal.pieces, ""
