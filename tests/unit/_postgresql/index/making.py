# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes observations of indexes: an ordinary one, of which a test says what is special."""

from __future__ import annotations

from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.ledger import updated
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.observation import (
    Build,
    ForeignKey,
    Index,
    Indexes,
    IndexUse,
    Node,
    Policy,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.server import Server

DAY = 86400.0
ORDINARY = Policy()
NOW = 1_800_000_000.0
SERVER = Server("18.1", 180001, "app", "upkeep", False, NOW - 90 * DAY, NOW, True, {})


def index(oid: int = 20000, **special: Any) -> Index:
    """A plain btree index of 20 MB that nobody scans."""
    ordinary: dict[str, Any] = {
        "table_oid": 10000,
        "schema": "public",
        "table": "t",
        "name": f"i{oid}",
        "definition": f"CREATE INDEX i{oid} ON public.t USING btree (a)",
        "bytes": 20_000_000,
        "scans": 0,
        "last_scan": None,
        "valid": True,
        "unique": False,
        "immediate": True,
        "primary": False,
        "exclusion": False,
        "replica_identity": False,
        "clustered": False,
        "constraint": None,
        "parent": None,
        "partitioned": False,
        "system": False,
        "extension": False,
        "temporary": False,
        "method": "btree",
        "keys": (1,),
        "include": (),
        "opclasses": (),
        "collations": (),
        "options": (),
        "texts": (),
        "predicate": None,
        "nulls_not_distinct": False,
        "owned": True,
        "locked": False,
    }
    made = Index(oid, **{**ordinary, **special})
    keys = len(made.keys)
    return made._replace(
        opclasses=made.opclasses or (1978,) * keys,
        collations=made.collations or (0,) * keys,
        options=made.options or (0,) * keys,
    )


def node(name: str = "db:5432", **special: Any) -> Node:
    """The primary, which keeps statistics for 60 days."""
    ordinary: dict[str, Any] = {
        "identity": name, "system": "7", "timeline": 1, "now": NOW, "kept_since": NOW - 60 * DAY,
    }  # fmt: skip
    return Node(name, **{**ordinary, **special})


def standby(name: str = "standby:5432", count: int = 0, **special: Any) -> Node:
    """A standby that counts no scan of the index 20000."""
    return node(name, **{"in_recovery": True, "scans": {20000: IndexUse(20000, count, None)}, **special})


def seen(
    *indexes: Index,
    watched_days: float | None = 40,
    keys: tuple[ForeignKey, ...] = (),
    builds: tuple[Build, ...] = (),
    primary: Node | None = None,
    replicas: tuple[Node, ...] = (),
    policy: Policy = ORDINARY,
) -> Indexes:
    """What a run sees, after one that saw the same so many days before; None: there was none."""
    now = Indexes(SERVER, indexes, keys, builds, primary or node(), replicas, {}, policy)
    if watched_days is None:
        return now
    moment = NOW - watched_days * DAY
    before = now._replace(
        primary=now.primary._replace(now=moment), replicas=tuple(each._replace(now=moment) for each in replicas)
    )
    return now._replace(ledger=updated(before, {}))


def foreign_key(**special: Any) -> ForeignKey:
    """One of column 1 of the table 10000."""
    ordinary: dict[str, Any] = {
        "oid": 1, "parent": 0, "partitioned": False, "name": "t_fk", "table_oid": 10000, "schema": "public",
        "table": "t", "target": "other", "keys": (1,), "columns": ("a",), "rows": 5000.0, "target_changes": 3,
    }  # fmt: skip
    return ForeignKey(**{**ordinary, **special})
