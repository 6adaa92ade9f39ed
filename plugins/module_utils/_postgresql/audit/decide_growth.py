# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How fast tables grow, and what they will come to. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.history import Sample, slope, thin
from ..._core.result import metric_name
from ..._core.runner import Decision
from ..._core.units import format_size
from ..locked import locked_findings
from .observation import Sizes, TableSize
from .worst import rest

__all__ = ["decide_growth", "remember_growth"]

MOST_FINDINGS = 10
MOST_METRICS = 20
"""Tables with metrics of their own, the largest first."""
MOST_REMEMBERED = 100
MOST_SAMPLES = 40

SMALLEST_TO_GROW = 100 * 1024**2
"""Bytes; a table below that may double in a day without anybody minding."""

DAY = 86400
FORECAST_DAYS = 90
"""How far ahead a forecast looks: a quarter."""


def decide_growth(seen: Sizes, situation: Situation) -> Decision:
    """Judge the size of the largest tables, and what they grow by: the median of the growth between all runs."""
    decision = Decision(metrics={"postgresql_tables_size_bytes": seen.tables[0].all_bytes if seen.tables else 0})
    samples = _samples(seen, situation)
    found: dict[str, list[tuple[float, Finding]]] = {"size": [], "growth": []}
    for rank, table in enumerate(seen.tables):
        per_second = slope(samples.get(_key(table, seen), ()))
        per_day = None if per_second is None else per_second * DAY
        if rank < MOST_METRICS:
            decision.metrics |= _metrics(table, per_day)
        subject = f"{situation.subject} table {seen.server.database}.{table.label}"
        size = situation.thresholds.judge("table_bytes", "postgresql.table_size", subject, table.bytes, _about(table))
        found["size"] += [(float(table.bytes), finding) for finding in size]
        found["growth"] += [(per_day or 0.0, finding) for finding in _growth(table, per_day, subject, situation)]
    for kind, words in (("size", "tables of that size"), ("growth", "tables that grow so fast")):
        worst = [finding for _order, finding in sorted(found[kind], key=lambda item: -item[0])]
        decision.findings += worst[:MOST_FINDINGS] + rest(worst[MOST_FINDINGS:], words, seen.server, situation)
    decision.findings += locked_findings(seen.locked, f"{situation.subject} growth")
    return decision


def remember_growth(seen: Sizes, situation: Situation) -> Mapping[str, Any]:
    """Keep a thinned history of the largest tables' sizes."""
    return {"samples": {key: thin(samples, MOST_SAMPLES) for key, samples in _samples(seen, situation).items()}}


def _key(table: TableSize, seen: Sizes) -> str:
    return f"{seen.server.database} {table.label}"


def _samples(seen: Sizes, situation: Situation) -> dict[str, list[Sample]]:
    """Return the earlier sizes of each table with the present one at the end."""
    former = situation.previous.get("samples", {})
    return {
        _key(table, seen): [(float(at), float(value)) for at, value in former.get(_key(table, seen), [])]
        + [(situation.now.timestamp(), float(table.bytes))]
        for table in seen.tables[:MOST_REMEMBERED]
    }


def _metrics(table: TableSize, per_day: float | None) -> dict[str, float | int]:
    metrics: dict[str, float | int] = {metric_name("postgresql_table_size_bytes", table=table.label): table.bytes}
    if per_day is not None:
        metrics[metric_name("postgresql_table_growth_bytes_per_day", table=table.label)] = round(per_day)
        forecast = max(0, round(table.bytes + FORECAST_DAYS * per_day))
        metrics[metric_name("postgresql_table_forecast_bytes", table=table.label)] = forecast
    return metrics


def _growth(table: TableSize, per_day: float | None, subject: str, situation: Situation) -> Sequence[Finding]:
    if per_day is None or table.bytes < SMALLEST_TO_GROW:
        return []
    then = format_size(max(0.0, table.bytes + FORECAST_DAYS * per_day))
    what = (
        f"{_about(table)} {format_size(table.bytes)}, and will be {then} in {FORECAST_DAYS} days; each day it grows by"
    )
    percent = 100 * per_day / table.bytes
    return situation.thresholds.judge("table_growth_percent_per_day", "postgresql.table_growth", subject, percent, what)


def _about(table: TableSize) -> str:
    return f"with {format_size(table.index_bytes)} of indexes and {format_size(table.toast_bytes)} of TOAST its size is"
