# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether what was done has helped: the tables are judged again, by the same rules. Pure."""

from __future__ import annotations

from collections.abc import Collection

from ..._core.finding import Finding
from ..._core.severity import Severity
from ..._core.units import format_size
from .decide_bloat import wastes
from .decide_need import Needed, table_need
from .decide_work import freeze_blocked, named, rows_held
from .observation import Tables
from .observation_rewrite import Rewrites, Sized
from .policy import Policy

__all__ = ["decide_proof", "decide_rewrite_proof"]

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


def decide_rewrite_proof(after: Rewrites, before: Collection[Sized], policy: Policy, subject: str) -> list[Finding]:
    """Return the tables that a rewrite left as bloated as they were.

    :param after: the tables as they are now.
    :param before: the tables as they were.
    """
    known = wastes(after)
    found = []
    for table in before:
        waste, sized = known.get(table.oid), after.sized.get(table.oid)
        if waste is None or sized is None or waste.percent < policy.min_bloat_percent or waste.bytes < policy.min_size:
            continue
        message = (
            f"{subject}: {table.label} was rewritten, from {format_size(table.bytes)} to {format_size(sized.bytes)}, "
            f"and {waste.percent:.0f} % of it is still waste, {waste.how}"
        )
        remedy = "Install the extension pgstattuple, by which bloat is measured; end what holds old rows."
        limit = policy.min_bloat_percent
        percent = round(waste.percent, 1)
        found.append(Finding("postgresql.rewrite_unproved", Severity.WARNING, subject, message, percent, limit, remedy))
    return found


def _lacks(needed: Needed, kind: str) -> bool:
    """Whether a table still needs the very thing that was done."""
    if kind == "freeze":
        return needed.freeze or needed.age_held is not None
    if kind == "analyze":
        return needed.analyze
    return needed.vacuum or needed.rows_held is not None
