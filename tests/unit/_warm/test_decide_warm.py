# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan, and what is said of sources, rows and memory."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import StoreUnreachable
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Decision
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.decide_warm import OVERHEAD, decide_warm
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.entry import Entry, parse_entries
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.observation import NodeMemory, Seen, Tally

FREE = NodeMemory(500, None)


def entry(name: str = "users", **more: Any) -> Entry:
    (parsed,) = parse_entries([{"name": name, "source": "file", "query": "/srv/x", "key": "u:{id}", **more}])
    return parsed


def decide(*tallies: Tally, memory: tuple[NodeMemory, ...] = (FREE,), most: int | None = None, **more: Any) -> Decision:
    return decide_warm(Seen(tallies, memory, "noeviction", 0.004, **more), "cache", most, 90.0)


def ids(decision: Decision) -> list[str]:
    return [finding.id for finding in decision.findings]


def states(decision: Decision) -> list[str]:
    return [action.state.value for action in decision.actions]


def test_what_is_there_plans_nothing() -> None:
    decision = decide(Tally(entry(), rows=10, there=10))
    assert not decision.actions
    assert not decision.findings
    assert decision.metrics['redis_warm_keys{entry="users",state="there"}'] == 10
    assert decision.metrics["redis_longest_stall_milliseconds"] == 4


def test_what_is_missing_is_planned_with_its_numbers() -> None:
    tally = Tally(entry(), rows=10, due=4, there=3, repeated=2, missing=1)
    (action,) = decide(tally).actions
    assert (action.kind, action.subject, action.work) == ("warm", "users", tally.entry)
    assert action.reason == (
        "about 4 keys of 10 rows are missing; 3 are there; 2 rows repeat a key; 1 rows lack a field"
    )
    assert action.statement == "/srv/x, then SET u:{id} <row as JSON> PX 1h +-10 % NX"


@pytest.mark.parametrize(
    ("more", "statement"),
    [
        ({"value": "hash", "ttl": "never", "nx": False}, "/srv/x, then HSET u:{id} <fields>"),
        ({"value": "a.b", "jitter_percent": 0}, "/srv/x, then SET u:{id} <a.b> PX 1h NX"),
        ({"value": "{a}!"}, "/srv/x, then SET u:{id} {a}! PX 1h +-10 % NX"),
    ],
)
def test_statements(more: dict[str, Any], statement: str) -> None:
    assert decide(Tally(entry(**more), rows=1, due=1)).actions[0].statement == statement


def test_what_was_not_counted_to_its_end_is_planned_too() -> None:
    (action,) = decide(Tally(entry(), rows=10, complete=False)).actions
    assert action.reason.startswith("at least 0 keys of 10 rows are missing, and there are more rows")


def test_a_source_that_cannot_be_read_is_a_finding_and_no_plan() -> None:
    decision = decide(
        Tally(entry(), rows=5, due=5, error=StoreUnreachable("read", "nobody there", "Start it.")),
        Tally(entry("others"), rows=1, due=1),
    )
    assert [(finding.id, finding.subject, finding.severity.value) for finding in decision.findings] == [
        ("file.unreachable", "cache users", "critical")
    ]
    assert [action.subject for action in decision.actions] == ["others"]


@pytest.mark.parametrize(
    ("counts", "id_"),
    [
        ({"protected": 1}, "redis.keys_protected"),
        ({"other_type": 1}, "redis.warm_other_type"),
        ({"too_large": 1}, "redis.warm_too_large"),
        ({"unreadable": 1}, "redis.warm_unreadable"),
        ({"repeated": 1}, "redis.warm_repeated"),
        ({"missing": 10}, "redis.warm_fields_missing"),
    ],
)
def test_what_is_wrong_with_rows(counts: dict[str, int], id_: str) -> None:
    (finding,) = decide(Tally(entry(), rows=10, **counts)).findings  # type: ignore[arg-type]
    assert (finding.id, finding.value) == (id_, next(iter(counts.values())))
    assert finding.remedy


def test_a_field_that_some_rows_lack_is_no_fault() -> None:
    assert not decide(Tally(entry(), rows=10, missing=9, there=1)).findings
    assert not decide(Tally(entry())).findings


def test_the_most_keys() -> None:
    tallies = [Tally(entry(name), rows=10, due=10) for name in ("a", "b", "c")]
    assert states(decide(*tallies, most=20)) == ["planned", "planned", "skipped"]
    assert states(decide(*tallies, most=21)) == ["planned", "planned", "planned"]
    assert states(decide(*tallies, most=1)) == ["planned", "skipped", "skipped"]


@pytest.mark.parametrize(
    ("used", "due", "state", "found"),
    [
        (8999 - OVERHEAD, 1, "planned", []),
        (9000 - OVERHEAD + 1, 1, "planned", ["redis.warm_memory"]),
        (8999, 1, "planned", ["redis.warm_memory"]),
        (9000, 1, "skipped", ["redis.warm_memory"]),
    ],
)
def test_both_sides_of_the_limits_of_memory(used: int, due: int, state: str, found: list[str]) -> None:
    decision = decide(Tally(entry(), rows=1, due=due), memory=(FREE, NodeMemory(used, 10_000)))
    needs_more = decide(Tally(entry(), rows=2, due=2, bytes=0), memory=(NodeMemory(used, 10_000),))
    assert states(decision) == [state]
    assert ids(needs_more)[:1] == ["redis.warm_memory"]
    single = decide(Tally(entry(), rows=1, due=due), memory=(NodeMemory(used, 10_000),))
    assert ids(single) == found


def test_full_memory_is_no_matter_where_nothing_is_due() -> None:
    assert not decide(Tally(entry(), rows=1, there=1), memory=(NodeMemory(99, 100),)).findings


def test_a_node_that_is_left_out_is_a_finding() -> None:
    missing = (StoreUnreachable("connect", "nobody there", "Start it."),)
    assert ids(decide(Tally(entry(), rows=3, away=3), missing=missing)) == ["redis.unreachable"]
