# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What values look like as texts, bytes and JSON, type by type."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID

import pytest
from bson import DBRef, Decimal128, MaxKey, ObjectId, Regex
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._warm.rendering import (
    MissingValue,
    Unrenderable,
    alone,
    json_bytes,
    key_text,
    text_of,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.template import MISSING

UID = UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("value", "text", "in_json"),
    [
        ("text", "text", "text"),
        ("", "", ""),
        (True, "true", True),
        (7, "7", 7),
        (2**70, "1180591620717411303424", 2**70),
        (1.0, "1", 1.0),
        (1.5, "1.5", 1.5),
        (1e300, "1e+300", 1e300),
        (-0.0, "0", 0.0),
        (Decimal("12.50"), "12.50", "12.50"),
        (Decimal128("12.50"), "12.50", "12.50"),
        (UID, str(UID), str(UID)),
        (ObjectId("65a000000000000000000001"), "65a000000000000000000001", "65a000000000000000000001"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=EAST), "2026-01-02T01:04:05.000Z", "2026-01-02T01:04:05.000Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 6, timezone.utc), "2026-01-02T03:04:05.000006Z", "2026-01-02T03:04:05.000006Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 6000), "2026-01-02T03:04:05.006", "2026-01-02T03:04:05.006"),  # noqa: DTZ001
        (date(2026, 1, 2), "2026-01-02", "2026-01-02"),
        (time(3, 4), "03:04:00", "03:04:00"),
        (timedelta(days=1, seconds=2), "86402", 86402),
        (timedelta(milliseconds=1500), "1.5", 1.5),
        (ip_address("10.0.0.1"), "10.0.0.1", "10.0.0.1"),
        (ip_network("10.0.0.0/8"), "10.0.0.0/8", "10.0.0.0/8"),
        (b"\xde\xad", "3q0=", "3q0="),
        ({"a": [1, None]}, '{"a":[1,null]}', {"a": [1, None]}),
    ],
)
def test_types(value: Any, text: str, in_json: Any) -> None:
    assert text_of(value) == text
    assert json.loads(json_bytes({"v": [value]})) == {"v": [in_json]}
    assert alone(value) == (value if isinstance(value, bytes) else text.encode())


@pytest.mark.parametrize("value", [None, MISSING])
def test_nothing_is_missing(value: Any) -> None:
    for render in (text_of, key_text, alone):
        with pytest.raises(MissingValue):
            render(value)


def test_null_and_what_json_does_not_know_is_null_in_json() -> None:
    assert json_bytes({"a": None, "b": [float("nan"), float("inf"), 1.5]}) == b'{"a":null,"b":[null,null,1.5]}'


@pytest.mark.parametrize("value", [object(), {1, 2}, DBRef("a", 1), MaxKey(), Regex("a"), 1j])
def test_what_has_no_text_is_told(value: Any) -> None:
    for render in (text_of, alone, json_bytes, lambda value: json_bytes({"a": [value]})):
        with pytest.raises(Unrenderable):
            render(value)


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_no_number_has_no_text(value: float) -> None:
    with pytest.raises(Unrenderable):
        text_of(value)


def test_half_a_character_and_endless_nesting_cannot_be_written() -> None:
    nested: list[Any] = []
    for _level in range(100_000):
        nested = [nested]
    for value in ("\ud800", {"a": "\udcff"}, {"\ud800": 1}, nested):
        with pytest.raises(Unrenderable):
            json_bytes(value)
    with pytest.raises(Unrenderable):
        alone("\ud800")


@pytest.mark.parametrize("value", [{}, {"a": 1}, [], [1], (1,)])
def test_documents_and_lists_are_no_part_of_a_name(value: Any) -> None:
    with pytest.raises(Unrenderable):
        key_text(value)


def test_an_empty_text_is_no_part_of_a_name_and_a_value_all_the_same() -> None:
    with pytest.raises(MissingValue):
        key_text("")
    assert alone("") == b""


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), json_values, max_size=3))
def test_what_json_knows_is_read_back_as_it_was(row: dict[str, Any]) -> None:
    try:
        written = json_bytes(row)
    except Unrenderable:
        json.dumps(row, ensure_ascii=True)
        with pytest.raises(UnicodeEncodeError):
            json.dumps(row, ensure_ascii=False).encode()
        return
    assert json.loads(written) == row
