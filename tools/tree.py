# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of the checkout, and copies of them elsewhere."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

__all__ = ["ROOT", "copy_checkout", "tracked_files"]

ROOT = Path(__file__).resolve().parent.parent
"""The top folder of the checkout."""


def tracked_files(root: Path = ROOT) -> list[Path]:
    """List what git knows or would add, as paths relative to `root`; what .gitignore names stays out.

    :raises RuntimeError: `root` is not a git checkout.
    """
    command = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, capture_output=True, check=False)
    if listed.returncode != 0:
        raise RuntimeError(f"{root} is not a git checkout: {listed.stderr.decode(errors='replace').strip()}")
    names = sorted({name for name in listed.stdout.decode().split("\0") if name})
    # A file deleted but not yet committed is still listed.
    return [Path(name) for name in names if (root / name).is_file()]


def copy_checkout(target: Path, root: Path = ROOT) -> None:
    """Make `target` hold exactly the files of the checkout, with their modes and times."""
    if target.exists():
        shutil.rmtree(target)
    for name in tracked_files(root):
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, copy)
