# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Partitions that are old as a whole: detached and dropped, or attached to the archive, without touching a row. Pure.

A partition carries a mark from before it is detached until it has arrived, so that the next run knows it for what it is
wherever this one ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..._core.action import Action
from ..._core.units import format_size
from ..identifier import MOST_BYTES
from ..statement import Statement
from .decide_archive import ArchiveWork
from .observation import Subject
from .partition import Detached, Mark, Partition, Partitions, parse_mark, write_mark
from .rule import TableTarget

__all__ = ["PartitionWork", "by_rows", "gone_leaves", "is_ours", "partition_actions", "partitioned", "whole"]

CONCURRENTLY = 140000
"""Version that can detach without locking the table. Source: release notes of PostgreSQL 14."""


@dataclass(frozen=True)
class PartitionWork:
    """One partition's way.

    :param partition: schema and name.
    :param table: the table that it is a partition of.
    :param mark: puts the mark on it.
    :param detach: takes it off its table.
    :param locked: whether ``detach`` needs the table's strongest lock, which is taken first.
    :param finalize: brings an unfinished ``detach`` to its end.
    :param arrive: what becomes of it then, in one transaction.
    :param back: attaches it to its table again.
    :param unmark: gives it the comment back that it had.
    :param keeps: whether its rows go anywhere: if they cannot, it goes back.
    """

    partition: tuple[str, str]
    table: tuple[str, str]
    mark: Statement
    detach: Statement
    locked: bool
    finalize: Statement
    arrive: tuple[Statement, ...]
    back: Statement
    unmark: Statement
    keeps: bool


