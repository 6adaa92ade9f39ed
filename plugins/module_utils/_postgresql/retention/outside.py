# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rules have to do with outside of the source database: another database, files, and the key of anonymity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ..._core.action import Action, ActionState
from ..._core.connection import Connection
from ..._core.dependency import ZSTANDARD
from ..._core.errors import InvalidInput
from ..._core.runner import Context
from ..client import PostgresqlClient, connect
from ..identifier import quoted
from ..options import DEFAULTS
from .act_database import DatabaseMover, settle_ledger
from .act_file import FileMover
from .act_partitions import take_partition
from .act_recovery import recover
from .act_rows import StatementMover, do_archive_work
from .archive_files import leftovers
from .decide_archive import archive_columns
from .decide_fields import CleanWork, FieldFacts, fields_of, told_elsewhere
from .decide_partitions import PartitionWork
from .decide_rules import RowsWork
from .decide_targets import (
    FinishFile,
    FinishLedger,
    OtherArchiveWork,
    Target,
    archive_facts,
    file_statement,
    pipe_statement,
)
from .key import check_key
from .ledger import LEDGER, Entry, unfinished
from .methods import changes, parse_method
from .observation import Archive, Column, Subject
from .observe_fields import give_key, observe_exposure, observe_fields
from .observe_partitions import observe_partitions
from .observe_tables import read_catalogue
from .piece import Mover
from .rule import DatabaseTarget, FileTarget, Rule
from .statements import update_statement
from .transactions import identity_of_source

__all__ = ["Outside"]

SECONDS = 30.0

THERE = """
SELECT to_regclass(%(name)s)::oid::bigint AS oid, to_regclass(%(ledger)s) IS NOT NULL AS ledger,
    EXISTS (SELECT FROM pg_namespace WHERE nspname = %(schema)s) AS schema_exists,
    coalesce((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = %(schema)s), false)
        AS may_create,
    ARRAY(SELECT t FROM unnest(%(types)s::text[]) AS t WHERE to_regtype(t) IS NULL) AS unknown"""


class _There(NamedTuple):
    oid: int | None
    ledger: bool
    schema_exists: bool
    may_create: bool
    unknown: list[str]


