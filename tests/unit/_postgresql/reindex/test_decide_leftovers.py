# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which invalid index is a leftover."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.reindex.decide_leftovers import origin_of
from tests.unit._postgresql.reindex.making import index

ORIGIN = index()


def left(name: str, **changes: Any) -> Any:
    return index(name, **{"oid": 2, "usable": False, **changes})


@pytest.mark.parametrize(
    "name",
    [
        "orders_code_ccnew",
        "orders_code_ccold",
        "orders_code_ccnew1",
        "orders_code_ccold12",
        "orders_code_ccnew_ccnew",
        "orders_code_ccold_ccnew2",
    ],
)
def test_leftovers(name: str) -> None:
    assert origin_of(left(name), [ORIGIN, left(name)]) == ORIGIN


@pytest.mark.parametrize(
    "one",
    [
        left("orders_code_ccnew", usable=True),
        left("orders_code"),
        left("orders_code_ccnewer"),
        left("orders_code_new"),
        left("_ccnew"),
        left("orders_cod_ccnew"),
        left("orders_code2_ccnew"),
        left("orders_code_ccnew", table_oid=101),
        left("orders_code_ccnew", schema="app"),
        left("orders_code_ccnew", shape="another"),
    ],
)
def test_no_leftovers(one: Any) -> None:
    assert origin_of(one, [ORIGIN, one]) is None


def test_without_a_valid_original_it_is_none() -> None:
    one = left("orders_code_ccnew")
    assert origin_of(one, [one]) is None
    assert origin_of(one, [ORIGIN._replace(usable=False), one]) is None


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1), st.integers(0, 120))
def test_names_are_cut_to_63_bytes_as_the_server_does(name: str, number: int) -> None:
    whole = name.encode()[:63].decode(errors="ignore")
    if not whole:
        return
    suffix = f"_ccnew{number or ''}"
    cut = whole.encode()[: 63 - len(suffix)].decode(errors="ignore")
    origin = index(whole)
    assert origin_of(left(cut + suffix), [origin]) == origin
