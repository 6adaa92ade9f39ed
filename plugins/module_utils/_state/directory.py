# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Memory in a folder: one file for each document, one file of lines for each series.

A document is replaced by renaming a complete, synced file over it, so a killed writer leaves the old one. A series
grows at its end; a line that a killed writer left without its line feed is cut off by the next writer and not seen by
a reader. One lock file orders all writers, of this and of other processes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from .._core.errors import StateError
from .._core.memory import Record
from .codec import damaged, decode, encode, stored_name
from .files import replace_file, sync_folder, wait_for_lock
from .lines import last_lines, size_of_whole_lines

__all__ = ["DirectoryMemory"]

LOCK_WAIT_SECONDS = 10.0
TRIM_EVERY_BYTES = 1024 * 1024
"""A series is looked at for old records each time it has grown past another such step."""


class DirectoryMemory:
    """Memory in one folder.

    :param folder: created with mode 0700 when first written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, key: str) -> tuple[Record | None, int]:
        """Return the document and its version."""
        file = self._folder / f"{stored_name(key)}.json"
        with _explained(f"read {file}"):
            try:
                content = file.read_bytes()
            except FileNotFoundError:
                return None, 0
        envelope = decode(content, str(file))
        value, version = envelope.get("value"), envelope.get("version")
        if not isinstance(value, dict) or not isinstance(version, int):
            raise damaged(str(file), "it holds no document with a version")
        return value, version

    def compare_and_set(self, key: str, value: Record, version: int) -> bool:
        """Replace the document if its version still is ``version``."""
        file = self._folder / f"{stored_name(key)}.json"
        content = encode({"key": key, "version": version + 1, "value": value}) + "\n"
        with _explained(f"write {file}"), self._locked():
            if self.read(key)[1] != version:
                return False
            replace_file(file, content.encode())
        return True

    def append(self, series: str, record: Record, keep: int = 1000) -> None:
        """Append a record and cut the oldest off from time to time."""
        file = self._folder / f"{stored_name(series)}.jsonl"
        line = f"{encode(record)}\n".encode()
        with _explained(f"append to {file}"), self._locked():
            before, after = _append(file, line)
            if before // TRIM_EVERY_BYTES != after // TRIM_EVERY_BYTES:
                _trim(file, keep)

    def tail(self, series: str, limit: int) -> Sequence[Record]:
        """Return the newest records, oldest first."""
        file = self._folder / f"{stored_name(series)}.jsonl"
        with _explained(f"read {file}"):
            try:
                with file.open("rb") as stream:
                    lines = last_lines(stream, limit)
            except FileNotFoundError:
                return ()
        return [decode(line, f"{file} (one of its last {limit} lines)") for line in lines]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder's lock.

        :raises StateError: another process holds it for too long.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not wait_for_lock(descriptor, LOCK_WAIT_SECONDS):
                raise StateError(
                    f"lock {self._folder}",
                    f"another process has held its lock for {LOCK_WAIT_SECONDS:.0f} seconds",
                    "See with `fuser -v` which process that is, and end it if it hangs.",
                )
            yield
        finally:
            os.close(descriptor)


@contextmanager
def _explained(tried: str) -> Iterator[None]:
    """Turn an OSError into a StateError."""
    try:
        yield
    except OSError as error:
        raise StateError(
            tried,
            error.strerror or str(error),
            "Give `state` a folder that the user of this run may write to, on a disk with room.",
        ) from error


def _append(file: Path, line: bytes) -> tuple[int, int]:
    """Append a line after the last whole one; return the file's size before and after."""
    existed = file.exists()
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b") as stream:
        start = size_of_whole_lines(stream)
        try:
            stream.truncate(start)
            stream.seek(start)
            stream.write(line)
            stream.flush()
            os.fsync(descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, start)
            raise
    if not existed:
        sync_folder(file.parent)
    return start, start + len(line)


def _trim(file: Path, keep: int) -> None:
    """Keep the newest ``keep`` lines if there are a quarter more, so that trimming stays rare."""
    with file.open("rb") as stream:
        count = sum(block.count(b"\n") for block in iter(lambda: stream.read(TRIM_EVERY_BYTES), b""))
        if count <= keep + keep // 4:
            return
        lines = last_lines(stream, keep)
    replace_file(file, b"".join(line + b"\n" for line in lines))
