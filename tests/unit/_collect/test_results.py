# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registered results and the verdict over them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._collect.results import collected, verdict
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._core.finding import Finding
from ansible_collections.dataops.upkeep.plugins.module_utils._core.result import Result
from ansible_collections.dataops.upkeep.plugins.module_utils._core.severity import Severity


def envelope(*severities: Severity) -> dict[str, Any]:
    return Result("x", [Finding("x.y", severity, "s", f"it is {severity.value}") for severity in severities]).as_dict()


def test_a_loop_gives_one_result_for_each_entry() -> None:
    registered = {"results": [envelope(), {**envelope(Severity.WARNING), "invocation": {}}], "changed": False}
    found = collected(registered, "redis", "web1", ["cache", "queue"])
    assert [(result["name"], result["status"]) for result in found] == [("cache", "ok"), ("queue", "warning")]
    assert all(result["host"] == "web1" and result["subject"] == "redis" for result in found)
    assert "invocation" not in found[1]


def test_a_single_task_and_a_skipped_one() -> None:
    assert [result["name"] for result in collected(envelope(), "host", "web1")] == ["host"]
    assert collected({"skipped": True, "changed": False}, "host", "web1") == []
    assert collected({"results": [{"skipped": True}, envelope()]}, "redis", "h", ["a", "b"])[0]["name"] == "b"
    assert collected({"results": []}, "redis", "h") == []
    assert collected(None, "redis", "h") == []


@pytest.mark.parametrize(
    ("result", "id_", "part"),
    [
        ({"failed": True, "msg": "MODULE FAILURE"}, "upkeep.task_failed", "MODULE FAILURE"),
        ({"unreachable": True, "msg": "no route"}, "upkeep.host_unreachable", "no route"),
        ({"changed": False}, "upkeep.task_failed", "without a result"),
    ],
)
def test_silence_is_never_taken_for_health(result: dict[str, Any], id_: str, part: str) -> None:
    (found,) = collected({"results": [result]}, "redis", "web1", ["cache"])
    assert found["status"] == "critical"
    assert found["findings"][0]["id"] == id_
    assert part in found["findings"][0]["message"]


@pytest.mark.parametrize(
    ("severities", "fail_on", "failed"),
    [
        ([], "warning", False),
        ([Severity.WARNING], "critical", False),
        ([Severity.WARNING], "warning", True),
        ([Severity.CRITICAL], "critical", True),
        ([Severity.CRITICAL, Severity.WARNING], "never", False),
    ],
)
def test_what_counts_as_failed(severities: list[Severity], fail_on: str, failed: bool) -> None:
    assert verdict([envelope(*severities)], fail_on)["failed"] is failed


def test_the_message_counts_and_names_the_gravest() -> None:
    found = verdict([envelope(Severity.CRITICAL), envelope(Severity.WARNING)])
    assert found["message"] == "critical: 2 results, 1 critical, 1 warning. it is critical"
    many = verdict([envelope(*[Severity.CRITICAL] * 5)])
    assert many["message"].endswith("and 2 more")


def test_another_word_is_refused() -> None:
    with pytest.raises(InvalidInput, match="upkeep_fail_on"):
        verdict([], "sometimes")


def test_a_run_that_checked_nothing_is_no_success() -> None:
    found = verdict([])
    assert found["failed"]
    assert found["message"] == "critical: 0 results, 0 critical, 0 warning. Nothing was checked"
