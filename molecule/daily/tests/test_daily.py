# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a daily run leaves, and the run as AWX makes it: all variables as texts, and through ansible-runner."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import ansible_runner
import pytest

ROOT = Path(__file__).resolve().parents[3]


def test_the_report_shows_every_store_of_both_hosts(place: Any) -> None:
    host, folder = place("local")
    report = json.loads(host.file(f"{folder}/daily-reports/latest.json").content_string)
    shown = {(result["host"], result["name"]) for result in report["results"]}
    stores = ("postgresql17", "postgresql15", "mongodb", "redis")
    assert {(way, name) for way in ("ops", "local") for name in stores} <= shown


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A run through ansible-runner, as AWX makes it, with nothing but texts as extra variables."""
    folder = tmp_path_factory.mktemp("runner")
    (folder / "data").mkdir()
    texts = {
        "upkeep_hosts": "local",
        "upkeep_fail_on": "never",
        "upkeep_report_formats": "html, json",
        "upkeep_report_dir": str(folder / "reports"),
        "upkeep_report_keep": "5",
        "upkeep_state": str(folder / "state"),
        "upkeep_host": '{"checks": "load,memory"}',
        "upkeep_thresholds": "host: {memory_percent: '99.5'}",
        "upkeep_http": "http://127.0.0.1:9/health",
        "awx_job_id": "4711",
    }
    assert all(isinstance(value, str) for value in texts.values())
    done = ansible_runner.run(
        private_data_dir=str(folder / "data"),
        playbook="dataops.upkeep.daily",
        inventory=str(ROOT / "molecule/inventory"),
        extravars=texts,
        envvars={"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"), "PATH": os.environ["PATH"]},
        quiet=True,
    )
    return done, folder


def test_a_run_with_texts_only_succeeds(survey: tuple[Any, Path]) -> None:
    done, folder = survey
    assert done.rc == 0, done.stdout.read()
    report = json.loads((folder / "reports/latest.json").read_text())
    assert report["run_id"] == "4711"
    assert {result["name"] for result in report["results"]} >= {"postgresql17", "redis", "endpoints", "local"}


def test_the_jobs_artifacts_hold_the_verdict(survey: tuple[Any, Path]) -> None:
    (stats,) = [event for event in survey[0].events if event["event"] == "playbook_on_stats"]
    artifacts = stats["event_data"]["artifact_data"]
    assert artifacts["upkeep_status"] == "critical"
    assert artifacts["upkeep_critical"] >= 1
    assert artifacts["upkeep_report"].endswith(".html")


def test_no_password_is_in_what_the_job_keeps(survey: tuple[Any, Path], stage: dict[str, Any]) -> None:
    for path in survey[1].rglob("*"):
        if path.is_file():
            text = path.read_bytes().decode(errors="replace")
            assert not any(password in text for password in stage["passwords"].values()), path
