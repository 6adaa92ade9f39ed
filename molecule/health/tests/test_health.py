# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every store was checked from both hosts, by its version, without changing it."""

from __future__ import annotations

import json
from typing import Any

import pytest

WAYS = ("ops", "local")


@pytest.fixture(params=WAYS)
def results(request: pytest.FixtureRequest, place: Any) -> dict[str, dict[str, Any]]:
    """What the role found from one host, by the entry's name."""
    host, folder = place(request.param)
    found = json.loads(host.file(f"{folder}/health-results.json").content_string)
    return {result["name"]: result for result in found}


@pytest.mark.parametrize(
    ("name", "version"), [("postgresql17", "17."), ("postgresql15", "15."), ("mongodb", "6."), ("redis", "7.")]
)
def test_each_store_was_asked(results: dict[str, dict[str, Any]], name: str, version: str) -> None:
    assert results[name]["server"]["version"].startswith(version)
    assert results[name]["metrics"][f"{results[name]['server']['kind']}_up"] == 1


def test_nothing_is_critical_on_fresh_stores(results: dict[str, dict[str, Any]]) -> None:
    critical = [
        finding["message"]
        for result in results.values()
        if result["subject"] != "host"
        for finding in result["findings"]
        if finding["severity"] == "critical"
    ]
    assert critical == []


def test_the_monitors_rights_were_enough(results: dict[str, dict[str, Any]]) -> None:
    denied = [f["message"] for result in results.values() for f in result["findings"] if "access_denied" in f["id"]]
    assert denied == []


@pytest.mark.parametrize("way", WAYS)
def test_the_memory_is_private(way: str, place: Any) -> None:
    host, folder = place(way)
    memory = host.file(f"{folder}/health-state")
    assert memory.is_directory
    assert memory.mode == 0o700
