# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The queries that a user declares, of which the plan is looked at: one statement each, and one that can be planned.

Pure. The server holds them to it a second time: they are sent in a way that takes one statement only, and within a
read-only transaction that is rolled back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..._core.arguments import ArgumentSpec
from ..._core.errors import InvalidInput
from ..identifier import quoted
from ..literals import tokens

__all__ = ["Declared", "declared_queries", "plan_arguments", "search_path"]

READING = ("SELECT", "VALUES", "TABLE", "WITH")
PLANNED = (*READING, "INSERT", "UPDATE", "DELETE", "MERGE")


class Declared(NamedTuple):
    """A declared query.

    :param sql: one statement, without the semicolon at its end.
    :param parameters: values for ``$1`` and so on; None: any value, so the plan is one for all.
    :param places: the highest ``$n`` in it.
    :param analyze: whether to run it, so that real numbers of rows are known.
    """

    name: str
    sql: str
    parameters: tuple[Any, ...] | None
    places: int
    analyze: bool


def plan_arguments() -> ArgumentSpec:
    """Options that declare queries."""
    query = {
        "name": {"type": "str", "required": True},
        "sql": {"type": "str", "required": True},
        "parameters": {"type": "list", "elements": "raw"},
        "analyze": {"type": "bool", "default": False},
    }
    return ArgumentSpec(
        {
            "queries": {"type": "list", "elements": "dict", "default": [], "options": query},
            "search_path": {"type": "list", "elements": "str", "default": ["$user", "public"]},
        }
    )


def declared_queries(given: Sequence[Mapping[str, Any]] | None, option: str = "queries") -> list[Declared]:
    """Understand the option.

    :raises InvalidInput: a name is there twice, or a query is no single statement that has a plan.
    """
    found = [_declared(entry, f"{option}[{number}]") for number, entry in enumerate(given or ())]
    names = [query.name for query in found]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(option, f"there are two queries of the name {name!r}", "Give each a name of its own.")
    return found


def _declared(entry: Mapping[str, Any], option: str) -> Declared:
    analyze = bool(entry.get("analyze"))
    sql, places = _one_statement(str(entry["sql"]), f"{option}.sql", READING if analyze else PLANNED)
    parameters = None if entry.get("parameters") is None else tuple(entry["parameters"])
    if parameters is not None and len(parameters) != places:
        raise InvalidInput(
            f"{option}.parameters", f"there are {len(parameters)} for {places} places", "Give one value for each $n."
        )
    if analyze and places and parameters is None:
        raise InvalidInput(f"{option}.analyze", "to run the query its parameters are needed", "Give parameters.")
    return Declared(str(entry["name"]), sql, parameters, places, analyze)


def _one_statement(sql: str, option: str, allowed: Sequence[str]) -> tuple[str, int]:
    """Return a statement without the semicolon at its end, and the highest number of its parameters."""
    pieces = [token for token in tokens(sql) if token.kind != "space"]
    while pieces and pieces[-1].text == ";":
        pieces.pop()
        sql = sql[: sql.rstrip().rindex(";")]
    if any(token.kind == "mark" and token.text == ";" for token in pieces):
        raise InvalidInput(option, "it is more than one statement", "Declare each as a query of its own.")
    if any(token.kind == "literal" and "\\'" in token.text and token.text[0] not in "eE$" for token in pieces):
        raise InvalidInput(option, "a backslash stands before a quote", "Write the text as E'...', or without it.")
    first = next((token.text.upper() for token in pieces if token.text != "("), "")
    if first not in allowed:
        raise InvalidInput(option, f"it does not begin with {', '.join(allowed)}", "Declare a query that has a plan.")
    return sql, max((int(token.text[1:]) for token in pieces if token.kind == "parameter"), default=0)


def search_path(schemas: Sequence[str]) -> str:
    """Return the value of search_path that has these schemas; ``$user`` is the one named as the user."""
    return ", ".join(quoted(schema) for schema in schemas)
