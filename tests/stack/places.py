# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where servers and data live, and as which user the servers run.

PostgreSQL refuses to run as root, so root starts every server as ``nobody``. That user must be able to walk to the
programs and to the data: a checkout under a home of mode 0700 does not do, and then a folder under the system's
temporary directory stands in. Without root everything stays in the checkout's ``.cache``.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.stack.errors import StackError

__all__ = ["CACHE", "CHECKOUT", "ServerUser", "lasting_place", "server_user"]

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("UPKEEP_CACHE") or CHECKOUT / ".cache")
UNPRIVILEGED_NAME = "nobody"


@dataclass(frozen=True)
class ServerUser:
    """The user that servers run as when the caller is root."""

    uid: int
    gid: int

    def popen_options(self) -> dict[str, Any]:
        """Arguments of subprocess.Popen that drop root's rights."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give one file or folder to this user."""
        os.chown(path, self.uid, self.gid)


def server_user() -> ServerUser | None:
    """The user for the servers, or None when the caller is not root and runs them as itself."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(UNPRIVILEGED_NAME)
    except KeyError:
        raise StackError(
            f"PostgreSQL does not run as root and this system has no user {UNPRIVILEGED_NAME!r}: "
            "start the stack as an ordinary user"
        ) from None
    return ServerUser(entry.pw_uid, entry.pw_gid)


def lasting_place(wanted: Path, user: ServerUser | None) -> Path:
    """`wanted`, or a stand-in under the temporary directory where the servers' user cannot walk to it."""
    wanted = wanted.absolute()
    if user is None or _traversable(wanted):
        wanted.mkdir(parents=True, exist_ok=True)
        if user is not None and not _traversable(wanted / "x"):  # made just now under a strict umask
            wanted.chmod(0o711)
        return wanted
    base = Path(tempfile.gettempdir()) / f"upkeep-{os.geteuid()}"
    place = base / hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16]
    for folder in (base, place):
        folder.mkdir(mode=0o711, exist_ok=True)
        _must_be_ours(folder)
        folder.chmod(0o711)
    return place


def _traversable(path: Path) -> bool:
    """Whether every existing parent lets a stranger pass."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents if parent.exists())


def _must_be_ours(folder: Path) -> None:
    """A name under a shared temporary directory can be guessed: refuse one that somebody else made."""
    info = folder.lstat()
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.geteuid():
        raise StackError(f"{folder} belongs to somebody else or is a link: remove it, or set TMPDIR")
