# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads memory, what it keeps, and how well the cache serves: all out of INFO."""

from __future__ import annotations

from .._core.runner import Context
from .client import RedisClient
from .observations import Cache, Database, Memory

__all__ = ["observe_cache", "observe_keyspace", "observe_memory"]


def observe_memory(client: RedisClient, _context: Context) -> Memory:
    """Read memory."""
    info = client.info()
    used, uncounted = info.integer("used_memory"), info.integer("mem_not_counted_for_evict")
    counters = {
        "run_id": info.text("run_id"),
        # A server that knows error statistics lists an error only once it has occurred.
        "out_of_memory_errors": info.record_number("errorstat_OOM", "count")
        or (None if info.number("total_error_replies") is None else 0),
    }
    return Memory(
        used=None if used is None else max(0, used - (uncounted or 0)),
        resident=info.integer("used_memory_rss"),
        peak=info.integer("used_memory_peak"),
        maximum=info.integer("maxmemory") or None,
        system=info.integer("total_system_memory") or None,
        policy=info.text("maxmemory_policy"),
        frag_ratio=info.number("allocator_frag_ratio"),
        frag_bytes=info.integer("allocator_frag_bytes"),
        counters=counters,
    )


def observe_cache(client: RedisClient, _context: Context) -> Cache:
    """Read the cache's counters."""
    info = client.info()
    names = {"hits": "keyspace_hits", "misses": "keyspace_misses", "evicted": "evicted_keys", "expired": "expired_keys"}
    return Cache({"run_id": info.text("run_id"), **{ours: info.number(theirs) for ours, theirs in names.items()}})


def observe_keyspace(client: RedisClient, _context: Context) -> list[Database]:
    """Read how many keys each database holds."""
    return [
        Database(name, int(record.get("keys", 0)), int(record.get("expires", 0)))
        for name, record in sorted(client.info().records("db").items())
    ]
