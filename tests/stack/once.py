# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Things of the cache that are made once, whole or not at all, whoever else wants them at the same time."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.stack.state import exclusive

__all__ = ["made_once"]

COMPLETE = ".complete"


def made_once(target: Path, make: Callable[[Path], None]) -> Path:
    """The folder `target`, filled by `make` if it was not yet; everybody may read it.

    Args:
        target: appears under its name only when it is whole. Its parent is there.
        make: fills the empty folder that it is given; if it fails, nothing is left.
    """
    with exclusive(target.parent, f".{target.name}.lock"):
        if not (target / COMPLETE).exists():
            shutil.rmtree(target, ignore_errors=True)
            temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
            try:
                make(temporary)
                _let_all_read(temporary)
                (temporary / COMPLETE).touch()
                temporary.rename(target)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
    return target


def _let_all_read(folder: Path) -> None:
    """A strict umask must not keep the servers' user out."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
