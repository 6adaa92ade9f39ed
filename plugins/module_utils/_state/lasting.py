# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a folder outlives the run, or vanishes with the container that the run happens in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LASTING_REMEDY", "Mount", "Surroundings", "parse_mounts", "probe", "vanishes"]

LASTING_REMEDY = (
    "Delegate to a lasting host (upkeep_store_runner), mount a volume at that folder, "
    "or give the URI of a store or an offsite target."
)
MARKS = ("/.dockerenv", "/run/.containerenv")
"""Files by which Docker and Podman mark their containers."""

VARIABLES = ("container", "KUBERNETES_SERVICE_HOST", "ANSIBLE_EE")
"""Environment variables that are set in containers: by Podman and systemd-nspawn, by Kubernetes, by a job template."""

_IN_MEMORY = ("tmpfs", "ramfs")
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    """A mounted file system.

    :param point: where it is mounted.
    :param kind: its type, as ``ext4`` or ``overlay``.
    """

    point: str
    kind: str


@dataclass(frozen=True)
class Surroundings:
    """Where a process runs.

    :param container: whether in a container.
    :param mounts: the file systems that it sees; of several at one point the last is in force.
    """

    container: bool
    mounts: Sequence[Mount] = ()


def vanishes(folder: str, surroundings: Surroundings) -> str | None:
    """Return why a folder does not outlive its container, None if it does or if there is no container.

    :param folder: an absolute path without links.
    """
    if not surroundings.container:
        return None
    over = [mount for mount in surroundings.mounts if _lies_in(folder, mount.point)]
    if not over:
        return None
    longest = max(len(mount.point.rstrip("/")) for mount in over)
    mount = [mount for mount in over if len(mount.point.rstrip("/")) == longest][-1]
    if mount.kind in _IN_MEMORY:
        return f"{folder} lies in a container's memory ({mount.kind} at {mount.point})"
    if mount.point == "/" and "overlay" in mount.kind:
        return f"{folder} lies in a container's own layer, which is thrown away with it"
    return None


def _lies_in(folder: str, point: str) -> bool:
    return f"{folder.rstrip('/')}/".startswith(f"{point.rstrip('/')}/")


def parse_mounts(mountinfo: str) -> list[Mount]:
    """Read the text of ``/proc/self/mountinfo``."""
    mounts = []
    for line in mountinfo.splitlines():
        head, separator, tail = line.partition(" - ")
        fields, kind = head.split(" "), tail.split(" ")[0]
        if separator and len(fields) > 4:
            mounts.append(Mount(_OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[4]), kind))
    return mounts


def probe(environment: Mapping[str, str]) -> Surroundings:
    """Look where this process runs."""
    container = any(Path(mark).exists() for mark in MARKS) or any(environment.get(name) for name in VARIABLES)
    try:
        mounts = parse_mounts(Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError:
        mounts = []
    return Surroundings(container, mounts)
