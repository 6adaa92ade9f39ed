# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and values of metrics for people, and the choice of plots."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._report.metrics import (
    PLOTS,
    metric_label,
    metric_text,
    plotted,
)


@pytest.mark.parametrize(
    ("name", "value", "label", "text"),
    [
        ("redis_memory_used_bytes", 1536, "memory used", "1.5KiB"),
        ("redis_memory_used_percent", 41.7512, "memory used", "41.8 %"),
        ("redis_memory_used_percent", 42, "memory used", "42 %"),
        ("redis_ping_seconds", 0.0004, "ping", "0.4 ms"),
        ("redis_ping_seconds", 0, "ping", "0ms"),
        ("redis_uptime_seconds", 90061, "uptime", "1d 1h"),
        ("redis_hit_ratio", 0.99123, "hit", "0.991"),
        ("redis_latency_milliseconds", 1.5, "latency", "1.5 ms"),
        ("http_certificate_days", 61, "http certificate", "61 days"),
        ("redis_up", 1, "up", "1"),
        ("redis_evicted_keys", 1234567, "evicted keys", "1,234,567"),
        ("redis_x", 0.012345, "x", "0.0123"),
        ("redis_x", -2.5, "x", "-2.5"),
        ('redis_disk_used_percent{mount="/var/lib"}', 3, "disk used (/var/lib)", "3 %"),
        ('redis_size_bytes{db="a\\"b",host="x"}', 3, 'size (a\\"b, x)', "3B"),
        ("bytes", 5, "bytes", "5B"),
    ],
)
def test_names_and_values_for_people(name: str, value: float, label: str, text: str) -> None:
    assert metric_label("redis", name) == label
    assert metric_text(name, value) == text


def test_the_telling_metrics_are_plotted_two_of_a_topic() -> None:
    disks = [f'host_disk_used_percent{{mount="/{letter}"}}' for letter in "abcd"]
    names = [*disks, "host_memory_used_percent", "host_uptime_seconds", "host_cpu_used_percent"]
    chosen = plotted("host", names)
    assert chosen == ["host_cpu_used_percent", "host_memory_used_percent", *disks[:2]]


def test_a_label_is_no_topic() -> None:
    assert plotted("queue", ['queue_up{name="waiting"}']) == []


@given(st.lists(st.text(max_size=30)))
def test_the_plots_are_few_and_each_is_one_of_the_metrics(names: list[str]) -> None:
    chosen = plotted("redis", names)
    assert len(chosen) == len(set(chosen)) <= PLOTS
    assert set(chosen) <= set(names)


@given(st.text(), st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70))
def test_any_value_can_be_written(name: str, value: float) -> None:
    for unit in ("bytes", "seconds", "percent", "ratio", "days", "count"):
        assert metric_text(f"{name}_{unit}", value)
