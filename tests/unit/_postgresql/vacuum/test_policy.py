# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from tests.unit._postgresql.vacuum.making import policy


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("need_ratio", 0.0),
        ("need_ratio", -1.0),
        ("need_ratio", float("nan")),
        ("need_ratio", float("inf")),
        ("min_bloat_percent", 0.0),
        ("min_bloat_percent", 100.1),
        ("jobs", 0),
        ("jobs", -1),
        ("index_workers", -1),
        ("index_workers", 1025),
        ("buffer_usage_limit", "1"),
        ("buffer_usage_limit", "127KiB"),
        ("buffer_usage_limit", "17GiB"),
        ("buffer_usage_limit", "much"),
        ("buffer_usage_limit", "1MiB'; DROP TABLE t; --"),
        ("cost_delay", "0.101"),
        ("cost_delay", "-1"),
        ("cost_delay", "soon"),
        ("min_size", "big"),
        ("rewrite_max_size", "-1GB"),
        ("free_space", "all of it"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(option: str, value: Any) -> None:
    with pytest.raises(InvalidInput, match=option):
        policy(**{option: value})


def test_limits_are_allowed() -> None:
    assert policy(index_workers=0).index_workers == 0
    assert policy(index_workers=1024).index_workers == 1024
    assert policy(buffer_usage_limit="128KiB").buffer_kib == 128
    assert policy(buffer_usage_limit="16GiB").buffer_kib == 16 * 1024**2
    assert policy(buffer_usage_limit="0").buffer_kib == 0
    assert policy(cost_delay="0.1").cost_delay_ms == 100
    assert policy(cost_delay="0").cost_delay_ms == 0
    assert policy(min_bloat_percent=100.0).min_bloat_percent == 100
    assert policy(free_space="2GiB").free_space == 2 * 1024**3
