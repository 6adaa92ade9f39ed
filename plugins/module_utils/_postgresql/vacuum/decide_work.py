# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tables are vacuumed and analyzed, in which order, and what cannot be done and why. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.action import Action, ActionState
from ..._core.finding import Finding
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..horizon import Holder
from .decide_need import Needed, table_need
from .decide_roots import root_needs
from .decide_statement import Work, statement_for
from .observation import Tables
from .policy import Policy

__all__ = ["DENIED", "decide_work", "denied", "freeze_blocked", "named", "rows_held"]

DENIED = (
    "the user {user} may not: it takes the owner's role, or from version 17 on the privilege MAINTAIN or the role "
    "pg_maintain"
)
_RELEASE = (
    "End the session (pg_terminate_backend), finish the prepared transaction or drop the replication slot, "
    "if nobody needs it, and run again."
)
MOST_NAMES = 3
"""Tables named in a finding about several; all of them are among the actions."""


def decide_work(seen: Tables, policy: Policy, subject: str) -> Decision:
    """Decide for every table, the most urgent first: those that are about to be frozen by force before all others."""
    needed = sorted(_all_needed(seen, policy), key=lambda one: _rank(one, policy))
    decision = Decision(actions=[_action(one, seen, policy) for one in needed])
    decision.metrics = {
        "postgresql_vacuum_needed_tables": sum(bool(one.vacuum or one.rows_held) for one in needed),
        "postgresql_freeze_needed_tables": sum(bool(one.freeze or one.age_held) for one in needed),
        "postgresql_analyze_needed_tables": sum(one.analyze for one in needed),
        "postgresql_dead_rows": sum(row.dead for row in (*seen.rows.values(), *seen.toasts.values())),
    }
    refused = [one.row.label for one in needed if not one.row.permitted]
    if refused:
        decision.findings.append(denied(subject, seen.server.user, refused))
    allowed = [one for one in needed if one.row.permitted]
    decision.findings += freeze_blocked(subject, [one for one in allowed if one.age_held])
    held = [one for one in allowed if one.rows_held]
    if held and held[0].rows_held:
        dead = sum(one.row.dead for one in held)
        decision.findings.append(rows_held(subject, [one.row.label for one in held], dead, held[0].rows_held, seen))
    return decision


def denied(subject: str, user: str, tables: Sequence[str]) -> Finding:
    """Return the finding that the user may not maintain tables that need it: the server would only warn."""
    message = f"{subject}: the user {user} may not maintain {named(tables)}, which need it"
    remedy = (
        "Let their owner do it, or grant the user the owner's role; from version 17 on GRANT pg_maintain, or MAINTAIN."
    )
    return Finding("postgresql.maintain_denied", Severity.WARNING, subject, message, len(tables), 0, remedy)


def rows_held(subject: str, tables: Sequence[str], dead: int, holder: Holder, seen: Tables) -> Finding:
    """Return the finding that dead rows cannot go."""
    since = "" if holder.since is None else f", for {max(0.0, seen.server.now - holder.since):.0f} s now"
    message = f"{subject}: {dead} dead rows of {named(tables)} cannot go: {holder.label} may still see them{since}"
    return Finding("postgresql.rows_held", Severity.WARNING, subject, message, dead, None, _RELEASE)


def named(tables: Sequence[str]) -> str:
    """Return tables for people: all names of a few, the first names of many."""
    if len(tables) <= MOST_NAMES:
        return ", ".join(tables)
    return f"{', '.join(tables[:MOST_NAMES])} and {len(tables) - MOST_NAMES} more tables"


def _rank(one: Needed, policy: Policy) -> tuple[float, float, str]:
    order = {"need": -one.urgency, "smallest": one.row.pages, "largest": -one.row.pages}[policy.order]
    # A partitioned table comes after its partitions, whose vacuum may analyze them as well.
    return (-1.0 if one.critical else float(one.row.kind == "p"), order, one.row.label)


def _action(one: Needed, seen: Tables, policy: Policy) -> Action:
    statement = statement_for(one, seen, policy)
    action = Action(one.kind, one.row.label, "; ".join(one.reasons), statement.text, work=Work(one.row, statement))
    holder = one.age_held or one.rows_held
    if not one.row.permitted:
        return action.became(ActionState.SKIPPED, DENIED.format(user=seen.server.user))
    if one.row.worker is not None:
        return action.became(ActionState.SKIPPED, f"process {one.row.worker} is vacuuming or analyzing it already")
    if holder and not one.possible:
        return action.became(
            ActionState.SKIPPED, f"in vain, blocked_by: {holder.label}, which may still see its old rows"
        )
    return action


def freeze_blocked(subject: str, blocked: Sequence[Needed]) -> list[Finding]:
    """Return the finding that tables cannot be frozen, if there are any."""
    if not blocked or not blocked[0].age_held:
        return []
    holder = blocked[0].age_held
    severity = Severity.CRITICAL if any(one.critical for one in blocked) else Severity.WARNING
    tables = named([one.row.label for one in blocked])
    message = f"{subject}: {tables} cannot be frozen: {holder.label} holds ids {holder.age} transactions back"
    return [Finding("postgresql.freeze_blocked", severity, subject, message, holder.age, None, _RELEASE)]


def _all_needed(seen: Tables, policy: Policy) -> list[Needed]:
    """Judge every table, in no order; those that need nothing are left out."""
    roots = root_needs(seen, policy)
    # Before version 18 ANALYZE of a partitioned table takes all its partitions along.
    analyzed = {oid for oid, root in roots.items() if root.row.permitted and root.row.worker is None}
    along = {link.descendant for link in seen.links if link.root in analyzed and seen.server.major < 18}
    needed = []
    for row in seen.rows.values():
        found = roots.get(row.oid) if row.kind == "p" else table_need(row, seen, policy)
        if found and row.oid in along:
            found = found._replace(analyze=False)
        if found and (found.possible or found.rows_held or found.age_held):
            needed.append(found)
    return needed
