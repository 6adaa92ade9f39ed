# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Standbys, slots and replay."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.decide_replication import (
    decide_replication,
    remember_replication,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.observation import (
    Receiver,
    Replication,
    Slot,
    Standby,
)
from tests.unit._postgresql.making import NOW, ids, one, server, situation

MIB = 1024**2


def standby(**changes: Any) -> Standby:
    facts: dict[str, Any] = {
        "name": "copy", "address": "10.0.0.2", "state": "streaming", "synchronous": "async",
        "lag_bytes": 0.0, "lag_seconds": None, **changes,
    }  # fmt: skip
    return Standby(**facts)


def slot(**changes: Any) -> Slot:
    facts: dict[str, Any] = {
        "name": "copy", "kind": "physical", "active": True, "temporary": False, "status": "reserved",
        "retained_bytes": 0.0, "inactive_seconds": None, "synced": False, **changes,
    }  # fmt: skip
    return Slot(**facts)


def receiver(**changes: Any) -> Receiver:
    facts: dict[str, Any] = {
        "lag_bytes": 0.0, "lag_seconds": 1.0, "paused": False, "configured": True, "streaming": True, **changes,
    }  # fmt: skip
    return Receiver(**facts)


def seen(*items: Standby | Slot | Receiver, **facts: Any) -> Replication:
    return Replication(
        server(**facts),
        tuple(item for item in items if isinstance(item, Standby)),
        tuple(item for item in items if isinstance(item, Slot)),
        next((item for item in items if isinstance(item, Receiver)), None),
    )


@pytest.mark.parametrize(
    ("size", "seconds", "severity"),
    [
        (0, None, None),
        (100 * MIB, 30, None),
        (100 * MIB + 1, 30, "warning"),
        (0, 30.1, "warning"),
        (0, 300.1, "critical"),
        (1024 * MIB + 1, 0, "critical"),
        (100 * MIB + 1, 300.1, "critical"),  # the gravest of the two, once
        (None, None, None),  # a receiver that reports nothing yet
    ],
)
def test_lag_of_a_standby(size: float | None, seconds: float | None, severity: str | None) -> None:
    decision = decide_replication(seen(standby(lag_bytes=size, lag_seconds=seconds)), situation())
    assert ids(decision) == ([("postgresql.replication_lag", severity)] if severity else [])


def test_a_standby_that_has_gone() -> None:
    before = remember_replication(seen(standby(), standby(name="other")), situation())
    decision = decide_replication(seen(standby()), situation(before))
    assert one(decision).subject == "db:5432 standby other"
    again = remember_replication(seen(standby()), situation(before))
    assert ids(decide_replication(seen(standby()), situation(again))) == []


def test_a_standby_that_is_hidden_has_not_gone() -> None:
    blind = seen(standby(state=None, lag_bytes=None), sees_all=False)
    decision = decide_replication(blind, situation({"standbys": ["other"]}))
    assert ids(decision) == [("postgresql.access_denied", "warning")]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("reserved", []),
        ("extended", []),
        (None, []),
        ("unreserved", [("postgresql.slot_lost", "warning")]),
        ("lost", [("postgresql.slot_lost", "critical")]),
    ],
)
def test_status_of_a_slot(status: str | None, expected: list[tuple[str, str]]) -> None:
    assert ids(decide_replication(seen(slot(status=status)), situation())) == expected


@pytest.mark.parametrize(
    ("size", "severity"), [(1024 * MIB, None), (1024 * MIB + 1, "warning"), (10240 * MIB + 1, "critical"), (None, None)]
)
def test_what_a_slot_keeps(size: float | None, severity: str | None) -> None:
    decision = decide_replication(seen(slot(retained_bytes=size)), situation())
    assert ids(decision) == ([("postgresql.slot_retained", severity)] if severity else [])


@pytest.mark.parametrize(
    ("seconds", "severity"), [(3600, None), (3601, "warning"), (86400, "warning"), (86401, "critical")]
)
def test_a_slot_that_the_server_says_is_unused(seconds: float, severity: str | None) -> None:
    decision = decide_replication(seen(slot(active=False, inactive_seconds=seconds)), situation())
    assert ids(decision) == ([("postgresql.slot_inactive", severity)] if severity else [])


def test_a_slot_that_earlier_runs_saw_unused() -> None:
    unused = seen(slot(active=False))
    unknown = one(decide_replication(unused, situation()))
    assert (unknown.id, unknown.value) == ("postgresql.slot_inactive", None)
    first = remember_replication(unused, situation())
    assert ids(decide_replication(unused, situation(first))) == []
    since = {"standbys": [], "inactive": {"copy": NOW.timestamp() - 7200}}
    assert one(decide_replication(unused, situation(since))).value == 7200
    assert remember_replication(unused, situation(since))["inactive"] == since["inactive"]
    assert remember_replication(seen(slot()), situation(since))["inactive"] == {}, "it is used again"


def test_a_limit_that_is_off_says_nothing() -> None:
    off = situation(thresholds={"slot_inactive_seconds": "off"})
    assert ids(decide_replication(seen(slot(active=False)), off)) == []


def test_a_slot_copied_to_a_standby_is_unused_there() -> None:
    copied = seen(slot(active=False, inactive_seconds=1e9, synced=True))
    assert ids(decide_replication(copied, situation())) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"lag_seconds": 1e6}, []),  # the primary has written nothing since
        ({"lag_bytes": 1.0, "lag_seconds": 30.0}, []),
        ({"lag_bytes": 1.0, "lag_seconds": 31.0}, [("postgresql.replay_lag", "warning")]),
        ({"lag_bytes": None, "lag_seconds": None}, []),
        ({"paused": True}, [("postgresql.replay_paused", "warning")]),
        ({"streaming": False}, [("postgresql.standby_disconnected", "critical")]),
        ({"streaming": False, "configured": False}, []),  # it restores from an archive
        ({"streaming": None, "configured": None}, [("postgresql.access_denied", "warning")]),
    ],
)
def test_replay(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert ids(decide_replication(seen(receiver(**changes), in_recovery=True), situation())) == expected
