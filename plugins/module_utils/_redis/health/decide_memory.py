# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges memory, evictions, hit rate and keys. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..._core.counters import grown
from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.result import Metrics, metric_name
from ..._core.runner import Decision
from ..._core.units import format_size
from ..observations import Cache, Database, Memory

__all__ = ["decide_cache", "decide_keyspace", "decide_memory", "remember_cache", "remember_memory"]

LEAST_LOOKUPS = 1000
"""Below this many look-ups since the last run a hit rate says nothing."""


def decide_memory(memory: Memory, situation: Situation) -> Decision:
    """Judge memory in use, refused writes and fragmentation."""
    refused = grown("out_of_memory_errors", memory.counters, situation.previous, "run_id")
    values = {
        "redis_memory_used_bytes": memory.used,
        "redis_memory_resident_bytes": memory.resident,
        "redis_memory_peak_bytes": memory.peak,
        "redis_memory_max_bytes": memory.maximum or 0,
        "redis_memory_used_percent": percent(memory.used, memory.maximum),
        "redis_memory_fragmentation_ratio": memory.frag_ratio,
        "redis_memory_fragmentation_bytes": memory.frag_bytes,
        "redis_out_of_memory_errors": refused,
    }
    decision = Decision(metrics=measured(values))
    decision.findings += _fullness(memory, situation) + _fragmentation(memory, situation)
    decision.findings += situation.thresholds.judge(
        "out_of_memory_errors", "redis.out_of_memory", situation.subject, refused, "writes refused for want of memory:"
    )
    return decision


def remember_memory(memory: Memory, _situation: Situation) -> dict[str, Any]:
    """Keep the counters."""
    return dict(memory.counters)


def decide_cache(cache: Cache, situation: Situation) -> Decision:
    """Judge evictions and the hit rate since the last run."""
    evicted = grown("evicted", cache.counters, situation.previous, "run_id")
    rate, lookups = hit_rate(cache, situation)
    values = {
        "redis_evicted_keys": evicted,
        "redis_expired_keys": grown("expired", cache.counters, situation.previous, "run_id"),
        "redis_lookups": lookups,
        "redis_hit_rate_percent": rate,
    }
    decision = Decision(metrics=measured(values))
    judge = situation.thresholds.judge
    decision.findings += judge(
        "evicted_keys", "redis.evictions", situation.subject, evicted, "keys evicted since the last run:"
    )
    if lookups is not None and lookups >= LEAST_LOOKUPS:
        what = f"hit rate of {lookups:.0f} look-ups since the last run is"
        decision.findings += judge("hit_rate_percent", "redis.hit_rate", situation.subject, rate, what)
    return decision


def remember_cache(cache: Cache, _situation: Situation) -> dict[str, Any]:
    """Keep the counters."""
    return dict(cache.counters)


def decide_keyspace(databases: Sequence[Database], _situation: Situation) -> Decision:
    """Report keys and those that never expire; what is too many depends on the application."""
    decision = Decision()
    for database in databases:
        decision.metrics[metric_name("redis_keys", db=database.name)] = database.keys
        decision.metrics[metric_name("redis_keys_without_ttl", db=database.name)] = database.keys - database.expires
    keys = sum(database.keys for database in databases)
    lasting = keys - sum(database.expires for database in databases)
    decision.metrics.update(measured({"redis_keys_without_ttl_percent": percent(lasting, keys)}))
    return decision


def hit_rate(cache: Cache, situation: Situation) -> tuple[float | None, float | None]:
    """Return the hit rate in percent and the number of look-ups, both since the last run.

    The rate is None when nothing was looked up; both are when there was no last run.
    """
    hits = grown("hits", cache.counters, situation.previous, "run_id")
    misses = grown("misses", cache.counters, situation.previous, "run_id")
    if hits is None or misses is None:
        return None, None
    return percent(hits, hits + misses), hits + misses


def percent(part: float | None, whole: float | None) -> float | None:
    """Return a share in percent, None where there is no whole or one of them is unknown."""
    return None if part is None or not whole else round(part * 100 / whole, 2)


def measured(values: dict[str, float | int | None]) -> Metrics:
    """Return the metrics that have a value."""
    return {name: value for name, value in values.items() if value is not None}


def _fullness(memory: Memory, situation: Situation) -> list[Finding]:
    """Judge what is used: of maxmemory, or of the machine where there is no limit.

    A server that may evict goes on working when it is full, so there a full memory is a warning at most.
    """
    if memory.maximum is None:
        what = "no maxmemory is set, and of the machine's memory is used"
        share = percent(memory.used, memory.system)
        return situation.thresholds.judge(
            "system_memory_percent", "redis.system_memory", situation.subject, share, what
        )
    threshold = situation.thresholds["memory_percent"]
    if (memory.policy or "noeviction") != "noeviction":
        threshold = replace(threshold, critical=None)
    what = f"memory used of {format_size(memory.maximum)} (policy {memory.policy or 'unknown'}) is"
    return threshold.judge("redis.memory", situation.subject, percent(memory.used, memory.maximum), what)


def _fragmentation(memory: Memory, situation: Situation) -> list[Finding]:
    """Judge the allocator's fragmentation: a bad ratio of little memory is nothing, nor much memory at a good ratio."""
    bytes_limit = situation.thresholds["fragmentation_bytes"]
    if memory.frag_bytes is None or not bytes_limit.crossed(memory.frag_bytes, bytes_limit.warning):
        return []
    what = f"fragmentation of {format_size(memory.frag_bytes)} means a ratio of"
    return situation.thresholds.judge(
        "fragmentation_ratio", "redis.fragmentation", situation.subject, memory.frag_ratio, what
    )