class Outside:
    """What a run has to do with beside the source.

    :param lock_timeout: seconds that a statement in another database may wait for a lock.
    :raises InvalidInput: a rule asks for what cannot be, or the key is missing.
    :raises MissingDependency: a rule wants zstd, and zstandard is not installed.
    """

    def __init__(self, context: Context, rules: Sequence[Rule], lock_timeout: float) -> None:
        self._context = context
        self._lock_timeout = lock_timeout
        self._targets = {
            rule.name: Connection.nested(
                context, rule.target.connection, f"rules[{rule.name}].archive_to.database", DEFAULTS
            )
            for rule in rules
            if isinstance(rule.target, DatabaseTarget)
        }
        self._key = _key(context, rules)
        self._exposed: str | None = None
        for rule in rules:
            if isinstance(rule.target, FileTarget) and rule.target.compression == "zstd":
                ZSTANDARD.load()

    def observe(self, client: PostgresqlClient, subject: Subject) -> Subject:
        """Add what a rule needs to know of the world outside of its table."""
        rule = subject.rule
        subject = observe_partitions(client, subject, self._context.params.get("max_changes") is not None)
        if rule.action == "anonymize":
            return replace(subject, more={"fields": self._fields(client, subject)})
        if isinstance(rule.target, FileTarget):
            found = leftovers(Path(rule.target.directory), subject.facts.parts, rule.name)
            return replace(subject, more={"target": Target(identity_of_source(client), found)})
        if isinstance(rule.target, DatabaseTarget):
            return self._database(client, subject, rule.target)
        return subject

    def mover(self, client: PostgresqlClient, work: RowsWork) -> Mover | None:
        """Return what does a rule's action, None if it is done within the source database."""
        subject, rule = work.subject, work.subject.rule
        if rule.action == "anonymize":
            columns, parameters = changes(fields_of(subject))
            note = told_elsewhere(subject.more["fields"].elsewhere, subject.triggers)
            return StatementMover(lambda piece: update_statement(piece, columns, parameters), note)
        if isinstance(rule.target, FileTarget):
            facts = archive_facts(subject, client.server.version, self._context.clock.now())
            return FileMover(
                Path(rule.target.directory), facts, lambda piece: file_statement(piece, subject), self._context.clock
            )
        if isinstance(rule.target, DatabaseTarget) and subject.archive is not None:
            name, taken, source = subject.archive.name, archive_columns(subject), subject.more["target"].source
            return DatabaseMover(
                lambda: self._connected(rule), name, taken, source, lambda piece: pipe_statement(piece, subject)
            )
        return None

    def carry_out(self, client: PostgresqlClient, action: Action) -> Action | None:
        """Do an action that is not about rows; None if it is none of those known here."""
        work, left = action.work, self._context.deadline.remaining
        if isinstance(work, PartitionWork):
            return action.became(ActionState.DONE, take_partition(client, work, self._context))
        if isinstance(work, CleanWork):
            client.execute("vacuum the table", work.statement, left)
            skipped = "; ".join(client.notices)
            return action.became(ActionState.SKIPPED if skipped else ActionState.DONE, skipped or "done")
        if isinstance(work, FinishFile):
            told = recover(client, Path(work.journal), work.source, SECONDS, self._context.clock)
            return action.became(ActionState.DONE, told)
        if isinstance(work, FinishLedger) and work.subject.archive is not None:
            with self._connected(work.subject.rule) as there:
                told = settle_ledger(client, there, work.subject.archive.name, work.subject.more["target"].source)
            return action.became(ActionState.DONE, told)
        if isinstance(work, OtherArchiveWork):
            with self._connected(work.subject.rule) as there:
                do_archive_work(there, work.work, left)
            return action.became(ActionState.DONE, "done")
        return None

    def _fields(self, client: PostgresqlClient, subject: Subject) -> FieldFacts:
        keyed = any(entry.method.keyed for entry in fields_of(subject))
        if keyed and self._exposed is None:
            self._exposed = observe_exposure(client)
            if not self._exposed and self._key is not None:
                give_key(client, self._key, SECONDS)
        return observe_fields(client, subject, self._exposed or "")

    def _database(self, client: PostgresqlClient, subject: Subject, target: DatabaseTarget) -> Subject:
        """Read what there is in the other database."""
        source, option = identity_of_source(client), f"rules[{subject.rule.name}].archive_to"
        table = target.table or (subject.facts.name,)
        name = (table[0], table[1]) if len(table) == 2 else (subject.facts.schema, table[0])
        with self._connected(subject.rule, read_only=True) as there:
            if identity_of_source(there) == source and name == subject.facts.parts:
                raise InvalidInput(option, "the archive is the table itself", "Name another table or database.")
            values = {
                "name": quoted(*name),
                "schema": name[0],
                "ledger": quoted(name[0], LEDGER),
                "types": sorted({column.type for column in subject.columns}),
            }
            found = there.row("read the other database", THERE, _There, values)
            if not found.schema_exists:
                raise InvalidInput(
                    option,
                    f"the database {there.server.database} has no schema {name[0]!r}",
                    "Create it, or name another one.",
                )
            # What the other database has no type for is kept as text, which every value can be written as.
            columns = tuple(_portable(column, found.unknown) for column in subject.columns)
            archive = Archive(name, None, may_create=found.may_create, source_columns=columns)
            if found.oid is not None:
                own = read_catalogue(there, [found.oid])
                archive = replace(
                    archive, facts=own.facts[found.oid], columns=own.columns[found.oid], indexes=own.indexes[found.oid]
                )
            entries = there.fetch("read the ledger", unfinished(name, source), Entry, SECONDS) if found.ledger else []
        doubts = ("ledger",) if entries else ()
        return replace(subject, archive=archive, more={"target": Target(source, doubts, found.ledger)})

    @contextmanager
    def _connected(self, rule: Rule, read_only: bool = False) -> Iterator[PostgresqlClient]:
        with connect(self._targets[rule.name], self._context.deadline) as there:
            if not read_only:
                there.allow_writes(self._lock_timeout)
            yield there


def _portable(column: Column, unknown: Sequence[str]) -> Column:
    """Return a column as a database can have it that lacks some types, and perhaps collations."""
    return column._replace(type="text" if column.type in unknown else column.type, collation=())


def _key(context: Context, rules: Sequence[Rule]) -> str | None:
    """Return the key, from the option or its file.

    :raises InvalidInput: a rule needs one and there is none, or it is too short.
    """
    needing = [
        rule
        for rule in rules
        for column, given in rule.fields.items()
        if parse_method(given, f"rules[{rule.name}].fields.{column}").keyed
    ]
    if not needing:
        return None
    key, option = context.params.get("key"), "key"
    if key is None and context.params.get("key_file"):
        option = "key_file"
        try:
            key = Path(context.params["key_file"]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(option, f"it cannot be read: {error}", "Give a file that holds the key.") from error
    if key is None:
        raise InvalidInput(
            "key", f"the rule {needing[0].name} cannot do without one", "Make one with: openssl rand -hex 32; keep it."
        )
    context.secrets.add(key)
    check_key(key, option)
    return str(key)
