# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a run comes from: its id, its user, and the version of this collection on the controller."""

from __future__ import annotations

import getpass
import json
import os
import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

__all__ = ["collection_version", "new_run_id", "user_name"]

ROOT = Path(__file__).resolve().parents[3]


def new_run_id(now: datetime) -> str:
    """Return an id that sorts by time and that no other run has, such as ``20251115T020000-1f0c9a3b``."""
    return f"{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


def user_name(environment: Mapping[str, str]) -> str:
    """Return who runs this: the user behind sudo too, or the number of a user without a name, as in a container."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    behind = environment.get("SUDO_USER")
    return f"{name} (sudo by {behind})" if behind and behind != name else name


def collection_version(root: Path = ROOT) -> str:
    """Return this collection's version: an installed one has a manifest, a checkout ``galaxy.yml``."""
    manifest, galaxy = root / "MANIFEST.json", root / "galaxy.yml"
    try:
        if manifest.is_file():
            return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])
        found = re.search(r"^version: *['\"]?([^'\"\s]+)", galaxy.read_text(encoding="utf-8"), re.MULTILINE)
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown"
    return found[1] if found else "unknown"
