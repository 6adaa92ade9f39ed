# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much of tables and btree indexes is bloat, and how sure that is. Pure.

Measured beats remembered beats estimated. What rests on nothing is counted, and never called bloat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..._core.threshold import Thresholds
from ..._core.units import format_size
from ..bloat import BLOCK, STALE_PERCENT, Density, estimate_index, percent_by_density
from ..locked import locked_findings
from ..rights import hidden
from ..shapes import ShapedIndex, ShapedTable
from ..table_bloat import estimate_table
from .observation_bloat import Bloat, MeasuredTable
from .worst import rest

__all__ = ["Verdict", "decide_bloat", "judge_index", "judge_table", "remember_ratios", "worth_measuring"]

MOST_FINDINGS = 10
MOST_REMEMBERED = 1000
LEDGER_RATIO = 2.0
"""Bytes per row in multiples of the best ever from which on a relation is bloated. Source: pg_index_watch."""
LEDGER_BYTES = 1024**2
"""Smaller relations are not remembered: they cannot hold bloat worth a finding."""
MOST_MEASURED = 20
"""Relations measured in one run, those first that seem to waste most."""

Relation = TypeVar("Relation", ShapedTable, ShapedIndex)


class Verdict(NamedTuple):
    """What is known of a relation's bloat.

    :param percent: of the relation; None: not known.
    :param confidence: ``measured``, ``remembered``, ``estimated`` or ``none``.
    :param why: how it is known, or why it is not.
    """

    percent: float | None
    confidence: str
    why: str

    def wasted(self, size: int) -> float:
        """Return the bytes."""
        return size * (self.percent or 0.0) / 100


def judge_table(
    table: ShapedTable, measured: MeasuredTable | None = None, best: float | None = None, trouble: str = ""
) -> Verdict:
    """Say how much of a table is bloat: free space beyond its fill factor's, and dead rows.

    :param best: the least bytes per row that earlier runs remember.
    :param trouble: why measuring did not work.
    """
    if measured is not None and measured.bytes > 0:
        kept = measured.bytes * (100 - table.fillfactor) / 100
        wasted = max(0.0, measured.free_bytes + measured.dead_bytes - kept)
        how = "pgstattuple" if measured.exact else "pgstattuple_approx"
        return Verdict(100 * wasted / measured.bytes, "measured", f"measured by {how}")
    estimate = estimate_table(table.shape)
    return _unmeasured(table, estimate.pages, estimate.doubt, best, trouble)


def judge_index(
    index: ShapedIndex, density: Density | None = None, best: float | None = None, trouble: str = ""
) -> Verdict:
    """Say how much of an index a rebuild gives back; parameters as in :func:`judge_table`."""
    if density is not None:
        return Verdict(percent_by_density(density, index.fillfactor), "measured", "measured by pgstatindex")
    if index.method != "btree":
        return _unmeasured(index, 0, f"nothing is known of the size of {index.method} indexes", best, trouble)
    estimate = estimate_index(index.shape)
    return _unmeasured(index, estimate.pages, estimate.doubt, best, trouble)


def worth_measuring(
    relations: Sequence[Relation], judge: Callable[[Relation], Verdict], kind: str, thresholds: Thresholds, most: int
) -> list[Relation]:
    """Return what to measure: what seems to be bloated, then what nothing is known of, the largest first.

    :param kind: ``table`` or ``index``.
    :param most: bytes of all of them together.
    """
    size_limit = thresholds[f"{kind}_bloat_bytes"]
    wanted = []
    for relation in relations:
        verdict = judge(relation)
        unknown = verdict.percent is None
        if size_limit.severity(relation.bytes) is Severity.OK or relation.bytes > most:
            continue
        if unknown or _over(kind, verdict, relation.bytes, thresholds):
            wanted.append((unknown, -relation.bytes if unknown else -verdict.wasted(relation.bytes), relation))
    chosen: list[Relation] = []
    for _unknown, _order, relation in sorted(wanted, key=lambda item: item[:2])[:MOST_MEASURED]:
        if sum(each.bytes for each in chosen) + relation.bytes <= most:
            chosen.append(relation)
    return chosen


