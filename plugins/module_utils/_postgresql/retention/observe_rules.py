# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what each rule is about: its table, how many rows fulfil it, who refers to them, where they would go."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, NamedTuple

from ..._core.errors import InvalidInput, StoreError, StoreTimeout
from ..._core.runner import Context
from ..client import PostgresqlClient
from ..identifier import quoted
from ..observe_locked import observe_locked
from ..relation import resolve_relations
from .chosen import chosen_by
from .decide_fields import field_refusal
from .decide_partitions import gone_leaves
from .observation import Archive, Count, Observation, Subject
from .observe_tables import Catalogue, read_catalogue, read_leaves, read_search_path
from .piece import Piece
from .predicate import unreferred
from .rule import Rule, TableTarget
from .session import as_the_application
from .validate import check_subject

__all__ = ["observe_rules"]

EXACTLY = 100_000
"""Rows that are counted; of more an estimate is enough to decide on."""

MOST_COUNT_SECONDS = 60.0

BAD_SQL = ("22", "42")
"""Classes of SQLSTATE: values and SQL that cannot be understood. Source: appendix A of PostgreSQL's documentation."""
DENIED = "42501"

KINDS = ("r", "p", "f", "m", "v")

ARCHIVE = """
SELECT to_regclass(%(name)s)::oid::bigint AS oid,
    (SELECT oid FROM pg_namespace WHERE nspname = %(schema)s) IS NOT NULL AS schema_exists,
    coalesce((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = %(schema)s), false)
        AS may_create,
    pg_has_role(current_user, c.relowner, 'MEMBER') AS may_give,
    ARRAY(SELECT DISTINCT CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END
        FROM aclexplode(c.relacl) acl WHERE acl.privilege_type = 'SELECT' AND acl.grantee <> c.relowner
        ORDER BY 1) AS readers
FROM pg_class c WHERE c.oid = %(source)s::oid"""


class _Archive(NamedTuple):
    oid: int | None
    schema_exists: bool
    may_create: bool
    may_give: bool
    readers: list[str]


class _Rows(NamedTuple):
    rows: int


class _Found(NamedTuple):
    found: bool


class _Plan:
    """EXPLAIN's answer: one column, whose name no field can have."""

    def __init__(self, **columns: Any) -> None:
        found = next(iter(columns.values()))
        document = json.loads(found) if isinstance(found, str) else found
        self.rows = int(document[0]["Plan"]["Plan Rows"])


def observe_rules(
    client: PostgresqlClient,
    context: Context,
    rules: Sequence[Rule],
    more: Callable[[PostgresqlClient, Subject], Subject],
) -> Observation:
    """Read everything that is decided from.

    :param more: adds what a rule needs to know beside its table.
    :raises InvalidInput: a rule names what is not there, or its condition is none.
    """
    relations = [_resolve(client, rule) for rule in rules]
    held = {table.oid: table for table in observe_locked(client)}
    locked = tuple((rule, held[oid]) for rule, oid in zip(rules, relations, strict=True) if oid in held)
    rules = [rule for rule, oid in zip(rules, relations, strict=True) if oid not in held]
    relations = [oid for oid in relations if oid not in held]
    catalogue = read_catalogue(client, sorted(set(relations)))
    subjects = [_subject(client, rule, catalogue, oid) for rule, oid in zip(rules, relations, strict=True)]
    for subject in subjects:
        check_subject(subject)
    subjects = [more(client, subject) for subject in subjects]
    path = read_search_path(client)
    limit = min(MOST_COUNT_SECONDS, context.deadline.remaining / 4)
    with as_the_application(client, path):
        counted = tuple(_counted(client, subject, limit) for subject in subjects)
    return Observation(client.server, counted, path, locked)


def _resolve(client: PostgresqlClient, rule: Rule) -> int:
    (relation,) = resolve_relations(client, f"rules[{rule.name}].table", [quoted(*rule.table)], KINDS)
    return relation.oid


