# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Situations and observations for the tests of an audit's decisions."""

from __future__ import annotations

from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._core.health import Situation
from ansible_collections.dataops.upkeep.plugins.module_utils._core.threshold import Thresholds
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.audit.observation import (
    KeySpace,
    LargeKey,
    Prefix,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.audit.thresholds import AUDIT_THRESHOLDS
from tests.unit._redis.situations import NOW

MIB = 1024**2
GROUP = Prefix("user:*", 100, 30 * MIB, 0, 0, 0, 0, (0, 0, 100, 0, 0, 0, 0), 0, 0, False)
KEY = LargeKey("cart:all", "hash", "hashtable", 1000, 10, True, False)
SPACE = KeySpace(
    total=100,
    seen=100,
    complete=True,
    scripts=True,
    sized=True,
    heat="idle",
    nodes=1,
    seconds=0.5,
    longest_stall=0.0012,
    prefixes=(GROUP,),
    by_size=(),
    by_elements=(),
    kinds={("string", "raw"): 100},
    rules=(),
    queues=0,
    eviction="noeviction",
    maximum=200 * MIB,
    used=100 * MIB,
)


def situation(previous: dict[str, Any] | None = None, **settings: Any) -> Situation:
    """A situation with the default limits but for ``settings``."""
    return Situation("cache:6379", Thresholds(AUDIT_THRESHOLDS, settings), NOW, previous or {})