def decide_bloat(seen: Bloat, situation: Situation) -> Decision:
    """Judge tables, TOAST tables and indexes: beyond a share and a size, so that neither trifles nor giants cry."""
    tables = [
        (table, judge_table(table, seen.measured.get(table.oid), _best(table, seen, situation), seen.trouble))
        for table in seen.tables
    ]
    indexes = [
        (index, judge_index(index, seen.densities.get(index.oid), _best(index, seen, situation), seen.trouble))
        for index in seen.indexes
    ]
    toast = {table.owner_oid: table.bytes for table in seen.tables if table.toast}
    decision = Decision(metrics=_metrics(tables, indexes))
    found = _findings("table", tables, lambda table: _about_table(table, toast), seen, situation)
    decision.findings += found + _findings("index", indexes, _about_index, seen, situation)
    decision.findings += _unseen(tables, seen, situation) + _unmeasurable(seen, situation)
    decision.findings += locked_findings(seen.locked, f"{situation.subject} bloat")
    return decision


def remember_ratios(seen: Bloat, situation: Situation) -> Mapping[str, Any]:
    """Keep the least bytes per row that each of the largest relations ever had."""
    relations: list[ShapedTable | ShapedIndex] = [*seen.tables, *seen.indexes]
    worth = sorted((each for each in relations if _per_row(each) is not None), key=lambda each: -each.bytes)
    return {
        "bytes_per_row": {
            _key(each, seen): round(min(_per_row(each) or 0.0, _best(each, seen, situation) or float("inf")), 3)
            for each in worth[:MOST_REMEMBERED]
        }
    }


def _per_row(relation: ShapedTable | ShapedIndex) -> float | None:
    """Return a relation's bytes per row; None if that says nothing: too small, not counted, or much has changed."""
    fresh = relation.shape.changed_percent <= STALE_PERCENT and not _resized(relation)
    known = relation.rows > 0 and relation.bytes >= LEDGER_BYTES and fresh
    return relation.bytes / relation.rows if known and getattr(relation, "method", "") != "brin" else None


def _key(relation: ShapedTable | ShapedIndex, seen: Bloat) -> str:
    # By oid: an index or a table that was made anew begins anew.
    return f"{seen.server.database} {relation.oid}"


def _best(relation: ShapedTable | ShapedIndex, seen: Bloat, situation: Situation) -> float | None:
    known = situation.previous.get("bytes_per_row", {}).get(_key(relation, seen))
    return None if known is None else float(known)


def _resized(relation: ShapedTable | ShapedIndex) -> bool:
    """Whether the relation has another size than when its rows were counted."""
    return abs(relation.bytes / BLOCK - relation.pages) * 100 > STALE_PERCENT * max(1, relation.pages)


def _unmeasured(
    relation: ShapedTable | ShapedIndex, pages: float, doubt: str, best: float | None, trouble: str
) -> Verdict:
    because = f"; it could not be measured: {trouble}" if trouble else ""
    per_row = _per_row(relation)
    if best and per_row is not None and per_row >= LEDGER_RATIO * best:
        ratio = per_row / best
        why = f"{ratio:.1f} times the bytes per row that it once had, as earlier runs remember{because}"
        return Verdict(100 * (1 - 1 / ratio), "remembered", why)
    if not doubt and _resized(relation):
        doubt = "its size is another than when its rows were counted"
    if doubt:
        return Verdict(None, "none", f"{doubt}{because}")
    percent = max(0.0, 100 * (1 - pages / relation.pages)) if relation.pages else 0.0
    return Verdict(percent, "estimated", f"estimated from the planner's statistics{because}")


