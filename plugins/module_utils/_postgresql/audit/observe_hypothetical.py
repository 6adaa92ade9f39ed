# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lets the planner say what an index would save that does not exist, by the extension hypopg.

Its indexes live in the memory of our session only. The plans of the declared queries are asked for without them and
with them; an index that the planner then uses, and that makes a plan much cheaper, is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ..._core.errors import StoreError
from ..._core.runner import Context
from ..client import PostgresqlClient
from ..index.observation import Suggestion
from ..statement import Statement
from .candidates import Candidate, candidates, suggestions
from .observe_plans import observe_plans

__all__ = ["observe_suggestions"]

SCHEMA = """
SELECT n.nspname::text AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'hypopg'"""
SECONDS = 5.0


class _Schema(NamedTuple):
    schema: str


class _Made(NamedTuple):
    name: str
    bytes: int


class _Reset(NamedTuple):
    done: bool


def observe_suggestions(client: PostgresqlClient, context: Context) -> tuple[Suggestion, ...] | None:
    """Return what indexes would save for the declared queries; None where hypopg is not installed."""
    installed = client.rows("look for hypopg", SCHEMA, _Schema)
    if not installed:
        return None
    # A plan that is run cannot use an index that does not exist.
    queries = [{**query, "analyze": False} for query in context.params["queries"]]
    if not queries:
        return ()
    planned = replace(context, params={**context.params, "queries": queries})
    before = observe_plans(client, planned)
    wanted = candidates(before)
    if not wanted:
        return ()
    schema = installed[0].schema
    try:
        made = _make(client, schema, wanted)
        after = observe_plans(client, planned)
    finally:
        if not client.lost:
            reset = Statement("SELECT {reset}() IS NULL AS done", {"reset": (schema, "hypopg_reset")})
            client.fetch("forget the hypothetical indexes", reset, _Reset, SECONDS)
    return suggestions(before, after, made)


def _make(client: PostgresqlClient, schema: str, wanted: Sequence[Candidate]) -> dict[str, tuple[Candidate, int]]:
    """Make the indexes that the server can imagine; return them, with the size they would have, by its names."""
    made = {}
    for candidate in wanted:
        statement = Statement(
            "SELECT indexname::text AS name, {size}(indexrelid) AS bytes FROM {create}({definition})",
            {"create": (schema, "hypopg_create_index"), "size": (schema, "hypopg_relation_size")},
            {"definition": candidate.definition},
        )
        try:
            (row,) = client.fetch("imagine an index", statement, _Made, SECONDS)
        except StoreError:
            if client.lost:
                raise
            continue  # a type without order, a view
        made[row.name] = (candidate, row.bytes)
    return made
