# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checkpoints and archiving."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.checkpoints import Checkpoints
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.decide_wal import (
    decide_archiving,
    decide_checkpoints,
    remember_archiver,
    remember_checkpoints,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.observation import (
    Archiver,
    Archiving,
)
from tests.unit._postgresql.making import NOW, ids, one, server, situation

T = NOW.timestamp()


@pytest.mark.parametrize(
    ("timed", "requested", "crossed"),
    [(0, 0, False), (288, 0, False), (0, 3, False), (4, 4, False), (3, 4, True), (0, 4, True)],
)
def test_checkpoints_since_the_last_run(timed: int, requested: int, crossed: bool) -> None:
    before = remember_checkpoints(Checkpoints(100, 100, 1.0), situation())
    decision = decide_checkpoints(Checkpoints(100 + timed, 100 + requested, 1.0), situation(before))
    assert ids(decision) == [("postgresql.checkpoints", "warning")] * crossed


def test_checkpoints_at_the_first_run_and_after_a_reset() -> None:
    assert decide_checkpoints(Checkpoints(0, 100, 1.0), situation()).metrics == {}
    before = remember_checkpoints(Checkpoints(0, 100, 1.0), situation())
    decision = decide_checkpoints(Checkpoints(1, 5, 2.0), situation(before))
    assert decision.metrics["postgresql_new_checkpoints_requested_total"] == 5


def seen(waiting: int | None = 0, mode: str = "on", **changes: Any) -> Archiving:
    facts: dict[str, Any] = {
        "archived": 10, "failed": 0, "last_archived": T - 60, "last_failed": None, "last_failed_file": None,
        "reset": 1.0, "may_list": True, **changes,
    }  # fmt: skip
    return Archiving(server(settings={"archive_mode": mode}), Archiver(**facts), waiting)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"last_failed": T - 120}, []),  # it has succeeded since
        ({"last_failed": T - 30}, [("postgresql.archiving_fails", "critical")]),
        ({"last_failed": T - 30, "last_archived": None}, [("postgresql.archiving_fails", "critical")]),
        ({"failed": 1, "last_failed": T - 120}, [("postgresql.archive_failures", "warning")]),
        ({"waiting": 20}, []),
        ({"waiting": 21}, [("postgresql.archive_waiting", "warning")]),
        ({"waiting": 200}, [("postgresql.archive_waiting", "warning")]),
        ({"waiting": 201}, [("postgresql.archive_waiting", "critical")]),
        ({"waiting": None}, [("postgresql.access_denied", "warning")]),
        ({"mode": "off", "waiting": None, "last_failed": T - 30}, []),
    ],
)
def test_archiving(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    before = remember_archiver(seen(), situation())
    assert ids(decide_archiving(seen(**changes), situation(before))) == expected


def test_failures_of_old_are_not_new() -> None:
    old = seen(failed=100, last_failed=T - 3600)
    assert ids(decide_archiving(old, situation())) == []
    assert ids(decide_archiving(old, situation(remember_archiver(old, situation())))) == []


def test_the_finding_names_the_file() -> None:
    failing = seen(last_failed=T - 30, last_failed_file="0000000100000000000000A1")
    assert "0000000100000000000000A1, was 30s ago" in one(decide_archiving(failing, situation())).message
