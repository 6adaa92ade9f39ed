# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that are whole or not there, whenever the writer is killed; and locks on them."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["replace_file", "sync_folder", "wait_for_lock"]


def replace_file(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Put ``content`` in the place of ``file`` so that a reader sees the old or the new, never a part.

    :param mode: of the file, whatever the umask.
    :raises OSError: it could not be written; the old file is still there then.
    """
    draft = file.with_name(f".{file.name}.new")
    with suppress(FileNotFoundError):
        draft.unlink()
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, mode)
            stream.write(content)
            stream.flush()
            os.fsync(descriptor)
        draft.replace(file)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Make a new or renamed entry of the folder outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def wait_for_lock(descriptor: int, seconds: float) -> bool:
    """Take the lock of an open file or folder; return whether it came in time. It goes when the file is closed.

    :raises OSError: the file system has no such locks.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(0.01)
        else:
            return True