def by_rows(subject: Subject, found: Partitions) -> str:
    """Return why a rule takes rows even of partitions that are old as a whole; empty: it takes those as they are."""
    rule, scheme = subject.rule, found.scheme
    reasons = {
        "the rule says so": not rule.whole_partitions,
        "the rule has a condition": bool(rule.where),
        "max_changes counts rows": found.counted,
        "the age column does not partition it": not scheme.column or scheme.column != rule.age_column,
        "other tables refer to it": bool(subject.references),
        "triggers look at every row": any("delete" in trigger.fires_on for trigger in subject.triggers),
        "row security is in force": subject.facts.secured,
        "the user does not own it": not scheme.owned,
        "subscribers follow its rows": scheme.published,
        "the archive takes rows only": rule.action == "archive"
        and not (isinstance(rule.target, TableTarget) and found.archive_ready),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def whole(subject: Subject, found: Partitions) -> list[Partition]:
    """Return the partitions that are taken as they are."""
    if by_rows(subject, found):
        return []
    archived = subject.rule.action == "archive"
    return [
        partition
        for partition in found.partitions
        if partition.owned
        and (is_ours(partition.comment, subject) if partition.pending else partition.old)
        and (partition.fits or not archived)
    ]


def partition_actions(subject: Subject, version: int) -> list[Action]:
    """Return an action for each partition that is old as a whole, and for each that is under way already.

    :param version: the server's, as a number.
    """
    found = subject.more.get("partitions")
    if not isinstance(found, Partitions):
        return []
    actions = [_finish(subject, found, table) for table in found.detached]
    return actions + [_take(subject, found, partition, version) for partition in whole(subject, found)]


def gone_leaves(subject: Subject) -> list[int]:
    """Return the tables whose rows go with whole partitions, by oid."""
    found = subject.more.get("partitions")
    return [leaf for entry in whole(subject, found) for leaf in entry.leaves] if isinstance(found, Partitions) else []


def partitioned(work: ArchiveWork, subject: Subject) -> ArchiveWork:
    """Return the making of an archive so that it can take partitions, where the rule takes any."""
    found = subject.more.get("partitions")
    takes = isinstance(found, Partitions) and bool(found.detached or whole(subject, found))
    if work.kind != "create" or not takes or subject.archive is None or subject.rule.age_column is None:
        return work
    (create, *others), (schema, name) = work.statements, subject.archive.name
    create = replace(
        create,
        template=f"{create.template} PARTITION BY RANGE ({{age}})",
        names={**create.names, "age": (subject.rule.age_column,)},
    )
    rest = Statement(
        "CREATE TABLE {rest} PARTITION OF {archive} DEFAULT",
        {"rest": (schema, shortened(name, "_default")), "archive": (schema, name)},
    )
    return replace(work, statements=(create, rest, *others))


def shortened(name: str, ending: str) -> str:
    """Return a name with an ending, cut so that the server keeps all of it."""
    return name.encode()[: MOST_BYTES - len(ending)].decode(errors="ignore") + ending


def is_ours(comment: str, subject: Subject) -> bool:
    """Whether a comment is a mark of this rule."""
    mark = parse_mark(comment)
    return mark is not None and (mark.rule, mark.table) == (subject.rule.name, subject.facts.parts)


def _take(subject: Subject, found: Partitions, partition: Partition, version: int) -> Action:
    mark = parse_mark(partition.comment) or Mark(
        subject.rule.name, subject.facts.parts, partition.bound, partition.comment
    )
    locked = version < CONCURRENTLY or found.scheme.default
    work = _work(subject, partition.parts, mark, locked, partition.foreign_keys)
    steps = [work.finalize] if partition.pending else [work.mark, work.detach]
    rows = f"about {partition.rows:.0f} rows" if partition.rows >= 0 else "rows never counted"
    reason = f"{subject.rule.name}: all of it is older than {subject.rule.older_text}: {rows}"
    return _action(subject, work, [*steps, *work.arrive], f"{reason}, {format_size(partition.bytes)}")


def _finish(subject: Subject, found: Partitions, table: Detached) -> Action:
    mark = parse_mark(table.comment) or Mark(subject.rule.name, subject.facts.parts, "", "")
    work = _work(subject, table.parts, mark, found.scheme.default, table.foreign_keys)
    return _action(subject, work, list(work.arrive), f"{subject.rule.name}: an earlier run detached it and was cut off")


def _action(subject: Subject, work: PartitionWork, steps: list[Statement], reason: str) -> Action:
    shown = ";\n".join(step.text for step in steps)
    undo = _move(work.back, subject).text if subject.rule.action == "archive" else ""
    kind = "drop" if subject.rule.action == "delete" else "attach"
    return Action(f"{kind} partition", ".".join(work.partition), reason, shown, undo=undo, work=work)


def _move(back: Statement, subject: Subject) -> Statement:
    """Return what brings a partition back from the archive."""
    archive = subject.archive.name if subject.archive else subject.facts.parts
    detach = "ALTER TABLE {archive} DETACH PARTITION {partition};\n"
    return Statement(detach + back.template, {**back.names, "archive": archive}, parts=back.parts)


def _work(
    subject: Subject, partition: tuple[str, str], mark: Mark, locked: bool, foreign_keys: tuple[str, ...] | list[str]
) -> PartitionWork:
    names = {"table": subject.facts.parts, "partition": partition}
    concurrently = "" if locked else " CONCURRENTLY"
    attach = "ATTACH PARTITION {partition} {bound}"
    return PartitionWork(
        partition=partition,
        table=subject.facts.parts,
        mark=_comment(partition, write_mark(mark)),
        detach=Statement(f"ALTER TABLE {{table}} DETACH PARTITION {{partition}}{concurrently}", names),
        locked=locked,
        finalize=Statement("ALTER TABLE {table} DETACH PARTITION {partition} FINALIZE", names),
        arrive=_arrival(subject, partition, mark, foreign_keys),
        back=Statement(f"ALTER TABLE {{table}} {attach}", names, parts={"bound": mark.bound}),
        unmark=_comment(partition, mark.comment or None),
        keeps=subject.rule.action == "archive",
    )


def _arrival(
    subject: Subject, partition: tuple[str, str], mark: Mark, foreign_keys: tuple[str, ...] | list[str]
) -> tuple[Statement, ...]:
    names = {"partition": partition}
    if subject.rule.action == "delete" or subject.archive is None:
        return (Statement("DROP TABLE {partition}", names),)
    # A foreign key would keep rows of live tables for the sake of archived ones.
    drops = [
        Statement("ALTER TABLE {partition} DROP CONSTRAINT {key}", {**names, "key": (key,)}) for key in foreign_keys
    ]
    attach = Statement(
        "ALTER TABLE {archive} ATTACH PARTITION {partition} {bound}",
        {**names, "archive": subject.archive.name},
        parts={"bound": mark.bound},
    )
    return (*drops, attach, _comment(partition, mark.comment or None))


def _comment(partition: tuple[str, str], text: str | None) -> Statement:
    return Statement("COMMENT ON TABLE {partition} IS {text}", {"partition": partition}, {"text": text})
