# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Envelope, severities, deadline, throttle, history, dependencies and argument specs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.action import Action, ActionState
from ansible_collections.dataops.upkeep.plugins.module_utils._core.arguments import ArgumentSpec, connection_arguments
from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.dependency import Dependency, version_tuple
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import DeadlineExceeded, MissingDependency
from ansible_collections.dataops.upkeep.plugins.module_utils._core.finding import Finding
from ansible_collections.dataops.upkeep.plugins.module_utils._core.history import full_at, slope, thin
from ansible_collections.dataops.upkeep.plugins.module_utils._core.result import (
    ENVELOPE_KEYS,
    METRIC_NAME,
    Result,
    metric_name,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._core.severity import Severity, worst
from ansible_collections.dataops.upkeep.plugins.module_utils._core.throttle import Throttle

NOW = datetime(2026, 11, 22, tzinfo=timezone.utc)


def finding(severity: Severity) -> Finding:
    return Finding("x.y", severity, "s", f"s: {severity.value} thing")


def test_severities_roll_up() -> None:
    assert worst([]) is Severity.OK
    assert worst([Severity.WARNING, Severity.CRITICAL, Severity.OK]) is Severity.CRITICAL


def test_what_is_in_order_is_no_finding() -> None:
    with pytest.raises(ValueError, match="no finding"):
        finding(Severity.OK)


def test_the_envelope_has_its_keys_and_is_json() -> None:
    result = Result(
        "redis here", [finding(Severity.WARNING), finding(Severity.CRITICAL)], [], {"a": 1}, {"kind": "redis"}
    )
    envelope = result.as_dict()
    assert tuple(envelope) == ENVELOPE_KEYS
    assert json.loads(json.dumps(envelope)) == envelope
    assert envelope["status"] == "critical"
    assert envelope["summary"] == "redis here: critical (1 critical, 1 warning); s: critical thing"


def test_nothing_wrong_and_nothing_done() -> None:
    result = Result("redis here")
    assert (result.changed, result.status, result.summary) == (False, Severity.OK, "redis here: ok")


@pytest.mark.parametrize(
    ("state", "changed", "status"),
    [
        (ActionState.PLANNED, True, Severity.OK),
        (ActionState.DONE, True, Severity.OK),
        (ActionState.SKIPPED, False, Severity.OK),
        (ActionState.FAILED, False, Severity.CRITICAL),
    ],
)
def test_what_actions_make_of_the_result(state: ActionState, changed: bool, status: Severity) -> None:
    result = Result("x", actions=[Action("a", "b", "c").became(state)])
    assert (result.changed, result.status) == (changed, status)


@pytest.mark.parametrize("state", [ActionState.FAILED, ActionState.SKIPPED])
def test_what_was_done_in_part_is_a_change(state: ActionState) -> None:
    half = replace(Action("a", "b", "c"), touched=True).became(state, "half of it was done")
    assert Result("x", actions=[half]).changed
    assert "touched" not in half.as_dict()


@given(st.text(max_size=20))
def test_any_label_makes_a_valid_metric_name(label: str) -> None:
    assert METRIC_NAME.fullmatch(metric_name("a_b", database=label, other="x"))


def test_a_deadline_runs_out() -> None:
    at = [0.0]
    deadline = Deadline(10, Clock(monotonic=lambda: at[0]))
    assert deadline.limit(3) == 3
    at[0] = 9
    assert deadline.limit(3) == 1
    deadline.check("go on")
    at[0] = 10
    assert deadline.expired
    with pytest.raises(DeadlineExceeded, match="go on"):
        deadline.check("go on")


@given(st.integers(1, 50_000), st.floats(0, 1000))
def test_a_batch_stays_within_its_bounds_and_grows_by_half_at_most(size: int, seconds: float) -> None:
    after = Throttle(0.25, size).after(seconds)
    assert 1 <= after.size <= 50_000
    assert after.size <= max(1, size * 1.5)


def test_a_batch_that_took_twice_its_time_is_halved_and_a_quick_one_grows() -> None:
    assert Throttle(0.2, 1000).after(0.4).size == 500
    assert Throttle(0.2, 1000).after(0.2).size == 1000
    assert Throttle(0.2, 1000).after(0.0).size == 1500


def test_rest_follows_load_and_lag() -> None:
    throttle = Throttle(0.2, rest_ratio=0.5)
    assert throttle.pause(0.4) == 0.2
    assert throttle.pause(0.4, lag_seconds=12, lag_limit_seconds=10) == 2
    assert throttle.pause(0.4, lag_seconds=9, lag_limit_seconds=10) == 0.2


def test_growth_ignores_a_clean_up_and_a_spike() -> None:
    samples = [(day * 86400.0, 100.0 + day) for day in range(10)]
    samples[5] = (5 * 86400.0, 1000.0)
    assert slope(samples) == pytest.approx(1 / 86400)


def test_no_forecast_from_too_little() -> None:
    assert slope([(0, 1), (86400, 2)]) is None
    assert slope([(0, 1), (10, 2), (20, 3)]) is None


def test_the_day_of_full() -> None:
    samples = [(day * 86400.0, 50.0 + day) for day in range(5)]
    assert full_at(samples, 64, NOW) == NOW + timedelta(days=10)
    assert full_at(samples, 40, NOW) == NOW
    assert full_at([(t, 50.0) for t, _v in samples], 64, NOW) is None
    assert full_at(samples, 1e9, NOW) is None


@given(st.integers(1, 300), st.integers(4, 60))
def test_thinning_keeps_the_ends_and_the_number(count: int, keep: int) -> None:
    samples = [(float(i), float(i)) for i in range(count)]
    kept = thin(samples, keep)
    assert len(kept) == min(count, keep)
    assert kept[-1] == samples[-1]
    assert kept[0] == samples[0]
    assert kept == sorted(set(kept))


def test_a_library_that_is_absent_or_too_old_is_named_with_the_remedy() -> None:
    with pytest.raises(MissingDependency, match=r"pip install 'nothing-such>=1.0'"):
        Dependency("nothing_such", "nothing-such", "1.0").load()
    with pytest.raises(MissingDependency, match=r"json.* is older than 999"):
        Dependency("json", "json", "999").load()
    assert Dependency("json", "json", "2.0").load() is json


@pytest.mark.parametrize(
    ("text", "parts"), [("8.1.0rc1", (8, 1, 0)), ("3.3.9", (3, 3, 9)), ("4.20.0.dev0", (4, 20, 0)), ("", ())]
)
def test_versions(text: str, parts: tuple[int, ...]) -> None:
    assert version_tuple(text) == parts


def test_specs_merge_with_their_rules_and_without_sharing() -> None:
    merged = connection_arguments().merge(ArgumentSpec({"x": {"type": "str"}}, required_if=[("x", "y", ("uri",))]))
    arguments = merged.as_module_arguments()
    assert ("uri", "login_host") in arguments["mutually_exclusive"]
    assert arguments["required_if"] == [("x", "y", ("uri",))]
    arguments["argument_spec"]["x"]["type"] = "int"
    assert merged.options["x"]["type"] == "str"
    with pytest.raises(ValueError, match="defined twice: x"):
        merged.merge(ArgumentSpec({"x": {}}))
