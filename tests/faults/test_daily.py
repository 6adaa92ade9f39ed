# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The daily run with stores that are down, hang, refuse the login or the right: all else is checked and reported."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.conftest import Daily, Sample
from tests.integration.running import run_playbook

SUBJECTS = {"postgresql18": "postgresql", "mongodb": "mongodb", "redis8": "redis", "http": "http"}


def results(daily: Daily) -> dict[str, str]:
    """The status of each subject's first result."""
    return {result["subject"]: result["status"] for result in reversed(daily.report["results"])}


@pytest.mark.parametrize("member", SUBJECTS)
def test_with_one_store_stopped_all_else_is_checked_and_reported(clean: Sample, member: str) -> None:
    clean.stack.stop(member)
    try:
        daily = clean.daily()
    finally:
        clean.stack.start(member)
    subject = SUBJECTS[member]
    expected = "http.unreachable" if subject == "http" else f"{subject}.unreachable"
    assert daily.run.code != 0
    assert expected in daily.ids(subject=subject)
    statuses = results(daily)
    assert statuses[subject] == "critical"
    others = set(SUBJECTS.values()) - {subject} - ({"http"} if subject != "http" else set())
    assert {statuses[other] for other in others} <= {"ok", "warning"}
    assert "Traceback" not in daily.run.output
    # The very last task is the verdict: everything else was done before.
    assert daily.run.tasks[-1]["outcome"] == "failed"
    assert daily.run.tasks[-1]["action"] == "ansible.builtin.fail"
    assert [task["action"] for task in daily.run.tasks if task["outcome"] == "failed"] == ["ansible.builtin.fail"]


def entry(sample: Sample, kind: str, **changes: Any) -> dict[str, Any]:
    """An inventory entry of the sample, changed."""
    return {**sample.variables()[f"upkeep_{kind}"][0], **changes}


@pytest.fixture(scope="module")
def troubled(clean: Sample, module_hanging_socket: tuple[str, int], powerless: dict[str, tuple[str, str]]) -> Daily:
    """One run over stores that hang, that get a wrong password, and a user without rights, beside the healthy ones."""
    host, port = module_hanging_socket
    variables: dict[str, Any] = {"upkeep_thresholds": {}}
    for kind in ("postgresql", "mongodb", "redis"):
        user, password = powerless[kind]
        variables[f"upkeep_{kind}"] = [
            entry(clean, kind),
            entry(clean, kind, name="hanging", login_host=host, login_port=port),
            entry(clean, kind, name="wrong-password", login_password="Wr0ng/p@ssword"),
            entry(clean, kind, name="powerless", login_user=user, login_password=password),
        ]
    return clean.daily(**variables)


@pytest.mark.parametrize("kind", ["postgresql", "mongodb", "redis"])
@pytest.mark.parametrize(
    ("name", "condition"),
    [("hanging", "timeout"), ("wrong-password", "authentication"), ("powerless", "access_denied")],
)
def test_each_trouble_is_one_clear_finding(troubled: Daily, kind: str, name: str, condition: str) -> None:
    assert f"{kind}.{condition}" in troubled.ids(name, kind)
    healthy = next(result for result in troubled.report["results"] if result["subject"] == kind)
    assert not {finding["id"].split(".")[1] for finding in healthy["findings"]} & {
        "timeout",
        "authentication",
        "access_denied",
        "unreachable",
    }


def test_there_is_no_traceback_and_no_secret(troubled: Daily, powerless: dict[str, tuple[str, str]]) -> None:
    assert "Traceback" not in troubled.run.output
    for secret in ("Wr0ng/p@ssword", "Wr0ng", *(password for _user, password in powerless.values())):
        assert secret not in troubled.run.output
        assert secret not in troubled.page


def test_wrong_input_ends_the_run_at_once_with_the_variables_name(clean: Sample) -> None:
    run = run_playbook(
        "dataops.upkeep.daily", "-i", str(clean.folder / "inventory"), extra_vars={"upkeep_redis": "just words"}
    )
    assert run.code != 0
    assert "upkeep_redis" in run.output


@pytest.mark.parametrize(
    ("variables", "part"),
    [
        ({"upkeep_thresholds": {"redis": {"memory_procent": 5}}}, "memory_procent"),
        ({"health_deadline": "soon"}, "90d, 2w, 6mo"),
    ],
)
def test_a_wrong_option_of_a_module_is_a_critical_finding_that_says_what_is_right(
    clean: Sample, variables: dict[str, Any], part: str
) -> None:
    daily = clean.daily(**variables)
    assert daily.run.code != 0
    messages = [finding["message"] for finding in daily.findings() if finding["id"] == "upkeep.invalid_input"]
    assert any(part in message for message in messages)


def test_check_mode_writes_nothing(clean: Sample) -> None:
    before = sorted(clean.folder.rglob("*"))
    run = run_playbook(
        "dataops.upkeep.daily",
        "-i",
        str(clean.folder / "inventory"),
        "--check",
        extra_vars={
            "upkeep_report_dir": str(clean.folder / "never"),
            "upkeep_state": str(clean.folder / "never-state"),
            "upkeep_fail_on": "never",
        },
    )
    assert run.code == 0, run.output
    assert sorted(clean.folder.rglob("*")) == before
    (planned,) = run.results("report")
    assert {action["state"] for action in planned["actions"]} == {"planned"}


def test_the_run_fails_from_the_chosen_severity_on(planted: Sample) -> None:
    thresholds = planted.variables()["upkeep_thresholds"]
    assert planted.daily(upkeep_fail_on="warning", upkeep_thresholds=thresholds).run.code != 0
    assert planted.daily(upkeep_fail_on="never", upkeep_thresholds=thresholds).run.code == 0
