# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module ``report``, run as Ansible runs it."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput, LockHeld
from ansible_collections.dataops.upkeep.plugins.module_utils._core.memory import NoMemory
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Context, run
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets
from ansible_collections.dataops.upkeep.plugins.module_utils._report.lock import FolderLock
from ansible_collections.dataops.upkeep.plugins.module_utils._report.task import ReportTask
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory
from tests.integration.running import run_module
from tests.stack.endpoint import Endpoint
from tests.unit._report.samples import application, finding, result

FORMATS = ["html", "json", "markdown"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the reports go; it does not exist yet."""
    return tmp_path / "var/reports"


def parameters(folder: Path, results: list[dict[str, Any]] | None, **more: Any) -> dict[str, Any]:
    """The module's options."""
    given = application(25) if results is None else results
    options = {"results": given, "dest": str(folder), "formats": FORMATS, "application": "shop", "cadence": "daily"}
    return {**options, **more}


def report(
    folder: Path, results: list[dict[str, Any]] | None = None, *, check: bool = False, **more: Any
) -> dict[str, Any]:
    """Run the module as Ansible does."""
    return run_module("report", parameters(folder, results, **more), check=check)


def report_here(folder: Path, results: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    """Run the module's task in this process, which is quicker, on the same real folder."""
    defaults = {"title": None, "run_id": None, "keep": 90, "state": None}
    params = {**defaults, **parameters(folder, results, **more)}
    secrets = Secrets()
    memory = open_memory(params["state"], secrets) if params["state"] else NoMemory()
    context = Context(params, Deadline(60), Clock(), memory, {}, secrets)
    return run(ReportTask(context), context, check_mode=False).as_dict()


def files(folder: Path) -> dict[str, bytes]:
    """Every file by name."""
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())} if folder.exists() else {}


def kinds(done: dict[str, Any]) -> list[tuple[str, str]]:
    """Kind and state of every action."""
    return [(action["kind"], action["state"]) for action in done["actions"]]


def test_check_real_and_again(folder: Path, tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    planned = report(folder, check=True, state=state)
    assert planned["changed"]
    assert kinds(planned) == [("create", "planned")] + [("write", "planned")] * 6
    assert "[planned] write" in planned["output"]
    assert list(tmp_path.iterdir()) == []

    done = report(folder, state=state)
    assert done["changed"]
    assert kinds(done) == [("create", "done")] + [("write", "done")] * 6
    assert [action["reason"] for action in done["actions"]][:4] == [action["reason"] for action in planned["actions"]][
        :4
    ]
    assert done["status"] == "ok"
    assert done["findings"] == []
    assert done["metrics"]["report_status"] == 2
    assert done["metrics"]['report_findings_count{severity="critical"}'] == 2
    assert str(folder / "latest.html") in done["summary"]
    before = files(folder)
    assert len(before) == 6
    assert Path(done["server"]["path"]).name in before
    assert before["latest.html"] == before[Path(done["server"]["paths"]["html"]).name]
    assert json.loads(before["latest.json"])["results"][1]["name"] == "beo_automation"
    assert before["latest.md"].startswith(b"<!-- upkeep-run=")
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in before} == {0o640}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750

    again = report(folder, state=state)
    assert not again["changed"]
    assert again["actions"] == []
    assert again["server"] == done["server"]
    assert files(folder) == before
    assert len((tmp_path / "state/report%2Fhistory%2Fshop%2Fdaily.jsonl").read_text().splitlines()) == 1


