# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tables are rewritten, by which method, and what speaks against it. Pure."""

from __future__ import annotations

from typing import NamedTuple

from ..._core.action import Action, ActionState
from ..._core.runner import Decision
from ..._core.units import format_size
from ..horizon import Holder
from ..identifier import quoted
from ..locked import locked_findings
from ..spaces import SPACE_FACTOR
from ..statement import Statement
from .decide_bloat import Waste, wastes
from .decide_leftovers import decide_leftovers
from .decide_statement import vacuum_full
from .decide_work import DENIED, denied
from .observation_rewrite import Rewrites, Sized
from .policy import Policy

__all__ = ["RewriteWork", "decide_rewrite"]

REPACK_MAJOR = 19
"""The version that REPACK (CONCURRENTLY) comes with."""
LEAST_HELD_SECONDS = 60.0
"""A snapshot older than this is taken to last on: a rewrite would copy the dead rows that it may still see."""
WAIT_SECONDS = 1
"""pg_repack's --wait-timeout: the least it knows. Each time it waits, others queue behind it for a second at most."""


class RewriteWork(NamedTuple):
    """What it takes to carry the action out.

    :param statement: for the server; None for pg_repack.
    :param argv: the program and its arguments, without login and password.
    """

    table: Sized
    method: str
    statement: Statement | None = None
    argv: tuple[str, ...] = ()


def decide_rewrite(seen: Rewrites, policy: Policy, subject: str) -> Decision:
    """Decide for every table of the size that is mostly waste; leftovers of pg_repack are removed before."""
    decision = decide_leftovers(seen.leftovers)
    known = wastes(seen)
    large = {oid: waste for oid, waste in known.items() if oid in seen.sized and waste.bytes >= policy.min_size}
    bloated = [
        (seen.sized[oid], waste)
        for oid, waste in large.items()
        if waste.known and waste.percent >= policy.min_bloat_percent
    ]
    order = {"need": lambda pair: -pair[1].wasted, "smallest": lambda pair: pair[0].bytes}
    bloated.sort(key=order.get(policy.order, lambda pair: -pair[0].bytes))
    decision.actions += [_action(table, waste, seen, policy) for table, waste in bloated]
    decision.findings += locked_findings(seen.locked, subject)
    refused = [table.label for table, _waste in bloated if not table.permitted]
    if refused:
        decision.findings.append(denied(subject, seen.server.user, refused))
    decision.metrics |= {
        "postgresql_bloated_tables": len(bloated),
        "postgresql_bloat_bytes": round(sum(waste.wasted for _table, waste in bloated)),
        "postgresql_bloat_unknown_tables": sum(not waste.known for waste in large.values()),
    }
    return decision


def _action(table: Sized, waste: Waste, seen: Rewrites, policy: Policy) -> Action:
    work, obstacles = _method(table, seen, policy)
    reason = (
        f"{waste.percent:.0f} % of {format_size(waste.bytes)} is free space or dead rows, {waste.how}; limit "
        f"{policy.min_bloat_percent:g} %"
    )
    shown = "" if work is None else work.statement.text if work.statement else " ".join(work.argv)
    action = Action("rewrite", table.label, reason, shown, work=work)
    if not table.permitted:
        return action.became(ActionState.SKIPPED, DENIED.format(user=seen.server.user))
    if work is None:
        return action.became(ActionState.SKIPPED, f"no method can be used: {'; '.join(obstacles)}")
    lacking = _lacking_space(table, seen, policy)
    if lacking:
        return action.became(ActionState.SKIPPED, lacking)
    holder = _holds_what_is_dead(waste, seen, policy)
    if holder:
        return action.became(
            ActionState.SKIPPED, f"in vain, blocked_by: {holder.label}, which may still see its dead rows"
        )
    return action


def _method(table: Sized, seen: Rewrites, policy: Policy) -> tuple[RewriteWork | None, list[str]]:
    """Return the gentlest method that can be used, or what would help."""
    obstacles = []
    for method, check in (("repack", _no_repack), ("pg_repack", _no_pg_repack), ("vacuum_full", _no_vacuum_full)):
        obstacle = (
            check(table, seen, policy) if method in policy.rewrite_methods else f"{method} is not among the methods"
        )
        if not obstacle:
            return _work(table, method, seen), []
        obstacles.append(obstacle)
    return None, obstacles


def _no_repack(table: Sized, seen: Rewrites, _policy: Policy) -> str:
    if seen.server.major < REPACK_MAJOR:
        return f"REPACK (CONCURRENTLY) comes with version {REPACK_MAJOR}, this is {seen.server.major}"
    return "" if table.keyed else "REPACK (CONCURRENTLY) needs a primary key"


def _no_pg_repack(table: Sized, seen: Rewrites, _policy: Policy) -> str:
    repack = seen.repack
    if repack.extension is None:
        return "pg_repack needs its extension in the database"
    if repack.program is None:
        return f"pg_repack needs its program, of version {repack.extension}, on this host"
    if repack.program != repack.extension:
        return f"pg_repack's program has version {repack.program} and its extension {repack.extension}"
    return "" if table.keyed else "pg_repack needs a primary key, or a unique key of columns that are NOT NULL"


def _no_vacuum_full(table: Sized, _seen: Rewrites, policy: Policy) -> str:
    if not policy.allow_exclusive_lock:
        return "VACUUM FULL keeps everybody out and needs allow_exclusive_lock"
    if table.bytes > policy.rewrite_max_size:
        most = format_size(policy.rewrite_max_size)
        return f"VACUUM FULL of {format_size(table.bytes)} is above rewrite_max_size ({most})"
    return ""


def _work(table: Sized, method: str, seen: Rewrites) -> RewriteWork:
    if method == "vacuum_full":
        return RewriteWork(table, method, vacuum_full(table.schema, table.name))
    if method == "repack":
        names = {"table": (table.schema, table.name)}
        return RewriteWork(table, method, Statement("REPACK (CONCURRENTLY) {table}", names=names))
    argv = [seen.repack.path, "--no-kill-backend", f"--wait-timeout={WAIT_SECONDS}", "--no-order"]
    argv += [] if seen.repack.superuser else ["--no-superuser-check"]
    return RewriteWork(table, method, argv=(*argv, f"--table={quoted(table.schema, table.name)}"))


def _lacking_space(table: Sized, seen: Rewrites, policy: Policy) -> str:
    needed = table.bytes * SPACE_FACTOR
    free = policy.free_space if policy.free_space is not None else seen.spaces.free.get(table.tablespace)
    if free is None:
        why = seen.spaces.unknown
        return f"it takes {format_size(needed)} of free disk, and how much is free is unknown: {why}; set free_space"
    if free < needed:
        return f"it takes {format_size(needed)} of free disk, and {format_size(free)} is free"
    return ""


def _holds_what_is_dead(waste: Waste, seen: Rewrites, policy: Policy) -> Holder | None:
    """Return what would make a rewrite keep so many dead rows that the table is bloated as before."""
    if 100 * (waste.wasted - waste.dead) / waste.bytes >= policy.min_bloat_percent:
        return None
    for holder in seen.holders:
        if holder.since is None or seen.server.now - holder.since >= LEAST_HELD_SECONDS:
            return holder
    return None
