# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and records as they are written down."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import StateError
from ansible_collections.dataops.upkeep.plugins.module_utils._state.codec import (
    LONGEST_NAME,
    decode,
    encode,
    stored_name,
)

names = st.text(max_size=300)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(names)
def test_a_stored_name_is_a_safe_file_name(name: str) -> None:
    stored = stored_name(name)
    assert stored.isascii()
    assert "/" not in stored
    assert "\0" not in stored
    assert not stored.startswith(".")
    assert len(stored) <= LONGEST_NAME


@given(names)
def test_a_stored_name_can_be_read_back_unless_it_was_too_long(name: str) -> None:
    stored = stored_name(name)
    assert "~" in stored or unquote(stored, errors="surrogatepass") == name


@given(names, names)
def test_two_names_never_meet(one: str, other: str) -> None:
    assert (stored_name(one) == stored_name(other)) == (one == other)


def test_long_names_with_a_common_beginning_stay_apart() -> None:
    assert stored_name("x" * 500 + "a") != stored_name("x" * 500 + "b")
    assert stored_name("../../etc/passwd") == "%2E.%2F..%2Fetc%2Fpasswd"


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_records_come_back_as_they_were(record: dict[str, object]) -> None:
    line = encode(record)
    assert "\n" not in line
    assert line.isascii()
    assert decode(line, "here") == record


@pytest.mark.parametrize("record", [{"x": float("nan")}, {"x": {1, 2}}, {"x": b"bytes"}])
def test_what_json_cannot_hold_is_refused(record: dict[str, object]) -> None:
    with pytest.raises(StateError):
        encode(record)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", b"\xff\xfe{"])
def test_damage_is_named_with_its_place_and_remedy(text: str | bytes) -> None:
    with pytest.raises(StateError, match=r"the file x.*damaged.*move it aside"):
        decode(text, "the file x")