def test_other_results_are_another_report(folder: Path, tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    first = report_here(folder, application(20, fixed=True), state=state)
    second = report_here(folder, application(25), state=state)
    assert first["server"]["run_id"] != second["server"]["run_id"]
    assert len(files(folder)) == 9
    document = json.loads((folder / "latest.json").read_text())
    assert document["run_id"] == second["server"]["run_id"]
    assert len(document["new"]) == second["metrics"]["report_findings_new_count"] == 4
    assert document["compared_with"] == json.loads(Path(first["server"]["paths"]["json"]).read_text())["at"]


def test_a_run_id_makes_a_run_one_run(folder: Path) -> None:
    report_here(folder, application(20), run_id="job-1")
    before = files(folder)
    assert not report_here(folder, application(21), run_id="job-1")["changed"]
    assert files(folder) == before
    assert report_here(folder, application(21), run_id="job-2")["changed"]


def test_a_format_asked_for_later_is_added_to_the_same_report(folder: Path) -> None:
    report_here(folder, formats=["json"])
    added = report_here(folder, formats=["html", "json"])
    assert kinds(added) == [("write", "done")] * 2
    assert len({name.partition(".")[0] for name in files(folder)} - {"latest"}) == 1


def test_old_reports_are_removed_and_foreign_files_never(folder: Path) -> None:
    folder.mkdir(parents=True)
    foreign = ["notes.html", "shop-daily-20200101-000000.html", "other-daily-20200101-000000.html", "latest.md"]
    for name in foreign:
        (folder / name).write_text("somebody's own")
    for number in range(4):
        done = report_here(folder, application(number), run_id=f"run-{number}", formats=["html", "markdown"], keep=2)
    assert [found["id"] for found in done["findings"]] == ["report.foreign_file"]
    assert kinds(done) == [("write", "done")] * 3 + [("remove", "done")] * 2
    left = files(folder)
    assert all(left[name] == b"somebody's own" for name in foreign)
    assert len([name for name in left if name.startswith("shop-daily-2026") or "shop-daily-20" in name]) == 5


def test_results_without_an_envelope_are_critical(folder: Path) -> None:
    crashed = {"failed": True, "msg": "MODULE FAILURE", "subject": "redis", "name": "cache", "host": "app-1"}
    done = report(folder, [crashed, result("mongodb", "delauto")], formats=["html", "json"])
    assert done["metrics"]["report_status"] == 2
    document = json.loads((folder / "latest.json").read_text())
    assert document["results"][0]["findings"][0]["message"] == "cache: the task ended without a result: MODULE FAILURE"
    assert "MODULE FAILURE" in (folder / "latest.html").read_text()


def test_a_report_on_nothing_is_not_in_order(folder: Path) -> None:
    done = report_here(folder, [])
    assert [found["id"] for found in done["findings"]] == ["report.empty"]
    assert done["metrics"]["report_status"] == 1
    assert "Nothing was checked" in (folder / "latest.html").read_text()


def test_no_secret_gets_into_any_file_or_output(folder: Path) -> None:
    text = "could not connect to postgresql://me:hunter22-secret@db/x"
    leaky = result("postgresql", "db", [finding("postgresql.x", "warning", "db", text, text, text, text)])
    leaky["server"]["login_password"] = "swordfish-secret"
    leaky["summary"] = "the password is swordfish-secret"
    done = run_module(
        "report",
        {"results": [leaky], "dest": str(folder), "formats": FORMATS, "state": str(folder.parent / "state")},
        verbosity=1,
    )
    assert done["outcome"] == "ok"
    written = b"".join(file.read_bytes() for file in folder.parent.rglob("*") if file.is_file())
    for secret in ("hunter22-secret", "swordfish-secret"):
        assert secret not in json.dumps({**done, "invocation": None})
        assert secret.encode() not in written


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"dest": "reports"}, "no absolute path"),
        ({"keep": 0}, "Keep 1 at least"),
        ({"run_id": "a b"}, "run_id"),
        ({"run_id": "x" * 101}, "run_id"),
        ({"formats": []}, "formats"),
        ({"state": "mysql://x/y"}, "postgresql://"),
    ],
)
def test_bad_options_are_refused(folder: Path, more: dict[str, Any], word: str) -> None:
    with pytest.raises(InvalidInput, match=word):
        report_here(folder, **more)
    assert files(folder) == {}


@pytest.mark.parametrize(
    ("more", "word"),
    [({"formats": ["pdf"]}, "value of formats must be one or more of"), ({"keep": 0}, "Keep 1 at least")],
)
def test_a_bad_option_fails_the_task(folder: Path, more: dict[str, Any], word: str) -> None:
    done = report(folder, **more)
    assert done["outcome"] == "failed"
    assert word in done["msg"]
    assert "Traceback" not in done["output"]
    assert files(folder) == {}


