# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Indexes in order, of which a test changes one thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.bloat import (
    Density,
    IndexColumn,
    IndexShape,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.reindex.decide_reindex import Limits
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.reindex.ledger import Entry
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.reindex.observation import Index, Indexes
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.spaces import Spaces
from tests.unit._postgresql.making import server

MIB = 1024**2
LIMITS = Limits("db", 30.0, 10 * MIB)


def index(name: str = "orders_code", **changes: Any) -> Index:
    """A usable btree of 100 MiB that the user may do everything with."""
    facts: dict[str, Any] = {
        "oid": 1,
        "table_oid": 100,
        "schema": "public",
        "name": name,
        "table": "public.orders",
        "method": "btree",
        "bytes": 100 * MIB,
        "tablespace": 0,
        "rows": 1_000_000.0,
        "changed_percent": 0.0,
        "fillfactor": 90,
        "usable": True,
        "excludes": False,
        "system": False,
        "toast": False,
        "temporary": False,
        "may_rebuild": True,
        "may_drop": True,
        "shape": "shape",
        "definition": None,
        **changes,
    }
    return Index(**facts)


def seen(
    *indexes: Index,
    chosen: Iterable[int] | None = None,
    percents: Mapping[int, float] | None = None,
    busy: Iterable[int] = (),
    ledger: Mapping[str, Entry] | None = None,
    shapes: Mapping[int, IndexShape] | None = None,
    free: int | None = None,
    prepared: bool = False,
    number: int = 180006,
) -> Indexes:
    """What was read. :param percents: measured bloat by oid; the rest was not measured."""
    sizes = {one.oid: one.bytes // 8192 for one in indexes}
    measured = {oid: dense(percent, sizes[oid]) for oid, percent in (percents or {}).items()}
    return Indexes(
        server=server(number=number, version=f"{number // 10000}.{number % 100}"),
        indexes=indexes,
        chosen=None if chosen is None else frozenset(chosen),
        shapes=shapes or {},
        measured=measured,
        busy=frozenset(busy),
        ledger=ledger or {},
        prepared=prepared,
        spaces=Spaces({} if free is None else {0: free}),
    )


def dense(percent: float, pages: int = 12800) -> Density:
    """A measurement from which so many percent of bloat follow, by leaf pages of a fill factor of 90."""
    return Density(pages, pages - 1, 0, 90 * (100 - percent) / 100)


def shape(rows: float, **changes: Any) -> IndexShape:
    """A unique btree over one bigint."""
    facts: dict[str, Any] = {
        "rows": rows,
        "fillfactor": 90.0,
        "joins_equal": False,
        "columns": [IndexColumn(8.0, 0.0, -1.0, 8, 8)],
        "changed_percent": 0.0,
        **changes,
    }
    return IndexShape(**facts)
