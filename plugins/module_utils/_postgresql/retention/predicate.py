# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which rows a rule is about, as an SQL condition. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timezone
from typing import Any

from ..identifier import quoted
from .observation import Reference, Subject

__all__ = ["AGE_TYPES", "Predicate", "base_type", "predicate_of", "sql", "unreferred"]

AGE_TYPES = {
    "time": ("timestamp with time zone", "timestamp without time zone", "date"),
    "seconds": ("smallint", "integer", "bigint", "numeric", "real", "double precision"),
    "milliseconds": ("bigint", "numeric", "double precision"),
}
"""By ``age_unit``: the types that an age column may have, without their modifiers."""


@dataclass(frozen=True)
class Predicate:
    """A condition over a table's own columns, unqualified.

    :param text: SQL for a statement with parameters: its own percent signs are doubled.
    :param parameters: their values.
    """

    text: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def joined(self, text: str, parameters: Mapping[str, Any] | None = None) -> Predicate:
        """Return this condition and another one that has to hold as well."""
        if not text:
            return self
        both = f"{self.text} AND {text}" if self.text != "true" else text
        return Predicate(both, {**self.parameters, **(parameters or {})})


def sql(text: str) -> str:
    """Return names or a user's SQL for a statement with parameters: percent signs doubled."""
    return text.replace("%", "%%")


def base_type(name: str) -> str:
    """Return a type without its modifiers: ``timestamp(3) without time zone`` is ``timestamp without time zone``."""
    before, opened, rest = name.partition("(")
    return before.strip() + rest.partition(")")[2] if opened else name


def predicate_of(subject: Subject, table: str | None = None) -> Predicate:
    """Return the condition for the rows that a rule is about: old, as ``where`` says, and with nobody who refers to
    them where such rows are to be kept.

    :param table: the name, without schema, of the table that the statement is over, if it is a partition.
    """
    rule = subject.rule
    chosen = Predicate("true")
    if rule.age_column is not None and subject.before is not None:
        kind = base_type(_type_of(subject, rule.age_column))
        chosen = chosen.joined(
            f"{sql(quoted(rule.age_column))} < %(before)s::{kind}", {"before": _moment(subject, kind)}
        )
    chosen = chosen.joined(sql(rule.where))
    if rule.on_cascade == "keep" and rule.takes_rows_away:
        chosen = chosen.joined(unreferred(subject.references, table or subject.facts.name))
    return chosen


def unreferred(references: Sequence[Reference], table: str) -> str:
    """Return the condition that no row of other tables refers to the row; empty: there are no such tables.

    :param table: the name, without schema, of the table that the statement is over.
    """
    return " AND ".join(_unreferred(reference, quoted(table)) for reference in references)


def _unreferred(reference: Reference, source: str) -> str:
    pairs = " AND ".join(
        f"child.{quoted(column)} = {source}.{quoted(referred)}"
        for column, referred in zip(reference.columns, reference.referred, strict=True)
    )
    return sql(f"NOT EXISTS (SELECT FROM {quoted(reference.schema, reference.child)} child WHERE {pairs})")


def _type_of(subject: Subject, name: str) -> str:
    column = subject.column(name)
    return column.type if column else "timestamp with time zone"


def _moment(subject: Subject, kind: str) -> Any:
    """Return the cutoff as the age column's type has it. A time without zone is taken for UTC."""
    moment = subject.before
    if moment is None:
        return None
    if subject.rule.age_unit == "seconds":
        return moment.timestamp()
    if subject.rule.age_unit == "milliseconds":
        return int(moment.timestamp() * 1000)
    utc = moment.astimezone(timezone.utc)
    return utc.isoformat() if kind.endswith("with time zone") else utc.replace(tzinfo=None).isoformat()