def _over(kind: str, verdict: Verdict, size: int, thresholds: Thresholds) -> bool:
    share, waste = thresholds[f"{kind}_bloat_percent"], thresholds[f"{kind}_bloat_bytes"]
    return (
        share.severity(verdict.percent or 0.0) is not Severity.OK
        and waste.severity(verdict.wasted(size)) is not Severity.OK
    )


def _findings(
    kind: str,
    judged: Iterable[tuple[Relation, Verdict]],
    about: Callable[[Relation], tuple[str, str]],
    seen: Bloat,
    situation: Situation,
) -> list[Finding]:
    over = [(each, verdict) for each, verdict in judged if _over(kind, verdict, each.bytes, situation.thresholds)]
    found: list[Finding] = []
    for relation, verdict in sorted(over, key=lambda item: -item[1].wasted(item[0].bytes)):
        words, beside = about(relation)
        subject = f"{situation.subject} {words} {seen.server.database}.{relation.label}"
        wasted = format_size(verdict.wasted(relation.bytes))
        what = f"{wasted} of {format_size(relation.bytes)} are bloat ({verdict.why}){beside}; that is"
        found += situation.thresholds.judge(
            f"{kind}_bloat_percent", f"postgresql.{kind}_bloat", subject, verdict.percent, what
        )
    plural = {"table": "bloated tables", "index": "bloated indexes"}[kind]
    return found[:MOST_FINDINGS] + rest(found[MOST_FINDINGS:], plural, seen.server, situation)


def _about_table(table: ShapedTable, toast: Mapping[int | None, int]) -> tuple[str, str]:
    beside = toast.get(table.oid)
    return "TOAST table of" if table.toast else "table", f", beside {format_size(beside)} of TOAST" if beside else ""


def _about_index(index: ShapedIndex) -> tuple[str, str]:
    return "index", f", on {index.table}"


def _metrics(
    tables: Sequence[tuple[ShapedTable, Verdict]], indexes: Sequence[tuple[ShapedIndex, Verdict]]
) -> dict[str, float | int]:
    verdicts = [verdict for _each, verdict in (*tables, *indexes)]
    return {
        "postgresql_table_bloat_bytes": round(sum(verdict.wasted(table.bytes) for table, verdict in tables)),
        "postgresql_index_bloat_bytes": round(sum(verdict.wasted(index.bytes) for index, verdict in indexes)),
        "postgresql_bloat_measured_relations": sum(verdict.confidence == "measured" for verdict in verdicts),
        "postgresql_bloat_unknown_relations": sum(verdict.percent is None for verdict in verdicts),
    }


def _unseen(tables: Sequence[tuple[ShapedTable, Verdict]], seen: Bloat, situation: Situation) -> list[Finding]:
    """Say of which tables the user may not see the statistics, if these may hold bloat that matters."""
    limit = situation.thresholds["table_bloat_bytes"]
    blind = [
        table
        for table, verdict in tables
        if not table.readable and verdict.percent is None and limit.severity(table.bytes) is not Severity.OK
    ]
    if not blind:
        return []
    names = ", ".join(table.label for table in blind[:3]) + (", ..." if len(blind) > 3 else "")
    what = f"the planner's statistics of {len(blind)} tables ({names}), without which their bloat is not known"
    user = seen.server.user
    remedy = (
        f"Raise exact_max_size, or let an administrator grant SELECT on them to {user}."
        if seen.installed
        else "Let an administrator run CREATE EXTENSION pgstattuple, which needs no right to the rows, or grant SELECT "
        f"on them to {user}."
    )
    return [hidden(situation, "bloat", user, what, remedy)]


def _unmeasurable(seen: Bloat, situation: Situation) -> list[Finding]:
    """Say that measuring did not work: what nothing is known of must not pass for being in order."""
    if not seen.trouble:
        return []
    subject = f"{situation.subject} bloat"
    message = f"{subject}: relations that seem to be bloated could not be measured: {seen.trouble}"
    remedy = "Give the task a longer deadline, or lower exact_max_size."
    return [Finding("postgresql.bloat_not_measured", Severity.WARNING, subject, message, None, None, remedy)]
