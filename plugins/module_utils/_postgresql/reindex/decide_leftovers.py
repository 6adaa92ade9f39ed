# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which invalid indexes REINDEX CONCURRENTLY left when it was broken off. Pure.

It builds under a name of its own, <name>_ccnew, and renames the index that it replaces to <name>_ccold; a number
follows where that name is taken, and <name> is cut so that the whole has 63 bytes.
Source: ReindexRelationConcurrently() and makeObjectName() in src/backend/commands/indexcmds.c, versions 13 to 18.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..identifier import MOST_BYTES
from .observation import Index

__all__ = ["origin_of"]

_NAME = re.compile(r"(.+)(_(?:ccnew|ccold)[0-9]*)", re.DOTALL)


def origin_of(index: Index, others: Iterable[Index]) -> Index | None:
    """Return the usable index in whose place ``index`` was or would have been; None if it is no leftover.

    An index that is usable is never a leftover, whatever its name; nor is one without an equal of the right name.
    """
    if index.usable:
        return None
    alike = [
        other
        for other in others
        if other.oid != index.oid
        and other.table_oid == index.table_oid
        and other.schema == index.schema
        and other.shape == index.shape
    ]
    return _origin(index.name, [other for other in alike if other.usable])


def _origin(name: str, usable: Sequence[Index]) -> Index | None:
    """Take suffixes off until a usable index has the rest as its name: a leftover may be rebuilt and leave one too."""
    while match := _NAME.fullmatch(name):
        name, suffix = match.groups()
        for other in usable:
            if _cut(other.name, MOST_BYTES - len(suffix.encode())) == name:
                return other
    return None


def _cut(name: str, most: int) -> str:
    """Shorten a name to so many bytes, whole characters only."""
    return name.encode()[:most].decode(errors="ignore")
