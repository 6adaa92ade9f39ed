# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The time that a field of a session or the like holds. Pure."""

from __future__ import annotations

import json
import math
import re
from datetime import datetime, timezone
from typing import Any

__all__ = ["time_in_json", "time_of"]

LEAST_MILLISECONDS = 1e11
"""From here on a number is of milliseconds: as seconds it would be in the year 5138, as milliseconds it is in 1973."""

LEAST_GUESSED = 946684800.0
"""The year 2000: a number that would be a time before it is none, but a date such as 20240131 or a counter."""

_FRACTION = re.compile(r"(:\d\d)[.,](\d{1,6})\d*")
_ZONE = re.compile(r"([+-]\d\d):?(\d\d)?\Z")


def time_in_json(text: bytes, field: bytes, unit: str) -> float | None:
    """Return the time that a field of an object in JSON holds; None if it is none.

    :param unit: as :func:`time_of` has it.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    return time_of(document.get(field.decode("utf-8", "surrogateescape")), unit)


def time_of(value: Any, unit: str) -> float | None:
    """Return the time that a value stands for, in seconds since 1970; None if it is none.

    :param value: a number or a text.
    :param unit: ``seconds`` or ``milliseconds`` since 1970, ``iso`` (ISO 8601; without a zone it is UTC), or ``auto``:
        told by the value itself.
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if unit == "iso":
        return _iso(str(value))
    number = _number(value)
    if number is None:
        return _iso(str(value)) if unit == "auto" and isinstance(value, str) else None
    seconds = number / 1000 if unit == "milliseconds" or (unit == "auto" and number >= LEAST_MILLISECONDS) else number
    return None if unit == "auto" and seconds < LEAST_GUESSED else seconds


def _number(value: float | str) -> float | None:
    """Return a number above zero: a zero stands for "never", not for 1970."""
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _iso(text: str) -> float | None:
    """Understand ISO 8601 as JavaScript and Python write it; Python 3.10 itself knows neither Z nor every fraction."""
    cleaned = text.strip()
    if cleaned[-1:] in ("Z", "z"):
        cleaned = cleaned[:-1] + "+00:00"
    cleaned = _FRACTION.sub(lambda match: f"{match[1]}.{match[2]:0<6}", cleaned)
    if ":" in cleaned:
        cleaned = _ZONE.sub(lambda match: f"{match[1]}:{match[2] or '00'}", cleaned)
    try:
        moment = datetime.fromisoformat(cleaned)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return None
    return seconds if seconds > 0 else None
