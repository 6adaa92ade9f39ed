# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which indexes are rebuilt and which leftovers are dropped, in which order. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from ..._core.action import Action, ActionState
from ..._core.finding import Finding
from ..._core.result import metric_name
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..._core.units import format_size
from ..identifier import quoted
from ..locked import locked_findings
from ..spaces import SPACE_FACTOR
from ..statement import Statement
from .decide_bloat import Verdict, judge
from .decide_leftovers import origin_of
from .decide_refusal import RIGHT, refusal_of, unsafe_server
from .observation import Index, Indexes

__all__ = ["DROP", "REBUILD", "Limits", "Work", "decide_reindex", "invalid_finding"]

REBUILD = "reindex"
DROP = "drop_leftover"
MOST_FINDINGS = 20
"""Findings of one kind that are written out; the metrics count all."""
BUSY = "somebody builds an index on its table, or vacuums or alters it, just now"


class Limits(NamedTuple):
    """What the user asked for.

    :param label: the server's label.
    :param percent: bloat from which on an index is rebuilt; 0: every index.
    :param least: bytes below which an index is left alone.
    :param clean: whether leftovers are dropped.
    :param most_changes: actions in one run; None: no limit.
    """

    label: str
    percent: float
    least: int
    clean: bool = True
    most_changes: int | None = None


class Work(NamedTuple):
    """What carrying out an action needs: the index, and the statement that the plan shows."""

    target: Index
    statement: Statement


def decide_reindex(seen: Indexes, limits: Limits) -> Decision:
    """Plan leftovers first, which gives room, then rebuilds, smallest first: most are done if time runs out."""
    decision = Decision()
    invalid = [index for index in seen.indexes if not index.usable and not index.system and not index.temporary]
    leftovers = [index for index in invalid if origin_of(index, seen.indexes)]
    broken = [index for index in invalid if index not in leftovers]
    _decide_leftovers(leftovers, seen, limits, decision)
    _decide_rebuilds(seen, limits, decision)
    _report_broken(broken, seen, limits, decision)
    meant = [table for table in seen.locked if seen.chosen is None or not seen.chosen.isdisjoint(table.indexes)]
    decision.findings += locked_findings(meant, limits.label)
    decision.metrics["postgresql_invalid_indexes_total"] = len(invalid)
    decision.metrics["postgresql_index_leftovers_total"] = len(leftovers)
    decision.actions = _limited(decision.actions, limits.most_changes)
    return decision


def _decide_leftovers(leftovers: Iterable[Index], seen: Indexes, limits: Limits, decision: Decision) -> None:
    for index in sorted(leftovers, key=_by_size):
        action = _drop(index, seen)
        if index.table_oid in seen.busy:
            if _asked_for(index, seen):
                decision.actions.append(action.became(ActionState.SKIPPED, BUSY))
        elif not limits.clean:
            decision.findings.append(_invalid(index, seen, limits, "clean_leftovers is off"))
        elif not index.may_drop:
            decision.findings.append(_invalid(index, seen, limits, "only the owner of the table may drop it"))
        else:
            decision.actions.append(action)


def _decide_rebuilds(seen: Indexes, limits: Limits, decision: Decision) -> None:
    refused: Counter[str] = Counter()
    verdicts: dict[Index, Verdict] = {}
    denied: list[Index] = []
    unsafe = unsafe_server(seen.server, seen.prepared)
    for index in sorted(seen.indexes, key=_by_size):
        if not _meant(index, seen, limits):
            continue
        refusal = refusal_of(index)
        verdict = judge(index, seen, limits.percent) if index.usable else _to_validate(index, seen)
        if verdict is None:
            continue
        verdicts[index] = verdict
        action = _rebuild(index, verdict)
        if refusal:
            refused[refusal[0]] += 1
            denied += [index] if refusal[0] == RIGHT and verdict.bloated else []
        reason = refusal[1] if refusal else unsafe or _hindrance(index, verdict, seen)
        lacking = _lacking_space(index, seen) if verdict.bloated and not reason else ""
        if not reason and not lacking and verdict.bloated:
            decision.actions.append(action)
        elif lacking or (reason and _asked_for(index, seen)):
            decision.actions.append(action.became(ActionState.SKIPPED, reason or lacking))
    _measure(verdicts, refused, decision)
    if unsafe:
        decision.findings.append(_unsafe(unsafe, limits))
    if denied and seen.chosen is None:
        decision.findings.append(_denied(denied, seen, limits))


def _meant(index: Index, seen: Indexes, limits: Limits) -> bool:
    """Say whether an index is one that this run is about."""
    if seen.chosen is not None:
        return index.oid in seen.chosen and (not index.usable or index.bytes >= limits.least)
    return index.usable and index.bytes >= limits.least


def _asked_for(index: Index, seen: Indexes) -> bool:
    return seen.chosen is not None and index.oid in seen.chosen


def _to_validate(index: Index, seen: Indexes) -> Verdict | None:
    """Say that an invalid index is made valid by a rebuild; None for a leftover, which is dropped instead."""
    if origin_of(index, seen.indexes):
        return None
    return Verdict(None, True, "it is invalid, for its build failed or was broken off; a rebuild makes it valid")


def _hindrance(index: Index, verdict: Verdict, seen: Indexes) -> str:
    if not index.usable and index.table_oid in seen.busy:
        return BUSY
    if verdict.percent is None and not verdict.bloated:
        return verdict.why
    return ""


