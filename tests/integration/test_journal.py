# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal in real runs of ansible-playbook: what is written, runs at once, killed runs, secrets, bad folders."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._journal.verify import journal_files, verify_files
from tests.integration.running import ROOT, Run, environment, run_module, run_playbook

SECRET = "hunter-22-never-shown"
VERIFY = ROOT / "plugins/module_utils/_journal/verify.py"


def play(folder: Path, *tasks: Mapping[str, Any], **keywords: Any) -> Path:
    """Write a playbook with these tasks."""
    path = folder / "maintenance.yml"
    start: dict[str, Any] = {"name": "Maintain", "hosts": "localhost", "connection": "local", "gather_facts": False}
    start["vars"] = {"ansible_python_interpreter": sys.executable}
    path.write_text(json.dumps([{**start, "tasks": list(tasks), **keywords}]), encoding="utf-8")
    return path


def settings(journal: Path, **more: str) -> dict[str, str]:
    """The environment that switches the journal on."""
    return {
        "ANSIBLE_CALLBACKS_ENABLED": "record,dataops.upkeep.journal",
        "UPKEEP_JOURNAL_DIR": str(journal),
        "UPKEEP_JOURNAL_TIMEZONE": "utc",
        **more,
    }


def run(path: Path, journal: Path, *arguments: str, **more: str) -> Run:
    return run_playbook(path, "-i", "localhost,", *arguments, env=settings(journal, **more))


def records(journal: Path) -> list[dict[str, Any]]:
    """Every record of a journal that verifies."""
    verdict = verify_files(journal_files(journal))
    assert verdict.problems == []
    return [json.loads(line) for file in journal_files(journal) for line in file.read_text().splitlines()]


def texts(journal: Path, event: str) -> list[str]:
    return [record["text"] for record in records(journal) if record["event"] == event]


def human_lines(journal: Path) -> list[str]:
    return [line for file in sorted(journal.glob("*.log")) for line in file.read_text().splitlines()]


def ours(**options: Any) -> dict[str, Any]:
    return {"name": "Verify a journal", "dataops.upkeep.journal_info": options}


OK = {"name": "Change", "ansible.builtin.command": "true"}


