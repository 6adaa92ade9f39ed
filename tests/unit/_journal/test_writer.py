# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The writer: real files, several writers, crashes and full disks."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import resource
import signal
import stat
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._journal import writer
from ansible_collections.dataops.upkeep.plugins.module_utils._journal.chain import Verdict
from ansible_collections.dataops.upkeep.plugins.module_utils._journal.entries import Entry, Level
from ansible_collections.dataops.upkeep.plugins.module_utils._journal.verify import journal_files, verify_files
from ansible_collections.dataops.upkeep.plugins.module_utils._journal.writer import Journal

NOVEMBER = datetime(2025, 11, 15, 2, 0, tzinfo=timezone.utc)


def entry(text: str = "something", level: Level = Level.INFO) -> Entry:
    return Entry(level, "task", text, {"text": text})


def journal(folder: Path, now: datetime = NOVEMBER, run: str = "r1", level: Level = Level.INFO) -> Journal:
    return Journal(folder, run, Clock(now=lambda: now), timezone.utc, level)


def verified(folder: Path) -> Verdict:
    return verify_files(journal_files(folder))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_records_are_chained_and_lines_are_readable(tmp_path: Path) -> None:
    writing = journal(tmp_path / "a" / "b")
    writing.append([entry("one"), entry("two", Level.WARN)], sync=True)
    writing.append([entry("three")])
    assert (tmp_path / "a/b/journal-2025-11.log").read_text() == (
        "[2025-11-15 02:00:00] [INFO] one\n[2025-11-15 02:00:00] [WARN] two\n[2025-11-15 02:00:00] [INFO] three\n"
    )
    verdict = verified(tmp_path / "a/b")
    assert (verdict.problems, verdict.records, verdict.head) == ([], 3, writing.head)


def test_files_and_folder_are_private(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        journal(tmp_path / "j").append([entry()])
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "j").stat().st_mode) == 0o750
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "j").iterdir()} == {0o640}


def test_the_level_thins_out_the_lines_and_not_the_chain(tmp_path: Path) -> None:
    journal(tmp_path, level=Level.WARN).append([entry("i"), entry("w", Level.WARN), entry("e", Level.ERROR)])
    assert (tmp_path / "journal-2025-11.log").read_text().count("\n") == 2
    assert verified(tmp_path).records == 3


def test_a_new_month_goes_on_with_the_chain_in_a_new_file(tmp_path: Path) -> None:
    journal(tmp_path).append([entry("old")])
    journal(tmp_path, NOVEMBER + timedelta(days=30)).append([entry("new")])
    assert [file.name for file in journal_files(tmp_path)] == ["journal-2025-11.jsonl", "journal-2025-12.jsonl"]
    assert (verified(tmp_path).problems, verified(tmp_path).records) == ([], 2)


def test_a_clock_that_is_set_back_does_not_break_the_order(tmp_path: Path) -> None:
    journal(tmp_path).append([entry("now")])
    journal(tmp_path, NOVEMBER - timedelta(days=60)).append([entry("earlier")])
    assert [file.name for file in journal_files(tmp_path)] == ["journal-2025-11.jsonl"]
    assert verified(tmp_path).problems == []


@pytest.mark.parametrize("later", [0, 30])
@pytest.mark.parametrize("cut", [1, 10, 200])
def test_what_a_killed_run_left_is_closed_and_declared(tmp_path: Path, cut: int, later: int) -> None:
    writing = journal(tmp_path)
    writing.append([entry("one"), entry("two")])
    file = tmp_path / "journal-2025-11.jsonl"
    data = file.read_bytes()
    file.write_bytes(data[:-cut])
    assert [problem.kind for problem in verified(tmp_path).problems] == ["torn"]
    journal(tmp_path, NOVEMBER + timedelta(days=later), run="r2").append([entry("three")])
    verdict = verified(tmp_path)
    assert verdict.problems == []
    assert verdict.torn == (0 if cut == 1 else 1)
    assert '"event":"recovered"' in file.read_text()
    assert file.read_bytes().startswith(data[:-cut])


