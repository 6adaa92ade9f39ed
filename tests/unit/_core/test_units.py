# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ages, durations and sizes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._core.units import (
    Age,
    format_duration,
    format_size,
    parse_age,
    parse_duration,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("90d", Age(0, 90 * 86400)),
        ("6mo", Age(6)),
        ("1y", Age(12)),
        ("1y6mo", Age(18)),
        ("36h", Age(0, 36 * 3600)),
        (" 2 W ", Age(0, 14 * 86400)),
        ("15m", Age(0, 900)),
        ("15min", Age(0, 900)),
        ("1.5h", Age(0, 5400)),
        ("1d 12h", Age(0, 129600)),
    ],
)
def test_ages_are_understood(text: str, age: Age) -> None:
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "90", "d", "90 days old", "-3d", "1.5mo", "3x", "1d;", "∞"])
def test_nonsense_gives_an_error_that_shows_the_forms(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_age(text, "older_than")
    assert "older_than" in str(caught.value)
    assert "90d, 2w, 6mo, 1y, 36h" in str(caught.value)


@pytest.mark.parametrize(
    ("now", "age", "expected"),
    [
        ((2026, 3, 31), "1mo", (2026, 2, 28)),
        ((2024, 3, 31), "1mo", (2024, 2, 29)),
        ((2024, 2, 29), "1y", (2023, 2, 28)),
        ((2026, 1, 15), "1mo", (2025, 12, 15)),
        ((2026, 11, 22), "6mo", (2026, 5, 22)),
        ((2026, 11, 22), "90d", (2026, 8, 24)),
    ],
)
def test_months_are_counted_by_the_calendar(now: tuple, age: str, expected: tuple) -> None:
    moment = datetime(*now, 12, tzinfo=timezone.utc)
    assert parse_age(age).before(moment) == datetime(*expected, 12, tzinfo=timezone.utc)


MOMENTS = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, timezone.utc))


@given(st.integers(0, 600), MOMENTS)
def test_more_months_never_reach_less_far_back(months: int, now: datetime) -> None:
    assert Age(months + 1).before(now) < Age(months).before(now)


def test_an_age_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(InvalidInput):
        Age(months=12 * 3000).before(datetime(2026, 1, 1, tzinfo=timezone.utc))
    with pytest.raises(InvalidInput):
        Age(span_seconds=1e12).before(datetime(2026, 1, 1, tzinfo=timezone.utc))


@pytest.mark.parametrize(("text", "seconds"), [("30", 30), (5, 5), ("0.5", 0.5), ("2min", 120), ("1h30min", 5400)])
def test_durations(text: str | int, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "soon"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("20MB", 20_000_000), ("1GiB", 2**30), ("512kB", 512_000), ("20m", 20_000_000), (1024, 1024), ("1.5 KiB", 1536)],
)
def test_sizes(text: str | int, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "10 parsecs", "-1", "1i", "0x10"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="20MB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.25, "250ms"), (59, "59s"), (60, "1min"), (3725, "1h 2min"), (-90, "-1min 30s"), (90061, "1d 1h")],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0B"), (1023, "1023B"), (1024, "1.0KiB"), (1536 * 2**20, "1.5GiB"), (-2048, "-2.0KiB")]
)
def test_sizes_for_people(size: float, text: str) -> None:
    assert format_size(size) == text


@given(st.floats(0, 1e12))
def test_a_duration_is_always_written_with_a_unit(seconds: float) -> None:
    text = format_duration(seconds)
    assert text
    assert text[-1] in "yhdns"


@given(st.integers(0, 4000), st.sampled_from(["s", "min", "h", "d", "w"]))
def test_an_age_counts_from_the_given_moment(number: int, unit: str) -> None:
    now = datetime(2026, 11, 22, tzinfo=timezone.utc)
    age = parse_age(f"{number}{unit}")
    assert now - age.before(now) == timedelta(seconds=age.seconds)
