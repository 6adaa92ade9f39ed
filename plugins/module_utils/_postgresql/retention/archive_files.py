# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that survive a crash: private, written through to the disk, whole under their final names only."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timezone
from io import FileIO
from pathlib import Path
from typing import Any, Protocol

from ..._core.clock import Clock
from ..._core.dependency import ZSTANDARD
from ..._core.errors import LockHeld, StoreError
from .manifest import JOURNAL, MANIFEST, PART, Journal, manifest, prefix_of

__all__ = [
    "Compressor",
    "beside",
    "compressor",
    "created",
    "cut",
    "digest_of",
    "explained",
    "finish_file",
    "leftovers",
    "locked",
    "settle",
    "settle_directory",
    "write",
]

ZSTD_LEVEL = 3
"""About 300 MB/s for each core, a sixth of the size (performance.md, B)."""
GZIP_LEVEL = 6
BLOCK = 1 << 20
_GZIP_WINDOW = 31


class Compressor(Protocol):
    """What compresses one member of a file."""

    def compress(self, data: bytes, /) -> bytes:
        """Take in more, and return what is ready."""

    def flush(self) -> bytes:
        """Return the rest: the member is whole."""


def compressor(compression: str) -> Compressor:
    """Return what makes one member. Members that follow one another are one file to gzip and zstd alike.

    :raises MissingDependency: zstd is wanted and zstandard is not installed.
    """
    made: Compressor
    if compression == "zstd":
        made = ZSTANDARD.load().ZstdCompressor(level=ZSTD_LEVEL).compressobj()
    else:
        made = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    return made


def beside(path: Path, suffix: str) -> Path:
    """Return the companion of a file."""
    return path.with_name(path.name + suffix)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the file system says into an error of ours.

    :raises StoreError: the disk is full, the folder may not be written to, and the like.
    """
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"write the archive {path.name} in {path.parent}",
            error.strerror or str(error),
            "Look at the folder's rights and at the space on its file system.",
        ) from error


def created(path: Path) -> FileIO:
    """Make a file that only its owner may read, and open it.

    Nothing is buffered: what a full disk did not take is not tried again when the file is cut or closed.
    """
    return FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "r+")


def write(handle: FileIO, raw: bytes) -> None:
    """Write all of it; the system may take a part only."""
    rest = memoryview(raw)
    while rest:
        rest = rest[handle.write(rest) or 0 :]


def locked(handle: FileIO, name: str) -> None:
    """Take a file's lock, which goes with the process that has it.

    :raises LockHeld: another process has it.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise LockHeld(f"finish {name}", "the run that writes it is still at work", "Let that run finish.") from error


def settle(handle: FileIO) -> None:
    """Have everything written so far on the disk."""
    os.fsync(handle.fileno())


def settle_directory(directory: Path) -> None:
    """Have new names on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def cut(handle: FileIO, length: int) -> None:
    """Take the end of a file off; the next bytes follow there."""
    handle.truncate(length)
    handle.seek(length)
    settle(handle)


def leftovers(directory: Path, table: tuple[str, str], rule: str) -> tuple[str, ...]:
    """Return the journals of files that a run did not finish.

    :param table: schema and name of the table that the rows come from.
    """
    with explained(directory):
        if not directory.is_dir():
            return ()
        start = prefix_of(table, rule)
        return tuple(
            sorted(
                str(path) for path in directory.iterdir() if path.name.startswith(start) and path.name.endswith(JOURNAL)
            )
        )


def digest_of(handle: FileIO) -> Any:
    """Return the SHA-256 of a whole file."""
    digest = hashlib.sha256()
    handle.seek(0)
    while block := handle.read(BLOCK):
        digest.update(block)
    return digest


def finish_file(path: Path, journal: Journal, sha256: str, clock: Clock) -> str:
    """Give a file its manifest and its name. Interrupted anywhere, it can be done again."""
    part, book, description = beside(path, PART), beside(path, JOURNAL), beside(path, MANIFEST)
    with explained(path):
        if not journal.pieces:
            part.unlink(missing_ok=True)
            book.unlink(missing_ok=True)
            return f"{path.name}: removed, no row is in it"
        finished = clock.now().astimezone(timezone.utc).isoformat(timespec="seconds")
        if part.exists():
            content = manifest(journal.facts, journal.pieces, path.name, journal.start, sha256, finished)
            temporary = beside(path, f"{MANIFEST}.part")
            temporary.unlink(missing_ok=True)
            with created(temporary) as handle:
                write(handle, json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n")
                settle(handle)
            temporary.replace(description)
            part.replace(path)
            settle_directory(path.parent)
        book.unlink(missing_ok=True)
        settle_directory(path.parent)
    rows = sum(piece.rows for piece in journal.pieces)
    return f"{rows} rows are in {path}, described by {description.name}"
