# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._queues.decide_flavour import (
    exists,
    flavour_of,
    is_paused,
    keeping,
    options_of,
    waiting_since,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.observations import Evidence, Keeping, display

MQ = {"has_id": True, "events": 40, "stream_limit": 10_000}


@pytest.mark.parametrize(
    ("evidence", "name", "version"),
    [
        # What the libraries leave; see tests/integration/test_queue_health_info.py for the libraries themselves.
        ({**MQ, "version": "bullmq:4.18.3"}, "bullmq4", "4.18.3"),
        ({**MQ, "version": "bullmq:5.81.5", "marker_set": True}, "bullmq5", "5.81.5"),
        ({**MQ, "version": "bullmq:6.7.0", "paused_field": True, "jobs_in_wait": 3}, "bullmq6", "6.7.0"),
        ({**MQ, "version": "bullmq:12.0.0"}, "bullmq12", "12.0.0"),
        ({**MQ, "version": "bullmq-pro:7.1.0", "marker_set": True}, "bullmq5+", "bullmq-pro:7.1.0"),
        # BullMQ 5.0 to 5.8 do not state a version.
        ({**MQ, "marker_set": True}, "bullmq5+", None),
        ({**MQ, "job_fields": frozenset({"atm"})}, "bullmq5+", None),
        ({**MQ, "job_fields": frozenset({"ats", "atm"}), "paused_field": True, "jobs_in_paused": 2}, "bullmq5", None),
        ({**MQ, "marker_set": True, "paused_field": True, "jobs_in_wait": 2}, "bullmq6", None),
        ({**MQ, "marker_set": True, "paused_field": True, "jobs_in_wait": 2, "jobs_in_paused": 1}, "bullmq5+", None),
        ({**MQ, "marker_set": True, "paused_field": True}, "bullmq5+", None),
        ({**MQ, "marker_set": True, "jobs_in_wait": 2}, "bullmq5+", None),
        # BullMQ 4 before it stated one.
        ({**MQ, "marker_job": True}, "bullmq4", None),
        ({**MQ, "job_fields": frozenset({"attemptsMade"})}, "bullmq4", None),
        # Made and never used: 4 or 5.
        ({"stream_limit": 10_000}, "bullmq", None),
        # Bull
        ({"has_id": True}, "bull", None),
        ({"has_id": True, "job_fields": frozenset({"attemptsMade"})}, "bull", None),
        ({"has_id": True, "paused_field": True, "paused_key": True, "jobs_in_paused": 6}, "bull", None),
        ({"priority_set": True}, "bull", None),
        ({"jobs_in_wait": 1}, "unknown", None),
        ({}, "unknown", None),
    ],
)
def test_a_library_is_told_by_its_traces(evidence: dict[str, Any], name: str, version: str | None) -> None:
    flavour = flavour_of(Evidence(**evidence))
    assert (flavour.name, flavour.version) == (name, version)
    assert flavour.evidence
    assert flavour.is_bull == (name == "bull")


def test_no_trace_is_no_queue() -> None:
    assert not exists(Evidence())
    assert exists(Evidence(has_id=True))
    assert exists(Evidence(stream_limit=10_000))


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (Evidence(), False),
        (Evidence(paused_field=True), True),
        (Evidence(paused_key=True), True),
        (Evidence(jobs_in_paused=3), False),
    ],
)
def test_a_pause(evidence: Evidence, expected: bool) -> None:
    assert is_paused(evidence) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, Keeping(number=0)),
        (False, None),
        (None, None),
        (100, Keeping(number=100)),
        (0, Keeping(number=0)),
        ({"age": 3600}, Keeping(age=3600.0)),
        ({"count": 5, "age": 60}, Keeping(5, 60.0)),
        ({}, Keeping()),
        ("100", None),
    ],
)
def test_how_long_finished_jobs_are_kept(value: Any, expected: Keeping | None) -> None:
    assert keeping(value) == expected


@pytest.mark.parametrize(
    ("job", "since"),
    [
        ({"timestamp": "1000000"}, 1000.0),
        ({"timestamp": "1000000", "opts": '{"delay": 5000}'}, 1005.0),
        ({"timestamp": "1000000", "processedOn": "1500000"}, 1500.0),
        ({"timestamp": "1000000", "retriedOn": "1700000", "processedOn": "1500000"}, 1700.0),
        ({"timestamp": "1000000", "opts": "not json"}, 1000.0),
        ({"timestamp": "1000000", "opts": '{"delay": "soon"}'}, 1000.0),
        ({"timestamp": None}, None),
        ({"timestamp": "yesterday"}, None),
        ({}, None),
    ],
)
def test_since_when_a_job_waits(job: dict[str, str | None], since: float | None) -> None:
    assert waiting_since(job) == since


@given(st.text())
def test_any_text_gives_options(text: str) -> None:
    assert isinstance(options_of(text), dict)


@given(st.binary())
def test_any_name_can_be_printed(name: bytes) -> None:
    display(name.decode("utf-8", "surrogateescape")).encode("utf-8")
