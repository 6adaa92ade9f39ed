# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads how full the file systems are."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from .._core.bounded import bounded
from .._core.errors import StoreTimeout
from .._core.runner import Context
from .client import Watch
from .facts import MountUse
from .reader import Host

__all__ = ["Mount", "observe_disk", "parse_mounts", "real_mounts"]

ANSWER_SECONDS = 5.0
"""A file system that has not said by then how full it is, hangs: a dead NFS server lets the question wait for ever."""

NO_STORAGE = frozenset(
    (
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs",
        "devpts", "devtmpfs", "efivarfs", "fuse.gvfsd-fuse", "fuse.lxcfs", "fuse.portal", "fusectl",
        "hugetlbfs", "mqueue", "nsfs", "overlay", "proc", "pstore", "ramfs",
        "rootfs", "rpc_pipefs", "securityfs", "selinuxfs", "sysfs", "tmpfs", "tracefs",
    )
)  # fmt: skip
"""No disk behind it: kernel interfaces, memory (which its own check sees), overlays of a file system listed itself."""

READ_ONLY = frozenset(("cramfs", "erofs", "iso9660", "romfs", "squashfs", "udf"))
"""Images that are full by nature and cannot grow."""

INJECTED = frozenset(("/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/run/.containerenv", "/dev/termination-log"))
"""Single files that a container engine mounts from its own folder."""

_OCTAL = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """One line of mountinfo.

    :param device: the file system's number, the same for all its mounts.
    :param root: which part of it is mounted; ``/`` is all of it.
    :param point: where.
    """

    device: str
    root: str
    point: str
    kind: str
    read_only: bool


def parse_mounts(text: str) -> list[Mount]:
    """Read /proc/self/mountinfo (proc_pid_mountinfo(5)). Of two mounts on one point only the later, which is on top."""
    found: dict[str, Mount] = {}
    for line in text.splitlines():
        before, _dash, after = line.partition(" - ")
        fields, tail = before.split(), after.split()
        if len(fields) < 6 or not tail:
            continue
        root, point = (_OCTAL.sub(lambda octal: chr(int(octal[1], 8)), field) for field in fields[3:5])
        options = set(fields[5].split(","))
        super_options = set(tail[2].split(",")) if len(tail) > 2 else set()
        found[point] = Mount(fields[2], root, point, tail[0], "ro" in options | super_options)
    return list(found.values())


def real_mounts(mounts: list[Mount]) -> list[Mount]:
    """Return one mount of each file system that data can fill.

    Of several mounts of one file system (bind mounts, subvolumes) that of its top counts, then the shortest path. In a
    container the root is an overlay and counts, as nothing else shows its disk.
    """
    chosen: dict[str, Mount] = {}
    for mount in mounts:
        overlay_root = mount.point == "/" and mount.kind in ("overlay", "fuse.fuse-overlayfs")
        if (mount.kind in NO_STORAGE | READ_ONLY and not overlay_root) or mount.point in INJECTED:
            continue
        rank = (mount.read_only, mount.root != "/", len(mount.point))
        other = chosen.get(mount.device)
        if other is None or rank < (other.read_only, other.root != "/", len(other.point)):
            chosen[mount.device] = mount
    return sorted(chosen.values(), key=lambda mount: mount.point)


def observe_disk(watch: Watch, context: Context) -> list[MountUse]:
    """Ask the file systems that the option ``mounts`` names, or all real ones, how full they are.

    :raises StoreError: the list of mounts cannot be read.
    """
    mounts = parse_mounts(watch.host.read("proc/self/mountinfo"))
    wanted = context.params.get("mounts")
    if not wanted:
        uses = [_use(watch.host, mount, context) for mount in real_mounts(mounts)]
        # A single file as mount point and a mount that another hides are no places to fill.
        return [use for use in uses if use is not None and (use.used or use.available or use.hangs)]
    by_point = {mount.point: mount for mount in mounts}
    found = []
    for point in wanted:
        mount = by_point.get(point.rstrip("/") or "/")
        use = _use(watch.host, mount, context) if mount else None
        found.append(
            use or MountUse(point, error="nothing is mounted there" if mount is None else "it cannot be asked")
        )
    return found


def _use(host: Host, mount: Mount, context: Context) -> MountUse | None:
    """Ask one file system; None if it is hidden by another, forbidden, or no folder."""
    use = MountUse(mount.point, read_only=mount.read_only)
    path = str(host.root) + mount.point if str(host.root) != "/" else mount.point
    try:
        found = bounded(
            lambda: host.statvfs(path) if os.path.isdir(path) else None,  # noqa: PTH112 - a str for any path
            context.deadline.limit(ANSWER_SECONDS),
            f"ask the file system at {mount.point}",
        )
    except StoreTimeout as error:
        return use._replace(error=error.why, hangs=True)
    except OSError:
        return None
    if found is None:
        return None
    inodes = found.f_files > 0
    return use._replace(
        used=(found.f_blocks - found.f_bfree) * found.f_frsize,
        available=found.f_bavail * found.f_frsize,
        inodes_used=found.f_files - found.f_ffree if inodes else None,
        inodes_available=found.f_favail if inodes else None,
    )
