# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action groups are complete: every module is in its subject's group and in ``all``."""

from __future__ import annotations

import pytest
import yaml

from tests.contract.catalogue import MODULES, ROOT, documentation

GROUPS: dict[str, list[str]] = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["action_groups"]
SUBJECTS = ("postgresql", "mongodb", "redis", "queue", "backup")


def expected(name: str) -> set[str]:
    """The groups that a module belongs to, by its name."""
    subject = name.split("_", maxsplit=1)[0]
    return {"all", subject} if subject in SUBJECTS else {"all"}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_in_its_groups(name: str) -> None:
    assert {group for group, members in GROUPS.items() if name in members} == expected(name)


def test_groups_hold_only_modules_that_exist() -> None:
    assert {member for members in GROUPS.values() for member in members} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_the_documentation_names_the_same_groups(name: str) -> None:
    membership = documentation(name)[0]["attributes"]["action_group"]["membership"]
    assert set(membership) == {f"dataops.upkeep.{group}" for group in expected(name)}
