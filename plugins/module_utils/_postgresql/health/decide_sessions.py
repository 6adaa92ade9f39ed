# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from open transactions and from waits for locks. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.runner import Decision
from ..._core.units import format_duration
from ..rights import hidden
from .observation import Session, Sessions, Waiter

__all__ = ["decide_sessions", "root_blockers"]


def decide_sessions(seen: Sessions, situation: Situation) -> Decision:
    """Judge the longest transaction, the longest idle one, the longest wait, and the oldest prepared transaction."""
    subject, judge = situation.subject, situation.thresholds.judge
    by_pid = {session.pid: session for session in seen.sessions}
    idle = [session for session in seen.sessions if (session.state or "").startswith("idle in transaction")]
    waits = {waiter.pid: waiter for waiter in seen.waiters}
    longest = max(seen.sessions, key=lambda session: session.transaction_seconds, default=None)
    longest_idle = max(idle, key=lambda session: session.state_seconds, default=None)
    decision = Decision(
        metrics={
            "postgresql_longest_transaction_seconds": round(longest.transaction_seconds, 3) if longest else 0,
            "postgresql_longest_idle_in_transaction_seconds": round(longest_idle.state_seconds, 3)
            if longest_idle
            else 0,
            "postgresql_idle_in_transaction_total": len(idle),
            "postgresql_blocked_sessions_total": sum(session.waits for session in seen.sessions),
            "postgresql_prepared_transactions_total": len(seen.prepared),
        }
    )
    if longest:
        what = f"the transaction of {_who(longest)} has been open for"
        decision.findings += judge(
            "transaction_seconds", "postgresql.long_transaction", subject, longest.transaction_seconds, what
        )
    if longest_idle:
        what = f"{len(idle)} idle in transaction, the longest {_who(longest_idle)}, for"
        decision.findings += judge(
            "idle_in_transaction_seconds", "postgresql.idle_in_transaction", subject, longest_idle.state_seconds, what
        )
    decision.findings += _blocked(waits, by_pid, situation)
    if seen.prepared:
        oldest = max(seen.prepared, key=lambda prepared: prepared.seconds)
        what = f"the prepared transaction {oldest.gid} in {oldest.database} has been open for"
        decision.findings += judge(
            "prepared_transaction_seconds", "postgresql.prepared_transaction", subject, oldest.seconds, what
        )
    if not seen.server.sees_all:
        decision.findings.append(hidden(situation, "sessions", seen.server.user, "other users' transactions"))
    return decision


def root_blockers(pid: int, waits: Mapping[int, Waiter]) -> list[int]:
    """Return who stands at the head of the queue that a process waits in: those that do not wait themselves.

    :param pid: the process that waits.
    :param waits: all that wait, by process.
    """
    roots: list[int] = []
    seen, todo = {pid}, list(waits[pid].blockers)
    while todo:
        blocker = todo.pop(0)
        if blocker in seen:
            continue
        seen.add(blocker)
        if blocker in waits:
            todo += waits[blocker].blockers
        else:
            roots.append(blocker)
    return sorted(roots)


def _blocked(waits: Mapping[int, Waiter], by_pid: Mapping[int, Session], situation: Situation) -> list[Finding]:
    """Return the finding for the longest wait; where a version does not tell it, the time since its statement began."""
    seconds = {
        pid: waiter.seconds if waiter.seconds is not None else by_pid[pid].state_seconds
        for pid, waiter in waits.items()
        if pid in by_pid
    }
    if not seconds:
        return []
    pid = max(seconds, key=lambda waiter: seconds[waiter])
    roots = [_blocker(root, by_pid) for root in root_blockers(pid, waits)]
    blockers = " and ".join(roots) or "each other"
    what = f"{len(seconds)} wait for locks, the longest {_who(by_pid[pid])}, blocked by {blockers}, for"
    return situation.thresholds.judge(
        "blocked_seconds", "postgresql.blocked_session", situation.subject, seconds[pid], what
    )


def _blocker(pid: int, by_pid: Mapping[int, Session]) -> str:
    if pid == 0:
        return "a prepared transaction"
    session = by_pid.get(pid)
    if session is None:
        return f"pid {pid}"
    return f"{_who(session)} ({session.state or 'unknown'} for {format_duration(session.state_seconds)})"


def _who(session: Session) -> str:
    application = f"{session.application} of " if session.application else ""
    return f"pid {session.pid} ({application}{session.user} in {session.database})"
