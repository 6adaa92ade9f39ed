# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our own record of how often each index had been used, and since when that is so. Pure.

PostgreSQL stores nowhere when an index was made, and its counters begin anew after a reset, a crash or a restore. So
each run notes the scans of every index on every server, and an index is called unused only if the same number was seen
long ago. What is another index now (another oid or definition), or counts anew, begins anew here too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from .observation import Index, Indexes, Node

__all__ = ["begun_drops", "is_watched", "ledger_key", "unchanged_since", "updated", "with_drop"]

PRIMARY = "primary"
"""Name of the primary in the ledger; standbys have their address."""


def ledger_key(seen: Indexes) -> str:
    """Return the key of the ledger in the memory: one for each database of each cluster."""
    return f"indexes/{seen.primary.system}/{seen.server.database}"


def unchanged_since(seen: Indexes, node: Node, index: Index) -> float | None:
    """Return since when an index is known to have had no scan on a server, None if no earlier run saw it so."""
    record = _record(seen.ledger, seen, node)
    entry = record["indexes"].get(_identity(index)) if record and record["epoch"] == node.epoch else None
    return float(entry[0]) if entry and entry[1] == _scans(seen, node, index) else None


def is_watched(index: Index) -> bool:
    """Whether the ledger follows an index: what stays whatever its use is left out."""
    return not (index.system or index.unique or index.partitioned)


def updated(seen: Indexes, ledger: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ledger with what this run saw.

    :param ledger: the ledger as it stands in the memory now: another run may have written since we read.
    """
    nodes = dict(ledger.get("nodes", {}))
    for node in (seen.primary, *seen.replicas):
        if node.error is None:
            nodes[_name(seen, node)] = _noted(seen, node, _record(ledger, seen, node))
    still = {_identity(index) for index in seen.indexes if not index.valid}
    return {"nodes": nodes, "dropping": [each for each in ledger.get("dropping", ()) if each in still]}


def with_drop(ledger: Mapping[str, Any], index: Index) -> dict[str, Any]:
    """Return the ledger with the note that an index is about to be dropped."""
    noted = [each for each in ledger.get("dropping", ()) if each != _identity(index)]
    return {**ledger, "dropping": [*noted, _identity(index)]}


def begun_drops(seen: Indexes) -> list[Index]:
    """Return the indexes whose drop an earlier run began and did not finish: such an index is invalid."""
    noted = set(seen.ledger.get("dropping", ()))
    return [index for index in seen.indexes if not index.valid and _identity(index) in noted]


def _noted(seen: Indexes, node: Node, record: Mapping[str, Any] | None) -> dict[str, Any]:
    known = record["indexes"] if record and record["epoch"] == node.epoch else {}
    entries = {}
    for index in seen.indexes:
        scans = _scans(seen, node, index)
        if scans is None or not is_watched(index):
            continue
        if index.locked:
            entries.update({key: entry for key, entry in known.items() if key.startswith(f"{index.oid}:")})
            continue
        entry = known.get(_identity(index))
        entries[_identity(index)] = entry if entry and entry[1] == scans else [node.now, scans]
    return {"epoch": node.epoch, "indexes": entries}


def _record(ledger: Mapping[str, Any], seen: Indexes, node: Node) -> Mapping[str, Any] | None:
    record: Mapping[str, Any] | None = ledger.get("nodes", {}).get(_name(seen, node))
    return record


def _name(seen: Indexes, node: Node) -> str:
    return PRIMARY if node is seen.primary else node.name


def _scans(seen: Indexes, node: Node, index: Index) -> int | None:
    if node is seen.primary:
        return index.scans
    use = node.scans.get(index.oid)
    return use.scans if use else None


def _identity(index: Index) -> str:
    return f"{index.oid}:{hashlib.sha256(index.definition.encode()).hexdigest()[:12]}"
