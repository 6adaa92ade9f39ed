# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the checks of every scenario share: the plan of the containers, and a way into each of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
import testinfra
from testinfra.host import Host

from tools.stage import FOLDER, read_stage


@pytest.fixture(scope="session")
def stage() -> dict[str, Any]:
    """The plan of the containers that are up; the engine is then called with what it needs here."""
    plan = read_stage()
    os.environ.update(plan["environment"])
    return plan


@pytest.fixture(scope="session")
def inside(stage: dict[str, Any]) -> Callable[[str], Host]:
    """Give testinfra's host for a container, by the name that the plan has for it: `ops`, `redis` and so on."""

    def enter(name: str) -> Host:
        container = (stage["stores"] | {"ops": stage["ops"]})[name]["container"]
        return testinfra.get_host(f"{stage['engine']}://{container}")

    return enter


@pytest.fixture(scope="session")
def place(inside: Callable[[str], Host]) -> Callable[[str], tuple[Host, str]]:
    """Give testinfra's host and the folder for files of a host of the inventory: `ops` or `local`."""

    def find(way: str) -> tuple[Host, str]:
        if way == "ops":
            return inside("ops"), "/var/lib/upkeep-molecule"
        return testinfra.get_host("local://"), str(FOLDER / "local")

    return find
