# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to do about what an interrupted pg_repack left: its trigger goes on to log every change of the table. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..._core.action import Action, ActionState
from ..._core.runner import Decision
from ..statement import Statement
from .observation_rewrite import Leftover

__all__ = ["CleanWork", "decide_leftovers"]


class CleanWork(NamedTuple):
    """What it takes to carry the action out."""

    table_oid: int
    statement: Statement


def decide_leftovers(leftovers: Sequence[Leftover]) -> Decision:
    """Remove what was made for tables that no pg_repack is at work on."""
    return Decision(actions=[_action(leftover) for leftover in leftovers if not leftover.busy])


def _action(leftover: Leftover) -> Action:
    oid = leftover.table_oid
    steps, names = [], {}
    if leftover.trigger and leftover.schema is not None and leftover.name is not None:
        steps.append("DROP TRIGGER IF EXISTS repack_trigger ON {owner}")
        names["owner"] = (leftover.schema, leftover.name)
    # The log is of the type, so it goes first.
    for kind, there, command in (
        ("log", leftover.log, "DROP TABLE IF EXISTS"),
        ("table", leftover.copy, "DROP TABLE IF EXISTS"),
        ("pk", leftover.type, "DROP TYPE IF EXISTS"),
    ):
        if there:
            steps.append(f"{command} {{{kind}}}")
            names[kind] = ("repack", f"{kind}_{oid}")
    statement = Statement("; ".join(steps), names=names)
    table = f"{leftover.schema}.{leftover.name}" if leftover.name else f"a table that is gone (oid {oid})"
    reason = "an interrupted pg_repack left it, and nobody repacks the table now"
    action = Action("clean", table, reason, statement.text, work=CleanWork(oid, statement))
    if not leftover.permitted:
        return action.became(ActionState.SKIPPED, "only their owner, or a superuser, may remove them")
    return action
