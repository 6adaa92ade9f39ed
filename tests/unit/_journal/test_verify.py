# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that verifies a journal without Ansible, and the task and decision of journal_info."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._core.memory import NoMemory
from ansible_collections.dataops.upkeep.plugins.module_utils._core.result import Result
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Context, run
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets
from ansible_collections.dataops.upkeep.plugins.module_utils._core.severity import Severity
from ansible_collections.dataops.upkeep.plugins.module_utils._journal import verify
from ansible_collections.dataops.upkeep.plugins.module_utils._journal.chain import MAX_PROBLEMS
from ansible_collections.dataops.upkeep.plugins.module_utils._journal.origin import (
    collection_version,
    new_run_id,
    user_name,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._journal.task import JournalTask, parse_since

from .test_writer import entry, journal

NOW = datetime(2026, 1, 20, tzinfo=timezone.utc)
OCTOBER, NOVEMBER, DECEMBER = (datetime(2025, month, 15, tzinfo=timezone.utc) for month in (10, 11, 12))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A journal of three months with two records in each."""
    for moment in (OCTOBER, NOVEMBER, DECEMBER):
        journal(tmp_path, moment).append([entry("a"), entry("b")])
    return tmp_path


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the program as somebody without Ansible would: isolated from every package that is installed."""
    words = [sys.executable, "-S", str(Path(verify.__file__)), *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd="/")


def edit(folder: Path) -> Path:
    file = folder / "journal-2025-11.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"text":"b"', b'"text":"c"'))
    return file


def test_the_command_needs_only_python(folder: Path) -> None:
    done = command(folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("intact: 6 records in 3 files")


def test_the_command_names_file_and_line_of_an_edit(folder: Path) -> None:
    file = edit(folder)
    done = command(folder)
    assert done.returncode == 1
    assert f"{file}:2: tampered: the record was changed" in done.stdout
    assert "NOT INTACT" in done.stdout


def test_the_command_minds_the_order_of_files(folder: Path) -> None:
    files = sorted(folder.glob("*.jsonl"))
    assert command(*files).returncode == 0
    assert command(*reversed(files)).returncode == 1
    assert command(*files[1:]).returncode == 1
    assert command("--partial", *files[1:]).returncode == 0


def test_the_command_finds_a_journal_that_was_cut_off(folder: Path) -> None:
    head = command(folder).stdout.rpartition(" ")[2].strip()
    assert command("--expect-head", head, folder).returncode == 0
    file = folder / "journal-2025-12.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:1]))
    assert command(folder).returncode == 0
    done = command("--expect-head", head, folder)
    assert (done.returncode, head in done.stdout) == (1, True)


def test_the_command_tells_unreadable_from_tampered(tmp_path: Path) -> None:
    assert command(tmp_path / "nowhere").returncode == 2
    assert command(tmp_path).returncode == 2
    assert command().returncode == 2
    (tmp_path / "journal-2025-11.jsonl").mkdir()
    assert command(tmp_path).returncode == 2


def test_many_problems_do_not_flood_the_report(tmp_path: Path) -> None:
    (tmp_path / "journal-2025-11.jsonl").write_bytes(b"x\n" * (MAX_PROBLEMS + 3))
    assert "... and 3 more problems" in command(tmp_path).stdout


def test_what_is_written_while_it_is_verified_is_not_looked_at(folder: Path) -> None:
    file = folder / "journal-2025-12.jsonl"
    size = file.stat().st_size
    with file.open("ab") as half:
        half.write(b'{"at":"20')
    with file.open("rb") as opened:
        assert b"".join(verify._lines(opened, size)) == file.read_bytes()[:size]


def result_of(path: Path, **params: Any) -> Result:
    context = Context(
        {"path": str(path), "expect_head": None, "since": None, **params},
        Deadline(60),
        Clock(now=lambda: NOW),
        NoMemory(),
        {},
        Secrets(),
    )
    return run(JournalTask(context), context, check_mode=False)


def test_a_sound_journal_is_ok(folder: Path) -> None:
    result = result_of(folder)
    assert result.status is Severity.OK
    assert result.metrics["journal_records"] == 6
    assert result.metrics["journal_intact"] == 1
    assert result.metrics["journal_last_record_timestamp_seconds"] == DECEMBER.timestamp()
    assert result.server["records_ever"] == 6


def test_an_edit_is_critical_and_names_the_line(folder: Path) -> None:
    file = edit(folder)
    (finding,) = result_of(folder).findings
    assert (finding.id, finding.severity, finding.subject, finding.value) == (
        "journal.tampered", Severity.CRITICAL, str(file), 2,
    )  # fmt: skip
    assert finding.remedy


def test_a_torn_tail_is_a_warning(folder: Path) -> None:
    with (folder / "journal-2025-12.jsonl").open("ab") as file:
        file.write(b'{"at":"2025-12')
    result = result_of(folder)
    assert [(finding.id, finding.severity) for finding in result.findings] == [("journal.torn", Severity.WARNING)]
    assert result.metrics["journal_intact"] == 1


@pytest.mark.parametrize("gone", ["journal-2025-10.jsonl", "journal-2025-11.jsonl"])
def test_a_missing_month_is_critical(folder: Path, gone: str) -> None:
    (folder / gone).unlink()
    assert [finding.id for finding in result_of(folder).findings] == ["journal.missing"]


@pytest.mark.parametrize("path", ["", "nowhere"])
def test_no_journal_at_all_is_critical(tmp_path: Path, path: str) -> None:
    result = result_of(tmp_path / path)
    assert [(finding.id, finding.severity) for finding in result.findings] == [("journal.missing", Severity.CRITICAL)]


def test_since_leaves_earlier_months_alone(folder: Path) -> None:
    edit(folder)
    assert result_of(folder, since="2025-12-01").metrics["journal_records"] == 2
    assert result_of(folder, since="2025-12-01").status is Severity.OK
    assert result_of(folder, since="90d").status is Severity.CRITICAL
    (folder / "journal-2025-10.jsonl").unlink()
    assert [finding.id for finding in result_of(folder, since="2025-11-01").findings] == ["journal.tampered"]
    assert result_of(folder, since="1d").metrics["journal_records"] == 0


def test_an_expected_head_is_looked_for(folder: Path) -> None:
    head = result_of(folder).server["head"]
    journal(folder, DECEMBER).append([entry("later")])
    assert result_of(folder, expect_head=head).server["records_after_expected_head"] == 1
    assert [finding.id for finding in result_of(folder, expect_head="0" * 64).findings] == ["journal.tampered"]


@pytest.mark.parametrize("params", [{"expect_head": "abc"}, {"since": "yesterday"}, {"since": "7"}])
def test_nonsense_is_refused(folder: Path, params: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        result_of(folder, **params)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("10d", datetime(2026, 1, 10, tzinfo=timezone.utc)),
        ("2mo", datetime(2025, 11, 20, tzinfo=timezone.utc)),
        ("2025-11-01", datetime(2025, 11, 1, tzinfo=timezone.utc)),
        ("2025-11-01T02:00:00+02:00", datetime(2025, 11, 1, tzinfo=timezone.utc)),
        ("2025-11-01T00:00:00Z", datetime(2025, 11, 1, tzinfo=timezone.utc)),
    ],
)
def test_since_is_an_age_or_a_time(text: str, moment: datetime) -> None:
    assert parse_since(text, NOW) == moment


def test_a_run_id_sorts_by_time_and_is_unique() -> None:
    assert new_run_id(NOVEMBER) < new_run_id(DECEMBER)
    assert new_run_id(NOW) != new_run_id(NOW)


def test_the_user_behind_sudo_is_named() -> None:
    assert "sudo by alice" in user_name({"SUDO_USER": "alice"})
    assert "sudo" not in user_name({})


def test_the_version_comes_from_manifest_or_checkout(tmp_path: Path) -> None:
    assert collection_version(tmp_path) == "unknown"
    (tmp_path / "galaxy.yml").write_text("name: upkeep\nversion: 1.2.3\n")
    assert collection_version(tmp_path) == "1.2.3"
    (tmp_path / "MANIFEST.json").write_text('{"collection_info": {"version": "2.0.0"}}')
    assert collection_version(tmp_path) == "2.0.0"
    (tmp_path / "MANIFEST.json").write_text("{")
    assert collection_version(tmp_path) == "unknown"
