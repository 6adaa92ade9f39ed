# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the state of a replica set and of its oplog. A standalone server has none, which is no trouble."""

from __future__ import annotations

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.result import metric_name
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..._core.units import format_duration
from .observation import PRIMARY, Member, Oplog, ReplicaSet

__all__ = ["decide_oplog", "decide_replication"]

BAD_STATES = {3: "recovers", 6: "is unknown", 8: "is down", 9: "rolls back", 10: "was removed"}
"""States in which a member serves nobody (maintenance study 1.2: critical)."""

STARTING_STATES = {0: "starts", 5: "copies its data"}

FULL_OPLOG = 0.9
"""Below this part of its size an oplog loses nothing yet, and its window only says how young it is."""


def decide_replication(found: ReplicaSet, situation: Situation) -> Decision:
    """Judge members, primary, majority and lag."""
    if found.broken:
        return Decision(findings=[_unconfigured(situation)], metrics={"mongodb_replica_set": 1})
    if not found.members:
        return Decision(metrics={"mongodb_replica_set": 0})
    decision = Decision(
        metrics={
            "mongodb_replica_set": 1,
            "mongodb_members": len(found.members),
            "mongodb_members_healthy": sum(member.healthy for member in found.members),
        }
    )
    for member in found.members:
        decision.metrics[metric_name("mongodb_member_state", member=member.name)] = member.state
        decision.findings += _state(member, situation)
    decision.findings += _majority(found, situation)
    for name, lag in found.lags().items():
        decision.metrics[metric_name("mongodb_replication_lag_seconds", member=name)] = lag
        subject = f"{situation.subject} {name}"
        decision.findings += situation.thresholds.judge(
            "replication_lag_seconds", "mongodb.replication_lag", subject, lag, "secondary is behind by"
        )
    return decision


def _unconfigured(situation: Situation) -> Finding:
    return Finding(
        "mongodb.replica_set_unconfigured",
        Severity.CRITICAL,
        situation.subject,
        f"{situation.subject}: started as a member of a replica set, and has no valid configuration",
        remedy="Run rs.initiate() if the set is new; else add the member again with rs.add() on the primary.",
    )


def _state(member: Member, situation: Situation) -> list[Finding]:
    """Judge one member's state."""
    if not member.healthy:
        says = "is not reachable for the member that was asked"
        severity = Severity.CRITICAL
    elif member.state in BAD_STATES:
        says, severity = BAD_STATES[member.state], Severity.CRITICAL
    elif member.state in STARTING_STATES:
        says, severity = STARTING_STATES[member.state], Severity.WARNING
    else:
        return []
    subject = f"{situation.subject} {member.name}"
    return [
        Finding(
            "mongodb.member_state",
            severity,
            subject,
            f"{subject}: member {says} ({member.state_name})",
            member.state_name,
            remedy="Start the member, or look into its log; check the network between the members.",
        )
    ]


def _majority(found: ReplicaSet, situation: Situation) -> list[Finding]:
    """Judge whether there is a primary, and whether there would be one after one more loss."""
    voters = sum(member.votes for member in found.members)
    alive = sum(member.votes for member in found.members if member.healthy and member.state not in BAD_STATES)
    needed = found.majority or voters // 2 + 1
    subject = situation.subject
    numbers = f"{alive} of {voters} voting members are alive, a majority is {needed}"
    if not any(member.state == PRIMARY and member.healthy for member in found.members):
        text = f"{subject}: the replica set has no primary, nobody can write; {numbers}"
        remedy = "Start members until a majority is up; if one is, wait for the election and look into the logs."
        return [Finding("mongodb.no_primary", Severity.CRITICAL, subject, text, alive, needed, remedy)]
    if alive < voters and alive - 1 < needed:
        text = f"{subject}: one more lost member and nobody can write; {numbers}"
        remedy = "Bring the missing members back before anything else is maintained here."
        return [Finding("mongodb.majority_at_risk", Severity.WARNING, subject, text, alive, needed, remedy)]
    return []


def decide_oplog(oplog: Oplog | None, situation: Situation) -> Decision:
    """Judge how long a member may be away; only of an oplog that is full."""
    if oplog is None:
        return Decision()
    decision = Decision(metrics={"mongodb_oplog_window_seconds": oplog.seconds})
    if oplog.used is None or not oplog.maximum:
        return decision
    decision.metrics["mongodb_oplog_used_bytes"] = oplog.used
    decision.metrics["mongodb_oplog_limit_bytes"] = oplog.maximum
    if oplog.used >= FULL_OPLOG * oplog.maximum:
        what = f"a member that is away longer than {format_duration(oplog.seconds)} must copy everything; oplog window"
        decision.findings += situation.thresholds.judge(
            "oplog_window_seconds", "mongodb.oplog_window", situation.subject, oplog.seconds, what
        )
    return decision
