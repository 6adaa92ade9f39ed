# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Until when the community supports each major version of PostgreSQL. Pure."""

from __future__ import annotations

from datetime import date

__all__ = ["END_OF_LIFE", "OLDEST_SUPPORTED", "unsupported_days"]

END_OF_LIFE = {
    10: date(2022, 11, 10),
    11: date(2023, 11, 9),
    12: date(2024, 11, 21),
    13: date(2025, 11, 13),
    14: date(2026, 11, 12),
    15: date(2027, 11, 11),
    16: date(2028, 11, 9),
    17: date(2029, 11, 8),
    18: date(2030, 11, 14),
}
"""Day of the last minor release of each major version. Source: https://www.postgresql.org/support/versioning/."""

OLDEST_SUPPORTED = 13
"""Oldest major version whose statistics views these modules know."""


def unsupported_days(major: int, today: date) -> int | None:
    """Return for how many days a major version has been without support.

    Below zero: days that it still has. None: a version newer than the table.
    """
    if major < min(END_OF_LIFE):
        return (today - END_OF_LIFE[min(END_OF_LIFE)]).days
    end = END_OF_LIFE.get(major)
    return None if end is None else (today - end).days
