# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads journal files and verifies them; also a command that needs no Ansible, only Python.

    python3 verify.py [--expect-head HASH] [--partial] FILE_OR_FOLDER...

It ends with 0 if the journal is intact, with 1 if it is not, and with 2 if it cannot be read or the command is wrong.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

if __package__:
    from .chain import GENESIS, Problem, Verdict, Verifier
else:  # run as a program: the folder of this file is where Python looks first
    from chain import GENESIS, Problem, Verdict, Verifier  # type: ignore[import-not-found,no-redef]

__all__ = ["LOCK_NAME", "LOCK_PAUSE", "journal_files", "try_lock", "verify_files"]

PATTERN = "journal-????-??.jsonl"
LOCK_NAME = "journal.lock"
LOCK_TRIES = 100
LOCK_PAUSE = 0.02


def journal_files(place: Path) -> list[Path]:
    """List the files of a journal in their order: those of a folder, or the one file that is named.

    :raises OSError: the place cannot be read, or there is none.
    """
    if not place.is_dir():
        place.stat()
        return [place]
    if not os.access(place, os.R_OK | os.X_OK):
        raise PermissionError(13, "Permission denied", str(place))
    return sorted(place.glob(PATTERN))


def verify_files(files: Sequence[Path], expected: str | None = None, partial: bool = False, since: str = "") -> Verdict:
    """Verify files as one journal, in the order given, as they stand at this moment.

    What a run writes meanwhile is not looked at: its newest line may be half there.

    :param expected: as :class:`Verifier`'s; likewise the others.
    """
    verifier = Verifier(expected, partial, since)
    for file, size in zip(files, _sizes(files), strict=True):
        _verify_file(verifier, file, size)
    return verifier.finish()


def _verify_file(verifier: Verifier, file: Path, size: int) -> None:
    try:
        with file.open("rb") as opened:
            verifier.feed(str(file), _lines(opened, size))
    except OSError as error:
        verifier.verdict.add(Problem("unreadable", str(file), 0, error.strerror or str(error)))


def _sizes(files: Iterable[Path]) -> list[int]:
    """Take the sizes of all files between two writes."""
    locks = [_lock_shared(folder) for folder in sorted({file.parent for file in files})]
    try:
        return [file.stat().st_size if file.exists() else 0 for file in files]
    finally:
        for lock in locks:
            if lock is not None:
                os.close(lock)


def _lock_shared(folder: Path) -> int | None:
    """Lock writers out for a moment, if there is a lock and it may be opened: a journal that was copied has none."""
    try:
        lock = os.open(folder / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    for _try in range(LOCK_TRIES):
        if try_lock(lock, fcntl.LOCK_SH):
            break
        time.sleep(LOCK_PAUSE)
    return lock


def try_lock(lock: int, kind: int) -> bool:
    """Take the lock if nobody holds it, without waiting.

    :param lock: descriptor of the lock's file.
    :param kind: ``fcntl.LOCK_SH`` or ``fcntl.LOCK_EX``.
    """
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lines(file: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the lines that lie within the first ``size`` bytes."""
    for line in file:
        yield line[:size]
        size -= len(line)
        if size <= 0:
            return


def report(verdict: Verdict) -> str:
    """Write a verdict for people, one problem a line."""
    lines = [
        f"{problem.file}{f':{problem.line}' if problem.line else ''}: {problem.kind}: {problem.what}"
        for problem in verdict.problems
    ]
    if verdict.problem_count > len(verdict.problems):
        lines.append(f"... and {verdict.problem_count - len(verdict.problems)} more problems")
    state = "intact" if verdict.intact else "NOT INTACT"
    runs = f"{len(verdict.runs)} runs ({len(verdict.unfinished)} without an end)"
    text = f"{state}: {verdict.records} records in {verdict.files} files, {runs}, {verdict.torn} declared torn lines"
    return "\n".join([*lines, text + (f", head {verdict.head}" if verdict.head != GENESIS else "")])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="verify.py", description="Verify a journal of dataops.upkeep.")
    parser.add_argument("place", nargs="+", type=Path, metavar="FILE_OR_FOLDER", help="in the order of their records")
    parser.add_argument("--expect-head", metavar="HASH", help="hash of a record, known from elsewhere")
    parser.add_argument("--partial", action="store_true", help="older files were put away on purpose")
    chosen = parser.parse_args(arguments)
    try:
        files = [file for place in chosen.place for file in journal_files(place)]
    except OSError as error:
        sys.stderr.write(f"verify.py: cannot read {error.filename}: {error.strerror}\n")
        return 2
    if not files:
        sys.stderr.write(f"verify.py: no journal file ({PATTERN}) in {', '.join(map(str, chosen.place))}\n")
        return 2
    verdict = verify_files(files, chosen.expect_head, chosen.partial)
    sys.stdout.write(report(verdict) + "\n")
    if any(problem.kind == "unreadable" for problem in verdict.problems):
        return 2
    return 0 if verdict.intact else 1


if __name__ == "__main__":
    raise SystemExit(main())
