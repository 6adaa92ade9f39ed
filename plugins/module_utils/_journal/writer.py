# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the journal: appends only, one writer at a time, and closes what a killed run left.

In the journal's folder, ``journal-YYYY-MM.jsonl`` holds the chain of records, a new file each month (UTC), and
``journal-YYYY-MM.log`` the same for people.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timezone, tzinfo
from pathlib import Path
from typing import Any

from .._core.clock import Clock
from .chain import Tail, canonical, find_tail, seal, torn_note
from .entries import Entry, Level, human_line
from .verify import LOCK_NAME, LOCK_PAUSE, journal_files, try_lock

__all__ = ["Journal"]

FOLDER_MODE = 0o750
FILE_MODE = 0o640
BLOCK = 65536
LOCK_SECONDS = 10.0
"""How long to wait for another run that writes; it holds the lock for milliseconds, unless it is stopped."""


class Journal:
    """A journal's folder, written by one run.

    :param folder: where the files are; made when first written to.
    :param run: id of the run, in each of its records.
    :param clock: the time.
    :param zone: time zone of the lines for people; None is that of this machine.
    :param level: what is below it stays out of the lines for people. Every record is in the chain.

    ``head`` is the hash of the record written last, ``written`` and ``lost`` count records, and ``log_error`` says
    why the lines for people, which do not matter to the chain, could not be written.
    """

    def __init__(
        self, folder: Path, run: str, clock: Clock, zone: tzinfo | None = timezone.utc, level: Level = Level.INFO
    ) -> None:
        self.folder = folder
        self.run = run
        self.head = ""
        self.written = 0
        self.lost = 0
        self.log_error: OSError | None = None
        self._clock = clock
        self._zone = zone
        self._level = level

    def append(self, entries: Sequence[Entry], sync: bool = False) -> None:
        """Append entries in one write. Entries that cannot be written are counted, and declared once it works again.

        :param sync: whether to wait until they are on the disk.
        :raises OSError: they could not be written.
        """
        lost = self.lost
        try:
            with self._locked():
                self._append([*self._loss(), *entries], sync)
        except OSError:
            self.lost += len(entries)
            raise
        self.lost -= lost
        self.written += len(entries)

    def _loss(self) -> list[Entry]:
        if not self.lost:
            return []
        text = f"Up to {self.lost} records of this run are missing here: they could not be written"
        return [Entry(Level.ERROR, "lost", text, {"records": self.lost})]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the journal's lock. Nothing stays open behind it, so a forked worker cannot keep it."""
        self.folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        lock = os.open(self.folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            self._wait_for(lock)
            yield
        finally:
            os.close(lock)

    def _wait_for(self, lock: int) -> None:
        end = self._clock.monotonic() + LOCK_SECONDS
        while not try_lock(lock, fcntl.LOCK_EX):
            if self._clock.monotonic() > end:
                raise TimeoutError(errno.ETIMEDOUT, "another run holds the lock and does not let go", LOCK_NAME)
            self._clock.sleep(LOCK_PAUSE)

    def _append(self, entries: Sequence[Entry], sync: bool) -> None:
        files = [file for file in journal_files(self.folder) if file.stat().st_size]
        tail = self._recover(files[-1], _tail_of(files)) if files else Tail()
        # A clock that was set back must not put later records into an earlier file.
        name = f"journal-{self._clock.now():%Y-%m}.jsonl"
        self._write(self.folder / max([name, *(file.name for file in files[-1:])]), entries, tail, sync)

    def _recover(self, file: Path, tail: Tail) -> Tail:
        """Close a last line that has no end, and declare what of it is no record."""
        if not tail.open:
            return tail
        size = sum(map(len, tail.torn))
        text = f"The journal's last line was cut short ({size} bytes are no record): a run was killed or lost power"
        entry = Entry(Level.WARN, "recovered", text, {"torn": torn_note(tail.torn)})
        return self._write(file, [entry], tail, sync=True, close_line=True)

    def _write(self, file: Path, entries: Sequence[Entry], tail: Tail, sync: bool, close_line: bool = False) -> Tail:
        records: list[dict[str, Any]] = []
        seq, head = tail.seq, tail.head
        for entry in entries:
            at = self._clock.now().astimezone(timezone.utc).isoformat(timespec="milliseconds")
            records.append(seal({**entry.as_record(), "at": at, "run": self.run}, seq + 1, head))
            seq, head = seq + 1, records[-1]["hash"]
        lines = b"".join(canonical(record) + b"\n" for record in records)
        _append_bytes(file, b"\n" + lines if close_line else lines, sync)
        self.head = head
        shown = [human_line(record, self._zone) for record in records if Level[record["level"]] >= self._level]
        # The chain is what counts. A full disk that spoils only the lines for people must not double the records.
        try:
            _append_bytes(file.with_suffix(".log"), "".join(line + "\n" for line in shown).encode(), sync=False)
        except OSError as error:
            self.log_error = error
        return Tail(seq, head)


def _tail_of(files: Sequence[Path]) -> Tail:
    """Find how the journal ends: in its last file, or, if there is no record in it, further up."""
    last = _tail_in(files[-1])
    if last.seq:
        return last
    for file in reversed(files[:-1]):
        earlier = _tail_in(file)
        if earlier.seq:
            return Tail(earlier.seq, earlier.head, last.torn, last.open)
    return last


def _tail_in(file: Path) -> Tail:
    """Read a file's end, more of it until there is a record in it."""
    size, block = file.stat().st_size, BLOCK
    with file.open("rb") as opened:
        while True:
            start = max(0, size - block)
            opened.seek(start)
            tail = find_tail(opened.read(size - start), whole=start == 0)
            if tail is not None:
                return tail
            block *= 4


def _append_bytes(file: Path, data: bytes, sync: bool) -> None:
    """Append bytes; a new file is private to its owner and group."""
    if not data:
        return
    new = not file.exists()
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        if sync or new:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if new:
        _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
