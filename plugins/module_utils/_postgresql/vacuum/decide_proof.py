# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether what was done has helped: the tables are judged again, by the same rules. Pure."""

from __future__ import annotations

from collections.abc import Collection

from ..._core.finding import Finding
from ..._core.severity import Severity
from .decide_need import Needed, table_need
from .decide_work import freeze_blocked, named, rows_held
from .observation import Tables
from .policy import Policy

__all__ = ["decide_proof"]

_AGAIN = "If the next run finds the same, look for what writes so much, or read the server's log."


def decide_proof(after: Tables, done: Collection[tuple[int, str]], policy: Policy, subject: str) -> list[Finding]:
    """Return what has not been reached.

    :param after: the tables as they are now.
    :param done: oid and kind of every action that was carried out.
    """
    still: list[Needed] = []
    for oid, kind in done:
        row = after.rows.get(oid)
        needed = table_need(row, after, policy) if row and row.kind != "p" else None
        if needed and _lacks(needed, kind):
            still.append(needed)
    held = [needed for needed in still if needed.rows_held and not needed.vacuum]
    found = freeze_blocked(subject, [needed for needed in still if needed.age_held and not needed.freeze])
    if held and held[0].rows_held:
        dead = sum(needed.row.dead for needed in held)
        found.append(rows_held(subject, [needed.row.label for needed in held], dead, held[0].rows_held, after))
    rest = [needed for needed in still if needed.possible]
    if rest:
        message = (
            f"{subject}: {named([needed.row.label for needed in rest])} still or again in need after it was done: "
            f"{rest[0].row.label}: {'; '.join(rest[0].reasons)}"
        )
        found.append(Finding("postgresql.vacuum_unproved", Severity.WARNING, subject, message, len(rest), 0, _AGAIN))
    return found


def _lacks(needed: Needed, kind: str) -> bool:
    """Whether a table still needs the very thing that was done."""
    if kind == "freeze":
        return needed.freeze or needed.age_held is not None
    if kind == "analyze":
        return needed.analyze
    return needed.vacuum or needed.rows_held is not None