def test_a_place_that_cannot_be_written_is_said(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("a file")
    done = report(folder)
    assert done["outcome"] == "failed"
    assert str(folder) in done["msg"]
    assert "Traceback" not in done["output"]


def test_a_failed_write_keeps_the_old_reports(folder: Path) -> None:
    for number in range(2):
        report_here(folder, application(number), run_id=f"run-{number}", formats=["json"])
    before = files(folder)
    (folder / ".latest.json.new").mkdir()
    done = report_here(folder, application(2), run_id="run-2", formats=["json"], keep=1)
    states = kinds(done)
    assert done["status"] == "critical"
    assert states == [("write", "done"), ("write", "failed"), ("remove", "skipped"), ("remove", "skipped")]
    assert "latest.json" in done["summary"]
    left = files_of_ours(folder)
    assert before.items() <= left.items()


def files_of_ours(folder: Path) -> dict[str, bytes]:
    """Every plain file by name."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def test_a_state_that_cannot_be_reached_is_a_finding_and_the_report_is_written(
    folder: Path, dead_port: tuple[str, int]
) -> None:
    done = report(folder, state=f"redis://:hunter22@{dead_port[0]}:{dead_port[1]}/0", formats=["html"])
    assert done["outcome"] == "ok"
    assert [found["id"] for found in done["findings"]] == ["upkeep.state"]
    assert "hunter22" not in json.dumps({**done, "invocation": None})
    assert (folder / "latest.html").exists()


def test_the_history_may_be_in_a_store(folder: Path, fresh_redis8: Endpoint) -> None:
    for number in range(3):
        done = report_here(
            folder, application(number), run_id=f"run-{number}", state=fresh_redis8.uri, formats=["html"]
        )
        assert done["findings"] == []
    page = (folder / "latest.html").read_text()
    assert "in 3 runs" in page
    assert "The last 3 runs" in page


def test_two_at_once_leave_two_whole_reports(folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda number: report_here(folder, application(number), run_id=f"run-{number}"), range(6)))
    for ended in runs:
        assert ended["status"] == "ok"
        document = json.loads(Path(ended["server"]["paths"]["json"]).read_text())
        assert document["run_id"] == ended["server"]["run_id"]
    assert len(files(folder)) == 7 * len(FORMATS)


def test_a_folder_that_is_locked_for_too_long_is_said(folder: Path) -> None:
    holder, other = FolderLock(folder), FolderLock(folder)
    holder.take(1)
    for _moment in ("absent", "created"):
        with pytest.raises(LockHeld, match="end it if it hangs"):
            other.take(0.1)
        holder.create(0o750)
    assert [path.name for path in folder.parent.parent.iterdir()] == ["var"]
    holder.release()
    other.take(0.1)
    other.release()


def test_in_a_container_a_place_that_vanishes_is_a_finding(folder: Path) -> None:
    mounts = Path("/proc/self/mountinfo").read_text()
    shared_memory = Path("/dev/shm")  # noqa: S108 - a folder in memory is what the test is about
    if " /dev/shm " not in mounts or not os.access(shared_memory, os.W_OK):
        pytest.fail("this test needs a writable tmpfs at /dev/shm")
    place = shared_memory / f"upkeep-test-{os.getpid()}"
    try:
        params = {"results": application(1), "dest": str(place), "formats": ["json"]}
        done = run_module("report", params, env={"container": "podman"})
        assert [found["id"] for found in done["findings"]] == ["report.place_vanishes"]
        assert "upkeep_store_runner" in done["findings"][0]["remedy"]
        lasting = run_module("report", {**params, "dest": str(folder)}, env={"container": "podman"})
        assert str(folder) not in json.dumps(lasting["findings"]) or " / / " in mounts
    finally:
        for file in place.glob("*"):
            file.unlink()
        if place.exists():
            place.rmdir()
