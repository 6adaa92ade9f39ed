# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which metrics are worth a plot, and how a metric is called and written for people. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .._core.units import format_duration, format_size

__all__ = ["PLOTS", "metric_label", "metric_text", "plotted"]

PLOTS = 6
"""Most plots of one result."""

_PER_TOPIC = 2
"""Most plots of one topic, where a metric is measured once for each database, mount or queue."""

_TOPICS = tuple(
    re.compile(pattern)
    for pattern in (
        r"connections.*percent|clients_percent",
        r"memory_used_percent|cpu_used_percent",
        r"disk_used_percent",
        r"(latency|response|request|ping|answer).*seconds",
        r"waiting",
        r"lag.*seconds",
        r"(hit_ratio|hit_rate)",
        r"failure|failed",
        r"(database|size|memory_used).*bytes",
        r"longest|oldest",
        r"load_per_core",
        r"(connections|clients)(_used|_current)?(_count)?$",
        r"connect_seconds",
        r"inodes_used_percent",
    )
)
"""What an engineer looks at first, the most telling topic first. Names are matched without labels."""

_UNITS = ("bytes", "seconds", "milliseconds", "percent", "ratio", "days", "count", "total")


def _parts(name: str) -> tuple[str, str]:
    """Return a metric's base name and its labels."""
    base, _brace, labels = name.partition("{")
    return base, labels.rstrip("}")


def plotted(kind: str, metrics: Iterable[str]) -> list[str]:
    """Return the names of the metrics to plot, at most :data:`PLOTS`, in the order of their topics.

    :param kind: the subject, whose own name in front of a metric is no topic.
    """
    names = sorted(metrics)
    chosen: list[str] = []
    for topic in _TOPICS:
        found = [
            name for name in names if topic.search(_parts(name.removeprefix(f"{kind}_"))[0]) and name not in chosen
        ]
        chosen += found[:_PER_TOPIC]
    return chosen[:PLOTS]


def metric_label(kind: str, name: str) -> str:
    """Return a metric's name for people: ``redis_memory_used_bytes`` is ``memory used``."""
    base, labels = _parts(name.removeprefix(f"{kind}_"))
    words = base.split("_")
    if len(words) > 1 and words[-1] in _UNITS:
        words.pop()
    values = re.findall(r'="((?:[^"\\]|\\.)*)"', labels)
    return " ".join(words) + (f" ({', '.join(values)})" if values else "")


def metric_text(name: str, value: float) -> str:
    """Return a metric's value for people, by the unit that ends its name."""
    unit = _parts(name)[0].rpartition("_")[2]
    if unit == "bytes":
        return format_size(value)
    if unit == "seconds":
        return format_duration(value) if value == 0 or abs(value) >= 1 else f"{value * 1000:.3g} ms"
    if unit == "ratio":
        return f"{value:.3g}"
    suffix = {"milliseconds": " ms", "percent": " %", "days": " days"}.get(unit, "")
    return (f"{value:,.1f}".removesuffix(".0") if unit == "percent" else _number(value)) + suffix


def _number(value: float) -> str:
    """Write a number with at most two places, or three digits of a small one."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.1 else f"{value:.3g}"
