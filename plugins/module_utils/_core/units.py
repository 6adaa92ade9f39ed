# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ages, durations and sizes as people write them, and back again."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from .errors import InvalidInput

__all__ = ["Age", "format_duration", "format_size", "parse_age", "parse_duration", "parse_size"]

AGE_FORMS = "90d, 2w, 6mo, 1y, 36h, 15min, 30s, or several in a row such as 1y6mo"
SIZE_FORMS = "20MB, 1GiB, 512kB, or a plain number of bytes"

_SECONDS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_MONTHS = {"mo": 1, "y": 12}
_AVERAGE_MONTH_SECONDS = 365.2425 * 86400 / 12
"""Length of a mean Gregorian month; used only where no date is given to count from."""

_BYTES = {
    "": 1, "b": 1,
    "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4,
    "kb": 1000, "mb": 1000**2, "gb": 1000**3, "tb": 1000**4,
    "kib": 1024, "mib": 1024**2, "gib": 1024**3, "tib": 1024**4,
}  # fmt: skip
_AGE_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(mo|min|[smhdwy])", re.IGNORECASE)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?i?b?)", re.IGNORECASE)


@dataclass(frozen=True)
class Age:
    """A span of time of which the months are counted by the calendar.

    :param months: whole calendar months.
    :param span_seconds: the rest, in seconds.
    """

    months: int = 0
    span_seconds: float = 0.0

    def before(self, now: datetime) -> datetime:
        """Return the moment that lies this age before ``now``.

        A month ends at most on its last day: one month before 31 March is 28 or 29 February.

        :raises InvalidInput: the age reaches back before the year 1.
        """
        year, month = divmod(now.year * 12 + now.month - 1 - self.months, 12)
        if year < 1:
            raise InvalidInput("age", "it reaches back before the year 1", "Give a shorter age.")
        day = min(now.day, calendar.monthrange(year, month + 1)[1])
        try:
            return now.replace(year=year, month=month + 1, day=day) - timedelta(seconds=self.span_seconds)
        except OverflowError as error:
            raise InvalidInput("age", "it reaches back before the year 1", "Give a shorter age.") from error

    @property
    def seconds(self) -> float:
        """Length in seconds, a month taken as the Gregorian mean of 30.44 days."""
        return self.months * _AVERAGE_MONTH_SECONDS + self.span_seconds


def parse_age(text: str | int | float, option: str = "age") -> Age:
    """Understand an age such as ``90d``, ``6mo`` or ``1y6mo``.

    :param text: number and unit: s, min (or m), h, d, w, mo (months), y; several may follow one another.
    :param option: the option's name, for the error.
    :raises InvalidInput: anything else, a number without a unit too, for nobody can tell days from seconds.
    """
    cleaned = str(text).strip()
    parts = _AGE_PART.findall(cleaned)
    if not parts or _AGE_PART.sub("", cleaned).strip():
        raise InvalidInput(option, f"{cleaned!r} is no age", f"Write it as {AGE_FORMS}.")
    months, seconds = 0.0, 0.0
    for number, unit in ((number, unit.lower()) for number, unit in parts):
        if unit in _MONTHS:
            months += float(number) * _MONTHS[unit]
        else:
            seconds += float(number) * _SECONDS[unit]
    if months != int(months):
        raise InvalidInput(option, f"{cleaned!r} is not a whole number of months", f"Write it as {AGE_FORMS}.")
    return Age(int(months), seconds)


def parse_duration(text: str | int | float, option: str = "duration") -> float:
    """Understand a duration in seconds: an age, or a plain number of seconds.

    :raises InvalidInput: anything else.
    """
    try:
        seconds = float(text)
    except ValueError:
        return parse_age(text, option).seconds
    if not 0 <= seconds < float("inf"):
        raise InvalidInput(option, f"{text!r} is no duration", f"Write it as {AGE_FORMS}, or a number of seconds.")
    return seconds


def parse_size(text: str | int | float, option: str = "size") -> int:
    """Understand a size in bytes: ``20MB`` counts by 1000, ``1GiB`` by 1024, a plain number is bytes.

    :raises InvalidInput: anything else.
    """
    cleaned = str(text).strip()
    match = _SIZE.fullmatch(cleaned)
    if match is None or match[2].lower() not in _BYTES:
        raise InvalidInput(option, f"{cleaned!r} is no size", f"Write it as {SIZE_FORMS}.")
    return round(float(match[1]) * _BYTES[match[2].lower()])


def format_duration(seconds: float) -> str:
    """Write a duration for people, in its two largest units: ``3d 4h``, ``12min 5s``, ``250ms``."""
    if seconds < 0:
        return f"-{format_duration(-seconds)}"
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    rest, parts = round(seconds), []
    for unit, size in (("y", 31556952), ("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def format_size(size: float) -> str:
    """Write a number of bytes for people, by 1024: ``1.5GiB``."""
    if size < 0:
        return f"-{format_size(-size)}"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f}{unit}" if unit == "B" else f"{size:.1f}{unit}"
        size /= 1024
    return f"{size:.1f}TiB"