def test_a_run_is_written_down_for_people_and_as_a_chain(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    done = run(play(tmp_path, ours(path=str(journal)), OK), journal)
    assert done.code == 0, done.output
    lines = human_lines(journal)
    assert all(re.match(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] \[(INFO|WARN|ERROR)\] ", line) for line in lines)
    assert [record["event"] for record in records(journal)] == ["run_started", "task", "task_changed", "run_ended"]
    started = records(journal)[0]["details"]
    assert {"user", "controller", "playbook", "check_mode", "versions"} <= set(started)
    assert started["versions"]["dataops.upkeep"] == "0.1.0"
    head = records(journal)[-1]["hash"]
    assert lines[-1].endswith(f"head of the journal: {head}")
    assert f"head {head}" in done.output


def test_findings_and_failures_have_their_level(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    loop = {**ours(path="{{ item }}"), "loop": [str(tmp_path / "none"), str(journal)]}
    ignored = {"name": "May fail", "ansible.builtin.fail": {"msg": "as planned"}, "ignore_errors": True}
    wrong = ours(path=str(journal), expect_head="no hash")
    done = run(play(tmp_path, loop, ignored, wrong), journal)
    assert done.code == 2
    levels = [(record["event"], record["level"]) for record in records(journal)]
    assert levels == [
        ("run_started", "INFO"),
        ("task", "ERROR"),
        ("finding", "ERROR"),
        ("task", "INFO"),
        ("task_failed", "WARN"),
        ("task", "ERROR"),
        ("finding", "ERROR"),
        ("run_ended", "ERROR"),
    ]
    finding = records(journal)[2]["details"]["finding"]
    assert finding["id"] == "journal.missing"
    assert finding["remedy"]
    assert "2 critical" in texts(journal, "run_ended")[0]


def test_a_module_of_ours_that_fails_is_written_down_whatever_failed_when_says(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    unknown = {**ours(no_such_option=1), "failed_when": False}
    wrong = {**ours(path="/", expect_head="no hash"), "failed_when": False}
    assert run(play(tmp_path, unknown, wrong), journal).code == 0
    assert "no_such_option" in texts(journal, "task_failed")[0]
    assert "journal_info failed: Could not use option expect_head" in texts(journal, "task")[0]


def test_the_level_option_thins_out_the_lines_for_people(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    missing = ours(path=str(tmp_path / "none"))
    assert run(play(tmp_path, OK, missing), journal, UPKEEP_JOURNAL_LEVEL="error").code == 0
    assert len(human_lines(journal)) == 3
    assert len(records(journal)) == 5


def test_check_mode_is_marked(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    copy = {"name": "Copy", "ansible.builtin.copy": {"content": "x", "dest": str(tmp_path / "x"), "mode": "0600"}}
    always = {**OK, "check_mode": False}
    assert run(play(tmp_path, copy, always, ours(path=str(journal))), journal, "--check").code == 0
    assert "in check mode" in texts(journal, "run_started")[0]
    would, did = texts(journal, "task_changed")
    assert would.startswith("[check mode]")
    assert "would change" in would
    assert not did.startswith("[check mode]")
    assert texts(journal, "task")[0].startswith("[check mode]")


def test_actions_are_planned_in_check_mode_and_then_done(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    options = {"results": [], "dest": str(tmp_path / "reports"), "formats": ["json"]}
    path = play(tmp_path, {"name": "Report", "dataops.upkeep.report": options})
    assert run(path, journal, "--check").code == 0
    assert run(path, journal).code == 0
    actions = [record for record in records(journal) if record["event"] == "action"]
    states = [record["details"]["action"]["state"] for record in actions]
    half = len(states) // 2
    assert states == ["planned"] * half + ["done"] * half
    assert half >= 1
    assert [record["text"].startswith("[check mode]") for record in actions] == [True] * half + [False] * half
    assert f"actions: {half} done" in texts(journal, "run_ended")[1]


def test_secrets_reach_neither_file(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    no_log = {"no_log": True, "ignore_errors": True}
    tasks = [
        {"name": "Hidden", "ansible.builtin.command": f"echo {SECRET}", "no_log": True},
        {"name": "Hidden failure", "ansible.builtin.fail": {"msg": SECRET}, **no_log},
        {"name": "Hidden loop", "ansible.builtin.fail": {"msg": "{{ item }}"}, "loop": [SECRET], **no_log},
        {"name": "URI", "ansible.builtin.fail": {"msg": f"redis://u:{SECRET}@h"}, "ignore_errors": True},
        {"name": "Assignment", "ansible.builtin.fail": {"msg": f"password={SECRET} no"}, "ignore_errors": True},
        {"name": "Output", "ansible.builtin.command": f"sh -c 'echo {SECRET}; exit 1'", "ignore_errors": True},
        {"name": "In the environment", "ansible.builtin.fail": {"msg": "said {{ lookup('env', 'PGPASSWORD') }}"}},
    ]
    done = run(play(tmp_path, *tasks), journal, PGPASSWORD=f"{SECRET}-too")
    assert SECRET in done.output, "the test's own tasks show it; the journal must not"
    assert len(texts(journal, "task_failed")) == 6
    for file in journal.iterdir():
        assert SECRET not in file.read_text()
    assert "its output is hidden by no_log" in texts(journal, "task_failed")[0]


def test_an_unreachable_host_is_an_error(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    inventory = tmp_path / "hosts.json"
    host = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh"}
    inventory.write_text(json.dumps({"all": {"hosts": {"away": host}}}), encoding="utf-8")
    path = play(tmp_path, OK, hosts="away", connection="ssh")
    assert run_playbook(path, "-i", str(inventory), env=settings(journal)).code != 0
    (record,) = [record for record in records(journal) if record["event"] == "host_unreachable"]
    assert record["level"] == "ERROR"
    assert record["text"].startswith("away: unreachable")


def test_two_runs_at_once_share_one_chain(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    path = play(tmp_path, {**OK, "loop": list(range(8))}, ours(path=str(journal)))
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _number: run(path, journal), range(2)))
    assert [done.code for done in runs] == [0, 0]
    found = records(journal)
    assert len(found) == 2 * 11
    assert len({record["run"] for record in found}) == 2
    verdict = verify_files(journal_files(journal))
    assert len(verdict.runs) == 2
    assert verdict.unfinished == []


def interrupted(tmp_path: Path, journal: Path, how: signal.Signals) -> None:
    """Start a run that would take long, and send it a signal once it is under way."""
    wait = {"name": "Wait", "ansible.builtin.command": "sleep 60"}
    command = ["ansible-playbook", str(play(tmp_path, OK, wait)), "-i", "localhost,"]
    chosen = environment(**settings(journal, UPKEEP_TEST_RECORD=str(tmp_path / "record")))
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=chosen, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        end = time.monotonic() + 60
        while not (journal.exists() and any("task_changed" in f.read_text() for f in journal.glob("*.jsonl"))):
            assert time.monotonic() < end, "the run did not get under way"
            assert process.poll() is None, "the run ended by itself"
            time.sleep(0.05)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        process.wait(120)


def test_a_killed_run_leaves_a_chain_and_the_next_goes_on(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    interrupted(tmp_path, journal, signal.SIGKILL)
    assert len(verify_files(journal_files(journal)).unfinished) == 1
    with journal_files(journal)[0].open("ab") as file:
        file.write(b'{"at":"2025-11-15T02:00:00.0')  # what a crash in mid-write leaves
    assert run(play(tmp_path, OK), journal).code == 0
    verdict = verify_files(journal_files(journal))
    assert (verdict.problems, verdict.torn, len(verdict.runs)) == ([], 1, 2)
    assert any("[WARN] The journal's last line was cut short" in line for line in human_lines(journal))


def test_an_interrupted_run_says_that_it_was_broken_off(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    interrupted(tmp_path, journal, signal.SIGINT)
    assert "was broken off" in texts(journal, "run_ended")[0]


def test_a_folder_that_cannot_be_written_is_one_warning_and_no_failure(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    done = run(play(tmp_path, {**OK, "loop": [1, 2, 3]}), blocked / "journal")
    assert done.code == 0
    assert done.output.count("THE JOURNAL CANNOT BE WRITTEN") == 1
    assert "5 LOST" in done.output


def test_the_home_folder_is_the_default(tmp_path: Path) -> None:
    chosen = {"ANSIBLE_CALLBACKS_ENABLED": "record,dataops.upkeep.journal", "HOME": str(tmp_path)}
    assert run_playbook(play(tmp_path, OK), "-i", "localhost,", env=chosen).code == 0
    assert len(records(tmp_path / ".upkeep/journal")) == 3


def test_a_job_of_awx_says_who_started_it(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    data = tmp_path / "data"
    (data / "project").mkdir(parents=True)
    play(data / "project", OK)
    program = Path(sys.executable).with_name("ansible-runner")
    words = [program, "run", data, "-p", "maintenance.yml"]
    words += ["--cmdline=-i localhost, -e awx_user_name=alice -e awx_job_id=7"]
    done = subprocess.run(words, env=environment(**settings(journal)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    started = records(journal)[0]["details"]
    assert (started["awx_user_name"], started["awx_job_id"]) == ("alice", "7")
    assert f"head {records(journal)[-1]['hash']}" in done.stdout, "AWX keeps the head in the job's output"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A journal of two runs."""
    journal = tmp_path / "kept"
    for _number in range(2):
        assert run(play(tmp_path, OK), journal).code == 0
    return journal


def test_the_playbook_verifies_by_its_full_name(kept: Path) -> None:
    head = records(kept)[2]["hash"]
    variables = {"journal_path": str(kept), "journal_expect_head": head}
    done = run_playbook("dataops.upkeep.journal_verify", extra_vars=variables)
    assert done.code == 0, done.output
    (result,) = done.results("journal_info")
    assert (result["status"], result["metrics"]["journal_runs"]) == ("ok", 2)
    assert result["server"]["records_after_expected_head"] == 3


def test_the_playbook_fails_on_an_edited_journal(kept: Path) -> None:
    file = journal_files(kept)[0]
    file.write_bytes(file.read_bytes().replace(b"changed something", b"changed nothing!!", 1))
    done = run_playbook("dataops.upkeep.journal_verify", extra_vars={"journal_path": str(kept)})
    assert done.code == 2
    assert f"{file}, line 2" in done.output
    assert subprocess.run([sys.executable, VERIFY, kept], capture_output=True, check=False).returncode == 1


def test_the_module_changes_nothing_and_says_the_same_in_check_mode(kept: Path) -> None:
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in kept.iterdir()}
    checked = run_module("journal_info", {"path": str(kept)}, check=True)
    real = run_module("journal_info", {"path": str(kept)})
    assert {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in kept.iterdir()} == before
    for result in (checked, real):
        assert (result["changed"], result["status"], result["actions"]) == (False, "ok", [])
    assert checked["metrics"] == real["metrics"]


def test_bad_options_fail_with_a_remedy_and_without_a_traceback(kept: Path) -> None:
    result = run_module("journal_info", {"path": str(kept), "since": "some day"}, verbosity=3)
    assert result["outcome"] == "failed"
    assert "90d" in result["msg"]
    assert "Traceback" not in result["output"]
