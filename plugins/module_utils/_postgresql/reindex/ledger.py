# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is remembered of an index from run to run: its best size per row, and the density that a build gave it. Pure.

The idea is pg_index_watch's: without any extension, an index that has twice the bytes per row that it once had is
bloated. What a rebuild reached also says when the next one would gain nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["LEAST_BYTES", "Entry", "noted", "read_ledger", "written_ledger"]

LEAST_BYTES = 128 * 1024
"""Smaller indexes say nothing by their bytes per row. Source: pg_index_watch."""


class Entry(NamedTuple):
    """What is known of one index.

    :param shape: its shape then: another index of the same name begins anew.
    :param bytes_per_row: the least there ever was.
    :param rebuilt: whether that was measured after a rebuild of ours.
    :param density: of its leaf pages in percent after the last rebuild; None: not measured.
    """

    shape: str
    bytes_per_row: float
    rebuilt: bool = False
    density: float | None = None


def read_ledger(document: Mapping[str, Any] | None) -> dict[str, Entry]:
    """Understand what memory holds; what another version wrote in another form is left out."""
    entries = {}
    for label, values in ((document or {}).get("indexes") or {}).items():
        if isinstance(values, list) and len(values) == len(Entry._fields):
            entries[label] = Entry(*values)
    return entries


def written_ledger(entries: Mapping[str, Entry]) -> dict[str, Any]:
    """Return the document for memory."""
    return {"indexes": {label: list(entry) for label, entry in sorted(entries.items())}}


def noted(
    known: Entry | None, shape: str, size: int, rows: float, rebuilt: bool = False, density: float | None = None
) -> Entry | None:
    """Return the entry after an index was seen with so many bytes and rows, None if it says nothing yet.

    :param rebuilt: whether it has just been rebuilt: then this is the best there can be, whatever was known.
    """
    before = known if known is not None and known.shape == shape else None
    if size < LEAST_BYTES or rows <= 0:
        return before
    per_row = size / rows
    if rebuilt:
        return Entry(shape, per_row, True, density)
    if before is None or per_row < before.bytes_per_row:
        return Entry(shape, per_row, False, before.density if before else None)
    return before
