# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides which entries have keys to set, and says what is wrong with their rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from .._core.action import Action, ActionState
from .._core.finding import Finding
from .._core.result import metric_name
from .._core.runner import Decision, sub_finding
from .._core.severity import Severity
from .._core.units import format_duration, format_size
from .entry import FIELD, HASH, JSON, Entry
from .observation import NodeMemory, Seen, Tally

__all__ = ["OVERHEAD", "WARM", "decide_warm", "fullest"]

WARM = "warm"
MAX_KEYS = "max_keys is reached"
STATES = ("rows", "due", "there", "other_type", "repeated", "missing", "unreadable", "too_large", "protected", "away")

OVERHEAD = 100
"""Bytes that a key takes beside its own: its entries among the keys and the times of their ends, two objects.
Source: src/dict.h, src/object.c of Redis; measured 90 to 120.
"""


def fullest(memory: Sequence[NodeMemory]) -> NodeMemory:
    """Return the memory of the server that is fullest."""
    return max(memory, key=lambda node: node.percent)


def decide_warm(seen: Seen, label: str, most: int | None, percent: float) -> Decision:
    """Return the plan.

    :param label: which server it is, for people.
    :param most: the most keys to set in this run; None: any number.
    :param percent: of maxmemory, at which no more keys are set.
    """
    decision = Decision([sub_finding(label, "redis", error) for error in seen.missing])
    planned = 0
    full = fullest(seen.memory)
    for tally in seen.tallies:
        decision.metrics.update(
            {metric_name("redis_warm_keys", entry=tally.entry.name, state=s): getattr(tally, s) for s in STATES}
        )
        decision.findings += _findings(tally, f"{label} {tally.entry.name}")
        if tally.error or (tally.complete and not tally.due):
            continue
        action = Action(WARM, tally.entry.name, _reason(tally), statement_of(tally.entry), work=tally.entry)
        if full.percent >= percent:
            action = action.became(ActionState.SKIPPED, f"memory is {full.percent:.1f} % full")
        elif most is not None and planned >= most:
            action = action.became(ActionState.SKIPPED, MAX_KEYS)
        planned += tally.due
        decision.actions.append(action)
    if decision.actions:
        decision.findings += _memory(seen, label, percent)
    decision.metrics["redis_longest_stall_milliseconds"] = round(seen.longest * 1000, 3)
    return decision


def _findings(tally: Tally, subject: str) -> list[Finding]:
    """Say what is wrong with an entry's source and rows."""
    if tally.error:
        return [sub_finding(subject, tally.entry.source, tally.error)]
    found = []
    told = (
        (
            "keys_protected",
            tally.protected,
            "keys would lie among those of a queue, or ours, and are not set",
            "Give the keys another name.",
        ),
        (
            "warm_other_type",
            tally.other_type,
            "keys are there and hold something of another type; they stay",
            "Give the keys another name, or value its other form: hash or not.",
        ),
        (
            "warm_too_large",
            tally.too_large,
            "rows make a key that is larger than max_value, and are passed over",
            "Choose fewer fields, or raise max_value.",
        ),
        (
            "warm_unreadable",
            tally.unreadable,
            "rows cannot be read, or hold what has no text, and are passed over",
            "Choose other fields, convert them in the query, or mend the file.",
        ),
        (
            "warm_repeated",
            tally.repeated,
            "rows make a key that an earlier row made; the first one counts",
            "Let key name what is unique, or the query choose one row of each.",
        ),
    )
    for condition, number, what, remedy in told:
        if number:
            message = f"{subject}: {number} of {tally.rows} {what}"
            found.append(Finding(f"redis.{condition}", Severity.WARNING, subject, message, number, remedy=remedy))
    if tally.missing and tally.missing == tally.rows:
        message = f"{subject}: all {tally.rows} rows lack a field that the key or the value needs"
        remedy = "Check the names of fields in key and value against what the query gives."
        found.append(
            Finding("redis.warm_fields_missing", Severity.WARNING, subject, message, tally.missing, remedy=remedy)
        )
    return found


def _memory(seen: Seen, label: str, percent: float) -> list[Finding]:
    """Say if memory is full, or will be."""
    full = fullest(seen.memory)
    if not full.maximum:
        return []
    limit = full.maximum * percent / 100
    wanted = sum(tally.bytes + tally.due * OVERHEAD for tally in seen.tallies) / len(seen.memory)
    if full.percent >= percent:
        what = "no keys are set, for the server would refuse writes or evict others' keys"
    elif full.used + wanted > limit:
        what = f"keys are set up to that; all of them need about {format_size(wanted)} more"
    else:
        return []
    message = f"{label}: memory is {full.percent:.1f} % of maxmemory, the limit is {percent:g} %; {what}"
    remedy = f"Warm less, raise maxmemory, or raise max_memory_percent (the policy is {seen.policy or 'unknown'})."
    value, threshold = round(full.percent, 1), percent
    return [Finding("redis.warm_memory", Severity.WARNING, label, message, value, threshold, remedy)]


def _reason(tally: Tally) -> str:
    """Say how many keys are to be set, and what becomes of the other rows."""
    if tally.entry.nx:
        what = f"about {tally.due} keys of {tally.rows} rows are missing"
    else:
        what = f"about {tally.due} keys of {tally.rows} rows are to be set anew"
    if not tally.complete:
        what = what.replace("about", "at least") + ", and there are more rows than could be counted"
    parts = [
        (tally.there, "are there"),
        (tally.repeated, "rows repeat a key"),
        (tally.missing, "rows lack a field"),
        (tally.away, "are of nodes that cannot be reached, or on their way to another one"),
        (tally.other_type + tally.too_large + tally.unreadable + tally.protected, "must not or cannot be set"),
    ]
    return "; ".join([what, *(f"{number} {why}" for number, why in parts if number)])


def statement_of(entry: Entry) -> str:
    """Return what is read and what is sent, for people, without constants of the query."""
    life = ""
    if entry.life is not None:
        life = f" PX {format_duration(entry.life)}"
        life += f" +-{entry.jitter * 100:g} %" if entry.jitter else ""
    value = {
        JSON: "<row as JSON>",
        HASH: "<fields>",
        FIELD: f"<{'.'.join(entry.value.field)}>",
    }.get(entry.value.kind) or (entry.value.template.text if entry.value.template else "")
    verb = "HSET" if entry.value.kind == HASH else "SET"
    return f"{entry.query.told}, then {verb} {entry.key.text} {value}{life}{' NX' if entry.nx else ''}"
