# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the indexes of a database: those that nothing uses, that others replace, that are invalid. Pure."""

from __future__ import annotations

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..._core.units import format_size
from ..identifier import quoted
from ..index.decide_duplicates import Redundant, find_redundant
from ..index.decide_unused import droppable, judge_unused, undecided
from ..index.findings import unanswering_standbys, unused_index
from ..index.observation import Indexes
from ..invalid import invalid_index
from ..rights import hidden
from .worst import rest

__all__ = ["decide_indexes"]

MOST_FINDINGS = 10
"""Indexes of a kind named one by one, the largest first; the others are counted."""


def decide_indexes(seen: Indexes, situation: Situation) -> Decision:
    """Judge all indexes.

    An index that is superfluous twice is named once: what another one replaces may go at once, whoever uses it.
    """
    redundant = sorted(
        find_redundant(seen.indexes), key=lambda found: (-found.superfluous.bytes, found.superfluous.oid)
    )
    replaced = {found.superfluous.oid for found in redundant}
    reasons = judge_unused(seen)
    unused = [index for index in droppable(seen, reasons) if index.oid not in replaced]
    invalid = _invalid(seen, situation)
    database = seen.server.database
    decision = Decision()
    for kind, findings in (
        ("invalid indexes", invalid),
        ("indexes equal to others", [_redundant(each, database, situation) for each in redundant if each.equal]),
        ("indexes that others begin with", [_redundant(e, database, situation) for e in redundant if not e.equal]),
        ("unused indexes", [unused_index(index, seen, situation.subject) for index in unused]),
    ):
        decision.findings += findings[:MOST_FINDINGS] + rest(findings[MOST_FINDINGS:], kind, seen.server, situation)
    decision.findings += unanswering_standbys(seen, situation.subject)
    own = [index for index in seen.indexes if not index.system and not index.partitioned]
    decision.metrics = {
        "postgresql_indexes": len(own),
        "postgresql_index_bytes": sum(index.bytes for index in own),
        "postgresql_indexes_invalid": len(invalid),
        "postgresql_indexes_building": len(seen.builds),
        "postgresql_indexes_redundant": len(redundant),
        "postgresql_indexes_unused": len(unused),
        "postgresql_indexes_unused_undecided": sum(undecided(kept) for kept in reasons.values()),
        "postgresql_indexes_unused_bytes": sum(index.bytes for index in unused),
    }
    return decision


def _invalid(seen: Indexes, situation: Situation) -> list[Finding]:
    """Return the invalid indexes that nobody is building.

    That of a partitioned table is invalid until each partition has its own, which is in order.
    """
    building = {build.oid for build in seen.builds}
    found = [
        invalid_index(index.schema, index.name, index.table, seen.server.database, situation)
        for index in seen.indexes
        if not (index.valid or index.partitioned or index.temporary) and index.oid not in building
    ]
    hidden_builds = sum(build.hidden for build in seen.builds)
    if found and hidden_builds:
        what = f"{hidden_builds} index builds, so {len(found)} invalid indexes may be theirs"
        return [hidden(situation, "indexes", seen.server.user, what)]
    return found


def _redundant(found: Redundant, database: str, situation: Situation) -> Finding:
    index, other = found.superfluous, found.covered_by
    subject = f"{situation.subject} index {database}.{index.label}"
    relation = "does the same as" if found.equal else "is the beginning of"
    message = (
        f"{subject} on table {index.table} {relation} {other.label}; it has {format_size(index.bytes)} and slows every "
        f"write: {index.definition}"
    )
    how = "DROP INDEX" if index.partitioned else "DROP INDEX CONCURRENTLY"
    remedy = f"Run {how} {quoted(index.schema, index.name)}; queries use {other.label} in its place."
    condition = "duplicate_index" if found.equal else "redundant_index"
    return Finding(f"postgresql.{condition}", Severity.WARNING, subject, message, index.bytes, None, remedy)
