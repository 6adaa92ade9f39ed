# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges connections, saving and replication. Pure."""

from __future__ import annotations

from typing import Any

from ..._core.counters import grown
from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.result import metric_name
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..._core.units import format_duration
from ..observations import Clients, Persistence, Replica, Replication
from .decide_memory import measured, percent

__all__ = [
    "decide_clients",
    "decide_persistence",
    "decide_replication",
    "remember_clients",
    "remember_replication",
]

READ_LOG = "Read the server's log; check disk space, the folder's rights (CONFIG GET dir) and memory for the fork."


def decide_clients(clients: Clients, situation: Situation) -> Decision:
    """Judge connections in use, blocked and turned away."""
    share = percent(clients.connected, clients.maximum)
    rejected = grown("rejected", clients.counters, situation.previous, "run_id")
    values = {
        "redis_clients": clients.connected,
        "redis_clients_max": clients.maximum,
        "redis_clients_percent": share,
        "redis_clients_blocked": clients.blocked,
        "redis_rejected_connections": rejected,
    }
    judge, subject = situation.thresholds.judge, situation.subject
    return Decision(
        findings=judge("clients_percent", "redis.clients", subject, share, f"of {clients.maximum} connections in use:")
        + judge("blocked_clients", "redis.blocked_clients", subject, clients.blocked, "clients blocked:")
        + judge(
            "rejected_connections",
            "redis.rejected_connections",
            subject,
            rejected,
            "connections turned away since the last run:",
        ),
        metrics=measured(values),
    )


def remember_clients(clients: Clients, _situation: Situation) -> dict[str, Any]:
    """Keep the counters."""
    return dict(clients.counters)


def decide_persistence(state: Persistence, situation: Situation) -> Decision:
    """Judge whether what the server holds also is on its disk."""
    values = {
        "redis_loading": int(state.loading),
        "redis_loading_eta_seconds": state.loading_eta if state.loading else None,
        "redis_snapshots_enabled": None if state.snapshots is None else int(state.snapshots),
        "redis_aof_enabled": int(state.aof),
        "redis_changes_since_save": state.changes,
        "redis_save_age_seconds": None if state.save_age is None else round(state.save_age),
    }
    findings = _failures(state, situation.subject)
    # A server that is not to write snapshots counts changes for ever. Where the setting may not be read, it is judged
    # as if it were: better one finding to switch off than data that nobody saves.
    if state.changes and state.snapshots is not False:
        doubt = "" if state.snapshots else " (whether snapshots are wanted may not be read)"
        findings += situation.thresholds.judge(
            "save_age_seconds",
            "redis.save_overdue",
            situation.subject,
            state.save_age,
            f"{state.changes} changes are not in a snapshot{doubt}; the last is of an age of",
        )
    return Decision(findings, metrics=measured(values))


def decide_replication(replication: Replication, situation: Situation) -> Decision:
    """Judge the link to the master, and how far each replica is behind."""
    decision = Decision(metrics={"redis_replicas": len(replication.replicas)})
    decision.extend(_as_replica(replication, situation))
    for replica in replication.replicas:
        decision.extend(_one_replica(replica, situation))
    before = situation.previous.get("replicas")
    if before is not None:
        lost = sorted(set(before) - {replica.address for replica in replication.replicas})
        names = f" ({', '.join(lost)})" if lost else ""
        decision.findings += situation.thresholds.judge(
            "lost_replicas",
            "redis.replica_lost",
            situation.subject,
            len(lost),
            f"replicas gone since the last run{names}:",
        )
    return decision


def remember_replication(replication: Replication, _situation: Situation) -> dict[str, Any]:
    """Keep which replicas there were."""
    return {"replicas": [replica.address for replica in replication.replicas]}


def _failures(state: Persistence, subject: str) -> list[Finding]:
    """What the server itself says went wrong with saving."""
    failed = (
        (
            "redis.rdb_failed",
            Severity.CRITICAL,
            state.save_status,
            "the last snapshot failed; writes may be refused",
        ),
        ("redis.aof_failed", Severity.CRITICAL, state.aof_write_status, "writing the append-only file failed"),
        (
            "redis.aof_rewrite_failed",
            Severity.WARNING,
            state.aof_rewrite_status,
            "rewriting the append-only file failed",
        ),
    )
    return [
        Finding(name, severity, subject, f"{subject}: {what}", status, "ok", READ_LOG)
        for name, severity, status, what in failed
        if status not in (None, "ok") and (state.aof or name == "redis.rdb_failed")
    ]


def _as_replica(replication: Replication, situation: Situation) -> Decision:
    """Judge a server that follows another."""
    if replication.role != "slave":
        return Decision()
    up = replication.link == "up"
    values = {
        "redis_master_link_up": int(up),
        "redis_master_silent_seconds": replication.silent_seconds if up else None,
        "redis_replica_read_only": None if replication.read_only is None else int(replication.read_only),
    }
    subject = situation.subject
    if up:
        findings = situation.thresholds.judge(
            "replica_lag_seconds",
            "redis.replica_lag",
            subject,
            replication.silent_seconds,
            f"the master {replication.master} has been silent for",
        )
        return Decision(findings, metrics=measured(values))
    since = ""
    if replication.down_seconds is not None and replication.down_seconds >= 0:
        since = f" for {format_duration(replication.down_seconds)}"
    doing = ", and a full copy is under way" if replication.syncing else ""
    link_down = Finding(
        "redis.replication_link",
        Severity.CRITICAL,
        subject,
        f"{subject}: the link to the master {replication.master} is {replication.link or 'unknown'}{since}{doing}",
        replication.link,
        "up",
        "Check that the master runs and can be reached from here, and masteruser and masterauth.",
    )
    return Decision([link_down], metrics=measured(values))


def _one_replica(replica: Replica, situation: Situation) -> Decision:
    """Judge one that follows this server."""
    subject = f"{situation.subject} replica {replica.address}"
    values = {
        metric_name("redis_replica_lag_seconds", replica=replica.address): replica.lag_seconds,
        metric_name("redis_replica_lag_bytes", replica=replica.address): replica.lag_bytes,
    }
    judge = situation.thresholds.judge
    findings = judge(
        "replica_lag_seconds", "redis.replica_lag", subject, replica.lag_seconds, "last acknowledged before"
    )
    findings += judge("replica_lag_bytes", "redis.replica_lag_bytes", subject, replica.lag_bytes, "is behind by")
    if replica.state != "online":
        findings.append(
            Finding(
                "redis.replica_not_online",
                Severity.WARNING,
                subject,
                f"{subject}: its state is {replica.state}",
                replica.state,
                "online",
                "Wait until it has copied the data; if that repeats, raise client-output-buffer-limit replica.",
            )
        )
    return Decision(findings, metrics=measured(values))
