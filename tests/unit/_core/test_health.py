# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health task over a real thing that can be down, refuse and forget: a folder of files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import (
    AccessDenied,
    StateError,
    StoreUnreachable,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._core.health import Check, HealthTask, Situation
from ansible_collections.dataops.upkeep.plugins.module_utils._core.memory import NoMemory
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Context, Decision, run
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets
from ansible_collections.dataops.upkeep.plugins.module_utils._core.severity import Severity
from ansible_collections.dataops.upkeep.plugins.module_utils._core.threshold import Threshold, Thresholds

NOW = datetime(2026, 11, 22, 2, tzinfo=timezone.utc)
LIMITS = (Threshold("files", "count", 2, 4),)


class Notebook(NoMemory):
    """Keeps documents for the length of a test, as the Memory interface asks, or fails when torn."""

    def __init__(self) -> None:
        self.documents: dict[str, tuple[dict[str, Any], int]] = {}
        self.torn = False

    def read(self, key: str) -> tuple[dict[str, Any] | None, int]:
        if self.torn:
            raise StateError("read the notebook", "a page is torn out")
        return self.documents.get(key, (None, 0))

    def compare_and_set(self, key: str, value: dict[str, Any], version: int) -> bool:
        if self.read(key)[1] != version:
            return False
        self.documents[key] = (value, version + 1)
        return True


def count_files(folder: Path, context: Context) -> int:
    return len(list(folder.iterdir()))


def read_secret(folder: Path, context: Context) -> str:
    if (folder / "locked").exists():
        raise AccessDenied("read the note", "the folder is locked", "Unlock it.")
    return "note"


def judge_count(count: int, situation: Situation) -> Decision:
    findings = situation.thresholds.judge("files", "folder.files", situation.subject, count, "files")
    grown = count - situation.previous.get("count", count)
    return Decision(findings, metrics={"folder_files": count, "folder_files_grown": grown})


CHECKS = (
    Check("count", count_files, judge_count, lambda count, situation: {"count": count}),
    Check("note", read_secret, lambda note, situation: Decision(metrics={"folder_note_length": len(note)})),
)


