# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A load balancer's judgement, kept from run to run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import DeadlineExceeded, UpkeepError
from ansible_collections.dataops.upkeep.plugins.module_utils._http.decide_status import (
    OUTCOMES,
    advance,
    decide_status,
    remember_status,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._http.facts import (
    Failure,
    Probe,
    Probed,
    Standing,
    StatusSeen,
)
from tests.unit._http.situations import AT, NOW, endpoint, found, situation

DOWN = Failure("unreachable", "could not GET http://app: Connection refused", remedy="Start it.")


def probed(outcomes: str, failure: Failure = DOWN, at: float = AT) -> Probed:
    """Probes by their outcomes: S for success, F for failure."""
    probes = [
        Probe(at + index, failure if outcome == "F" else None, None if outcome == "F" else 200, 5.0)
        for index, outcome in enumerate(outcomes)
    ]
    return Probed(endpoint(), probes)


def seen(outcomes: str | UpkeepError, confirmed: bool = True, remembers: bool = True, **more: Any) -> StatusSeen:
    result = probed(outcomes, **more) if isinstance(outcomes, str) else outcomes
    return StatusSeen({"health": result}, 3, 2, confirmed, remembers)


def runs(outcomes: Sequence[str], **more: Any) -> list[dict[str, str]]:
    """The findings of runs one after the other, with memory in between."""
    previous: dict[str, Any] = {}
    findings = []
    for number, outcome in enumerate(outcomes):
        now = situation(previous, NOW + timedelta(minutes=number))
        status = seen(outcome, at=now.now.timestamp(), **more)
        findings.append(found(decide_status(status, now)))
        previous = json.loads(json.dumps(remember_status(status, now)))
    return findings


FAILING = {"http.unreachable": "warning", "http.failing": "warning"}
UNHEALTHY = {"http.unreachable": "critical", "http.unhealthy": "critical"}
RECOVERING = {"http.recovering": "warning"}


def test_unhealthy_after_three_runs_and_healthy_after_two() -> None:
    assert runs(["S", "F", "F", "F", "F", "S", "S", "S"], confirmed=False) == [
        {}, FAILING, FAILING, UNHEALTHY, UNHEALTHY, RECOVERING, {}, {},
    ]  # fmt: skip


def test_a_success_in_between_begins_the_count_anew() -> None:
    assert runs(["F", "F", "S", "F", "F", "S"], confirmed=False) == [FAILING, FAILING, {}, FAILING, FAILING, {}]


def test_a_failure_in_between_begins_the_recovery_anew() -> None:
    assert runs(["FFF", "S", "F", "S", "S"], confirmed=True)[1:] == [RECOVERING, UNHEALTHY, RECOVERING, {}]


def test_without_confirmation_a_run_counts_once_and_fails_if_any_probe_does() -> None:
    assert runs(["FFF", "SSF", "SFS"], confirmed=False) == [FAILING, FAILING, UNHEALTHY]


def test_one_daily_run_can_tell_an_outage() -> None:
    assert runs(["FFF"]) == [UNHEALTHY]
    assert runs(["SFFF"]) == [UNHEALTHY]


def test_one_daily_run_can_tell_a_blip() -> None:
    assert runs(["FSS"]) == [{"http.failing": "warning"}]
    assert runs(["SFFS"]) == [{"http.failing": "warning"}]


def test_and_a_recovery() -> None:
    assert runs(["FFF", "SSS"]) == [UNHEALTHY, {}]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [("F", {"http.unreachable": "critical"}), ("SF", {"http.unreachable": "critical"}), ("FFF", UNHEALTHY), ("SS", {})],
)
def test_without_memory_a_run_that_ends_in_failure_is_critical_at_once(outcomes: str, expected: dict[str, str]) -> None:
    assert found(decide_status(seen(outcomes, confirmed=len(outcomes) > 2, remembers=False), situation())) == expected


def test_a_refused_certificate_is_no_blip() -> None:
    refused = Failure("certificate", "it has expired")
    assert found(decide_status(seen("F", failure=refused), situation())) == {
        "http.certificate": "critical",
        "http.failing": "warning",
    }


