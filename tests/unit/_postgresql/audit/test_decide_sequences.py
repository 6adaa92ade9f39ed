# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a sequence has come, whichever way it counts and whatever its column holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.decide_sequences import used_percent
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.observation import Sequence

INT4 = 2**31 - 1
BIG = 2**63 - 1


def sequence(**fields: Any) -> Sequence:
    """A sequence of a bigint column that was used once."""
    usual = Sequence("public", "s", 1, 1, BIG, 1, False, "t.id", 8, True)
    return usual._replace(**fields)


@pytest.mark.parametrize(
    ("fields", "percent"),
    [
        ({}, 0),
        ({"last": None}, 0),
        ({"last": BIG}, 100),
        ({"last": INT4, "column_bytes": 4}, 100),
        ({"last": 2**40, "column_bytes": 4}, 100 * (2**40 - 1) / (INT4 - 1)),
        ({"last": INT4, "column_bytes": None}, 100 * (INT4 - 1) / (BIG - 1)),
        ({"least": -INT4 - 1, "last": 0, "column_bytes": 4}, 50),
        ({"least": -100, "most": -1, "step": -1, "last": -1}, 0),
        ({"least": -100, "most": -1, "step": -1, "last": -100}, 100),
        ({"least": -BIG, "most": -1, "step": -1, "last": -(2**31), "column_bytes": 4}, 100),
        ({"most": 100, "last": 100, "cycles": True}, None),
        ({"last": INT4, "column_bytes": 4, "cycles": True}, 100),
        ({"readable": False, "last": None}, None),
        ({"least": 5, "most": 5, "last": 5}, 0),
    ],
)
def test_used_percent(fields: dict[str, Any], percent: float | None) -> None:
    used = used_percent(sequence(**fields))
    assert used == (None if percent is None else pytest.approx(percent, abs=0.01))


@given(st.integers(-(2**63), BIG), st.integers(1, 2**63), st.floats(0, 1), st.sampled_from([1, -1]))
def test_it_lies_between_start_and_end(least: int, span: int, share: float, step: int) -> None:
    most = min(BIG, least + span)
    last = least + round((most - least) * share)
    used = used_percent(sequence(least=least, most=most, last=last, step=step, column_bytes=None))
    assert used is not None
    assert 0 <= used <= 100
