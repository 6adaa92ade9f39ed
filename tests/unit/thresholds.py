# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module's notes say of its thresholds."""

from __future__ import annotations

import re

import yaml

from ansible_collections.dataops.upkeep.plugins.module_utils._core.threshold import Threshold

Limits = tuple[str, float | None, float | None]


def limit(text: str) -> float | None:
    """A limit as the notes write it."""
    return None if text == "off" else float(text)


def documented(documentation: str) -> dict[str, Limits]:
    """Unit, warning and critical of each threshold in the notes, by name."""
    notes = " ".join(yaml.safe_load(documentation)["notes"])
    found = re.findall(r"Threshold C\((\w+)\) \((\w+), warning ([\w.-]+), critical ([\w.-]+)\): ", notes)
    return {name: (unit, limit(warning), limit(critical)) for name, unit, warning, critical in found}


def in_force(thresholds: tuple[Threshold, ...]) -> dict[str, Limits]:
    """The same of the thresholds themselves."""
    return {each.name: (each.unit, each.warning, each.critical) for each in thresholds}
