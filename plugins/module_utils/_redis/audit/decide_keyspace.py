# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges what the keys have in common: those that never expire, and those that nobody uses. Pure."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.result import Metrics, metric_name
from ..._core.runner import Decision, sub_finding
from ..._core.units import format_size
from ..health.decide_memory import percent
from .observation import TTL_BOUNDS, KeySpace, Prefix
from .worst import worst

__all__ = ["MOST_PREFIXES", "about", "decide_keyspace", "left_out", "pass_metrics"]

MOST_PREFIXES = 40
"""So many groups of keys have metrics of their own; the others are summed up."""
OTHERS = "(others)"


def decide_keyspace(seen: KeySpace, situation: Situation) -> Decision:
    """Report every group of keys, and judge what stays for ever and what nobody uses."""
    decision = Decision(left_out(seen, situation), metrics=pass_metrics(seen))
    for prefix in _shown(seen):
        decision.metrics.update(_metrics(prefix, seen))
    for (kind, encoding), count in sorted(seen.kinds.items()):
        decision.metrics[metric_name("redis_keys_by_encoding", type=kind, encoding=encoding)] = count
    decision.findings += worst(_lasting(seen, situation), "groups of keys that never expire", situation)
    decision.findings += worst(_idle(seen, situation), "groups of keys that nobody uses", situation)
    return decision


def pass_metrics(seen: KeySpace) -> Metrics:
    """Return what the pass itself was: how far it came, how long it took, and how long others had to wait for it."""
    return {
        "redis_audit_keys": seen.total,
        "redis_audit_keys_seen": seen.seen,
        "redis_audit_complete": int(seen.complete),
        "redis_audit_scripts": int(seen.scripts),
        "redis_audit_nodes": seen.nodes,
        "redis_audit_seconds": round(seen.seconds, 3),
        "redis_audit_queues": seen.queues,
        "redis_longest_stall_milliseconds": round(seen.longest_stall * 1000, 3),
    }


def left_out(seen: KeySpace, situation: Situation) -> list[Finding]:
    """Return a finding for each node of the cluster whose keys nobody looked at."""
    return [sub_finding(situation.subject, "redis", error) for error in seen.missing]


def about(seen: KeySpace) -> str:
    """Return what a message says of numbers that are extrapolated."""
    return "" if seen.complete else f" (from a sample of {seen.seen} of {seen.total} keys)"


def _shown(seen: KeySpace) -> list[Prefix]:
    """Return the largest groups, and one for all others."""
    shown, others = list(seen.prefixes[:MOST_PREFIXES]), seen.prefixes[MOST_PREFIXES:]
    if others:
        shown.append(reduce(_sum, others)._replace(name=OTHERS, queue=False))
    return shown


def _sum(one: Prefix, other: Prefix) -> Prefix:
    """Add up two groups: every number of theirs."""
    counts = tuple(map(sum, zip(one.ttl_counts, other.ttl_counts, strict=True)))
    return Prefix(
        name=one.name,
        keys=one.keys + other.keys,
        size=one.size + other.size,
        lasting_keys=one.lasting_keys + other.lasting_keys,
        lasting_size=one.lasting_size + other.lasting_size,
        ruled_keys=one.ruled_keys + other.ruled_keys,
        ruled_size=one.ruled_size + other.ruled_size,
        ttl_counts=counts,
        idle_keys=one.idle_keys + other.idle_keys,
        idle_size=one.idle_size + other.idle_size,
        queue=one.queue,
    )


def _metrics(prefix: Prefix, seen: KeySpace) -> Metrics:
    def named(what: str, **more: str) -> str:
        return metric_name(f"redis_prefix_{what}", prefix=prefix.name, **more)

    found: Metrics = {named("keys"): prefix.keys, named("keys_without_ttl"): prefix.lasting_keys}
    if seen.sized:
        found[named("bytes")] = prefix.size
        found[named("bytes_without_ttl")] = prefix.lasting_size
    if seen.heat == "idle":
        found[named("idle_keys")] = prefix.idle_keys
        if seen.sized:
            found[named("idle_bytes")] = prefix.idle_size
    bounds = [*(str(bound) for bound in TTL_BOUNDS), "inf"]
    for bound, count in zip(bounds, prefix.ttl_counts, strict=True):
        if count:
            found[named("keys_by_ttl", up_to_seconds=bound)] = count
    return found


def _lasting(seen: KeySpace, situation: Situation) -> list[Finding]:
    """Judge groups whose keys stay for ever, where the server may not evict them either.

    A group that the policies speak of is judged by them, and a queue's keys have their own clean-up.
    """
    if (seen.eviction or "").startswith("allkeys-"):
        return []

    def size(prefix: Prefix) -> int:
        return 0 if prefix.queue else prefix.lasting_size - prefix.ruled_size

    return _judged(
        seen,
        situation,
        "no_ttl",
        size,
        lambda prefix: (
            f"{prefix.lasting_keys - prefix.ruled_keys} of {prefix.keys} keys have no TTL and are never "
            f"removed{about(seen)}; their {format_size(size(prefix))} are of {_whole(seen)}"
        ),
    )


def _idle(seen: KeySpace, situation: Situation) -> list[Finding]:
    """Judge groups of which much was not used for long."""

    def size(prefix: Prefix) -> int:
        return 0 if prefix.queue else prefix.idle_size

    return _judged(
        seen,
        situation,
        "idle",
        size,
        lambda prefix: (
            f"about {prefix.idle_keys} of {prefix.keys} keys were not used for long{about(seen)}; their "
            f"{format_size(size(prefix))} are of {_whole(seen)}"
        ),
    )


def _judged(
    seen: KeySpace, situation: Situation, name: str, size: Callable[[Prefix], int], what: Callable[[Prefix], str]
) -> list[Finding]:
    """Judge a share of each group's memory: much of little is nothing, nor little of much."""
    least = situation.thresholds[f"{name}_bytes"]
    return [
        finding
        for prefix in sorted(seen.prefixes, key=size, reverse=True)
        if least.crossed(size(prefix), least.warning)
        for finding in situation.thresholds.judge(
            f"{name}_percent",
            f"redis.{name}",
            f"{situation.subject} {prefix.name}",
            percent(size(prefix), seen.maximum or seen.used),
            what(prefix),
        )
    ]


def _whole(seen: KeySpace) -> str:
    return "maxmemory" if seen.maximum else "all memory in use"
