# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes rows anonymous, what must not be made so, and where else their data may lie. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..._core.action import Action
from ..._core.finding import Finding
from ..._core.severity import Severity
from ..statement import Statement
from .methods import FAKES, SHORTEST_HASH, Field, parse_method
from .observation import Column, Subject, Trigger

__all__ = ["CleanWork", "Elsewhere", "FieldFacts", "clean_action", "field_refusal", "fields_of", "told_elsewhere"]

UNIQUE_DIGITS = 32
"""Fewest digits of a hash in a unique column: two of a hundred million values meet once in 10**13 times or rarer."""


class Elsewhere(NamedTuple):
    """Where the database keeps more of the same data.

    :param tables: other tables and materialized views with columns of these names, as ``schema.table (column)``.
    :param standbys: connected servers that replay the write-ahead log.
    :param slots: replication slots and publications.
    :param archived: whether the write-ahead log is archived.
    :param logged: whether statements are written to the server's log.
    """

    tables: tuple[str, ...] | list[str]
    standbys: int
    slots: int
    archived: bool
    logged: bool


class FieldFacts(NamedTuple):
    """What is read beside the columns for a rule that makes them anonymous.

    :param linked: columns that are part of a foreign key, of this table or of another one that points here.
    :param unique: columns that a unique or exclusion index is about, in whatever way.
    :param exposed: why the server would write the key to its log; empty: it would not.
    """

    linked: tuple[str, ...] | list[str]
    unique: tuple[str, ...] | list[str]
    exposed: str
    elsewhere: Elsewhere


@dataclass(frozen=True)
class CleanWork:
    """A table whose dead rows and statistics still hold old values."""

    statement: Statement


def fields_of(subject: Subject) -> tuple[Field, ...]:
    """Return the columns of a rule with their types and methods. Columns that do not exist are left out.

    :raises InvalidInput: a method is none.
    """
    option = f"rules[{subject.rule.name}].fields"
    found = [(subject.column(name), given) for name, given in subject.rule.fields.items()]
    return tuple(
        Field(column.name, column.type, parse_method(given, f"{option}.{column.name}"))
        for column, given in found
        if column is not None
    )


def _problems(subject: Subject, facts: FieldFacts) -> list[str]:
    """Return why columns must not be made anonymous as the rule says, each with its column."""
    problems = []
    for entry in fields_of(subject):
        column = subject.column(entry.column)
        problem = _problem(entry, column, subject, facts) if column else ""
        if problem:
            problems.append(f"{entry.column} {problem}")
    if facts.exposed and any(entry.method.keyed for entry in fields_of(subject)):
        problems.append(
            f"would bring the key into the server's records ({facts.exposed}); let the user set "
            "log_parameter_max_length (from version 15 on: GRANT SET ON PARAMETER), or switch that off"
        )
    return problems


def field_refusal(subject: Subject) -> Finding | None:
    """Return why a rule must not make columns anonymous, None if it may."""
    facts, label = subject.more.get("fields"), subject.facts.label
    problems = _problems(subject, facts) if isinstance(facts, FieldFacts) else []
    if not problems:
        return None
    return Finding(
        "postgresql.retention_fields",
        Severity.CRITICAL,
        label,
        f"{label}: columns must not be made anonymous as the rule {subject.rule.name} says: {'; '.join(problems)}",
        remedy="Choose other methods for these columns, or leave them out.",
    )


def _problem(entry: Field, column: Column, subject: Subject, facts: FieldFacts) -> str:
    """Return what speaks against one column's method; empty: nothing."""
    method = entry.method.name
    conditions = {
        "is filled by the server itself": bool(column.generated) or column.identity == "a",
        "decides how old a row is": entry.column == subject.rule.age_column,
        "is part of a foreign key: rows would lose each other": entry.column in facts.linked,
        "may not be null": method == "null" and column.required,
        f"is of type {entry.type}, which takes no hash": method == "hmac" and not entry.kind,
        f"is of type {entry.type}, which takes no {method}": method in (*FAKES, "fake_phone") and entry.kind != "text",
        f"is unique, and {method} gives several rows the same value": entry.column in facts.unique
        and not _stays_unique(entry),
    }
    found = next((text for text, holds in conditions.items() if holds), "")
    return found or _too_short(entry)


def _stays_unique(entry: Field) -> bool:
    method = entry.method.name
    return method in ("null", "fake_email") or (method == "hmac" and entry.digits >= UNIQUE_DIGITS)


def _too_short(entry: Field) -> str:
    room, method = entry.room, entry.method
    if room is None or method.name == "null":
        return ""
    needed = len(method.constant or "") if method.name == "constant" else entry.length
    if method.name == "hmac":
        needed = SHORTEST_HASH
    return f"takes {room} characters, and {method.name} needs {needed}" if room < needed else ""


def clean_action(subject: Subject) -> Action:
    """Return the action that removes old values from dead rows and from the planner's statistics."""
    # Giving the end of the table back would lock readers out for a moment, on standbys too.
    statement = Statement("VACUUM (ANALYZE, SKIP_LOCKED, TRUNCATE false) {table}", names={"table": subject.facts.parts})
    return Action(
        "vacuum",
        subject.facts.label,
        f"{subject.rule.name}: dead rows and statistics hold the old values",
        statement.text,
        work=CleanWork(statement),
    )


def told_elsewhere(elsewhere: Elsewhere, triggers: Sequence[Trigger] = ()) -> str:
    """Say where else the data may lie; backups are always one of the places.

    :param triggers: the table's, of which some may write down what a row was before.
    """
    places = ["backups"]
    if elsewhere.archived:
        places.append("the archived write-ahead log")
    if elsewhere.standbys:
        places.append(f"{elsewhere.standbys} standbys, until they have replayed this")
    if elsewhere.slots:
        places.append(f"whoever reads the {elsewhere.slots} replication slots and publications")
    if elsewhere.logged:
        places.append("the server's log of statements")
    told = [trigger.name for trigger in triggers if "update" in trigger.fires_on]
    if told:
        places.append(f"what the triggers write ({', '.join(told)})")
    places += _tables(elsewhere.tables)
    return f"the old values may also be in: {', '.join(places)}"


def _tables(tables: Sequence[str], most: int = 10) -> list[str]:
    more = len(tables) - most
    return [*tables[:most], f"{more} more tables with such columns"] if more > 0 else list(tables)
