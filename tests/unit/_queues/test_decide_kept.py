# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A queue in PostgreSQL becomes one as those in Redis are."""

from __future__ import annotations

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.health.decide_kept import Kept, details_of
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.health.elsewhere import elsewhere
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.health.observation import Schedules
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.observations import Active, Keeping
from tests.integration.health import context

NOW = 1_800_000_000_000
KEPT = Kept(
    meta={"version": "bullmq:6.7.0", "opts.maxLenEvents": "500"},
    counts={
        "waiting": 3,
        "prioritized": 2,
        "active": 4,
        "delayed": 1,
        "waiting-children": 0,
        "completed": 9,
        "failed": 8,
    },
    next_job="17",
    waiting_since=NOW - 5000,
    active_since=NOW - 9000,
    stalled=["4"],
    delayed_overdue=1,
    delayed_since=NOW - 70_000,
    parent_since=None,
    ended={
        "completed": {"oldest": NOW - 90_000, "recent": 7, "lately": 5, "options": {"removeOnFail": 20}},
        "failed": {"oldest": None, "recent": 0, "lately": 0, "options": {"removeOnComplete": True}},
    },
    metrics=None,
    events=600,
    schedulers=2,
    next_run=NOW - 61_000,
    late=[("hourly", True), ("daily", False)],
    workers=1,
    name="calls",
    now=float(NOW),
    window=3600.0,
)


def test_a_queue_as_the_checks_take_it() -> None:
    found = details_of(KEPT, "bullmq")
    queue = found.queue
    assert (queue.name, queue.flavour.name, queue.flavour.version, queue.kept_in) == (
        "calls",
        "bullmq6",
        "6.7.0",
        "postgresql",
    )
    assert "schema bullmq" in queue.flavour.evidence
    assert (queue.counts["waiting"], queue.counts["paused"], queue.paused) == (3, 0, False)
    assert (queue.events, queue.events_limit, queue.delayed_overdue) == (600, 500, 1)
    assert (queue.waiting.next_job, queue.waiting.since) == ("17", NOW / 1000 - 5)
    assert queue.active == Active(NOW / 1000 - 9, ["4"], 4)
    assert (queue.finished.completed, queue.finished.completed_kept, queue.finished.counted_completed) == (7, 9, None)
    assert (queue.finished.completed_keeping, queue.finished.failed_keeping) == (Keeping(number=0), Keeping(number=20))
    assert (found.recent.completed, found.recent.failed) == (5, 0)
    assert found.oldest == {
        "waiting": NOW / 1000 - 5,
        "active": NOW / 1000 - 9,
        "delayed": NOW / 1000 - 70,
        "completed": NOW / 1000 - 90,
    }
    assert found.schedules == Schedules(2, NOW / 1000 - 61, ["hourly", "daily"], ["daily"])


def test_waiting_jobs_of_a_paused_queue_are_called_paused_as_the_library_does() -> None:
    queue = details_of(KEPT._replace(meta={"paused": "1"}), "bullmq").queue
    assert (queue.counts["waiting"], queue.counts["paused"], queue.paused) == (0, 3, True)
    assert (queue.flavour.version, queue.events_limit) == (None, 10_000)


def test_a_run_that_lies_ahead_is_not_late() -> None:
    assert details_of(KEPT._replace(next_run=NOW + 1, late=[]), "bullmq").schedules == Schedules(2, None, [], [])
    none = KEPT._replace(schedulers=0, next_run=None, late=[])
    assert details_of(none, "bullmq").schedules == Schedules(0, None, [], [])


def test_what_the_library_counted_itself() -> None:
    metrics = {"completed": [100, NOW - 30_000, 90, [5, 6, 7]]}
    found = details_of(KEPT._replace(metrics=metrics), "bullmq")
    assert (found.queue.finished.counted_completed, found.queue.finished.counted_failed) == (28, None)


@pytest.mark.parametrize("schema", ["bull mq", "a.b", "1st", "%s", 'x"y', "x" * 64])
def test_a_schema_is_a_plain_name(schema: str) -> None:
    with pytest.raises(InvalidInput, match=r"postgresql\.schema"):
        elsewhere(context({}), {"schema": schema})


def test_options_of_the_other_store() -> None:
    assert elsewhere(context({}), None) is None
    place = elsewhere(context({}), {"login_host": "db", "schema": None})
    assert place is not None
    assert place.label == "the schema bullmq of PostgreSQL at db:5432"
    with pytest.raises(InvalidInput, match="postgresql"):
        elsewhere(context({}), {"host": "db"})
