# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run at a time in a folder of reports."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from .._core.errors import LockHeld
from .._state.files import sync_folder, wait_for_lock

__all__ = ["FolderLock"]


class FolderLock:
    """The lock of a folder, without a file: so check mode may take it, and a killed run leaves nothing.

    While the folder is absent, the nearest folder above it is locked, and :meth:`create` brings the folder in already
    locked. Where the file system has no locks for folders, there is none.

    :param folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptors: list[int] = []

    def take(self, seconds: float) -> None:
        """Wait for the lock.

        :raises LockHeld: another run has held it for so long.
        """
        while True:
            place = self._nearest()
            if not self._lock(place, seconds):
                self.release()
                why = f"another report has been written there for {seconds:g} seconds"
                raise LockHeld(f"write a report to {self._folder}", why, "Wait for it, or end it if it hangs.")
            if self._nearest() == place:
                return
            self.release()  # the folder came while this run waited for the one above it

    def create(self, mode: int) -> None:
        """Create the folder and what is missing above it, all at once and locked.

        :raises OSError: it cannot be created.
        """
        above = self._nearest()
        missing = self._folder.relative_to(above).parts
        if not missing:
            return
        draft = Path(tempfile.mkdtemp(prefix=".upkeep-", dir=above))
        try:
            folders = [draft.joinpath(*missing[1:count]) for count in range(1, len(missing) + 1)]
            for folder in folders:
                folder.mkdir(exist_ok=True)
                folder.chmod(mode)
            self._lock(folders[-1], 0)
            draft.rename(above / missing[0])
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        sync_folder(above)

    def release(self) -> None:
        """Let the next run in."""
        while self._descriptors:
            os.close(self._descriptors.pop())

    def _lock(self, folder: Path, seconds: float) -> bool:
        """Lock one folder; return whether that came in time."""
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._descriptors.append(descriptor)
            return wait_for_lock(descriptor, seconds)
        return True

    def _nearest(self) -> Path:
        """Return the folder, or the nearest one above it that exists."""
        return next((place for place in (self._folder, *self._folder.parents) if place.is_dir()), Path("/"))
