# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role health over several hosts: who asks for the stores, and what an unreachable host leaves."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.integration.running import Run, run_playbook
from tests.stack.endpoint import Endpoint


def inventory(folder: Path, hosts: dict[str, dict[str, Any]], **variables: Any) -> Path:
    """Write an inventory of hosts that are all this machine."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    places = {"upkeep_state": str(folder / "state"), "upkeep_report_dir": str(folder / "reports")}
    path = folder / "hosts.json"
    path.write_text(json.dumps({"all": {"hosts": hosts, "vars": {**local, **places, **variables}}}))
    return path


def daily(folder: Path, hosts: dict[str, dict[str, Any]], **variables: Any) -> tuple[Run, list[dict[str, Any]]]:
    """Run the daily playbook; its results are the report's."""
    path = inventory(folder, hosts, upkeep_fail_on="never", upkeep_host=False, **variables)
    run = run_playbook("dataops.upkeep.daily", "-i", str(path))
    assert run.code == 0, run.output
    report = json.loads((folder / "reports/latest.json").read_text())
    found: list[dict[str, Any]] = report["results"]
    return run, found


def entry(name: str, endpoint: Endpoint) -> dict[str, Any]:
    return {
        "name": name,
        "login_host": endpoint.host,
        "login_port": endpoint.port,
        "login_user": endpoint.monitor_user,
        "login_password": endpoint.monitor_password,
    }


def test_what_one_host_checks_for_several_is_checked_once(redis8: Endpoint, tmp_path: Path) -> None:
    own = [{**entry("own", redis8), "login_db": "1"}]
    hosts: dict[str, dict[str, Any]] = {"a": {}, "b": {}, "c": {"upkeep_redis": own}}
    _run, found = daily(
        tmp_path, hosts, upkeep_redis=[entry("shared", redis8)], upkeep_store_runner="localhost", upkeep_app="shop"
    )
    assert [(result["host"], result["name"]) for result in found] == [("a", "shared"), ("c", "own")]


def test_without_such_a_host_each_checks_for_itself(redis8: Endpoint, tmp_path: Path) -> None:
    _run, found = daily(tmp_path, {"a": {}, "b": {}}, upkeep_redis=[entry("shared", redis8)])
    assert [(result["host"], result["name"]) for result in found] == [("a", "shared"), ("b", "shared")]


def test_a_host_that_cannot_be_reached_is_reported_and_the_others_are_checked(redis8: Endpoint, tmp_path: Path) -> None:
    unreachable = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    hosts: dict[str, dict[str, Any]] = {"gone": unreachable, "here": {}}
    _run, found = daily(tmp_path, hosts, upkeep_redis=[entry("cache", redis8)])
    statuses = {result["host"]: (result["status"], [each["id"] for each in result["findings"]]) for result in found}
    assert statuses["here"][0] == "ok"
    assert statuses["gone"] == ("critical", ["upkeep.host_unreachable"])
