# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of a sound server, from which a test changes what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._core.health import Situation
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Decision
from ansible_collections.dataops.upkeep.plugins.module_utils._core.threshold import Thresholds
from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health.observation import (
    Asserts,
    Cache,
    Cursors,
    Member,
    ReplicaSet,
    Server,
    Status,
    Tickets,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health.thresholds import HEALTH_THRESHOLDS

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)

SERVER = Server(
    version="8.0.4",
    host="a:27017",
    process="p1",
    replica_set="rs0",
    expects_replica_set=False,
    primary=True,
    router=False,
)

STATUS = Status(
    host="a:27017",
    process="p1",
    uptime=10_000.0,
    connections=10,
    connections_available=90,
    queued_readers=0,
    queued_writers=0,
    read_tickets=Tickets(1, 128, 0),
    write_tickets=Tickets(1, 128, 0),
    majority_lags=False,
    cache=Cache(used=50, dirty=1, maximum=100),
    asserts=Asserts(internal=3, user=1000),
    page_faults=500,
    cursors=Cursors(open=5, timed_out=40),
    operations={"insert": 7},
    resident_bytes=1024,
    oplog_seconds=100_000.0,
)


def member(name: str, state: int = 2, **changes: Any) -> Member:
    """A member of a replica set, in order unless a test says otherwise."""
    names = {1: "PRIMARY", 2: "SECONDARY", 7: "ARBITER"}
    sound = Member(
        name=name,
        state=state,
        state_name=names.get(state, f"STATE{state}"),
        healthy=True,
        this=False,
        optime=1000.0,
        votes=1,
        delay=0.0,
    )
    return replace(sound, **changes)


def replica_set(*members: Member, majority: int | None = 2) -> ReplicaSet:
    """A replica set of three in order, or of the members given."""
    return ReplicaSet("rs0", members or (member("a", 1), member("b"), member("c")), majority)


def situation(previous: dict[str, Any] | None = None, now: datetime = NOW, **limits: Any) -> Situation:
    """What a decision knows, with the default thresholds."""
    return Situation("db", Thresholds(HEALTH_THRESHOLDS, limits), now, previous or {})


def found(decision: Decision) -> list[tuple[str, str]]:
    """Id and severity of each finding."""
    return [(finding.id, finding.severity.value) for finding in decision.findings]
