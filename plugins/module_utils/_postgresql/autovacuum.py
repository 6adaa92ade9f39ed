# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A table's need of vacuum and analyze, by autovacuum's own formula. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .server import Server

__all__ = ["Need", "Table", "Tables", "need_of"]

_OFF = ("false", "off", "no", "0")


class Table(NamedTuple):
    """A table with changes since it was last vacuumed or analyzed.

    :param rows: the planner's estimate; below zero: never counted.
    :param frozen_pages: pages that vacuum may skip; None before version 18.
    :param options: the table's storage parameters, as ``autovacuum_enabled=false``.
    :param vacuum_seconds: since it was last vacuumed, by hand or not; None: never.
    :param running: whether it is being vacuumed.
    """

    schema: str
    name: str
    rows: float
    pages: int
    frozen_pages: int | None
    options: tuple[str, ...] | list[str]
    dead: int
    modified: int
    inserted: int
    vacuum_seconds: float | None
    analyze_seconds: float | None
    running: bool

    @property
    def label(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"


class Tables(NamedTuple):
    """The most changed tables of the database that is connected to."""

    server: Server
    tables: tuple[Table, ...]


class Need(NamedTuple):
    """How far a table is beyond the points at which autovacuum would begin.

    :param vacuum: changes in multiples of what makes autovacuum vacuum it; 1 is due.
    :param analyze: likewise for analyze.
    :param automatic: whether autovacuum looks after the table at all.
    """

    vacuum: float
    analyze: float
    automatic: bool


def need_of(table: Table, server: Server) -> Need:
    """Apply autovacuum's formula: threshold + scale factor * rows, with the table's own storage parameters.

    Source: relation_needs_vacanalyze() in src/backend/postmaster/autovacuum.c, versions 13 to 18.
    """
    own = dict(option.partition("=")[::2] for option in table.options)

    def value(name: str) -> float | None:
        return float(own[name]) if name in own else server.setting(name)

    rows = max(0.0, table.rows)
    vacuum_at = _trigger(value, "autovacuum_vacuum_threshold", "autovacuum_vacuum_scale_factor", rows)
    most = value("autovacuum_vacuum_max_threshold")
    if most is not None and most >= 0:
        vacuum_at = min(vacuum_at, most)
    # From version 18 on, frozen pages do not count: inserts there cannot be.
    unfrozen = 1.0
    if table.frozen_pages is not None and table.pages > 0:
        unfrozen = 1.0 - min(table.frozen_pages, table.pages) / table.pages
    insert_at = _trigger(
        value, "autovacuum_vacuum_insert_threshold", "autovacuum_vacuum_insert_scale_factor", rows * unfrozen
    )
    inserts_count = (value("autovacuum_vacuum_insert_threshold") or 0) >= 0
    analyze_at = _trigger(value, "autovacuum_analyze_threshold", "autovacuum_analyze_scale_factor", rows)
    switched_on = all(server.settings.get(name) != "off" for name in ("autovacuum", "track_counts"))
    return Need(
        vacuum=max(table.dead / vacuum_at, table.inserted / insert_at if inserts_count else 0.0),
        analyze=table.modified / analyze_at,
        automatic=switched_on and own.get("autovacuum_enabled", "true").lower() not in _OFF,
    )


def _trigger(value: Callable[[str], float | None], threshold: str, scale_factor: str, rows: float) -> float:
    """Return the number of changes beyond which autovacuum begins, at least one."""
    return max(1.0, (value(threshold) or 0) + (value(scale_factor) or 0) * rows)
