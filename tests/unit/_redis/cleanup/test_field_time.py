# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time that a field holds."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._redis.cleanup.field_time import time_in_json, time_of

AT = datetime(2024, 1, 31, 12, 30, 15, tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (AT, "auto"),
        (AT * 1000, "auto"),
        (str(int(AT)).encode(), "auto"),
        (str(int(AT * 1000)), "auto"),
        (AT, "seconds"),
        (AT * 1000, "milliseconds"),
        ("2024-01-31T12:30:15Z", "auto"),
        ("2024-01-31T12:30:15.000Z", "iso"),
        ("2024-01-31T12:30:15.0000000Z", "iso"),
        ("2024-01-31T14:30:15+0200", "iso"),
        ("2024-01-31T07:30:15-05", "auto"),
        ("2024-01-31T14:30:15+02:00", "auto"),
        ("2024-01-31 12:30:15", "auto"),
        (b" 2024-01-31T12:30:15.0 ", "auto"),
    ],
)
def test_one_moment_in_all_its_writings(value: Any, unit: str) -> None:
    assert time_of(value, unit) == AT


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "never",
        True,
        0,
        -1,
        "0",
        float("nan"),
        float("inf"),
        "1e999",
        [],
        {},
        "20240131",
        20240131,
        42,
        "202401311230",
        b"\xff\xfe",
        "2024-13-45T00:00:00Z",
        "Wed, 31 Jan 2024 12:30:15 GMT",
    ],
)
def test_what_is_no_time_is_none(value: Any) -> None:
    assert time_of(value, "auto") is None


@pytest.mark.parametrize(("number", "time"), [(946684799, None), (946684800, 946684800), (1e11 - 1, 1e11 - 1)])
def test_a_guessed_number_of_seconds_lies_after_the_year_2000(number: float, time: float | None) -> None:
    assert time_of(number, "auto") == time


@pytest.mark.parametrize(("number", "time"), [(1e11, None), (946684799999, None), (946684800000, 946684800)])
def test_a_guessed_number_of_milliseconds_does_too(number: float, time: float | None) -> None:
    assert time_of(number, "auto") == time


def test_a_unit_that_is_given_is_not_guessed() -> None:
    assert time_of(20240131, "seconds") == 20240131
    assert time_of("2024-01-31T12:30:15Z", "seconds") is None
    assert time_of(AT, "iso") is None


def test_a_field_of_json() -> None:
    session = json.dumps({"cookie": {}, "lastActivity": AT * 1000, "user": "x"}).encode()
    assert time_in_json(session, b"lastActivity", "auto") == AT
    assert time_in_json(session, b"lastaccess", "auto") is None


@pytest.mark.parametrize("text", [b"", b"[1]", b"1706704215", b"{", b"\xff", b'"x"', b"[" * 100_000])
def test_what_is_no_object_has_no_field(text: bytes) -> None:
    assert time_in_json(text, b"at", "auto") is None


@given(st.integers(10**15, 4 * 10**15), st.integers(-14 * 60, 14 * 60))
def test_iso_with_any_zone(micros: int, minutes: int) -> None:
    aware = datetime.fromtimestamp(micros / 1e6, timezone(timedelta(minutes=minutes)))
    found = time_of(aware.isoformat(), "auto")
    assert found is not None
    assert abs(found - aware.timestamp()) < 1e-3


@given(st.binary(max_size=60), st.sampled_from(["auto", "seconds", "milliseconds", "iso"]))
def test_nothing_ever_breaks_it(value: bytes, unit: str) -> None:
    found = time_of(value, unit)
    assert found is None or found > 0
    assert time_in_json(value, b"at", unit) is None or b"at" in value
