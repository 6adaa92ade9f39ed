# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes the rows of a rule: deletes them, moves them to a table, writes over them."""

from __future__ import annotations

from collections.abc import Callable

from ..client import PostgresqlClient
from ..statement import Statement
from .assignment import assignments
from .chosen import chosen_by
from .decide_archive import ArchiveWork, archive_columns
from .decide_rules import RowsWork
from .observation import Leaf, Reference, Subject
from .piece import Mover, Piece
from .rule import TableTarget
from .statements import archive_statement, delete_statement, update_statement
from .walk import AgeWalk, KeyWalk, PageWalk, Walk

__all__ = ["StatementMover", "do_archive_work", "mover_for", "silent_references", "walks_of"]


class StatementMover(Mover):
    """Takes the rows of a piece by one statement.

    :param statement: makes it.
    :param note: what to say at the end.
    """

    def __init__(self, statement: Callable[[Piece], Statement], note: str = "") -> None:
        self._statement = statement
        self._note = note

    def move(self, client: PostgresqlClient, piece: Piece, limit: float) -> int:
        """Run it."""
        return client.execute(f"take rows of {'.'.join(piece.source)}", self._statement(piece), limit)

    def finish(self, client: PostgresqlClient) -> str:
        """Say what there is to say."""
        return self._note


def mover_for(work: RowsWork) -> Mover:
    """Return what does a rule's action."""
    subject, rule = work.subject, work.subject.rule
    if rule.action == "delete":
        return StatementMover(delete_statement)
    if rule.action == "update":
        changes, parameters = assignments(subject)
        return StatementMover(lambda piece: update_statement(piece, changes, parameters))
    if rule.action == "archive" and isinstance(rule.target, TableTarget) and subject.archive is not None:
        archive, columns = subject.archive.name, archive_columns(subject)
        return StatementMover(lambda piece: archive_statement(piece, archive, columns))
    raise NotImplementedError(f"{rule.action} of rule {rule.name}")


def walks_of(work: RowsWork) -> list[Walk]:
    """Return a way through each table that holds rows of the rule."""
    return [_walk(work.subject, work.way, leaf) for leaf in work.subject.leaves]


def _walk(subject: Subject, way: str, leaf: Leaf) -> Walk:
    chosen = chosen_by(subject, leaf.name)
    types = {column.name: column.type for column in subject.columns}
    if way == "pages":
        return PageWalk(leaf, chosen)
    if way == "age" and subject.rule.age_column is not None:
        return AgeWalk(leaf, chosen, subject.rule.age_column, types[subject.rule.age_column])
    columns = list(subject.key.columns) if subject.key else []
    return KeyWalk(leaf, chosen, columns, [types[name] for name in columns])


def silent_references(subject: Subject) -> list[Reference]:
    """Return the foreign keys by which deleting a row would change rows that refer to it, without a word."""
    if not subject.rule.takes_rows_away or subject.rule.on_cascade == "include":
        return []
    return [reference for reference in subject.references if reference.on_delete in ("c", "n", "d")]


def do_archive_work(client: PostgresqlClient, work: ArchiveWork, limit: float) -> None:
    """Make the archive table, or bring it in step with its source: all of it or nothing."""
    with client.transaction("prepare the archive"):
        for statement in work.statements:
            client.execute("prepare the archive", statement, limit)
