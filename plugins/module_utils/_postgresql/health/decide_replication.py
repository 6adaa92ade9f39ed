# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the state of replication. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.result import metric_name
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..rights import hidden
from .observation import Receiver, Replication, Slot, Standby

__all__ = ["decide_replication", "remember_replication"]


def decide_replication(seen: Replication, situation: Situation) -> Decision:
    """Judge the standbys, the slots, and a standby's own replay."""
    decision = Decision(metrics={"postgresql_standbys_total": len(seen.standbys)})
    visible = [standby for standby in seen.standbys if standby.state is not None]
    for standby in visible:
        decision.extend(_standby(standby, situation))
    if len(visible) < len(seen.standbys):
        decision.findings.append(hidden(situation, "replication", seen.server.user, "the state of the standbys"))
    else:
        decision.findings += _missing(visible, situation)
    inactive = _inactive_since(seen, situation)
    for slot in seen.slots:
        since = inactive.get(slot.name)
        decision.extend(_slot(slot, None if since is None else seen.server.now - since, situation))
    if seen.receiver:
        decision.extend(_receiver(seen.receiver, seen, situation))
    return decision


def remember_replication(seen: Replication, situation: Situation) -> Mapping[str, Any]:
    """Keep which standbys there are, and since when each inactive slot has been seen so."""
    return {
        "standbys": sorted({standby.name for standby in seen.standbys if standby.name and standby.state}),
        "inactive": _inactive_since(seen, situation),
    }


def _standby(standby: Standby, situation: Situation) -> Decision:
    name = standby.name or "unnamed"
    subject = f"{situation.subject} standby {name}" + (f" at {standby.address}" if standby.address else "")
    labels = {"standby": name, "address": standby.address or ""}
    decision = Decision()
    measured = (
        ("replication_lag_bytes", "bytes", standby.lag_bytes, "it has yet to replay"),
        ("replication_lag_seconds", "seconds", standby.lag_seconds, "it is behind by"),
    )
    for threshold, unit, value, what in measured:
        if value is not None:
            decision.metrics[metric_name(f"postgresql_replication_lag_{unit}", **labels)] = round(max(0.0, value), 3)
            what_now = f"in state {standby.state}, {what}"
            decision.findings += situation.thresholds.judge(
                threshold, "postgresql.replication_lag", subject, value, what_now
            )
    decision.findings = _gravest(decision.findings)
    return decision


def _gravest(findings: list[Finding]) -> list[Finding]:
    """Return the gravest finding only, where two say the same in two units."""
    return sorted(findings, key=lambda finding: -finding.severity.rank)[:1]


def _missing(visible: list[Standby], situation: Situation) -> list[Finding]:
    names = {standby.name for standby in visible}
    remedy = "Bring it back, or drop its slot if it is gone for good. The next run takes the new state for granted."
    return [
        Finding(
            "postgresql.standby_missing",
            Severity.WARNING,
            f"{situation.subject} standby {name}",
            f"{situation.subject}: the standby {name} was there in the last run and is not connected",
            remedy=remedy,
        )
        for name in situation.previous.get("standbys", [])
        if name not in names
    ]


def _inactive_since(seen: Replication, situation: Situation) -> dict[str, float]:
    """Return since when each slot has been inactive, in seconds since 1970, by the server or as first seen by us."""
    known = situation.previous.get("inactive", {})
    since = {}
    for slot in seen.slots:
        if slot.active or slot.synced:
            continue
        told = None if slot.inactive_seconds is None else seen.server.now - slot.inactive_seconds
        since[slot.name] = told if told is not None else float(known.get(slot.name, seen.server.now))
    return since


def _slot(slot: Slot, inactive_seconds: float | None, situation: Situation) -> Decision:
    subject, judge = f"{situation.subject} slot {slot.name}", situation.thresholds.judge
    decision = Decision(metrics={metric_name("postgresql_slot_active", slot=slot.name): int(slot.active)})
    if slot.status in ("unreserved", "lost"):
        lost = slot.status == "lost"
        message = f"{subject}: the WAL it needs " + ("is gone" if lost else "may be removed at the next checkpoint")
        remedy = (
            "Build its receiver anew and drop the slot."
            if lost
            else "Bring its receiver back now, or raise max_slot_wal_keep_size."
        )
        severity = Severity.CRITICAL if lost else Severity.WARNING
        decision.findings.append(
            Finding("postgresql.slot_lost", severity, subject, message, slot.status, "reserved", remedy)
        )
    if slot.retained_bytes is not None:
        decision.metrics[metric_name("postgresql_slot_retained_bytes", slot=slot.name)] = int(
            max(0, slot.retained_bytes)
        )
        decision.findings += judge(
            "slot_retained_bytes", "postgresql.slot_retained", subject, slot.retained_bytes, "it keeps WAL of"
        )
    decision.findings += _inactive(slot, inactive_seconds, subject, situation)
    return decision


def _inactive(slot: Slot, seconds: float | None, subject: str, situation: Situation) -> list[Finding]:
    threshold = situation.thresholds["slot_inactive_seconds"]
    found = threshold.judge("postgresql.slot_inactive", subject, seconds, "unused for")
    told = slot.inactive_seconds is not None or situation.previous_at is not None
    if seconds is None or told or threshold.warning is None:
        return found
    message = f"{subject}: nobody uses it; since when is unknown before version 17 and without an earlier run"
    return [
        Finding(
            "postgresql.slot_inactive", Severity.WARNING, subject, message, None, threshold.warning, threshold.remedy
        )
    ]


def _receiver(receiver: Receiver, seen: Replication, situation: Situation) -> Decision:
    subject, judge = situation.subject, situation.thresholds.judge
    decision = Decision()
    # A primary that writes nothing makes the last replayed transaction old without any lag.
    behind = receiver.lag_bytes is not None and receiver.lag_bytes > 0
    seconds = receiver.lag_seconds if behind else (0.0 if receiver.lag_bytes is not None else None)
    if receiver.lag_bytes is not None:
        decision.metrics["postgresql_replay_lag_bytes"] = int(receiver.lag_bytes)
    if seconds is not None:
        decision.metrics["postgresql_replay_lag_seconds"] = round(seconds, 3)
    findings = judge("replication_lag_bytes", "postgresql.replay_lag", subject, receiver.lag_bytes, "not replayed yet:")
    findings += judge("replication_lag_seconds", "postgresql.replay_lag", subject, seconds, "replay is behind by")
    decision.findings += _gravest(findings)
    if receiver.paused:
        remedy = "Run pg_wal_replay_resume() on the standby, unless somebody works on it."
        message = f"{subject}: replay is paused"
        decision.findings.append(
            Finding("postgresql.replay_paused", Severity.WARNING, subject, message, True, False, remedy)
        )
    if receiver.configured and receiver.streaming is False:
        remedy = "Look at the standby's log: the primary's address, the replication user, the slot, missing WAL."
        message = f"{subject}: the standby is not connected to its primary"
        decision.findings.append(
            Finding("postgresql.standby_disconnected", Severity.CRITICAL, subject, message, False, True, remedy)
        )
    if receiver.streaming is None:
        decision.findings.append(
            hidden(situation, "replication", seen.server.user, "whether the standby is connected to its primary")
        )
    return decision
