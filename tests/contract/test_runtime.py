# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module does when it runs: one envelope, one plan in check mode and for real, and no secret anywhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.action import ActionState
from ansible_collections.dataops.upkeep.plugins.module_utils._core.result import ENVELOPE_KEYS, METRIC_NAME
from tests.contract.cases import CASES, REQUIRED, SECRETS
from tests.contract.catalogue import MODULES, imported
from tests.integration.running import run_module

FINDING_KEYS = {"id", "severity", "subject", "message", "value", "threshold", "remedy"}
ACTION_KEYS = {"kind", "subject", "reason", "statement", "state", "detail", "seconds", "undo"}
FINDING_ID = re.compile(r"[a-z]+\.[a-z][a-z0-9_]*")


def assert_envelope(result: dict[str, Any]) -> None:
    """Hold a result to the one envelope."""
    assert set(ENVELOPE_KEYS) <= set(result), result
    assert isinstance(result["changed"], bool)
    assert result["status"] in ("ok", "warning", "critical")
    assert result["summary"]
    assert result["server"].get("kind")
    for finding in result["findings"]:
        assert set(finding) == FINDING_KEYS
        assert FINDING_ID.fullmatch(finding["id"]), finding["id"]
        assert finding["severity"] in ("warning", "critical")
        assert finding["subject"]
        assert finding["message"]
        assert finding["remedy"], f"{finding['id']} has no remedy"
    for action in result["actions"]:
        assert set(action) == ACTION_KEYS
        assert action["state"] in {state.value for state in ActionState}
        assert action["reason"]
    for name, value in result["metrics"].items():
        assert METRIC_NAME.fullmatch(name), name
        assert isinstance(value, int | float), f"{name} is {value!r}"
        assert not isinstance(value, bool), f"{name} is {value!r}"


def assert_no_secret(output: str, params: dict[str, Any]) -> None:
    """Hold everything that was printed and returned to showing no secret."""
    for secret in (*SECRETS, params.get("login_password")):
        assert not secret or secret not in output, "a secret was shown"


def without_times(text: str) -> str:
    """A text without the moments in it, in which two runs must differ."""
    return re.sub(r"\d{8}-\d{6}", "TIME", text)


def plan(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """What was planned, whatever became of it."""
    return [
        tuple(without_times(action[key]) for key in ("kind", "subject", "reason", "statement"))
        for action in result["actions"]
    ]


@pytest.mark.parametrize("name", MODULES)
def test_there_is_a_case(name: str) -> None:
    assert name in CASES, f"add {name} to tests/contract/cases.py"


@pytest.mark.parametrize("name", [name for name in MODULES if name in CASES])
def test_check_mode_plans_what_a_real_run_does(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    params = CASES[name](request, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    planned = run_module(name, params, check=True, verbosity=3)
    assert sorted(tmp_path.rglob("*")) == before, "check mode wrote files"
    done = run_module(name, params, verbosity=3)
    for result in (planned, done):
        assert result["outcome"] == "ok", result
        assert_envelope(result)
        assert_no_secret(str(result), params)
    assert {action["state"] for action in planned["actions"]} <= {"planned", "skipped"}
    assert plan(planned) == plan(done)
    assert planned["changed"] == done["changed"]
    if name.endswith("_info"):
        assert not done["changed"]
    elif name in STORE_MODULES:
        assert planned["changed"], "the case has to give the module something to do"
        again = run_module(name, params)
        assert not again["changed"], "a second run on unchanged data does nothing"


STORE_MODULES = [name for name in MODULES if "login_password" in imported(name).ARGUMENTS.options]


@pytest.mark.parametrize("name", STORE_MODULES)
@pytest.mark.parametrize("way", ["options", "uri"])
def test_a_store_that_is_down_shows_no_secret(name: str, way: str, dead_port: tuple[str, int]) -> None:
    host, port = dead_port
    scheme = {"postgresql": "postgresql", "mongodb": "mongodb"}.get(name.split("_", maxsplit=1)[0], "redis")
    secret = "S3cret/w:th@odd%chars"
    if way == "options":
        params: dict[str, Any] = {"login_host": host, "login_port": port, "login_user": "u", "login_password": secret}
    else:
        params = {"uri": f"{scheme}://u:S3cret%2Fw%3Ath%40odd%25chars@{host}:{port}/"}
    params |= {"connect_timeout": 2, **REQUIRED.get(name, {})}
    result = run_module(name, params, verbosity=3)
    for writing in (secret, "S3cret%2Fw%3Ath%40odd%25chars", "S3cret"):
        assert writing not in str(result), "a secret was shown"
    if name.endswith("_info"):
        assert_envelope(result)
        assert result["status"] == "critical"
        assert result["findings"][0]["id"].endswith(".unreachable")
    else:
        assert result["outcome"] == "failed"
        assert "Could not" in result["msg"]
    assert "Traceback" not in result["output"]


@pytest.mark.parametrize("name", MODULES)
def test_an_unknown_deadline_is_refused_with_the_accepted_forms(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    params = CASES[name](request, tmp_path)
    for deadline, told in (("soon", "90d, 2w, 6mo"), ("0", "leaves no time")):
        result = run_module(name, {**params, "deadline": deadline})
        assert result["outcome"] == "failed"
        assert told in result["msg"]
        assert_envelope({**result, "server": {"kind": name}})