def _lacking_space(index: Index, seen: Indexes) -> str:
    """Say that the new index would not fit beside the old one, where it is known how much disk is free."""
    free, needed = seen.spaces.free.get(index.tablespace), index.bytes * SPACE_FACTOR
    if free is None or free >= needed:
        return ""
    return f"it takes {format_size(needed)} of free disk, and {format_size(free)} is free"


def _measure(verdicts: dict[Index, Verdict], refused: Counter[str], decision: Decision) -> None:
    usable = {index: verdict for index, verdict in verdicts.items() if index.usable}
    decision.metrics["postgresql_indexes_judged_total"] = sum(v.percent is not None for v in usable.values())
    decision.metrics["postgresql_indexes_unknown_total"] = sum(v.percent is None for v in usable.values())
    bloated = {index: verdict for index, verdict in usable.items() if verdict.bloated}
    decision.metrics["postgresql_indexes_bloated_total"] = len(bloated)
    decision.metrics["postgresql_index_bloat_bytes"] = round(sum(v.wasted(index) for index, v in bloated.items()))
    for kind, count in sorted(refused.items()):
        decision.metrics[metric_name("postgresql_indexes_refused_total", reason=kind)] = count


def _invalid(index: Index, seen: Indexes, limits: Limits, hindrance: str) -> Finding:
    return invalid_finding(index, seen.indexes, seen.server.database, limits.label, hindrance)


def _report_broken(broken: Iterable[Index], seen: Indexes, limits: Limits, decision: Decision) -> None:
    for index in sorted(broken, key=_by_size)[:MOST_FINDINGS]:
        if index.table_oid not in seen.busy and not _asked_for(index, seen):
            decision.findings.append(_invalid(index, seen, limits, ""))


def _limited(actions: list[Action], most: int | None) -> list[Action]:
    """Skip what is beyond the most changes of one run."""
    left = len(actions) if most is None else most
    limited = []
    for action in actions:
        left -= action.state is ActionState.PLANNED
        beyond = action.state is ActionState.PLANNED and left < 0
        why = f"max_changes is {most}; the next run goes on here"
        limited.append(action.became(ActionState.SKIPPED, why) if beyond else action)
    return limited


def _rebuild(index: Index, verdict: Verdict) -> Action:
    statement = Statement("REINDEX INDEX CONCURRENTLY {index}", {"index": index.parts})
    subject = f"{index.label} (TOAST of {index.table})" if index.toast else index.label
    return Action(REBUILD, subject, verdict.why, statement.text, work=Work(index, statement))


def _drop(index: Index, seen: Indexes) -> Action:
    statement = Statement("DROP INDEX CONCURRENTLY {index}", {"index": index.parts})
    origin = origin_of(index, seen.indexes)
    name = origin.name if origin else ""
    reason = f"it is invalid: a REINDEX CONCURRENTLY of {name}, which is valid, was broken off and left it"
    return Action(DROP, index.label, reason, statement.text, undo=index.definition or "", work=Work(index, statement))


def invalid_finding(index: Index, others: Iterable[Index], database: str, label: str, hindrance: str) -> Finding:
    """Return the finding of an invalid index that stays.

    :param others: the indexes of its table, of which one may be what it is left over from.
    :param label: the server's label.
    :param hindrance: why it stays; empty: it is for the user to say.
    """
    subject = f"{label} index {database}.{index.label}"
    origin = origin_of(index, others)
    cause = f"it is left over from a REINDEX of {origin.name}" if origin else "its build failed or was broken off"
    remedy = (
        f"Run DROP INDEX CONCURRENTLY {quoted(*index.parts)}."
        if origin
        else f"Name it in indexes to have it rebuilt, or run DROP INDEX CONCURRENTLY {quoted(*index.parts)}."
    )
    message = f"{subject} on table {index.table} is invalid: {cause}; it slows writes and helps no query"
    message += f" ({hindrance})" if hindrance else ""
    return Finding("postgresql.invalid_index", Severity.WARNING, subject, message, "invalid", "valid", remedy)


def _unsafe(why: str, limits: Limits) -> Finding:
    message = f"{limits.label}: no index is rebuilt, for {why}"
    remedy = "Upgrade; then rebuild every index that was ever built concurrently, and check with amcheck."
    return Finding("postgresql.reindex_unsafe", Severity.WARNING, limits.label, message, remedy=remedy)


def _denied(denied: list[Index], seen: Indexes, limits: Limits) -> Finding:
    tables = sorted({index.table for index in denied})
    shown = ", ".join(tables[:5]) + (f" and {len(tables) - 5} more" if len(tables) > 5 else "")
    message = f"{limits.label}: the user {seen.server.user} may not rebuild {len(denied)} bloated indexes of {shown}"
    remedy = "Make the user a member of the role that owns these tables, or on version 17 and newer of pg_maintain."
    if any(index.toast for index in denied):
        remedy += f" For indexes of TOAST tables: GRANT USAGE ON SCHEMA pg_toast TO {quoted(seen.server.user)}."
    return Finding("postgresql.access_denied", Severity.WARNING, f"{limits.label} reindex", message, remedy=remedy)


def _by_size(index: Index) -> tuple[int, str]:
    return index.bytes, index.label
