# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which indexes may go because nothing uses them: the whole rule, every condition of it a reason to keep. Pure.

Source: the study of maintenance, section 1.1a. ``docs/index-rule.md`` shows it as a table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from ..._core.units import format_duration, format_size
from .foreign_keys import helps, supports
from .ledger import is_watched, unchanged_since
from .observation import ForeignKey, Index, Indexes, Node

__all__ = ["UNDECIDED", "Reason", "droppable", "is_standby", "judge_unused", "standbys", "undecided"]

UNDECIDED = frozenset(
    ("statistics_off", "statistics_young", "ledger_young", "standby_unlisted", "standby_unknown", "standby_young")
)
"""Reasons that say only that it is not known yet whether anything uses an index."""


class Reason(NamedTuple):
    """Why an index is kept.

    :param code: stable name of the condition.
    :param text: the condition in words, with its numbers.
    """

    code: str
    text: str


def judge_unused(seen: Indexes, declared: Collection[int] = ()) -> dict[int, tuple[Reason, ...]]:
    """Return for every index, by its oid, all reasons to keep it; where there is none it may go.

    :param declared: indexes that somebody asked for.
    """
    everywhere = tuple(_of_servers(seen))
    building = {build.oid for build in seen.builds}
    hidden = any(build.hidden for build in seen.builds)
    reasons: dict[int, tuple[Reason, ...]] = {}
    for index in seen.indexes:
        found = (
            *_state(index, building, hidden),
            *_purpose(index),
            *_place(index),
            *_use(index, seen),
            *_evidence(index, seen),
            *everywhere,
            *((Reason("declared", "it is declared in indexes"),) if index.oid in declared else ()),
        )
        reasons[index.oid] = found
    _keep_for_foreign_keys(seen, reasons)
    return reasons


def undecided(reasons: Iterable[Reason]) -> bool:
    """Whether an index is kept only because too little is known of its use yet."""
    codes = {reason.code for reason in reasons}
    return bool(codes) and codes <= UNDECIDED


def _state(index: Index, building: Collection[int | None], hidden: bool) -> Iterable[Reason]:
    if index.oid in building:
        yield Reason("building", "it is being built")
    elif not index.valid and hidden and not index.partitioned:
        yield Reason("building", "it is not valid, and builds of other users are hidden: it may be one of theirs")
    if not index.valid:
        yield Reason("invalid", "it is not valid: its scans say nothing")
    if index.locked:
        yield Reason("locked", "somebody has its table locked for himself alone, so it could not be looked at")


def _purpose(index: Index) -> Iterable[Reason]:
    """Yield what else than queries needs the index."""
    if index.primary:
        yield Reason("primary_key", "it is the primary key")
    elif index.unique:
        yield Reason("unique", "it keeps values unique")
    if index.exclusion:
        yield Reason("exclusion", "it keeps an exclusion constraint")
    if index.constraint and not index.primary:
        yield Reason("constraint", f"the constraint {index.constraint} stands on it")
    if index.replica_identity:
        yield Reason("replica_identity", "it is the replica identity of logical replication")
    if index.clustered:
        yield Reason("clustered", "the table is clustered by it")


def _place(index: Index) -> Iterable[Reason]:
    if index.partitioned:
        yield Reason("partitioned", "it is the index of a partitioned table: only its parts count scans")
    if index.parent is not None:
        yield Reason("partition", "it is part of the index of a partitioned table")
    if index.system and not index.temporary:
        yield Reason("system", "it is the server's own")
    if index.extension:
        yield Reason("extension", "it belongs to an extension")
    if index.temporary:
        yield Reason("temporary", "it is a session's temporary index")


def _use(index: Index, seen: Indexes) -> Iterable[Reason]:
    policy, now = seen.policy, seen.primary.now
    if index.scans > policy.scans:
        yield Reason("used", f"it was used {index.scans} times")
    if index.last_scan is not None and now - index.last_scan < policy.seconds:
        yield Reason("recently_used", f"it was last used {format_duration(now - index.last_scan)} ago")
    if index.bytes < policy.bytes:
        yield Reason("small", f"it has {format_size(index.bytes)}, less than {format_size(policy.bytes)}")
    for node in seen.replicas:
        use = node.scans.get(index.oid)
        if use is None:
            continue
        if use.scans > policy.scans:
            yield Reason("standby_used", f"it was used {use.scans} times on the standby {node.name}")
        elif use.last_scan is not None and node.now - use.last_scan < policy.seconds:
            ago = format_duration(node.now - use.last_scan)
            yield Reason("standby_used", f"it was used {ago} ago on the standby {node.name}")


