# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The archive table of a rule: made, and kept in step with its source. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ..identifier import quoted
from ..statement import Statement
from .observation import Archive, Column, Subject

__all__ = ["ArchiveWork", "archive_columns", "archive_work", "drifted"]

WIDER = {
    "smallint": ("integer", "bigint", "numeric"),
    "integer": ("bigint", "numeric"),
    "bigint": ("numeric",),
    "real": ("double precision",),
    "character varying": ("text",),
}
"""Types, without modifiers, to those that hold every value of them unchanged."""


@dataclass(frozen=True)
class ArchiveWork:
    """What is to be done to the archive table before rows go there.

    :param kind: ``create`` or ``alter``.
    :param reason: why.
    :param statements: in this order, in one transaction.
    :param undo: what brings the former state back.
    """

    kind: str
    reason: str
    statements: tuple[Statement, ...]
    undo: str = ""


def archive_columns(subject: Subject) -> tuple[str, ...]:
    """Return the columns that are written to the archive: all of the source but those that the archive computes."""
    there = {column.name: column for column in subject.archive.columns} if subject.archive else {}
    computed = {name for name, column in there.items() if column.generated}
    return tuple(column.name for column in subject.columns if column.name not in computed)


def source_columns(subject: Subject) -> tuple[Column, ...]:
    """Return the source's columns as the archive can have them."""
    return (subject.archive.source_columns if subject.archive else ()) or subject.columns


def archive_work(subject: Subject) -> ArchiveWork | None:
    """Return what has to be done to the archive before; None: nothing.

    A type that cannot take the source's values is no work, but :func:`drifted`.
    """
    archive = subject.archive
    if archive is None:
        return None
    return _creation(subject, archive) if archive.facts is None else _change(subject, archive)


def drifted(subject: Subject) -> list[str]:
    """Return, for each column of the archive that cannot take the source's values, what is wrong."""
    if subject.archive is None:
        return []
    there = {column.name: column for column in subject.archive.columns}
    return [
        f"{column.name} is {column.type} in the source and {there[column.name].type} in the archive"
        for column in source_columns(subject)
        if column.name in there and not there[column.name].generated and not _holds(there[column.name], column)
    ]


def _holds(archived: Column, column: Column) -> bool:
    """Whether a column of the archive holds every value of the source's."""
    if archived.type == column.type:
        return True
    (kind, modifiers), (own, own_modifiers) = _split(archived.type), _split(column.type)
    if kind != own:
        return kind in WIDER.get(own, ()) and not modifiers
    if not modifiers:
        return True
    # Numbers of digits grow together; one more after the point must not cost one before it.
    if not own_modifiers or len(modifiers) != len(own_modifiers):
        return False
    before = modifiers[0] - sum(modifiers[1:]) >= own_modifiers[0] - sum(own_modifiers[1:])
    return before and all(more >= less for more, less in zip(modifiers, own_modifiers, strict=True))


def _split(type_name: str) -> tuple[str, list[int]]:
    """Return a type's name and its modifiers: ``numeric(14,2)`` is ``numeric`` with 14 and 2."""
    name, opened, rest = type_name.partition("(")
    inside, _closed, after = rest.partition(")")
    if not opened or not all(part.strip().isdecimal() for part in inside.split(",")):
        return type_name, []
    return f"{name.strip()}{after}", [int(part) for part in inside.split(",")]


def _definition(column: Column) -> str:
    collation = f" COLLATE {quoted(*column.collation)}" if column.collation else ""
    return f"{quoted(column.name)} {column.type}{collation}"


def _creation(subject: Subject, archive: Archive) -> ArchiveWork:
    columns = [_definition(column) for column in source_columns(subject)]
    if subject.key:
        columns.append(f"PRIMARY KEY ({', '.join(quoted(name) for name in subject.key.columns)})")
    table = {"archive": archive.name}
    statements = [Statement("CREATE TABLE {archive} ({columns})", table, parts={"columns": ", ".join(columns)})]
    if archive.readers:
        readers = ", ".join(archive.readers)
        statements.append(Statement("GRANT SELECT ON {archive} TO {readers}", table, parts={"readers": readers}))
    if archive.may_give:
        owner = {**table, "owner": (subject.facts.owner,)}
        statements.append(Statement("ALTER TABLE {archive} OWNER TO {owner}", owner))
    drop = Statement("DROP TABLE {archive}", table).text
    return ArchiveWork("create", "it does not exist yet", tuple(statements), drop)


def _change(subject: Subject, archive: Archive) -> ArchiveWork | None:
    there = {column.name for column in archive.columns}
    here = {column.name for column in source_columns(subject)}
    added = [column for column in source_columns(subject) if column.name not in there]
    empty = [
        column
        for column in archive.columns
        if column.name not in here and column.required and not column.defaulted and not column.generated
    ]
    if not added and not empty:
        return None
    changes = [f"ADD COLUMN {_definition(column)}" for column in added]
    changes += [f"ALTER COLUMN {quoted(column.name)} DROP NOT NULL" for column in empty]
    reasons = [f"the source has got {column.name}" for column in added]
    reasons += [f"the source has {column.name} no longer" for column in empty]
    undo = [f"DROP COLUMN {quoted(column.name)}" for column in added]
    undo += [f"ALTER COLUMN {quoted(column.name)} SET NOT NULL" for column in empty]
    table = {"archive": archive.name}
    statement = Statement("ALTER TABLE {archive} {changes}", table, parts={"changes": ", ".join(changes)})
    back = Statement("ALTER TABLE {archive} {changes}", table, parts={"changes": ", ".join(undo)}).text
    return ArchiveWork("alter", "; ".join(reasons), (statement,), back)
