# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done about the failed jobs of a queue."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Decision
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.decide_cleanup import decide_cleanup
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.decide_failed import Verdict
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.observation import (
    Failed,
    QueueWork,
    Seen,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.options import parse_options
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.observations import (
    Flavour,
    Ghosts,
    Place,
    Queue,
)
from tests.integration.queue_cleanup import DEFAULTS, RETRY

COUNTS = {
    Verdict("retry", "ETIMEDOUT"): 2,
    Verdict("retry", "ECONNREFUSED"): 5,
    Verdict("dead_letter", "attempts"): 1,
    Verdict("dead_letter", "reason"): 3,
    Verdict("keep", "locked"): 4,
}


def queue(name: str = "mail", flavour: str = "bullmq6", paused: bool = False) -> Queue:
    return Queue(name, Flavour(flavour, None, "a trace"), {}, paused, 0, 10_000, 0, 3600.0)


def decided(
    kept: Queue,
    counts: dict[Verdict, int] | None = None,
    *,
    cluster: bool = False,
    letters: Queue | None = None,
    retry: dict[str, Any] | None = None,
    seen: dict[str, Any] | None = None,
    **params: Any,
) -> Decision:
    failed = Failed(COUNTS if counts is None else counts, 1.0)
    work = QueueWork(Place(kept, f"bull:{kept.name}:"), **{"old": {}, **(seen or {})}, failed=failed, letters=letters)
    options = parse_options({**DEFAULTS, "retry": {**RETRY, **(retry or {})}, "dead_letter": "dead", **params})
    everything = Seen(datetime.now(timezone.utc), True, [work], [], cluster)
    return decide_cleanup(everything, options, "cache:6379 bull")


def plan(decision: Decision) -> list[tuple[str, str, str]]:
    return [(action.kind, action.subject, action.state.value) for action in decision.actions]


def test_retries_and_letters_come_before_cleaning() -> None:
    seen = {"old": {"failed": 9}, "ghosts": [Ghosts("failed", ["x"])]}
    counts = {**COUNTS, Verdict("keep", "children"): 2}
    decision = decided(queue(), counts, seen=seen, failed_older_than="7d")
    assert plan(decision) == [
        ("remove_ghosts", "mail failed", "planned"),
        ("retry", "mail failed", "planned"),
        ("dead_letter", "mail failed", "planned"),
        ("clean", "mail failed", "planned"),
    ]
    assert [action.reason for action in decision.actions[1:3]] == [
        "jobs that failed 5 by ECONNREFUSED, 2 by ETIMEDOUT, each tried fewer times than 3",
        "jobs that are not tried again: 3 failed for another reason, 1 tried 3 times or more",
    ]
    assert [action.work.jobs for action in decision.actions[1:3]] == [7, 4]
    assert decision.metrics['queue_failed_jobs{outcome="retry",queue="mail",why="ECONNREFUSED"}'] == 5
    assert decision.metrics['queue_failed_jobs{outcome="keep",queue="mail",why="locked"}'] == 4
    assert [finding.id for finding in decision.findings] == ["queue.ghosts"]


@pytest.mark.parametrize(
    ("most", "shares"), [(0, [None, None]), (6, [6, None]), (7, [7, None]), (8, [7, 1]), (11, [7, 4]), (12, [7, 4])]
)
def test_the_limit_is_shared_out(most: int, shares: list[int | None]) -> None:
    actions = decided(queue(), max_changes=most).actions
    assert [action.work.most if action.state.value == "planned" else None for action in actions] == shares


def test_what_is_refused_takes_no_share_of_the_limit() -> None:
    actions = decided(queue(flavour="bullmq5+", paused=True), max_changes=3).actions
    assert [(action.state.value, action.work.most) for action in actions] == [("skipped", None), ("planned", 3)]


def test_removal_needs_to_know_no_library() -> None:
    counts = {Verdict("remove", "reason"): 2, Verdict("retry", "ETIMEDOUT"): 1}
    decision = decided(queue(flavour="unknown"), counts, retry={"otherwise": "remove"})
    assert plan(decision) == [("retry", "mail failed", "skipped"), ("remove_failed", "mail failed", "planned")]
    assert [(finding.id, finding.value) for finding in decision.findings] == [("queue.retry_refused", 1)]


def test_what_is_kept_needs_nothing() -> None:
    decision = decided(queue(), {Verdict("keep", "reason"): 7}, retry={"otherwise": "keep"})
    assert (decision.actions, decision.findings) == ([], [])
    assert decided(queue(), {}).actions == []


@pytest.mark.parametrize(
    ("kept", "letters", "cluster", "said"),
    [
        (queue(), None, False, ""),
        (queue(paused=True), None, False, ""),
        (queue(flavour="bullmq5+", paused=True), None, False, ""),
        (queue(), queue("dead"), False, ""),
        (queue(), queue("dead", paused=True), False, ""),
        (queue(flavour="bullmq4"), queue("dead", "bullmq5+"), False, ""),
        (queue(), queue("dead", "bullmq5+", paused=True), False, "whether BullMQ 5 or 6"),
        (queue(), queue("dead", "bull"), False, "another library"),
        (queue(flavour="bull"), queue("dead", "bullmq6"), False, "another library"),
        (queue(flavour="unknown"), None, False, "which library"),
        (queue(flavour="bull"), queue("dead", "bullmq"), False, "which library"),
        (queue(), None, True, "another slot"),
        (queue("{dead}x"), None, True, "another slot"),
    ],
)
def test_letters_are_written_only_where_they_are_found_again(
    kept: Queue, letters: Queue | None, cluster: bool, said: str
) -> None:
    decision = decided(kept, {Verdict("dead_letter", "reason"): 2}, letters=letters, cluster=cluster)
    (action,) = decision.actions
    assert (action.state.value == "skipped") == bool(said)
    assert said in action.detail
    assert [(one.id, one.value) for one in decision.findings] == ([("queue.dead_letter_refused", 2)] if said else [])
    assert all(said in one.message and one.remedy for one in decision.findings)


def test_one_hash_tag_brings_queue_and_letters_together() -> None:
    decision = decided(queue("a{x}"), {Verdict("dead_letter", "reason"): 2}, cluster=True, dead_letter="b{x}")
    assert plan(decision) == [("dead_letter", "a{x} failed", "planned")]


@pytest.mark.parametrize(("flavour", "state"), [("bullmq6", "skipped"), ("bullmq5", "skipped"), ("bull", "planned")])
def test_letters_go_to_no_queue_that_the_library_cannot_open(flavour: str, state: str) -> None:
    decision = decided(queue(flavour=flavour), {Verdict("dead_letter", "reason"): 1}, dead_letter="a:b")
    assert plan(decision) == [("dead_letter", "mail failed", state)]
    assert [finding.remedy for finding in decision.findings] == (
        ["Name another queue in dead_letter."] if state == "skipped" else []
    )
