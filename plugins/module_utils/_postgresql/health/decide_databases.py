# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the databases' counters and sizes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._core.counters import grown
from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.history import Sample, slope, thin
from ..._core.result import metric_name
from ..._core.runner import Decision
from ..rights import hidden
from .observation import Database, Size

__all__ = ["decide_activity", "decide_cache", "decide_sizes", "remember_counters", "remember_sizes"]

FEWEST_READS = 10_000
"""Blocks; below that the share of hits says more about the start of a cache than about its size."""

SMALLEST_TO_GROW = 100 * 1024**2
"""Bytes; a database below that may double in a day without anybody minding."""

MOST_DATABASES = 50
MOST_SAMPLES = 40

COUNTERS = ("hit", "read", "deadlocks", "temporary_files", "temporary_bytes", "checksum_failures")


def remember_counters(seen: Sequence[Database], _situation: Situation) -> Mapping[str, Any]:
    """Keep every database's counters."""
    return {"databases": {database.database: _counters(database) for database in seen}}


def _counters(database: Database) -> dict[str, Any]:
    return {"reset": database.reset, **{name: getattr(database, name) for name in COUNTERS}}


def _grown(seen: Sequence[Database], situation: Situation) -> dict[str, dict[str, int]] | None:
    """Return what every counter of every database grew by since the last run; None if there was none.

    A database that is new since then counts from zero.
    """
    former = situation.previous.get("databases")
    if former is None:
        return None
    zero = {"reset": None, **dict.fromkeys(COUNTERS, 0)}
    return {
        database.database: {
            name: grown(name, _counters(database), former.get(database.database, zero), "reset") or 0
            for name in COUNTERS
        }
        for database in seen
    }


def _total(deltas: Mapping[str, Mapping[str, int]], name: str) -> int:
    return sum(counters[name] for counters in deltas.values())


def _foremost(deltas: Mapping[str, Mapping[str, int]], name: str) -> str:
    """Return the database in which a counter grew most."""
    return max(deltas, key=lambda database: deltas[database][name], default="") or "what all databases share"


def decide_cache(seen: Sequence[Database], situation: Situation) -> Decision:
    """Judge how many of the blocks asked for since the last run were in memory: not known if none were asked for."""
    deltas = _grown(seen, situation)
    if deltas is None:
        return Decision()
    hit, read = _total(deltas, "hit"), _total(deltas, "read")
    decision = Decision(metrics={"postgresql_cache_hit_blocks": hit, "postgresql_cache_read_blocks": read})
    if hit + read == 0:
        return decision
    percent = 100 * hit / (hit + read)
    decision.metrics["postgresql_cache_hit_percent"] = round(percent, 2)
    if hit + read >= FEWEST_READS:
        what = f"of {hit + read} blocks asked for since the last run, found in memory:"
        decision.findings += situation.thresholds.judge(
            "cache_hit_percent", "postgresql.cache_hit", situation.subject, percent, what
        )
    return decision


def decide_activity(seen: Sequence[Database], situation: Situation) -> Decision:
    """Judge deadlocks and temporary files since the last run, and damaged pages ever."""
    decision = Decision()
    for database in seen:
        subject = f"{situation.subject} database {database.database or 'shared'}"
        decision.findings += situation.thresholds.judge(
            "checksum_failures", "postgresql.checksum", subject, database.checksum_failures, "damaged pages read:"
        )
    decision.metrics["postgresql_checksum_failures_total"] = sum(database.checksum_failures for database in seen)
    deltas = _grown(seen, situation)
    if deltas is None or situation.previous_at is None:
        return decision
    deadlocks, files = _total(deltas, "deadlocks"), _total(deltas, "temporary_files")
    written = _total(deltas, "temporary_bytes")
    decision.metrics |= {
        "postgresql_new_deadlocks_total": deadlocks,
        "postgresql_new_temporary_files_total": files,
        "postgresql_new_temporary_bytes": written,
    }
    what = f"deadlocks since the last run, most in {_foremost(deltas, 'deadlocks')}:"
    decision.findings += situation.thresholds.judge(
        "deadlocks", "postgresql.deadlocks", situation.subject, deadlocks, what
    )
    # Short spans are taken for an hour, so that one sort between two runs in a row is no rate.
    hours = max(1.0, (situation.now - situation.previous_at).total_seconds() / 3600)
    what = f"written per hour in {files} temporary files, most in {_foremost(deltas, 'temporary_bytes')}:"
    decision.findings += situation.thresholds.judge(
        "temporary_bytes_per_hour", "postgresql.temporary_files", situation.subject, written / hours, what
    )
    return decision


def decide_sizes(seen: Sequence[Size], situation: Situation) -> Decision:
    """Judge the databases' sizes and what they grow by, by the median of the growth between all earlier runs."""
    decision = Decision()
    samples = _samples(seen, situation)
    for size in seen:
        if size.bytes is None:
            continue
        decision.metrics[metric_name("postgresql_database_size_bytes", database=size.database)] = size.bytes
        subject = f"{situation.subject} database {size.database}"
        decision.findings += situation.thresholds.judge(
            "database_bytes", "postgresql.database_size", subject, size.bytes, "its size is"
        )
        decision.extend(_growth(size.bytes, size.database, subject, samples.get(size.database, ()), situation))
    decision.metrics["postgresql_size_bytes"] = sum(size.bytes or 0 for size in seen)
    unseen = [size.database for size in seen if size.bytes is None]
    if unseen:
        what = f"the size of {len(unseen)} databases ({', '.join(unseen[:5])})"
        decision.findings.append(hidden(situation, "sizes", "that connects", what))
    return decision


def remember_sizes(seen: Sequence[Size], situation: Situation) -> Mapping[str, Any]:
    """Keep a thinned history of the largest databases' sizes."""
    return {"samples": {name: thin(samples, MOST_SAMPLES) for name, samples in _samples(seen, situation).items()}}


def _samples(seen: Sequence[Size], situation: Situation) -> dict[str, list[Sample]]:
    """Return the earlier sizes of each database with the present one at the end."""
    former = situation.previous.get("samples", {})
    measured = sorted((size for size in seen if size.bytes is not None), key=lambda size: -(size.bytes or 0))
    return {
        size.database: [(float(at), float(value)) for at, value in former.get(size.database, [])]
        + [(situation.now.timestamp(), float(size.bytes or 0))]
        for size in measured[:MOST_DATABASES]
    }


def _growth(size: int, database: str, subject: str, samples: Sequence[Sample], situation: Situation) -> Decision:
    per_second = slope(samples)
    if per_second is None:
        return Decision()
    per_day = per_second * 86400
    findings: list[Finding] = []
    if size >= SMALLEST_TO_GROW:
        findings = situation.thresholds.judge(
            "growth_percent_per_day", "postgresql.growth", subject, 100 * per_day / size, "it grows each day by"
        )
    return Decision(
        findings, metrics={metric_name("postgresql_growth_bytes_per_day", database=database): round(per_day)}
    )