def test_the_message_says_since_when() -> None:
    previous = remember_status(seen("F"), situation())
    later = situation(dict(previous), NOW + timedelta(hours=1))
    finding = decide_status(seen("FF", at=AT + 3600), later).findings[1]
    assert finding.message == "health: unhealthy since 2026-11-22 02:00:00 UTC, 3 consecutive failures"
    assert (finding.value, finding.threshold) == (3, 3)


def test_an_endpoint_that_was_not_asked_is_unknown() -> None:
    error = DeadlineExceeded("ask it", "the deadline is over")
    assert found(decide_status(seen(error), situation())) == {"http.deadline": "warning"}
    before = remember_status(seen("F"), situation())
    assert remember_status(seen(error), situation(dict(before))) == before


def errors(outcomes: str, previous: dict[str, Any] | None = None) -> dict[str, str]:
    decision = decide_status(seen(outcomes), situation(previous))
    return {key: value for key, value in found(decision).items() if key == "http.error_rate"}


def remembered(outcomes: str, age: float = 60.0) -> dict[str, Any]:
    entries = [[AT - age, int(outcome == "F")] for outcome in outcomes]
    return {"endpoints": {"health": {"standing": {}, "outcomes": entries}}}


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        ("F" + "S" * 17, {}),
        ("F" + "S" * 18, {"http.error_rate": "warning"}),
        ("FF" + "S" * 18, {"http.error_rate": "critical"}),
        ("F" + "S" * 20, {"http.error_rate": "warning"}),
        ("F" + "S" * 98, {}),
        ("F" + "S" * 97, {"http.error_rate": "warning"}),
        ("F" * 5 + "S" * 99, {}),
        ("S" * 99, {}),
    ],
)
def test_the_error_rate_of_the_last_hundred_once_there_are_twenty(earlier: str, expected: dict[str, str]) -> None:
    assert errors("S", remembered(earlier)) == expected


def test_outcomes_of_yesterday_do_not_count() -> None:
    assert errors("S", remembered("F" * 50, age=86401)) == {}
    assert errors("S", remembered("F" * 50, age=86399)) == {"http.error_rate": "critical"}


def test_memory_is_bounded_and_other_tasks_endpoints_stay() -> None:
    previous = {"endpoints": {
        "other": {"standing": {"failures": 1}, "outcomes": [[AT - 86400, 1]]},
        "gone": {"standing": {}, "outcomes": [[AT - 31 * 86400, 1]]},
    }}  # fmt: skip
    kept = remember_status(seen("S" * 150), situation(previous))["endpoints"]
    assert sorted(kept) == ["health", "other"]
    assert kept["other"] == previous["endpoints"]["other"]
    assert len(kept["health"]["outcomes"]) == OUTCOMES


def test_metrics() -> None:
    metrics = decide_status(seen("SFFF"), situation()).metrics
    assert metrics == {
        'http_up{endpoint="health"}': 0,
        'http_unhealthy{endpoint="health"}': 1,
        'http_consecutive_failures_count{endpoint="health"}': 3,
        'http_probes_count{endpoint="health"}': 4,
        'http_error_rate_percent{endpoint="health"}': 75,
    }


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 5), st.integers(1, 5))
def test_the_standing_is_what_the_whole_row_says(failed: list[bool], unhealthy_after: int, healthy_after: int) -> None:
    standing, unhealthy = Standing(), False
    for index, outcome in enumerate(failed):
        standing = advance(standing, (float(index), outcome), unhealthy_after, healthy_after)
        row = failed[: index + 1]
        if row[-unhealthy_after:] == [True] * unhealthy_after:
            unhealthy = True
        if row[-healthy_after:] == [False] * healthy_after:
            unhealthy = False
        assert standing.unhealthy is unhealthy
        assert (standing.failures > 0) is outcome
        assert (standing.since is None) is (not outcome and not unhealthy)
        assert standing.since is None or standing.since <= index
