# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A piece of a table: which rows one transaction takes, and the movers that say what becomes of them. Pure.

How a mover is written: subclass :class:`Mover`; in ``move`` run ``piece.statement("DELETE FROM {source} WHERE {chosen}
RETURNING ...")`` (or whatever takes the rows) by ``client.execute``, ``client.fetch``, or within ``client.guarded`` by
``client.connection`` for COPY; return the number of rows. The sweep owns the transaction, the retries, the sizes and
the pauses. Add the mover to ``act_rows.mover_for`` and its plan to ``decide_rules``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..identifier import quoted
from ..statement import Statement
from .predicate import Predicate, sql

if TYPE_CHECKING:
    from ..client import PostgresqlClient

__all__ = ["Mover", "Piece"]


@dataclass(frozen=True)
class Piece:
    """Rows of one table that are taken in one transaction.

    :param source: schema and name of the table that holds them, which may be a partition.
    :param chosen: the condition over its unqualified columns, ready for a statement with parameters.
    :param parameters: the condition's parameters.
    """

    source: tuple[str, str]
    chosen: str
    parameters: Mapping[str, Any]

    def statement(
        self,
        template: str,
        names: Mapping[str, tuple[str, ...]] | None = None,
        parts: Mapping[str, str] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> Statement:
        """Return a statement over the piece's rows: ``DELETE FROM {source} WHERE {chosen}`` and the like.

        :param parts: more pieces of our own SQL; percent signs in them are doubled (:func:`.predicate.sql`).
        """
        return Statement(
            template,
            names={"source": self.source, **(names or {})},
            parts={"chosen": self.chosen, **(parts or {})},
            parameters={**self.parameters, **(parameters or {})},
        )

    def unlocked(self, most: int | None = None) -> Piece:
        """Return the piece without the rows that others have locked now, so that it waits for nobody.

        :param most: take at most so many rows.
        """
        limit = "" if most is None else f" LIMIT {most}"
        source = sql(quoted(*self.source))
        # Quoted names and checked conditions only.
        inner = f"SELECT ctid FROM {source} WHERE {self.chosen}{limit} FOR UPDATE SKIP LOCKED"  # noqa: S608
        return Piece(self.source, f"ctid = ANY (ARRAY({inner}))", self.parameters)

    @classmethod
    def of(cls, source: tuple[str, str], predicate: Predicate, where: str, parameters: Mapping[str, Any]) -> Piece:
        """Return the rows of a table for which a predicate holds and which lie where a walk is now."""
        both = predicate.joined(where, parameters)
        return cls(source, both.text, both.parameters)


class Mover:
    """What becomes of the rows of each piece: a subclass deletes them, moves them, or writes over them.

    The sweep calls ``begin`` once; then for each piece, in a transaction of the source that it opens and commits
    itself, ``move``; ``settled`` when that is committed, ``undone`` when it is rolled back; at the end ``finish`` if
    all went well, and ``close`` in any case. A piece whose ``move`` raised may be tried again, without the rows that
    others hold.
    """

    def begin(self, client: PostgresqlClient) -> None:
        """Make ready: open files, connect elsewhere. Outside of any transaction."""

    def move(self, client: PostgresqlClient, piece: Piece, limit: float) -> int:
        """Take the piece's rows and return how many they were. What is kept elsewhere has to be safe when it returns.

        :param limit: seconds for each statement.
        :raises StoreError: nothing of the piece was done, or it will be rolled back.
        """
        raise NotImplementedError

    def settled(self) -> None:
        """The source has committed the piece."""

    def undone(self) -> None:
        """The source has rolled the piece back, or the connection was lost and nobody knows."""

    def finish(self, client: PostgresqlClient) -> str:
        """All pieces are done. Return what the action's detail should say of it, beyond the number of rows."""
        return ""

    def close(self) -> None:
        """Let go of files and connections, whatever happened."""