class Health:
    """A folder's health, with a counter of its connections."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.connections, self.notebook, self.now = folder, 0, Notebook(), NOW
        self.checks, self.settings, self.seconds = ["count", "note"], {}, 60.0
        self.scope: str | None = None

    @contextmanager
    def connect(self) -> Iterator[Path]:
        self.connections += 1
        if not self.folder.is_dir():
            raise StoreUnreachable("open the folder", "it is not there", "Create it.")
        yield self.folder

    def run(self, check_mode: bool = False) -> dict[str, Any]:
        clock = Clock(now=lambda: self.now, monotonic=lambda: 0.0)
        params = {"checks": self.checks}
        context = Context(params, Deadline(self.seconds, clock), clock, self.notebook, {}, Secrets())
        task = HealthTask(
            context,
            "folder",
            "here",
            self.connect,
            lambda folder: {"version": "1"},
            CHECKS,
            Thresholds(LIMITS, self.settings),
            scope=self.scope,
        )
        return run(task, context, check_mode).as_dict()


@pytest.fixture
def health(tmp_path: Path) -> Health:
    return Health(tmp_path)


def ids(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(finding["id"], finding["severity"]) for finding in result["findings"]]


def test_all_checks_over_one_connection(health: Health) -> None:
    result = health.run()
    assert health.connections == 1
    assert result["status"] == "ok"
    assert result["metrics"]["folder_up"] == 1
    assert result["metrics"]["folder_note_length"] == 4
    assert result["server"] == {"kind": "folder", "address": "here", "version": "1"}
    assert result["changed"] is False


def test_only_the_chosen_checks_run(health: Health) -> None:
    health.checks = ["note"]
    assert "folder_files" not in health.run()["metrics"]


def test_a_store_that_is_down_is_a_critical_finding(health: Health) -> None:
    health.folder = health.folder / "gone"
    result = health.run()
    assert ids(result) == [("folder.unreachable", "critical")]
    assert result["metrics"] == {"folder_up": 0}
    assert result["findings"][0]["remedy"] == "Create it."
    assert health.notebook.documents == {}


def test_a_store_that_is_lost_in_the_middle_is_one_critical_finding_and_what_was_found_stays(health: Health) -> None:
    lost = StoreUnreachable("read the note", "the folder is gone", "Bring it back.")

    def lose(folder: Path, context: Context) -> str:
        raise lost

    @contextmanager
    def connect() -> Iterator[Path]:
        yield health.folder
        raise lost

    context = Context({"checks": ["count", "note"]}, Deadline(60.0), Clock(), health.notebook, {}, Secrets())
    checks = (CHECKS[0], Check("note", lose, CHECKS[1].decide))
    task = HealthTask(context, "folder", "here", connect, lambda folder: {}, checks, Thresholds(LIMITS, {}))
    result = run(task, context, check_mode=False).as_dict()
    assert ids(result) == [("folder.unreachable", "critical")]
    assert result["metrics"]["folder_up"] == 0
    assert result["metrics"]["folder_files"] == 0


def test_a_check_without_rights_is_a_warning_and_the_others_go_on(health: Health) -> None:
    (health.folder / "locked").touch()
    result = health.run()
    assert ids(result) == [("folder.access_denied", "warning")]
    assert result["metrics"]["folder_files"] == 1
    assert result["findings"][0]["subject"] == "here note"


def test_when_no_time_is_left_each_check_says_so(health: Health) -> None:
    health.seconds = 0
    assert ids(health.run()) == [("folder.deadline", "warning")] * 2


def test_the_next_run_compares_with_what_was_remembered(health: Health) -> None:
    health.run()
    (health.folder / "a").touch()
    health.now += timedelta(days=1)
    assert health.run()["metrics"]["folder_files_grown"] == 1
    assert health.run()["metrics"]["folder_files_grown"] == 0


def test_two_tasks_on_one_server_keep_their_memories_apart(health: Health) -> None:
    health.run()
    health.scope = "other"
    health.run()
    assert sorted(health.notebook.documents) == ["health/folder/here", "health/folder/here/other"]


def test_a_run_of_one_check_keeps_what_another_remembered(health: Health) -> None:
    health.run()
    health.checks = ["note"]
    health.run()
    health.checks = ["count", "note"]
    (health.folder / "a").touch()
    assert health.run()["metrics"]["folder_files_grown"] == 1


def test_check_mode_remembers_nothing(health: Health) -> None:
    health.run(check_mode=True)
    assert health.notebook.documents == {}


def test_a_torn_memory_is_a_warning_and_the_checks_are_made(health: Health) -> None:
    health.notebook.torn = True
    result = health.run()
    assert ids(result) == [("upkeep.state", "warning")]
    assert result["metrics"]["folder_files"] == 0


def test_thresholds_reach_the_decision(health: Health) -> None:
    for name in "abc":
        (health.folder / name).touch()
    assert ids(health.run()) == [("folder.files", "warning")]
    health.settings = {"files": 3}
    assert ids(health.run()) == []


def test_two_runs_at_once_never_mix_their_memories(health: Health) -> None:
    class Overtaking(Notebook):
        def compare_and_set(self, key: str, value: dict[str, Any], version: int) -> bool:
            if "other" not in self.documents:
                self.documents["other"] = ({}, 1)
                super().compare_and_set(key, {"count": {"at": NOW.isoformat(), "seen": {"count": 40}}}, version)
            return super().compare_and_set(key, value, version)

    health.notebook = Overtaking()
    assert health.run()["status"] == Severity.OK.value
    (document, _version) = health.notebook.documents["health/folder/here"]
    assert document["count"]["seen"]["count"] == 40


def test_what_has_no_connection_has_no_metrics_of_one(health: Health) -> None:
    clock = Clock(now=lambda: NOW, monotonic=lambda: 0.0)
    context = Context({"checks": ["note"]}, Deadline(60, clock), clock, health.notebook, {}, Secrets())
    limits = Thresholds(LIMITS)
    task = HealthTask(context, "folder", "here", health.connect, lambda folder: {}, CHECKS, limits, connects=False)
    assert run(task, context, False).metrics == {"folder_note_length": 4}
