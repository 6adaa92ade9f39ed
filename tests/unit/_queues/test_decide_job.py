# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which jobs may be removed."""

from __future__ import annotations

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._queues.decide_job import (
    Job,
    Tally,
    fate_of,
    told,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.decide_orphan import (
    JOB_FIELDS,
    QUEUE_KEYS,
    id_of,
    is_orphan,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.keys import is_marker, job_suffixes
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.observations import Flavour


@pytest.mark.parametrize(
    ("job", "fate"),
    [
        (Job(there=True), "removed"),
        (Job(there=False), "ghosts"),
        (Job(there=False, foreign=True), "foreign"),
        (Job(there=True, foreign=True), "foreign"),
        (Job(there=True, locked=True), "locked"),
        (Job(there=True, scheduled=True), "scheduled"),
        (Job(there=True, awaited=True), "awaited"),
        (Job(there=True, locked=True, scheduled=True, awaited=True), "locked"),
    ],
)
def test_the_fate_of_a_job(job: Job, fate: str) -> None:
    assert fate_of(job) == fate
    assert fate in Tally._fields


def test_a_tally_is_added_up() -> None:
    tally = Tally(1, 2, 3, 4, 5, 6).plus(Tally(10, 20, 30, 40, 50, 60))
    assert tally == Tally(11, 22, 33, 44, 55, 66)
    assert tally.seen == 231
    assert (tally.left(ghosts_go=True), tally.left(ghosts_go=False)) == (33, 11)


def test_what_became_of_jobs_is_told() -> None:
    assert told(Tally(), ghosts_go=True) == "nothing to remove any more"
    assert told(Tally(removed=3), ghosts_go=True) == "3 removed"
    assert told(Tally(ghosts=1), ghosts_go=True) == "1 without a job removed too"
    assert told(Tally(removed=1, awaited=2, ghosts=1), ghosts_go=False) == (
        "1 removed, 2 kept, for their parent waits for them, 1 without a job left"
    )


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        ("mail:17", "17"),
        ("mail:some-id", "some-id"),
        ("mail:repeat:abc:1700000000000", "repeat:abc:1700000000000"),
        ("mail:repeat:a:b:1700000000000", "repeat:a:b:1700000000000"),
        ("mail:repeat:abc", None),
        ("mail:repeat:abc:17", None),
        ("mail:urgent:17", None),
        ("mail:17:logs", None),
        ("mail:", None),
        ("mails:17", None),
        *((f"mail:{suffix}", None) for suffix in sorted(QUEUE_KEYS)),
    ],
)
def test_the_id_in_a_key(name: str, id_: str | None) -> None:
    assert id_of(name, "mail", ["mail"]) == id_


def test_a_job_of_another_queue_is_not_taken_for_a_scheduled_one() -> None:
    assert id_of("mail:repeat:abc:1700000000000", "mail", ["mail", "mail:repeat"]) is None


NOW = 1_700_000_000_000.0


def fields(**given: str | None) -> list[str | None]:
    known = {"timestamp": "1600000000000", "name": "task", "data": "{}", "opts": "{}", **given}
    return [known.get(field) for field in JOB_FIELDS]


@pytest.mark.parametrize("moment", ["timestamp", "processedOn", "finishedOn"])
def test_an_orphan_is_old_in_every_way(moment: str) -> None:
    assert is_orphan(fields(**{moment: "1700000000000"}), NOW)
    assert not is_orphan(fields(**{moment: "1700000000001"}), NOW)
    assert not is_orphan(fields(**{moment: "yesterday"}), NOW)


@pytest.mark.parametrize("field", ["timestamp", "name", "data", "opts"])
def test_what_lacks_a_field_of_every_job_is_no_orphan(field: str) -> None:
    assert is_orphan(fields(), NOW)
    assert not is_orphan(fields(**{field: None}), NOW)


@pytest.mark.parametrize(("entry", "marker"), [("0:0", True), ("0:1700000000000", True), ("0", False), ("10:1", False)])
def test_a_marker_is_no_job(entry: str, marker: bool) -> None:
    assert is_marker(entry) is marker


@pytest.mark.parametrize("name", ["bullmq4", "bullmq5+", "bullmq6", "bullmq", "unknown"])
def test_all_keys_of_a_job_go(name: str) -> None:
    suffixes = job_suffixes(Flavour(name, None, ""))
    assert suffixes == ("", ":logs", ":dependencies", ":processed", ":failed", ":unsuccessful")
    assert job_suffixes(Flavour("bull", None, "")) == ("", ":logs")
