# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._redis.health.decide_memory import (
    decide_cache,
    decide_keyspace,
    decide_memory,
    hit_rate,
    percent,
    remember_cache,
    remember_memory,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.observations import Cache, Database, Memory
from tests.unit._redis.situations import found, situation

MIB = 1024**2
HEALTHY = Memory(
    used=50 * MIB,
    resident=60 * MIB,
    peak=70 * MIB,
    maximum=100 * MIB,
    system=1000 * MIB,
    policy="noeviction",
    frag_ratio=1.1,
    frag_bytes=5 * MIB,
    counters={"run_id": "a", "out_of_memory_errors": 0},
)


@pytest.mark.parametrize(
    ("used", "expected"),
    [(85.0, {}), (85.01, {"redis.memory": "warning"}), (95.0, {"redis.memory": "warning"}),
     (95.01, {"redis.memory": "critical"}), (101.0, {"redis.memory": "critical"})],
)  # fmt: skip
def test_memory_of_maxmemory(used: float, expected: dict[str, str]) -> None:
    memory = HEALTHY._replace(used=round(used * MIB))
    assert found(decide_memory(memory, situation())) == expected


def test_a_server_that_may_evict_is_never_critical_for_being_full() -> None:
    full = HEALTHY._replace(used=100 * MIB, policy="allkeys-lru")
    assert found(decide_memory(full, situation())) == {"redis.memory": "warning"}


def test_an_unknown_policy_is_judged_as_the_strict_one() -> None:
    full = HEALTHY._replace(used=100 * MIB, policy=None)
    assert found(decide_memory(full, situation())) == {"redis.memory": "critical"}


@pytest.mark.parametrize(
    ("used", "expected"),
    [(850, {}), (851, {"redis.system_memory": "warning"}), (951, {"redis.system_memory": "critical"})],
)
def test_without_maxmemory_the_machine_is_the_limit(used: int, expected: dict[str, str]) -> None:
    decision = decide_memory(HEALTHY._replace(maximum=None, used=used * MIB), situation())
    assert found(decision) == expected
    assert decision.metrics["redis_memory_max_bytes"] == 0
    assert "redis_memory_used_percent" not in decision.metrics


@pytest.mark.parametrize(
    ("ratio", "size", "expected"),
    [
        (1.4, 101 * MIB, {}),
        (1.41, 101 * MIB, {"redis.fragmentation": "warning"}),
        (9.0, 100 * MIB, {}),
        (9.0, None, {}),
        (None, 500 * MIB, {}),
    ],
)
def test_fragmentation_needs_both_limits(ratio: float | None, size: int | None, expected: dict[str, str]) -> None:
    memory = HEALTHY._replace(frag_ratio=ratio, frag_bytes=size)
    assert found(decide_memory(memory, situation())) == expected


def test_refused_writes_are_counted_since_the_last_run() -> None:
    refusing = HEALTHY._replace(counters={"run_id": "a", "out_of_memory_errors": 7})
    assert found(decide_memory(refusing, situation())) == {}
    decision = decide_memory(refusing, situation(remember_memory(HEALTHY, situation())))
    assert found(decision) == {"redis.out_of_memory": "warning"}
    assert decision.metrics["redis_out_of_memory_errors"] == 7
    assert found(decide_memory(refusing, situation(remember_memory(refusing, situation())))) == {}


def test_a_server_that_says_nothing_is_no_error() -> None:
    nothing = Memory(None, None, None, None, None, None, None, None, {})
    decision = decide_memory(nothing, situation({"out_of_memory_errors": 3}))
    assert (decision.findings, decision.metrics) == ([], {"redis_memory_max_bytes": 0})


def cache(**counters: Any) -> Cache:
    return Cache({"run_id": "a", "hits": 0, "misses": 0, "evicted": 0, "expired": 0, **counters})


def before(**counters: Any) -> dict[str, Any]:
    return remember_cache(cache(**counters), situation())


@pytest.mark.parametrize(
    ("hits", "misses", "expected"),
    [
        (500, 500, {}),
        (499, 501, {"redis.hit_rate": "warning"}),
        (0, 1000, {"redis.hit_rate": "warning"}),
        (0, 999, {}),
        (0, 0, {}),
    ],
)
def test_hit_rate(hits: int, misses: int, expected: dict[str, str]) -> None:
    now = cache(hits=10_000 + hits, misses=50 + misses)
    assert found(decide_cache(now, situation(before(hits=10_000, misses=50)))) == expected


def test_nothing_looked_up_is_no_rate() -> None:
    decision = decide_cache(cache(hits=5, misses=5), situation(before(hits=5, misses=5)))
    assert "redis_hit_rate_percent" not in decision.metrics
    assert decision.metrics["redis_lookups"] == 0


def test_a_first_run_knows_no_rate_and_no_evictions() -> None:
    decision = decide_cache(cache(hits=5, misses=50_000, evicted=9), situation())
    assert (decision.findings, decision.metrics) == ([], {})


def test_evictions() -> None:
    assert found(decide_cache(cache(evicted=3), situation(before(evicted=3)))) == {}
    assert found(decide_cache(cache(evicted=4), situation(before(evicted=3)))) == {"redis.evictions": "warning"}


def test_after_a_restart_counters_count_from_zero() -> None:
    restarted = Cache({**cache(hits=30, misses=10, evicted=2, expired=1).counters, "run_id": "b"})
    decision = decide_cache(restarted, situation(before(hits=20, misses=5, evicted=9)))
    assert decision.metrics["redis_hit_rate_percent"] == 75
    assert decision.metrics["redis_evicted_keys"] == 2


@given(hits=st.integers(0, 10**12), misses=st.integers(0, 10**12))
def test_a_hit_rate_is_a_share_or_unknown(hits: int, misses: int) -> None:
    rate, lookups = hit_rate(cache(hits=hits, misses=misses), situation(before()))
    assert lookups == hits + misses
    assert rate is None if hits + misses == 0 else rate is not None and 0 <= rate <= 100


@pytest.mark.parametrize(("part", "whole"), [(1, 0), (1, None), (None, 1), (None, None)])
def test_no_share_without_a_whole(part: float | None, whole: float | None) -> None:
    assert percent(part, whole) is None


def test_keys_and_those_without_ttl() -> None:
    decision = decide_keyspace([Database("db0", 10, 4), Database("db3", 10, 10)], situation())
    assert decision.findings == []
    assert decision.metrics == {
        'redis_keys{db="db0"}': 10,
        'redis_keys_without_ttl{db="db0"}': 6,
        'redis_keys{db="db3"}': 10,
        'redis_keys_without_ttl{db="db3"}': 0,
        "redis_keys_without_ttl_percent": 30,
    }
    assert decide_keyspace([], situation()).metrics == {}
