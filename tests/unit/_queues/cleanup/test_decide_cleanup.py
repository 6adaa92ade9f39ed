# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to queues, and in which order."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import StoreError
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Decision
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.decide_cleanup import decide_cleanup
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.decide_failed import Verdict
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.observation import Failed, QueueWork, Seen
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.options import parse_options
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.observations import (
    Flavour,
    Ghosts,
    Place,
    Problem,
    Queue,
)
from tests.integration.queue_cleanup import DEFAULTS, RETRY

AGES = {"completed_older_than": "24h", "failed_older_than": "7d"}


def work(name: str = "mail", **seen: Any) -> QueueWork:
    queue = Queue(name, Flavour("bullmq6", None, ""), {}, False, 25_000, 10_000, 0, 3600.0)
    return QueueWork(Place(queue, f"bull:{name}:"), **{"old": {}, **seen})


def decided(*works: QueueWork, problems: tuple[Problem, ...] = (), **params: Any) -> Decision:
    seen = Seen(datetime.now(timezone.utc), True, works, problems, longest=0.0042)
    return decide_cleanup(seen, parse_options({**DEFAULTS, **params}), "cache:6379 bull")


def plan(decision: Decision) -> list[tuple[str, str, str]]:
    return [(action.kind, action.subject, action.state.value) for action in decision.actions]


def test_a_clean_queue_needs_nothing() -> None:
    decision = decided(work(), **AGES, orphans=True)
    assert (decision.actions, decision.findings) == ([], [])
    assert decision.metrics["redis_longest_stall_milliseconds"] == 4.2


def test_everything_in_its_order() -> None:
    decision = decided(
        work(
            old={"completed": 5, "failed": 1},
            kept={"failed": 2},
            ghosts=[Ghosts("wait", ["a"]), Ghosts("failed", ["b", "c"])],
            orphans=["x"],
            surplus_events=15_000,
        ),
        **AGES,
        orphans=True,
    )
    assert plan(decision) == [
        ("remove_ghosts", "mail wait", "planned"),
        ("remove_ghosts", "mail failed", "planned"),
        ("clean", "mail completed", "planned"),
        ("clean", "mail failed", "planned"),
        ("remove_orphans", "mail", "planned"),
        ("trim_events", "mail events", "planned"),
    ]
    assert [action.reason for action in decision.actions[2:]] == [
        "about 5 jobs completed more than 24h ago",
        "about 1 job failed more than 7d ago",
        "1 job in no state",
        "the stream has 25000 entries, its limit is 10000",
    ]
    assert [(finding.id, finding.value) for finding in decision.findings] == [("queue.ghosts", 3)]
    assert decision.metrics['queue_kept_jobs{queue="mail",state="failed"}'] == 2


def test_only_what_was_asked_for() -> None:
    assert plan(decided(work(surplus_events=1), trim_events=False)) == []
    assert plan(decided(work(old={"failed": 3}), completed_older_than="1d")) == []


@pytest.mark.parametrize(("kept", "cleaned"), [(0, None), (2, 2), (9, 5)])
def test_failed_jobs_that_go_elsewhere_are_not_counted_twice(kept: int, cleaned: int | None) -> None:
    counts = {Verdict("retry", "ECONNRESET"): 3, Verdict("dead_letter", "reason"): 4, Verdict("keep", "children"): kept}
    counts |= {Verdict("keep", why): 7 for why in ("locked", "scheduled", "awaited", "foreign")}
    failing = work(old={"failed": 5}, failed=Failed(counts, 1.0))
    actions = decided(failing, retry=RETRY, dead_letter="letters", failed_older_than="7d").actions
    assert {action.kind: action.work.jobs for action in actions} == {
        "retry": 3,
        "dead_letter": 4,
        **({} if cleaned is None else {"clean": cleaned}),
    }


def test_ghosts_among_failed_jobs_are_gone_before_cleaning() -> None:
    counts = {Verdict("keep", "ghosts"): 3, Verdict("keep", "children"): 1}
    ghosts = [Ghosts("failed", ["a", "b", "c"]), Ghosts("wait", ["d"])]
    failing = work(old={"failed": 4}, ghosts=ghosts, failed=Failed(counts, 1.0))
    actions = decided(failing, retry=RETRY, failed_older_than="7d").actions
    assert [action.work.jobs for action in actions if action.kind == "clean"] == [1]


def test_those_that_stay_are_said() -> None:
    (action,) = decided(work(old={"failed": 3}), failed_older_than="1d", keep_last=100).actions
    assert action.reason == "about 3 jobs failed more than 1d ago, beside the newest 100"


@pytest.mark.parametrize(
    ("most", "shares"),
    [(0, [0, 0, 0]), (1, [1, 0, 0]), (5, [5, 0, 0]), (6, [5, 1, 0]), (8, [5, 3, 0]), (9, [5, 3, 1]), (10, [5, 3, 2])],
)
def test_the_limit_is_shared_out_in_order(most: int, shares: list[int]) -> None:
    works = (work(old={"completed": 5, "failed": 3}, surplus_events=9), work("other", old={"failed": 2}))
    actions = decided(*works, **AGES, max_changes=most).actions
    cleaning = [action for action in actions if action.kind == "clean"]
    assert [action.work.most if action.state.value == "planned" else 0 for action in cleaning] == shares
    assert ["max_changes" in action.detail for action in cleaning] == [share == 0 for share in shares]
    assert [action.state.value for action in actions if action.kind == "trim_events"] == ["planned"]


def test_without_a_limit_there_is_none() -> None:
    (action,) = decided(work(old={"failed": 2}), failed_older_than="1d").actions
    assert action.work.most is None


def test_what_could_not_be_looked_at_is_said() -> None:
    problems = (Problem("gone"), Problem("wrong", StoreError("read the queue wrong", "it is a string", "Look.")))
    unread = work(unread={"wait": 200_000}, orphans_unknown="wait is too long")
    found = decided(unread, problems=problems).findings
    assert [(finding.id, finding.severity.value) for finding in found] == [
        ("queue.missing", "warning"),
        ("queue.error", "warning"),
        ("queue.not_looked_through", "warning"),
        ("queue.orphans_unknown", "warning"),
    ]
    assert all(finding.remedy for finding in found)


def test_failed_jobs_that_cannot_go_elsewhere_are_not_cleaned() -> None:
    counts = {Verdict("retry", "ECONNRESET"): 3, Verdict("keep", "reason"): 2}
    failing = work(old={"failed": 5}, failed=Failed(counts, 1.0))
    queue = failing.place.queue._replace(flavour=Flavour("bullmq7", "7.0.1", "meta.version"))
    failing = failing._replace(place=failing.place._replace(queue=queue))
    decision = decided(failing, retry=RETRY, failed_older_than="7d")
    assert plan(decision) == [("retry", "mail failed", "skipped")]
    assert "version 7.0.1 of the library" in decision.findings[0].message
