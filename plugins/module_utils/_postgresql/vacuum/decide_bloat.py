# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much of each table a rewrite would give back, its TOAST table counted in, and how that is known. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..bloat import BLOCK
from ..shapes import ShapedTable
from ..table_bloat import estimate_table
from .observation_rewrite import Measured, Rewrites
from .policy import Policy

__all__ = ["Waste", "wastes", "worth_measuring"]

MOST_MEASURED = 20
"""Tables measured in one run, the largest first."""


class Waste(NamedTuple):
    """What is known of one table.

    :param oid: the table's.
    :param bytes: of the table and its TOAST table.
    :param wasted: of these, free space beyond the fill factor's and dead rows.
    :param dead: of these, dead rows.
    :param how: how that is known; where it is not, why.
    :param known: whether it is.
    """

    oid: int
    bytes: int
    wasted: float
    dead: float
    how: str
    known: bool

    @property
    def percent(self) -> float:
        """Waste in percent of the size."""
        return 100 * self.wasted / self.bytes if self.bytes else 0.0

    def joined(self, other: Waste) -> Waste:
        """Return a table's waste together with that of its TOAST table; the larger one says how it is known.

        What is not known of the smaller one counts as no waste: it is never overstated.
        """
        larger = max(self, other, key=lambda waste: waste.bytes)
        return larger._replace(
            bytes=self.bytes + other.bytes, wasted=self.wasted + other.wasted, dead=self.dead + other.dead
        )


def worth_measuring(shapes: Sequence[ShapedTable], policy: Policy) -> list[ShapedTable]:
    """Return the tables for which it pays to measure: estimated near the limit or beyond it, or not to be estimated."""
    found = []
    for shape in shapes:
        waste = _waste(shape, None, 0)
        if shape.bytes >= policy.min_size / 2 and (not waste.known or waste.percent >= policy.min_bloat_percent / 2):
            found.append(shape)
    return sorted(found, key=lambda shape: -shape.bytes)[:MOST_MEASURED]


def wastes(seen: Rewrites) -> Mapping[int, Waste]:
    """Return what is known of every table, by oid."""
    found: dict[int, Waste] = {}
    for shape in seen.shapes:
        table = seen.sized.get(shape.oid)
        waste = _waste(shape, seen.measured.get(shape.oid), table.dead if table else 0)
        found[waste.oid] = found[waste.oid].joined(waste) if waste.oid in found else waste
    return found


def _waste(shape: ShapedTable, measured: Measured | None, dead_rows: int) -> Waste:
    oid = shape.owner_oid if shape.toast and shape.owner_oid is not None else shape.oid
    if measured is not None and measured.bytes > 0:
        kept = measured.bytes * (100 - shape.fillfactor) / 100
        wasted = max(0.0, measured.free_bytes + measured.dead_bytes - kept)
        return Waste(oid, measured.bytes, wasted, measured.dead_bytes, "measured by pgstattuple_approx", True)
    estimate = estimate_table(shape.shape)
    wasted = max(0.0, shape.bytes - estimate.pages * BLOCK)
    if estimate.doubt:
        return Waste(oid, shape.bytes, 0.0, 0.0, estimate.doubt, False)
    dead = min(wasted, dead_rows * estimate.pages * BLOCK / max(1.0, shape.rows))
    return Waste(oid, shape.bytes, wasted, dead, "estimated from the planner's statistics", True)
