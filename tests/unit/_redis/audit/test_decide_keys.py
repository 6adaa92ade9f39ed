# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._redis.audit.decide_big_keys import decide_big_keys
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.audit.decide_keyspace import (
    MOST_PREFIXES,
    OTHERS,
    decide_keyspace,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.audit.decide_policy import decide_policy
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.audit.observation import (
    KeySpace,
    LargeKey,
    Prefix,
    RuleCount,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.audit.worst import NAMED
from tests.unit._redis.audit.situations import GROUP, KEY, MIB, SPACE, situation
from tests.unit._redis.situations import found


def lasting(size: float, ruled: float = 0, queue: bool = False) -> Prefix:
    return GROUP._replace(
        lasting_keys=50, lasting_size=round(size), ruled_keys=10, ruled_size=round(ruled), queue=queue
    )


def space(*prefixes: Prefix, **more: object) -> KeySpace:
    return SPACE._replace(prefixes=prefixes, **more)  # type: ignore[arg-type]


NO_TTL = {"redis.no_ttl": "warning"}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (space(lasting(20 * MIB)), {}),
        (space(lasting(20.1 * MIB)), NO_TTL),
        (space(lasting(20.1 * MIB, ruled=0.2 * MIB)), {}),
        (space(lasting(20.1 * MIB, queue=True)), {}),
        (space(lasting(20.1 * MIB), eviction="allkeys-lru"), {}),
        (space(lasting(20.1 * MIB), eviction="volatile-lru"), NO_TTL),
        (space(lasting(20.1 * MIB), eviction=None), NO_TTL),
        (space(lasting(10 * MIB), maximum=None, used=20 * MIB), {}),
        (space(lasting(10 * MIB + 1), maximum=None, used=20 * MIB), NO_TTL),
        (space(lasting(11 * MIB), maximum=None, used=None), {}),
    ],
)
def test_what_never_expires(seen: KeySpace, expected: dict[str, str]) -> None:
    assert found(decide_keyspace(seen, situation())) == expected


@pytest.mark.parametrize(
    ("size", "queue", "expected"),
    [(40, False, {}), (40.1, False, {"redis.idle": "warning"}), (40.1, True, {})],
)
def test_what_nobody_uses(size: float, queue: bool, expected: dict[str, str]) -> None:
    group = GROUP._replace(idle_keys=50, idle_size=round(size * MIB), queue=queue)
    assert found(decide_keyspace(space(group), situation())) == expected
    assert found(decide_keyspace(space(group), situation(idle_bytes="41MiB"))) == {}


def test_a_sample_is_called_one() -> None:
    seen = space(lasting(30 * MIB), seen=40, complete=False)
    (finding,) = decide_keyspace(seen, situation()).findings
    assert "sample of 40 of 100 keys" in finding.message
    (finding,) = decide_keyspace(seen._replace(complete=True), situation()).findings
    assert "sample" not in finding.message


def test_the_worst_are_named_and_the_others_counted() -> None:
    groups = [lasting((90 - number) * MIB)._replace(name=f"g{number}:*") for number in range(NAMED + 3)]
    findings = decide_keyspace(space(*groups), situation()).findings
    assert len(findings) == NAMED + 1
    assert [finding.subject.split()[-1] for finding in findings[:2]] == ["g0:*", "g1:*"]
    assert findings[-1].value == 3
    assert f"g{NAMED}:*" in findings[-1].message


def test_groups_beyond_the_largest_are_summed_up() -> None:
    groups = [GROUP._replace(name=f"g{number}:*", keys=number, size=10) for number in range(MOST_PREFIXES + 2)]
    metrics = decide_keyspace(space(*groups), situation()).metrics
    last = MOST_PREFIXES + MOST_PREFIXES + 1
    assert metrics[f'redis_prefix_keys{{prefix="{OTHERS}"}}'] == last
    assert metrics[f'redis_prefix_bytes{{prefix="{OTHERS}"}}'] == 20
    assert metrics[f'redis_prefix_keys_by_ttl{{prefix="{OTHERS}",up_to_seconds="3600"}}'] == 200
    assert f'redis_prefix_keys{{prefix="g{MOST_PREFIXES}:*"}}' not in metrics


def test_what_is_unknown_is_no_number() -> None:
    metrics = decide_keyspace(SPACE._replace(sized=False, heat="frequency"), situation()).metrics
    names = {name.partition("{")[0] for name in metrics}
    assert "redis_prefix_keys" in names
    assert not names & {"redis_prefix_bytes", "redis_prefix_idle_keys", "redis_prefix_idle_bytes"}
    assert metrics["redis_longest_stall_milliseconds"] == 1.2


def rule(**more: object) -> KeySpace:
    count = RuleCount("response:*", 300.0, True, 100, 0, 0, 280.0)
    return SPACE._replace(rules=(count._replace(**more),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (rule(), {}),
        (rule(lasting=1), {"redis.ttl_missing": "warning"}),
        (rule(lasting=1, required=False), {}),
        (rule(too_long=1), {"redis.ttl_too_long": "warning"}),
        (rule(too_long=1, max_ttl=None), {}),
        (rule(keys=1_000_000, lasting=1), {"redis.ttl_missing": "warning"}),
    ],
)
def test_policies(seen: KeySpace, expected: dict[str, str]) -> None:
    assert found(decide_policy(seen, situation())) == expected


def test_a_policy_may_be_broken_by_a_few() -> None:
    assert found(decide_policy(rule(too_long=5, lasting=5), situation(ttl_too_long=5, ttl_missing="off"))) == {}


BIG = {"redis.big_key": "warning"}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (KEY._replace(size=MIB), {}),
        (KEY._replace(size=MIB + 1), BIG),
        (KEY._replace(size=100 * MIB), BIG),
        (KEY._replace(size=100 * MIB + 1), {"redis.big_key": "critical"}),
        (KEY._replace(elements=20_000), {}),
        (KEY._replace(elements=20_001), BIG),
        (KEY._replace(elements=1_000_001), {"redis.big_key": "critical"}),
        (KEY._replace(elements=1_000_001, queue=True), {}),
        (KEY._replace(size=MIB + 1, queue=True), BIG),
    ],
)
def test_big_keys(key: LargeKey, expected: dict[str, str]) -> None:
    seen = SPACE._replace(by_size=(key,), by_elements=(key,))
    assert found(decide_big_keys(seen, situation())) == expected


def test_a_key_that_is_too_large_in_both_ways_is_one_finding_the_graver_one() -> None:
    key = KEY._replace(size=2 * MIB, elements=2_000_000)
    decision = decide_big_keys(SPACE._replace(by_size=(key,), by_elements=(key,)), situation())
    assert [(one.severity.value, one.value) for one in decision.findings] == [("critical", 2_000_000)]


def test_sizes_that_may_not_be_asked_for_are_unknown_and_that_is_said() -> None:
    assert found(decide_big_keys(SPACE._replace(sized=False), situation())) == {"redis.access_denied": "warning"}
