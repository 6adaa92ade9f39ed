# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports and processes: what is missing, and what uses too much."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._host.decide_ports import decide_ports
from ansible_collections.dataops.upkeep.plugins.module_utils._host.decide_processes import decide_processes
from ansible_collections.dataops.upkeep.plugins.module_utils._host.facts import Listener, Ports, ProcessUse
from tests.unit._host.hosts import found, situation

GIB = 1024**3
LISTENERS = (
    Listener("127.0.0.1", 5432, "postgres", False),
    Listener("::", 80, "", True),
    Listener("0.0.0.0", 80, "", True),
)


def test_expected_ports() -> None:
    decision = decide_ports(Ports(LISTENERS, [5432, 80]), situation())
    assert found(decision) == {}
    assert decision.metrics["host_listening_ports_count"] == 2
    assert decision.metrics["host_public_listening_ports_count"] == 1
    assert decision.metrics['host_listening{address="127.0.0.1",port="5432",process="postgres"}'] == 1


def test_a_missing_port_is_critical() -> None:
    decision = decide_ports(Ports(LISTENERS, [3000, 80, 443]), situation())
    assert [(finding.id, finding.value, finding.severity.value) for finding in decision.findings] == [
        ("host.port_missing", 443, "critical"),
        ("host.port_missing", 3000, "critical"),
    ]


def test_listeners_without_number_do_not_flood_the_metrics() -> None:
    many = [Listener("127.0.0.1", port, "", False) for port in range(1000, 2000)]
    metrics = decide_ports(Ports(many, []), situation()).metrics
    assert metrics["host_listening_ports_count"] == 1000
    assert len(metrics) < 300


def use(**more: Any) -> ProcessUse:
    numbers: dict[str, Any] = {
        "resident": {7: 100, 8: 50},
        "cpu_percent": {7: 1.0},
        "open_files_percent": {7: 2.0},
        **more,
    }
    return ProcessUse("node", minimum=more.pop("minimum", 1), **{k: numbers[k] for k in numbers if k != "minimum"})


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, {}),
        ({"resident": {7: GIB}}, {}),
        ({"resident": {7: GIB + 1, 8: 1}}, {"host.process_memory": "warning"}),
        ({"resident": {7: GIB, 8: GIB}}, {}),
        ({"cpu_percent": {7: 80.0}}, {}),
        ({"cpu_percent": {7: 80.1}}, {"host.process_cpu": "warning"}),
        ({"open_files_percent": {7: 81.0}}, {"host.process_open_files": "warning"}),
        ({"open_files_percent": {7: 96.0}}, {"host.process_open_files": "critical"}),
        ({"open_files_percent": {}, "cpu_percent": {}}, {}),
        ({"resident": {}, "open_files_percent": {}, "cpu_percent": {}}, {"host.process_missing": "critical"}),
        ({"minimum": 2}, {}),
        ({"minimum": 3}, {"host.process_missing": "critical"}),
    ],
)
def test_processes(changed: dict[str, Any], expected: dict[str, str]) -> None:
    assert found(decide_processes([use(**changed)], situation())) == expected


def test_the_message_names_the_process_that_uses_most() -> None:
    [finding] = decide_processes([use(resident={7: 2 * GIB, 8: 3 * GIB})], situation()).findings
    assert finding.message == "web1:node: process 8 holds in memory 3.0GiB, above 1.0GiB"


def test_metrics_are_sums_and_maxima() -> None:
    metrics = decide_processes([use()], situation()).metrics
    assert metrics['host_processes_count{process="node"}'] == 2
    assert metrics['host_processes_memory_bytes{process="node"}'] == 150
    assert metrics['host_process_memory_max_bytes{process="node"}'] == 100
