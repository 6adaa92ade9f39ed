# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan, and what is said of rules that do nothing."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Decision
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.cleanup.decide_cleanup import (
    DEFRAGMENT,
    PURGE,
    decide_cleanup,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.cleanup.decide_memory import fragmented, unsupported
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.cleanup.observation import NodeMemory, Seen, Tally
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.cleanup.rule import Rule

MIB = 2**20
HEALTHY = NodeMemory("jemalloc-5.3.0", 1.1, 10 * MIB, 500 * MIB, 0)
BAD = HEALTHY._replace(frag_ratio=1.41, frag_bytes=101 * MIB)
RULE = Rule("analytics", b"analytics:*", "unlink", no_ttl=True)
IDLE = RULE._replace(name="idle", no_ttl=False, idle=60.0, older_text="1min")


def decide(*tallies: Tally, memory: tuple[NodeMemory, ...] = (), most: int | None = None, **more: Any) -> Decision:
    seen = Seen(
        now=datetime(2026, 1, 1, tzinfo=timezone.utc),
        keys=1000,
        policy="noeviction",
        queues=(b"bull:mail",),
        tallies=tallies,
        scripts=True,
        memory=memory,
        longest=0.004,
    )
    return decide_cleanup(seen._replace(**more), "cache", [DEFRAGMENT, PURGE] if memory else [], most)


def states(decision: Decision) -> list[tuple[str, str]]:
    return [(action.kind, action.state.value) for action in decision.actions]


def test_a_rule_with_nothing_due_plans_nothing() -> None:
    decision = decide(Tally(RULE, matched=10))
    assert not decision.actions
    assert not decision.findings
    assert decision.metrics['redis_cleanup_keys{rule="analytics",state="matched"}'] == 10
    assert decision.metrics["redis_longest_stall_milliseconds"] == 4


def test_a_rule_with_keys_that_are_due_plans_and_says_how_many() -> None:
    (action,) = decide(Tally(RULE, matched=10, due=4, spared=2)).actions
    assert (action.kind, action.subject, action.work) == ("unlink", "analytics", RULE)
    assert action.reason == "about 4 of 10 keys like analytics:* have no TTL; 2 are protected"
    assert "UNLINK" in action.statement


def test_an_expiry_says_how_long() -> None:
    rule = RULE._replace(action="expire", ttl=3600.0, jitter=0.1)
    (action,) = decide(Tally(rule, matched=1, due=1)).actions
    assert action.statement == "SCAN MATCH analytics:*, then PEXPIRE key 1h +-10 % if it has no TTL"


@pytest.mark.parametrize(("most", "second"), [(5, "planned"), (4, "skipped"), (3, "skipped")])
def test_rules_beyond_the_most_changes_are_skipped(most: int, second: str) -> None:
    other = RULE._replace(name="other")
    decision = decide(Tally(RULE, matched=4, due=4), Tally(other, matched=4, due=4), most=most)
    assert states(decision) == [("unlink", "planned"), ("unlink", second)]


@pytest.mark.parametrize(
    ("policy", "ids"),
    [("allkeys-lfu", ["redis.idle_unknown"]), ("volatile-lfu", ["redis.idle_unknown"]), ("allkeys-lru", [])],
)
def test_idle_times_are_not_known_under_lfu(policy: str, ids: list[str]) -> None:
    decision = decide(Tally(IDLE, matched=4, due=4), policy=policy)
    assert [finding.id for finding in decision.findings] == ids
    assert states(decision) == [("unlink", "skipped" if ids else "planned")]


@pytest.mark.parametrize(("unreadable", "ids"), [(10, ["redis.field_unreadable"]), (9, []), (0, [])])
def test_a_field_that_no_key_has_is_reported(unreadable: int, ids: list[str]) -> None:
    rule = RULE._replace(field=b"lastActivity", older_text="30d")
    decision = decide(Tally(rule, matched=12, spared=2, unreadable=unreadable))
    assert [finding.id for finding in decision.findings] == ids


@pytest.mark.parametrize(("spared", "ids"), [(10, ["redis.keys_protected"]), (9, [])])
def test_a_rule_for_protected_keys_alone_is_reported(spared: int, ids: list[str]) -> None:
    decision = decide(Tally(RULE, matched=10, spared=spared))
    assert [finding.id for finding in decision.findings] == ids
    assert not decision.actions


@pytest.mark.parametrize(
    ("ratio", "size", "wanted"), [(1.41, 101 * MIB, True), (1.4, 101 * MIB, False), (1.41, 100 * MIB, False)]
)
def test_memory_is_given_back_by_ratio_and_size(ratio: float, size: int, wanted: bool) -> None:
    memory = HEALTHY._replace(frag_ratio=ratio, frag_bytes=size)
    assert fragmented(memory) is wanted
    state = "planned" if wanted else "skipped"
    assert states(decide(memory=(memory,))) == [(DEFRAGMENT, state), (PURGE, state)]


def test_one_fragmented_node_of_several_is_enough() -> None:
    assert states(decide(memory=(HEALTHY, BAD))) == [(DEFRAGMENT, "planned"), (PURGE, "planned")]


def test_memory_may_be_fragmented_once_keys_are_gone() -> None:
    decision = decide(Tally(RULE, matched=1, due=1), memory=(HEALTHY,))
    assert states(decision) == [("unlink", "planned"), (DEFRAGMENT, "planned"), (PURGE, "planned")]


@pytest.mark.parametrize(
    "memory", [HEALTHY._replace(allocator="libc"), BAD._replace(frag_ratio=None), BAD._replace(frag_bytes=None)]
)
def test_what_a_server_cannot_do_is_said(memory: NodeMemory) -> None:
    assert unsupported(memory)
    assert not fragmented(memory)
    decision = decide(Tally(RULE, matched=1, due=1), memory=(memory,))
    assert states(decision)[1:] == [(DEFRAGMENT, "skipped"), (PURGE, "skipped")]
    assert decision.actions[-1].detail.startswith("unsupported: ")
