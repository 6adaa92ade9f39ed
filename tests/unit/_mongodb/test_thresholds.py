# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented limits are those in force, and every limit can be explained."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.dataops.upkeep.plugins.module_utils._core.threshold import Threshold
from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health.task import CHECKS
from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health.thresholds import HEALTH_THRESHOLDS
from ansible_collections.dataops.upkeep.plugins.modules.mongodb_health_info import DOCUMENTATION

NOTES = [note for note in yaml.safe_load(DOCUMENTATION)["notes"] if note.startswith("Threshold ")]


def documented(threshold: Threshold) -> str:
    side = "below " if threshold.below else ""
    limits = [("warning", threshold.warning), ("critical", threshold.critical)]
    text = ", ".join(f"{degree} {side}{limit:g}" for degree, limit in limits if limit is not None)
    return f"Threshold C({threshold.name}) ({threshold.unit}, {text}): "


def test_the_notes_are_a_table_of_all_thresholds() -> None:
    assert [note.partition(": ")[0] + ": " for note in NOTES] == [documented(limit) for limit in HEALTH_THRESHOLDS]


@pytest.mark.parametrize("threshold", HEALTH_THRESHOLDS, ids=lambda threshold: threshold.name)
def test_a_limit_has_a_remedy_and_a_source(threshold: Threshold) -> None:
    assert threshold.remedy.endswith(".")
    assert threshold.source
    if threshold.warning is not None:
        assert not threshold.crossed(threshold.warning, threshold.critical)


def test_every_check_is_described() -> None:
    text = " ".join(yaml.safe_load(DOCUMENTATION)["options"]["checks"]["description"])
    for check in CHECKS:
        assert f"V({check.name}) " in text
