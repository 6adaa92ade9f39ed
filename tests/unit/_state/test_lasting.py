# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which folders outlive a container."""

from __future__ import annotations

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._state.lasting import (
    Mount,
    Surroundings,
    parse_mounts,
    probe,
    vanishes,
)

MOUNTINFO = r"""
600 599 0:50 / / rw,relatime - overlay overlay rw,lowerdir=/a:/b
601 600 0:53 / /proc rw - proc proc rw
610 600 0:60 / /memory rw shared:1 - tmpfs tmpfs rw
620 600 8:1 /srv /reports\040of\040us rw master:2 - ext4 /dev/sda1 rw
broken line
"""
CONTAINER = Surroundings(True, parse_mounts(MOUNTINFO))


def test_mounts_are_read_with_their_escapes() -> None:
    assert Mount("/reports of us", "ext4") in CONTAINER.mounts
    assert len(CONTAINER.mounts) == 4


@pytest.mark.parametrize(
    ("folder", "word"),
    [
        ("/var/lib/upkeep", "layer"),
        ("/", "layer"),
        ("/memory/x", "memory"),
        ("/memory", "memory"),
        ("/reports of us2", "layer"),
    ],
)
def test_a_folder_of_the_container_itself_vanishes(folder: str, word: str) -> None:
    assert word in (vanishes(folder, CONTAINER) or "")


@pytest.mark.parametrize("folder", ["/reports of us", "/reports of us/2026"])
def test_a_mounted_folder_stays(folder: str) -> None:
    assert vanishes(folder, CONTAINER) is None


def test_a_later_mount_covers_an_earlier_one() -> None:
    covered = Surroundings(True, [*CONTAINER.mounts, Mount("/memory", "xfs")])
    assert vanishes("/memory/x", covered) is None


def test_outside_a_container_nothing_vanishes() -> None:
    assert vanishes("/memory/x", Surroundings(False, CONTAINER.mounts)) is None


def test_without_a_list_of_mounts_nothing_is_claimed() -> None:
    assert vanishes("/memory/x", Surroundings(True, [])) is None


def test_the_probe_sees_this_hosts_mounts_and_podmans_variable() -> None:
    surroundings = probe({"container": "podman"})
    assert surroundings.container
    assert any(mount.point == "/" for mount in surroundings.mounts)
