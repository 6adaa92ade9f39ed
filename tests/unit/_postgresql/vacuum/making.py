# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observations in which nothing is due, of which a test changes one thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.horizon import Holder
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.shapes import ShapedTable
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.spaces import Spaces
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.observation import (
    Facts,
    Link,
    Row,
    Tables,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.observation_rewrite import (
    Leftover,
    Measured,
    Repack,
    Rewrites,
    Sized,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.policy import Policy
from tests.unit._postgresql.making import NOW, server

MIB = 1024**2
PARAMS: dict[str, Any] = {
    "mode": "auto",
    "jobs": 1,
    "need_ratio": 0.5,
    "order": "need",
    "index_workers": None,
    "buffer_usage_limit": None,
    "cost_delay": None,
    "truncate": "auto",
    "allow_exclusive_lock": False,
    "min_bloat_percent": 50.0,
    "min_size": "100MiB",
    "rewrite_max_size": "1GiB",
    "rewrite_methods": ["repack", "pg_repack", "vacuum_full"],
    "free_space": None,
}


def policy(**params: Any) -> Policy:
    """The module's defaults, some of them changed."""
    return Policy.of({**PARAMS, **params})


def ago(seconds: float) -> float:
    """A moment of the server's clock."""
    return NOW.timestamp() - seconds


def row(name: str = "events", oid: int = 1, **changes: Any) -> Row:
    """A table of 10000 rows, vacuumed and analyzed an hour ago."""
    facts: dict[str, Any] = {
        "kind": "r",
        "toast_of": None,
        "rows": 10_000.0,
        "pages": 100,
        "frozen_pages": 0,
        "options": (),
        "live": 10_000,
        "dead": 0,
        "modified": 0,
        "inserted": 0,
        "vacuumed": ago(3600),
        "analyzed": ago(3600),
        "worker": None,
        "transactions": 1000,
        "multixacts": 10,
        "indexes": 1,
        "permitted": True,
        **changes,
    }
    return Row(oid, "public", name, **facts)


def toast(of: int = 1, oid: int = 100, **changes: Any) -> Row:
    """The TOAST table of a table."""
    return row(f"pg_toast_{of}", oid, **{"kind": "t", "toast_of": of, "analyzed": None, **changes})


def seen(
    *rows: Row,
    links: Sequence[tuple[int, int]] = (),
    holders: Sequence[Holder] = (),
    standbys: int = 0,
    connections: int = 10,
    **changes: Any,
) -> Tables:
    """These tables on a server of version 18, or with other facts of the server."""
    return Tables(
        server(**changes),
        Facts(150_000_000, 150_000_000, 8192, standbys, connections),
        {one.oid: one for one in rows if one.toast_of is None},
        {one.toast_of: one for one in rows if one.toast_of is not None},
        tuple(Link(*link) for link in links),
        tuple(holders),
    )


def holder(seconds: float | None = 7200, age: int = 5000) -> Holder:
    """A session that has held rows for so many seconds, or nobody knows since when."""
    return Holder("session", "pid 7 (web, api)", "app", age, since=None if seconds is None else ago(seconds))


def shape(oid: int = 1, megabytes: int = 200, rows: float = 100_000, **changes: Any) -> ShapedTable:
    """A table of 100000 rows of 100 bytes, which fill some 13 MiB, in a file of this size."""
    facts: dict[str, Any] = {
        "schema": "public",
        "name": "events",
        "toast": False,
        "owner_oid": None,
        "owner_schema": None,
        "owner_name": None,
        "rows": rows,
        "pages": megabytes * MIB // 8192,
        "bytes": megabytes * MIB,
        "fillfactor": 100.0,
        "changed": 0,
        "readable": True,
        "columns": [[8, 0, 8, 8], [100, 0, -1, 4]],
        **changes,
    }
    return ShapedTable(oid=oid, **facts)


def sized(oid: int = 1, megabytes: int = 220, **changes: Any) -> Sized:
    """The table with its indexes."""
    facts: dict[str, Any] = {
        "schema": "public",
        "name": "events",
        "bytes": megabytes * MIB,
        "dead": 0,
        "keyed": True,
        "tablespace": 0,
        "permitted": True,
        "filenode": 77,
        **changes,
    }
    return Sized(oid, **facts)


def rewrites(*shapes: ShapedTable, **changes: Any) -> Rewrites:
    """A bloated table, with room enough and no pg_repack."""
    facts: dict[str, Any] = {
        "server": server(**changes.pop("facts", {})),
        "measured": {},
        "sized": {1: sized()},
        "repack": Repack(None, True),
        "leftovers": (),
        "spaces": Spaces({0: 10**12}),
        "holders": (),
        **changes,
    }
    return Rewrites(shapes=shapes or (shape(),), **facts)


def measured(oid: int = 1, megabytes: int = 200, free: int = 0, dead: int = 0) -> Measured:
    """What pgstattuple_approx says, in MiB."""
    return Measured(oid, megabytes * MIB, free * MIB, dead * MIB)


def leftover(**changes: Any) -> Leftover:
    """All that a killed pg_repack leaves."""
    facts: dict[str, Any] = {
        "table_oid": 16385,
        "schema": "app",
        "name": "Order Items",
        "log": True,
        "copy": True,
        "type": True,
        "trigger": True,
        "busy": False,
        "permitted": True,
        **changes,
    }
    return Leftover(**facts)
