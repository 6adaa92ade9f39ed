# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an update writes, as SQL, and how it knows the rows that it has written already. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..condition import enclosed
from ..identifier import quoted
from .observation import Subject
from .predicate import Predicate, sql

__all__ = ["EXPRESSION", "assignments", "is_expression", "undone"]

EXPRESSION = "expression"
"""Key of the mapping that stands for SQL instead of a plain value."""


def is_expression(value: Any) -> bool:
    """Whether a value of ``set`` is SQL."""
    return isinstance(value, Mapping) and set(value) == {EXPRESSION}


def assignments(subject: Subject) -> tuple[dict[str, str], dict[str, Any]]:
    """Return column to SQL, and the parameters in it."""
    changes: dict[str, str] = {}
    parameters: dict[str, Any] = {}
    for number, (name, value) in enumerate(subject.rule.values.items()):
        if is_expression(value):
            changes[name] = sql(enclosed(str(value[EXPRESSION]), f"rules[{subject.rule.name}].set.{name}"))
            continue
        changes[name] = _place(subject, name, number)
        parameters[f"set{number}"] = _plain(value)
    return changes, parameters


def undone(subject: Subject) -> Predicate:
    """Return the condition that a row does not hold all the plain values yet, which a second run finds no row for."""
    rule, terms, parameters = subject.rule, [], {}
    for number, (name, value) in enumerate(rule.values.items()):
        if is_expression(value):
            continue
        column = subject.column(name)
        # json and xml have no equality of their own.
        cast = "::text" if column is not None and column.type in ("json", "xml") else ""
        terms.append(f"{sql(quoted(name))}{cast} IS DISTINCT FROM {_place(subject, name, number)}{cast}")
        parameters[f"set{number}"] = _plain(value)
    return Predicate(f"({' OR '.join(terms)})" if terms else "true", parameters)


def _place(subject: Subject, name: str, number: int) -> str:
    column = subject.column(name)
    return f"%(set{number})s::{sql(column.type) if column else 'text'}"


def _plain(value: Any) -> Any:
    """Return a value as a text for the server to read as the column's type; a structure as JSON."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)
