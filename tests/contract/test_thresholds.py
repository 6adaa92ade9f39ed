# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thresholds: named by their unit, with remedy and source, listed in the documentation; defaults as the guides'."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest
import yaml

from ansible_collections.dataops.upkeep.plugins.module_utils._core.threshold import Threshold
from tests.contract.catalogue import MODULES, PREFIX, ROOT, documentation

PACKAGES = {"queue": "_queues"}
UNITS = ("milliseconds", "seconds", "bytes", "percent", "days")
HEALTH = [name for name in MODULES if name.endswith(("_health_info", "_audit_info"))]


def thresholds(name: str) -> tuple[Threshold, ...]:
    """The thresholds of a health or audit module: ``HEALTH_THRESHOLDS`` or ``AUDIT_THRESHOLDS`` of its package.

    A package with both keeps each in a folder of its own.
    """
    subject, kind, _info = name.rsplit("_", 2)
    package = f"{PREFIX}.module_utils.{PACKAGES.get(subject, f'_{subject}')}"
    folder = f".{kind}" if (ROOT / "plugins/module_utils" / package.rsplit(".", 1)[1] / kind).is_dir() else ""
    module = importlib.import_module(f"{package}{folder}.thresholds")
    found: tuple[Threshold, ...] = getattr(module, f"{kind.upper()}_THRESHOLDS")
    return found


@pytest.mark.parametrize("name", HEALTH)
def test_a_name_says_its_unit(name: str) -> None:
    for threshold in thresholds(name):
        if threshold.unit in UNITS:
            assert threshold.unit in threshold.name.split("_"), threshold.name


@pytest.mark.parametrize("name", HEALTH)
def test_each_has_a_remedy_and_a_source(name: str) -> None:
    for threshold in thresholds(name):
        assert threshold.remedy, threshold.name
        assert threshold.source, threshold.name


@pytest.mark.parametrize("name", HEALTH)
def test_each_is_listed_in_the_notes_with_its_unit(name: str) -> None:
    notes = " ".join(documentation(name)[0]["notes"])
    listed = set(re.findall(r"Threshold C\((\w+)\) \((\w+)", notes))
    assert listed == {(threshold.name, threshold.unit) for threshold in thresholds(name)}


def guide_thresholds() -> dict[str, dict[str, Any]]:
    """The guides' thresholds as the role health shows them."""
    defaults = yaml.safe_load((ROOT / "roles/health/defaults/main.yml").read_text(encoding="utf-8"))
    found: dict[str, dict[str, Any]] = defaults["health_guide_thresholds"]
    return found


@pytest.mark.parametrize("subject", sorted(guide_thresholds()))
def test_the_roles_guide_thresholds_are_the_modules_defaults(subject: str) -> None:
    defaults = {threshold.name: threshold for threshold in thresholds(f"{subject}_health_info")}
    for name, setting in guide_thresholds()[subject].items():
        assert defaults[name].overridden(setting) == defaults[name], f"{subject}.{name}"


GUIDES = {
    ("http", "latency_milliseconds"): 1000,
    ("http", "error_rate_percent"): 1,
    ("postgresql", "connections_percent"): 80,
    ("mongodb", "connections_percent"): 80,
    ("host", "memory_percent"): 85,
    ("queue", "waiting"): 1000,
    ("host", "cpu_percent"): 80,
    ("host", "disk_percent"): 85,
    ("host", "process_memory_bytes"): 2**30,
}
"""Requirements B2 and P8, by hand."""


@pytest.mark.parametrize(("subject", "name"), sorted(GUIDES))
def test_the_guides_table_is_in_force(subject: str, name: str) -> None:
    setting = guide_thresholds()[subject][name]
    (threshold,) = [each for each in thresholds(f"{subject}_health_info") if each.name == name]
    assert threshold.overridden(setting).warning == GUIDES[subject, name]
