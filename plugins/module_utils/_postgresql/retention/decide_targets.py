# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be done for archives outside of the source database, and to finish what an earlier run left. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from ..._core.action import Action
from ..statement import Statement
from .decide_archive import ArchiveWork, archive_columns
from .ledger import LEDGER, create_ledger
from .manifest import ArchiveFacts
from .observation import Subject
from .piece import Piece
from .rule import FileTarget
from .statements import column_list

__all__ = [
    "FinishFile",
    "FinishLedger",
    "OtherArchiveWork",
    "Target",
    "archive_facts",
    "file_statement",
    "finish_actions",
    "ledger_action",
    "pipe_statement",
]


@dataclass(frozen=True)
class Target:
    """What was observed of an archive outside of the source database.

    :param source: the source: its system identifier and its database.
    :param unfinished: what an earlier run left: journals of files, or ``ledger``.
    :param ledger: of another database: whether it has the ledger.
    """

    source: str
    unfinished: tuple[str, ...] = ()
    ledger: bool = True


@dataclass(frozen=True)
class FinishFile:
    """A file that a run left unfinished. :param journal: path of its journal."""

    journal: str
    source: str


@dataclass(frozen=True)
class FinishLedger:
    """A ledger with pieces in doubt."""

    subject: Subject


@dataclass(frozen=True)
class OtherArchiveWork:
    """What is to be done in another database before rows go there."""

    subject: Subject
    work: ArchiveWork


def finish_actions(subject: Subject) -> list[Action]:
    """Return the actions that finish what an earlier run left."""
    target = subject.more.get("target")
    if not isinstance(target, Target):
        return []
    reason = f"{subject.rule.name}: an earlier run was cut off"
    if isinstance(subject.rule.target, FileTarget):
        return [
            Action("finish", path.rpartition("/")[2], reason, work=FinishFile(path, target.source))
            for path in target.unfinished
        ]
    if target.unfinished and subject.archive is not None:
        return [Action("finish", ".".join(subject.archive.name), reason, work=FinishLedger(subject))]
    return []


def ledger_action(subject: Subject) -> Action | None:
    """Return the action that makes the ledger of another database, None if it is there or not needed."""
    target = subject.more.get("target")
    if not isinstance(target, Target) or target.ledger or subject.archive is None:
        return None
    schema = subject.archive.name[0]
    statement = create_ledger(schema)
    drop = Statement("DROP TABLE {ledger}", {"ledger": (schema, LEDGER)}).text
    work = ArchiveWork("create", "rows in doubt are written down there", (statement,), drop)
    reason = f"{subject.rule.name}: {work.reason}"
    return Action(
        "create", f"{schema}.{LEDGER}", reason, statement.text, undo=drop, work=OtherArchiveWork(subject, work)
    )


def archive_facts(subject: Subject, version: str, started: datetime) -> ArchiveFacts:
    """Return what a file of the rule's rows will hold.

    :param version: the server's.
    """
    target, rule = subject.more["target"], subject.rule
    compression = rule.target.compression if isinstance(rule.target, FileTarget) else "gzip"
    return ArchiveFacts(
        rule=rule.name,
        table=subject.facts.parts,
        columns=tuple((column.name, column.type) for column in subject.columns if not column.generated),
        left_out=tuple(column.name for column in subject.columns if column.generated),
        key=_plain_key(subject),
        compression=compression,
        server=version,
        database=target.source.split("/", 2)[2],
        system=target.source,
        started=started.astimezone(timezone.utc).isoformat(timespec="seconds"),
        before=subject.before.astimezone(timezone.utc).isoformat() if subject.before else None,
    )


def _plain_key(subject: Subject) -> tuple[str, ...]:
    """Return the key, unless a column of it is not written down."""
    key = tuple(subject.key.columns) if subject.key else ()
    generated = {column.name for column in subject.columns if column.generated}
    return () if generated & set(key) else key


def file_statement(piece: Piece, subject: Subject) -> Statement:
    """Delete the piece's rows and send them, in the order of their key, as lines of CSV."""
    columns = column_list([column.name for column in subject.columns if not column.generated])
    key = _plain_key(subject)
    return piece.statement(
        "COPY (WITH taken AS (DELETE FROM {source} WHERE {chosen} RETURNING {columns})"
        " SELECT {columns} FROM taken{order}) TO STDOUT (FORMAT csv, ENCODING 'UTF8')",
        parts={"columns": columns, "order": f" ORDER BY {column_list(key)}" if key else ""},
    )


def pipe_statement(piece: Piece, subject: Subject) -> Statement:
    """Delete the piece's rows and send them as another database takes them."""
    columns = archive_columns(subject)
    return piece.statement(
        "COPY (DELETE FROM {source} WHERE {chosen} RETURNING {columns}) TO STDOUT (ENCODING 'UTF8')",
        parts={"columns": column_list(columns)},
    )
