# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a host through its kernel's files, below a root that tests may choose."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from .._core.errors import AccessDenied, StoreError

__all__ = ["Host", "NotLinux"]

READ_LIMIT = 4 * 1024 * 1024
"""More of a kernel file than this is not read: /proc/net/tcp of a host with 25 000 connections."""


CHUNK = 65536
"""Files below /proc/sys give out nothing (ENOMEM) when asked for megabytes at once."""


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    """Read a file to its end or to the limit."""
    for _number in range(READ_LIMIT // CHUNK):
        chunk = file.read(CHUNK)
        if not chunk:
            return
        yield chunk


class NotLinux(StoreError):
    """The host has no kernel files to read."""

    condition = "unsupported"


class Host:
    """The files of a kernel.

    :param root: where ``proc``, ``sys`` and ``etc`` are.
    :param statvfs: asks a file system how full it is.
    """

    def __init__(self, root: Path = Path("/"), statvfs: Callable[[str], os.statvfs_result] = os.statvfs) -> None:
        self.root = root
        self.statvfs = statvfs

    def read(self, path: str) -> str:
        """Return a file's text.

        :param path: relative to the root, as ``proc/stat``.
        :raises AccessDenied: the user may not read it.
        :raises StoreError: it is not there.
        """
        try:
            with (self.root / path).open("rb", buffering=0) as file:
                return b"".join(_chunks(file)).decode("utf-8", "replace")
        except PermissionError as error:
            raise AccessDenied(f"read /{path}", "the user may not", "Run the check as root (become: true).") from error
        except OSError as error:
            raise StoreError(f"read /{path}", error.strerror or "it cannot be read") from error

    def read_if_there(self, path: str) -> str | None:
        """Return a file's text, or None if it is absent, forbidden, or its process has ended."""
        try:
            return self.read(path)
        except StoreError:
            return None

    def processes(self) -> list[int]:
        """The ids of all processes that the user may see.

        :raises StoreError: there are no kernel files.
        """
        try:
            return [int(entry.name) for entry in (self.root / "proc").iterdir() if entry.name.isdecimal()]
        except OSError as error:
            raise StoreError("list the processes", error.strerror or "it cannot be done") from error

    def link(self, path: str) -> str | None:
        """Return where a symbolic link points to, or None if the user may not see it or it is gone."""
        try:
            return str((self.root / path).readlink())
        except OSError:
            return None

    def entries(self, path: str) -> list[str] | None:
        """Return the names in a folder, or None if the user may not see them or it is gone."""
        try:
            return [entry.name for entry in (self.root / path).iterdir()]
        except OSError:
            return None

    def require_linux(self) -> None:
        """Go on if this is a Linux host.

        :raises NotLinux: it is not, or /proc is not mounted.
        """
        if self.read_if_there("proc/stat") is None:
            raise NotLinux("read /proc/stat", "there is none", "This module needs Linux with /proc mounted.")