def _subject(client: PostgresqlClient, rule: Rule, catalogue: Catalogue, oid: int) -> Subject:
    facts = catalogue.facts[oid]
    now = datetime.fromtimestamp(client.server.now, timezone.utc)
    return Subject(
        rule=rule,
        facts=facts,
        columns=catalogue.columns[oid],
        indexes=catalogue.indexes[oid],
        references=catalogue.references[oid],
        triggers=catalogue.triggers[oid],
        leaves=read_leaves(client, facts),
        before=rule.older_than.before(now) if rule.older_than else None,
        archive=_archive(client, rule, catalogue, oid),
    )


def _archive(client: PostgresqlClient, rule: Rule, catalogue: Catalogue, oid: int) -> Archive | None:
    """Read the archive table of a rule that has one in this database."""
    if not isinstance(rule.target, TableTarget):
        return None
    facts = catalogue.facts[oid]
    table = rule.target.table
    name = (table[0], table[1]) if len(table) == 2 else (facts.schema, table[0])
    values = {"name": quoted(*name), "schema": name[0], "source": oid}
    found = client.row("read the archive table", ARCHIVE, _Archive, values)
    option = f"rules[{rule.name}].archive_to"
    if not found.schema_exists:
        raise InvalidInput(option, f"there is no schema {name[0]!r}", "Create it, or name another one.")
    archive = Archive(name, None, readers=tuple(found.readers), may_create=found.may_create, may_give=found.may_give)
    if found.oid is None:
        return archive
    if found.oid == oid:
        raise InvalidInput(option, "the archive is the table itself", "Name another table.")
    own = read_catalogue(client, [found.oid])
    return replace(archive, facts=own.facts[found.oid], columns=own.columns[found.oid], indexes=own.indexes[found.oid])


def _counted(client: PostgresqlClient, subject: Subject, limit: float) -> Subject:
    """Add how many rows there are, and whether others refer to them."""
    if not subject.facts.may_select or subject.facts.kind not in ("r", "p") or subject.facts.inherited:
        return subject
    if field_refusal(subject):
        return subject
    gone = gone_leaves(subject)
    rest = ("tableoid <> ALL (%(gone)s::oid[])", {"gone": gone}) if gone else ("", {})
    everything = Piece.of(subject.facts.parts, chosen_by(subject), *rest)
    try:
        count = _count(client, everything, limit)
    except StoreError as error:
        if (error.code or "").startswith(BAD_SQL) and error.code != DENIED:
            raise InvalidInput(
                f"rules[{subject.rule.name}]", error.why, "Check its where, and its values against the columns' types."
            ) from error
        raise
    referred: tuple[str, ...] = ()
    if count.rows and subject.rule.takes_rows_away and subject.rule.on_cascade == "refuse":
        referred = tuple(
            f"{reference.label} ({reference.name})"
            for reference in subject.references
            if _refer(client, everything, unreferred([reference], subject.facts.name), limit)
        )
    return replace(subject, count=count, referred=referred)


def _count(client: PostgresqlClient, everything: Piece, limit: float) -> Count:
    """Count up to a number; beyond it, or where the time is too short, take the planner's estimate."""
    found = everything.statement(
        "SELECT count(*) AS rows FROM (SELECT FROM {source} WHERE {chosen} LIMIT {most}) AS found",
        parts={"most": str(EXACTLY + 1)},
    )
    plan = everything.statement("EXPLAIN (FORMAT JSON) SELECT FROM {source} WHERE {chosen}")
    try:
        rows = client.fetch("count the rows", found, _Rows, limit)[0].rows
    except StoreTimeout:
        if client.lost:
            raise
        rows = EXACTLY + 1
    if rows <= EXACTLY:
        return Count(rows, True)
    return Count(client.fetch("estimate the rows", plan, _Plan, limit)[0].rows, False)


def _refer(client: PostgresqlClient, everything: Piece, unreferred_text: str, limit: float) -> bool:
    """Whether rows of another table refer to rows that the rule is about; yes if there was no time to find out."""
    question = everything.statement(
        "SELECT EXISTS (SELECT FROM {source} WHERE {chosen} AND NOT ({unreferred})) AS found",
        parts={"unreferred": unreferred_text},
    )
    try:
        return client.fetch("look for rows that refer to them", question, _Found, limit)[0].found
    except StoreTimeout:
        if client.lost:
            raise
        return True
