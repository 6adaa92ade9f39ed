# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation says of thresholds is what holds."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.dataops.upkeep.plugins.module_utils._core.threshold import Threshold
from ansible_collections.dataops.upkeep.plugins.module_utils._http.thresholds import HEALTH_THRESHOLDS
from ansible_collections.dataops.upkeep.plugins.modules import http_health_info


def described(threshold: Threshold) -> str:
    limits = [
        f"{limit:g}" if limit and limit < 10**6 else str(limit) for limit in (threshold.warning, threshold.critical)
    ]
    warning, critical = ("off" if text == "None" else text for text in limits)
    return f"Threshold C({threshold.name}) ({threshold.unit}, warning {warning}, critical {critical}): "


@pytest.mark.parametrize("threshold", HEALTH_THRESHOLDS, ids=lambda threshold: threshold.name)
def test_each_threshold_is_documented_as_it_is(threshold: Threshold) -> None:
    notes = yaml.safe_load(http_health_info.DOCUMENTATION)["notes"]
    assert [note for note in notes if note.startswith(described(threshold))]
    assert threshold.remedy
    assert threshold.source


def test_no_other_threshold_is_documented() -> None:
    notes = yaml.safe_load(http_health_info.DOCUMENTATION)["notes"]
    assert len([note for note in notes if note.startswith("Threshold")]) == len(HEALTH_THRESHOLDS)
