# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.dataops.upkeep.plugins.module_utils._host.thresholds import HEALTH_THRESHOLDS
from ansible_collections.dataops.upkeep.plugins.modules import host_health_info
from tests.unit.thresholds import documented, in_force


def test_the_documentation_says_what_holds() -> None:
    assert documented(host_health_info.DOCUMENTATION) == in_force(HEALTH_THRESHOLDS)