def _evidence(index: Index, seen: Indexes) -> Iterable[Reason]:
    """Yield whether the index has been watched for long enough, on every server."""
    if not seen.policy.seconds or not is_watched(index):
        return
    for node in (seen.primary, *(node for node in seen.replicas if node.error is None)):
        where = "" if node is seen.primary else f" on the standby {node.name}"
        code = "ledger_young" if node is seen.primary else "standby_young"
        since = unchanged_since(seen, node, index)
        if since is None:
            yield Reason(code, f"no earlier run has seen it with as many scans{where}")
        elif node.now - since < seen.policy.seconds:
            yield Reason(code, f"it has been watched for {_short(node.now - since, seen)}{where}")


def _of_servers(seen: Indexes) -> Iterable[Reason]:
    """Yield what keeps every index: statistics that say nothing, and standbys that nobody asked."""
    primary = seen.primary
    if not primary.counts:
        yield Reason("statistics_off", "the server does not count scans (track_counts is off)")
    if primary.now - primary.since < seen.policy.seconds:
        yield Reason("statistics_young", f"statistics are kept for {_short(primary.now - primary.since, seen)}")
    known, asked = standbys(seen)
    if known > asked:
        yield Reason("standby_unlisted", f"there are {known} standbys, and {asked} of them were asked")
    for node in seen.replicas:
        yield from _of_standby(node, seen)


def standbys(seen: Indexes) -> tuple[int, int]:
    """Return how many standbys there are, those of standbys too, and how many different ones of them were asked."""
    nodes = {node.identity: node for node in seen.replicas if node.error is None and is_standby(node, seen)}
    return seen.primary.receivers + sum(node.receivers for node in nodes.values()), len(nodes)


def is_standby(node: Node, seen: Indexes) -> bool:
    """Whether a server that answered is a standby of the primary."""
    return node.in_recovery and node.system == seen.primary.system


def _of_standby(node: Node, seen: Indexes) -> Iterable[Reason]:
    if node.error is not None:
        yield Reason("standby_unknown", f"the standby {node.name} could not be asked: {node.error}")
    elif not is_standby(node, seen):
        yield Reason("standby_unknown", f"{node.name} is no standby of this server")
    elif not node.counts:
        yield Reason("standby_unknown", f"the standby {node.name} does not count scans (track_counts is off)")
    elif node.now - node.since < seen.policy.seconds:
        age = _short(node.now - node.since, seen)
        yield Reason("standby_young", f"the standby {node.name} keeps statistics for {age}")


def _short(seconds: float, seen: Indexes) -> str:
    return f"{format_duration(max(0.0, seconds))} only, less than {format_duration(seen.policy.seconds)}"


def _keep_for_foreign_keys(seen: Indexes, reasons: dict[int, tuple[Reason, ...]]) -> None:
    """Keep the last index of every foreign key, used or not: a delete in the other table would read this one whole.

    An index that stays for another reason serves the foreign key just as well. Of several that might all go, the
    oldest stays. Where none serves it whole, all that serve it in part stay.
    """
    by_table: dict[int, list[Index]] = {}
    for index in seen.indexes:
        by_table.setdefault(index.table_oid, []).append(index)
    for foreign_key in seen.foreign_keys:
        own = by_table.get(foreign_key.table_oid, ())
        serving = [index for index in own if supports(index, foreign_key)]
        lasting = [index for index in serving if not _may_go(reasons[index.oid])]
        if serving and not lasting:
            kept = min(serving, key=lambda index: index.oid)
            reasons[kept.oid] += (_serves(foreign_key),)
        elif len(serving) == 1:
            reasons[serving[0].oid] += (_serves(foreign_key),)
        elif not serving:
            for index in own:
                if helps(index, foreign_key):
                    reasons[index.oid] += (_serves(foreign_key, whole=False),)


def _may_go(reasons: Collection[Reason]) -> bool:
    return not reasons or undecided(reasons)


def _serves(foreign_key: ForeignKey, whole: bool = True) -> Reason:
    changes = f"{foreign_key.target_changes} rows of it were deleted or updated"
    which = f"the foreign key {foreign_key.name} to {foreign_key.target} ({changes})"
    text = f"no other index serves {which}" if whole else f"no index serves {which} whole, and this one does in part"
    return Reason("foreign_key", text)


def droppable(seen: Indexes, reasons: Mapping[int, Collection[Reason]]) -> list[Index]:
    """Return the indexes that nothing keeps, largest first."""
    return sorted(
        (index for index in seen.indexes if not reasons[index.oid]), key=lambda index: (-index.bytes, index.oid)
    )
