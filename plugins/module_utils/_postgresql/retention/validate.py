# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks a rule against the table that it names: what cannot be right ends the run before anything is done. Pure."""

from __future__ import annotations

from ..._core.errors import InvalidInput
from .assignment import assignments, is_expression
from .decide_fields import fields_of
from .observation import Column, Subject
from .predicate import AGE_TYPES, base_type

__all__ = ["check_subject"]

_KINDS = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}


def check_subject(subject: Subject) -> None:
    """Check a rule.

    :raises InvalidInput: the table is none, a column is missing or of the wrong type, or a second run would never end.
    """
    rule, facts = subject.rule, subject.facts
    option = f"rules[{rule.name}]"
    if facts.kind in _KINDS:
        raise InvalidInput(f"{option}.table", f"{facts.label} is {_KINDS[facts.kind]}", "Name a table.")
    if facts.inherited:
        raise InvalidInput(
            f"{option}.table", f"other tables inherit from {facts.label}", "Give each of them a rule of its own."
        )
    if rule.age_column is not None:
        _check_age(subject, f"{option}.age_column", rule.age_column)
    for name in rule.values:
        column = _existing(subject, f"{option}.set", name)
        if column.generated or column.identity == "a":
            raise InvalidInput(f"{option}.set", f"the server itself fills the column {name}", "Leave it out.")
    if rule.values:
        assignments(subject)
        if all(is_expression(value) for value in rule.values.values()) and not rule.where:
            raise InvalidInput(
                f"{option}.set",
                "with expressions alone nothing says which rows have been updated already",
                "Set one column to a plain value, or give a where that is false for an updated row.",
            )
    for name in rule.fields:
        _existing(subject, f"{option}.fields", name)
    fields_of(subject)


def _check_age(subject: Subject, option: str, name: str) -> None:
    column = _existing(subject, option, name)
    unit = subject.rule.age_unit
    if base_type(column.type) in AGE_TYPES[unit]:
        return
    fitting = [known for known, types in AGE_TYPES.items() if base_type(column.type) in types]
    remedy = f"Set age_unit to {' or '.join(fitting)}." if fitting else "Name a column that holds a time."
    raise InvalidInput(option, f"{name} is of type {column.type}, which holds no age in {unit}", remedy)


def _existing(subject: Subject, option: str, name: str) -> Column:
    column = subject.column(name)
    if column is None:
        there = ", ".join(column.name for column in subject.columns)
        raise InvalidInput(option, f"{subject.facts.label} has no column {name!r}", f"It has: {there}.")
    return column
