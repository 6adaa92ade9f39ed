# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides which rules have work to do, and whether memory is to be given back. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.action import Action, ActionState
from ..._core.finding import Finding
from ..._core.result import metric_name
from ..._core.runner import Decision, sub_finding
from ..._core.severity import Severity
from ..._core.units import format_duration
from .decide_memory import fragmented, told, unsupported
from .observation import NodeMemory, Seen, Tally
from .rule import EXPIRE, Rule, shown

__all__ = ["DEFRAGMENT", "PURGE", "decide_cleanup", "statement_of"]

PURGE, DEFRAGMENT = "purge_memory", "defragment"
STATEMENTS = {PURGE: "MEMORY PURGE", DEFRAGMENT: "CONFIG SET activedefrag yes"}
TOLD_QUEUES = 5


def decide_cleanup(seen: Seen, label: str, memory: Sequence[str], most: int | None) -> Decision:
    """Return the plan.

    :param label: which server it is, for people.
    :param memory: what is wanted of PURGE and DEFRAGMENT.
    :param most: the most keys to change in this run; None: any number.
    """
    decision = Decision([sub_finding(label, "redis", error) for error in seen.missing])
    planned = 0
    for tally in seen.tallies:
        decision.extend(_decide_rule(tally, seen, label, None if most is None else most - planned))
        planned += tally.due
    working = any(action.state is ActionState.PLANNED for action in decision.actions)
    decision.actions += [_memory_action(kind, label, seen.memory, working) for kind in memory if seen.memory]
    decision.metrics["redis_keys_seen"] = seen.keys
    decision.metrics["redis_longest_stall_milliseconds"] = round(seen.longest * 1000, 3)
    return decision


def _decide_rule(tally: Tally, seen: Seen, label: str, left: int | None) -> Decision:
    rule = tally.rule
    decision = Decision()
    for state in ("matched", "due", "spared", "unreadable"):
        decision.metrics[metric_name("redis_cleanup_keys", rule=rule.name, state=state)] = getattr(tally, state)
    action = Action(rule.action, rule.name, _reason(tally), statement_of(rule), work=rule)
    subject = f"{label} {rule.name}"
    if rule.idle is not None and "lfu" in seen.policy:
        why = f"under maxmemory-policy {seen.policy} the server does not know how long keys were idle"
        remedy = "Use no_ttl or field_age, or an LRU policy."
        decision.findings.append(
            Finding("redis.idle_unknown", Severity.WARNING, subject, f"{subject}: {why}", remedy=remedy)
        )
        decision.actions.append(action.became(ActionState.SKIPPED, why))
        return decision
    decision.findings += _findings(tally, seen, subject)
    if tally.due:
        full = left is not None and left <= 0
        decision.actions.append(action.became(ActionState.SKIPPED, "max_changes is reached") if full else action)
    return decision


def _findings(tally: Tally, seen: Seen, subject: str) -> list[Finding]:
    """Say of a rule that does nothing why that is so, where it can hardly be meant."""
    free = tally.matched - tally.spared
    if tally.unreadable and tally.unreadable == free:
        field = shown(tally.rule.field or b"")
        return [
            Finding(
                "redis.field_unreadable",
                Severity.WARNING,
                subject,
                f"{subject}: no time was found in the field {field} of any of {free} keys; all of them stay",
                value=tally.unreadable,
                remedy="Check field and field_unit.",
            )
        ]
    if tally.spared and not free:
        queues = ", ".join(shown(name) for name in seen.queues[:TOLD_QUEUES]) or "none"
        return [
            Finding(
                "redis.keys_protected",
                Severity.WARNING,
                subject,
                f"{subject}: all of its {tally.spared} keys are protected (queues: {queues}); none is touched",
                value=tally.spared,
                remedy="Clean queues with queue_cleanup; take the pattern out of protect if its keys may go.",
            )
        ]
    return []


def _reason(tally: Tally) -> str:
    rule = tally.rule
    conditions = []
    if rule.lasting:
        conditions.append("have no TTL")
    if rule.idle is not None:
        conditions.append(f"were not used for {rule.older_text}")
    if rule.field is not None:
        conditions.append(f"have a {shown(rule.field)} older than {rule.older_text}")
    if rule.types:
        conditions.append(f"are of type {' or '.join(shown(kind) for kind in rule.types)}")
    reason = f"about {tally.due} of {tally.matched} keys like {shown(rule.pattern)}"
    reason += f" {' and '.join(conditions)}" if conditions else " are to go"
    return reason + (f"; {tally.spared} are protected" if tally.spared else "")


def statement_of(rule: Rule) -> str:
    """Return what is sent for the keys of a rule, for people."""
    each = "UNLINK key"
    if rule.action == EXPIRE:
        jitter = f" +-{rule.jitter * 100:g} %" if rule.jitter else ""
        each = f"PEXPIRE key {format_duration(rule.ttl)}{jitter} if it has no TTL"
    elif not rule.by_name:
        each += " if the condition still holds"
    return f"SCAN MATCH {shown(rule.pattern)}, then {each}"


def _memory_action(kind: str, label: str, memory: Sequence[NodeMemory], working: bool) -> Action:
    """Plan what gives memory back where it is fragmented, or may be once keys are gone."""
    hindrances = [unsupported(node) for node in memory]
    if all(hindrances):
        return Action(
            kind, label, "it was asked for", STATEMENTS[kind], ActionState.SKIPPED, f"unsupported: {hindrances[0]}"
        )
    worst = max(memory, key=lambda node: (fragmented(node), node.frag_bytes or 0))
    if fragmented(worst):
        return Action(kind, label, told(worst), STATEMENTS[kind])
    if working:
        return Action(kind, label, "if it is fragmented once keys are gone", STATEMENTS[kind])
    return Action(kind, label, f"there is no need: {told(worst)}", STATEMENTS[kind], ActionState.SKIPPED)
