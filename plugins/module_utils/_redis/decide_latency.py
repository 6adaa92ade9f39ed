# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges slow commands and latency spikes since the last run. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._core.health import Situation
from .._core.result import metric_name
from .._core.runner import Decision
from .observations import LatencyEvent, SlowCommand, SlowLog

__all__ = ["decide_latency", "decide_slow_log", "recent_commands", "remember_latency", "remember_slow_log"]

FIRST_LOOK_SECONDS = 86400.0
"""A first run has no earlier one to count from and looks back as far as a daily one would."""


def decide_slow_log(log: SlowLog, situation: Situation) -> Decision:
    """Judge how many slow commands there are since the last run, and the slowest."""
    recent, count = recent_commands(log, situation)
    decision = Decision(metrics={"redis_slow_commands": count})
    judge, subject = situation.thresholds.judge, situation.subject
    decision.findings += judge(
        "slow_commands", "redis.slow_commands", subject, count, f"slow commands{_names(recent)} since the last run:"
    )
    if recent:
        slowest = max(recent, key=lambda command: command.milliseconds)
        decision.metrics["redis_slowest_command_seconds"] = round(slowest.milliseconds / 1000, 6)
        decision.findings += judge(
            "slow_command_milliseconds",
            "redis.slow_command",
            subject,
            slowest.milliseconds,
            f"the slowest command ({slowest.name}) took",
        )
    return decision


def remember_slow_log(log: SlowLog, situation: Situation) -> dict[str, Any]:
    """Keep up to which entry the log was read. SLOWLOG RESET empties the log and goes on numbering."""
    same_life = log.run_id == situation.previous.get("run_id")
    last = situation.previous.get("number", -1) if same_life else -1
    return {"run_id": log.run_id, "number": log.commands[0].number if log.commands else last}


def decide_latency(events: Sequence[LatencyEvent], situation: Situation) -> Decision:
    """Judge spikes that the last run has not seen."""
    decision = Decision()
    before = situation.previous.get("events")
    horizon = situation.now.timestamp() - FIRST_LOOK_SECONDS
    for event in events:
        if event.at <= (horizon if before is None else before.get(event.name, 0)):
            continue
        decision.metrics[metric_name("redis_latency_event_seconds", event=event.name)] = event.milliseconds / 1000
        decision.findings += situation.thresholds.judge(
            "latency_event_milliseconds",
            "redis.latency_event",
            f"{situation.subject} {event.name}",
            event.milliseconds,
            "a spike of",
        )
    return decision


def remember_latency(events: Sequence[LatencyEvent], _situation: Situation) -> dict[str, Any]:
    """Keep when the last spike of each kind was."""
    return {"events": {event.name: event.at for event in events}}


def recent_commands(log: SlowLog, situation: Situation) -> tuple[list[SlowCommand], int]:
    """Return the entries since the last run, and their number, which counts those that fell out of the log too.

    After a restart the entries are numbered from 0 again, so all of them are new.
    """
    if "number" not in situation.previous:
        horizon = situation.now.timestamp() - FIRST_LOOK_SECONDS
        recent = [command for command in log.commands if command.at > horizon]
        return recent, len(recent)
    newest = log.commands[0].number if log.commands else -1
    last = situation.previous["number"]
    if log.run_id != situation.previous.get("run_id") or newest < last:
        last = -1
    if newest < 0:
        return [], 0
    return [command for command in log.commands if command.number > last], newest - last


def _names(commands: Sequence[SlowCommand]) -> str:
    names = sorted({command.name for command in commands})
    return f" ({', '.join(names[:5])}{', ...' if len(names) > 5 else ''})" if names else ""