def test_a_journal_of_which_only_a_torn_line_is_there_goes_on(tmp_path: Path) -> None:
    (tmp_path / "journal-2025-11.jsonl").write_bytes(b'{"at":"2025')
    journal(tmp_path).append([entry()])
    verdict = verified(tmp_path)
    assert (verdict.problems, verdict.records, verdict.torn) == ([], 2, 1)


def test_a_torn_new_file_goes_on_with_the_file_before(tmp_path: Path) -> None:
    journal(tmp_path).append([entry()])
    (tmp_path / "journal-2025-12.jsonl").write_bytes(b'{"at":"2025')
    journal(tmp_path, NOVEMBER + timedelta(days=30)).append([entry()])
    verdict = verified(tmp_path)
    assert (verdict.problems, verdict.records, verdict.torn) == ([], 3, 1)


def test_an_edited_record_stays_visible_when_the_journal_goes_on(tmp_path: Path) -> None:
    journal(tmp_path).append([entry("one"), entry("two")])
    file = tmp_path / "journal-2025-11.jsonl"
    file.write_bytes(file.read_bytes().replace(b"two", b"2wo"))
    journal(tmp_path).append([entry("three")])
    assert [(problem.kind, problem.line) for problem in verified(tmp_path).problems] == [("tampered", 2)]


def test_a_long_last_record_is_found(tmp_path: Path) -> None:
    writing = journal(tmp_path)
    writing.append([entry("x" * (2 * writer.BLOCK))])
    writing.append([entry("y")])
    assert verified(tmp_path).problems == []


def write_many(folder: Path, run: str, count: int) -> None:
    writing = journal(folder, run=run)
    for number in range(count):
        writing.append([entry(f"{run} {number}"), entry("second")])


def run_processes(processes: Sequence[multiprocessing.process.BaseProcess]) -> None:
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert {process.exitcode for process in processes} == {0}


def test_many_writers_at_once_make_one_chain(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    run_processes([context.Process(target=write_many, args=(tmp_path, f"r{i}", 40)) for i in range(6)])
    verdict = verified(tmp_path)
    assert (verdict.problems, verdict.records) == ([], 480)
    assert (tmp_path / "journal-2025-11.log").read_text().count("\n") == 480


def test_writers_that_are_killed_at_any_moment_leave_a_chain_that_verifies(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    for number in range(12):
        process = context.Process(target=write_many, args=(tmp_path, f"r{number}", 10**6))
        process.start()
        process.join(0.02 + 0.005 * number)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    journal(tmp_path).append([entry("after")])
    verdict = verified(tmp_path)
    assert verdict.problems == []
    assert verdict.records > 12


def fails(writing: Journal) -> bool:
    try:
        writing.append([entry()])
    except OSError:
        return True
    return False


def fill(folder: Path) -> None:
    """Write until a limit on the size of files stops it, as a full disk would; then lift the limit and write on."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    writing = journal(folder)
    failures = sum(fails(writing) for _number in range(20))
    if failures < 5 or writing.lost != failures:
        os._exit(3)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    writing.append([entry("there is room again")])
    os._exit(0 if writing.lost == 0 else 4)


def test_a_full_disk_loses_records_and_says_so_and_never_the_chain(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    run_processes([context.Process(target=fill, args=(tmp_path,))])
    verdict = verified(tmp_path)
    assert verdict.problems == []
    assert verdict.torn >= 1
    assert "records of this run are missing here" in (tmp_path / "journal-2025-11.jsonl").read_text()


def test_lines_for_people_that_cannot_be_written_do_not_stop_the_chain(tmp_path: Path) -> None:
    (tmp_path / "journal-2025-11.log").mkdir()
    writing = journal(tmp_path)
    writing.append([entry()])
    assert isinstance(writing.log_error, OSError)
    assert verified(tmp_path).records == 1


def test_a_writer_that_is_stopped_with_the_lock_holds_nobody_up_for_ever(tmp_path: Path) -> None:
    writing = journal(tmp_path)
    writing.append([entry()])
    now = [0.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += 1.0

    with (tmp_path / "journal.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        other = Journal(tmp_path, "r2", Clock(lambda: NOVEMBER, lambda: now[0], sleep))
        with pytest.raises(TimeoutError, match="lock"):
            other.append([entry()])
    assert slept
    assert other.lost == 1
    other.append([entry()])
    assert other.lost == 0
    assert verified(tmp_path).records == 3
