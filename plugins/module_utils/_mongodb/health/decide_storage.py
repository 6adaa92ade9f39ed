# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the sizes of databases and of the volume, now and over earlier runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ..._core.health import Situation
from ..._core.history import Sample, full_at, slope, thin
from ..._core.result import metric_name
from ..._core.runner import Decision
from .observation import DatabaseSize, Disk, Storage

__all__ = ["decide_storage", "remember_storage"]

KEPT_SAMPLES = 24
"""Measurements kept of each database and of the volume."""

LEAST_JUDGED_BYTES = 100 * 1024**2
"""The growth of a smaller database is nobody's trouble, however large its percentage."""

DISK = "disk"
DATABASES = "databases"
DAY_SECONDS = 86_400


def decide_storage(found: Storage, situation: Situation) -> Decision:
    """Judge the volume's room, the day it is full, and each database's growth."""
    decision = Decision(metrics={"mongodb_databases": len(found.databases) + found.unmeasured})
    history = _history(found, situation)
    for database in found.databases:
        decision.extend(_decide_database(database, history[DATABASES][database.name], situation))
    if found.disk is not None:
        decision.extend(_decide_disk(found.disk, history[DISK], situation))
    return decision


def _decide_database(database: DatabaseSize, samples: Sequence[Sample], situation: Situation) -> Decision:
    name = database.name
    decision = Decision(
        metrics={
            metric_name("mongodb_database_data_bytes", database=name): database.data,
            metric_name("mongodb_database_storage_bytes", database=name): database.storage,
            metric_name("mongodb_database_index_bytes", database=name): database.indexes,
            metric_name("mongodb_database_collections", database=name): database.collections,
        }
    )
    growth = slope(samples)
    if growth is not None:
        a_day = growth * DAY_SECONDS
        decision.metrics[metric_name("mongodb_database_growth_bytes_per_day", database=name)] = round(a_day)
        if database.data >= LEAST_JUDGED_BYTES:
            decision.findings += situation.thresholds.judge(
                "growth_percent",
                "mongodb.growth",
                f"{situation.subject} {name}",
                100 * a_day / database.data,
                "growth of the data a day",
            )
    return decision


def _decide_disk(disk: Disk, samples: Sequence[Sample], situation: Situation) -> Decision:
    percent = 100 * disk.used / disk.total
    judge, subject = situation.thresholds.judge, situation.subject
    decision = Decision(
        findings=judge("disk_percent", "mongodb.disk", subject, percent, "volume of the data in use"),
        metrics={"mongodb_disk_used_bytes": disk.used, "mongodb_disk_total_bytes": disk.total},
    )
    full = full_at(samples, disk.total, situation.now)
    if full is not None:
        days = (full - situation.now).total_seconds() / DAY_SECONDS
        decision.metrics["mongodb_disk_full_days"] = round(days, 2)
        what = f"the volume of the data is full on {full.date().isoformat()}, in"
        decision.findings += judge("days_until_full", "mongodb.disk_full", subject, days, what)
    return decision


def remember_storage(found: Storage, situation: Situation) -> dict[str, Any]:
    """Keep the history of sizes; databases that are gone are forgotten."""
    history = _history(found, situation)
    return {DISK: history[DISK], DATABASES: history[DATABASES]}


def _history(found: Storage, situation: Situation) -> dict[str, Any]:
    """Return earlier samples with those of now, thinned out."""
    earlier: Mapping[str, Any] = situation.previous.get(DATABASES, {})
    disk = situation.previous.get(DISK, [])
    return {
        DATABASES: {
            database.name: _with(earlier.get(database.name, []), database.data, situation.now)
            for database in found.databases
        },
        DISK: disk if found.disk is None else _with(disk, found.disk.used, situation.now),
    }


def _with(samples: Sequence[Sequence[float]], value: float, now: datetime) -> list[Sample]:
    moments = [(float(at), float(size)) for at, size in samples]
    return thin([*moments, (now.timestamp(), float(value))], KEPT_SAMPLES)
