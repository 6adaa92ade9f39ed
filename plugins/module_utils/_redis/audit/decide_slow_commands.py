# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges the slow log by command, and names those that no live server should see. Pure."""

from __future__ import annotations

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.result import metric_name
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..decide_latency import decide_slow_log, recent_commands
from ..observations import SlowCommand, SlowLog

__all__ = ["BETTER", "decide_slow_commands"]

BETTER = {
    "KEYS": "Walk with SCAN, which looks at some keys at a time.",
    "FLUSHALL": "Use FLUSHALL ASYNC, which frees the memory in the background.",
    "FLUSHDB": "Use FLUSHDB ASYNC, which frees the memory in the background.",
    "DEL": "Use UNLINK, which frees the memory in the background.",
    "SMEMBERS": "Walk with SSCAN, or split the set.",
    "HGETALL": "Ask for the fields that are needed (HMGET), walk with HSCAN, or split the hash.",
    "HKEYS": "Walk with HSCAN, or split the hash.",
    "HVALS": "Walk with HSCAN, or split the hash.",
    "LRANGE": "Ask for fewer elements at a time, or split the list.",
    "ZRANGE": "Ask for fewer members at a time, or split the sorted set.",
    "SORT": "Keep the elements sorted (ZADD), or sort in the application.",
    "SUNION": "Compute it into a key at a quiet time, or in the application.",
    "SINTER": "Compute it into a key at a quiet time, or in the application.",
    "SDIFF": "Compute it into a key at a quiet time, or in the application.",
    "SAVE": "Use BGSAVE, which lets a child do the work.",
    "MONITOR": "Look at the slow log instead: MONITOR costs every command's speed.",
    "DEBUG": "Forbid it to applications with an access list.",
}
"""What to do instead of a command whose time grows with the data. Source: each command's documented complexity."""


def decide_slow_commands(log: SlowLog, situation: Situation) -> Decision:
    """Judge the slow log as the daily check does, and every command in it by itself."""
    decision = decide_slow_log(log, situation)
    commands: dict[str, list[SlowCommand]] = {}
    for command in recent_commands(log, situation)[0]:
        commands.setdefault(command.name, []).append(command)
    for name, entries in sorted(commands.items()):
        taken = sum(entry.milliseconds for entry in entries)
        decision.metrics[metric_name("redis_slow_command_count", command=name)] = len(entries)
        decision.metrics[metric_name("redis_slow_command_seconds", command=name)] = round(taken / 1000, 6)
        if name in BETTER:
            decision.findings.append(_finding(name, entries, situation))
    return decision


def _finding(name: str, entries: list[SlowCommand], situation: Situation) -> Finding:
    slowest = max(entry.milliseconds for entry in entries)
    message = (
        f"{situation.subject}: {name} was slow {len(entries)} times since the last run, {slowest:.0f} ms at the worst, "
        "and takes the longer the more data there is"
    )
    subject = f"{situation.subject} {name}"
    return Finding("redis.costly_command", Severity.WARNING, subject, message, len(entries), None, BETTER[name])
