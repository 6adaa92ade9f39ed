# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Until when MongoDB's releases are supported."""

from __future__ import annotations

from datetime import date

__all__ = ["END_OF_LIFE", "end_of_life"]

END_OF_LIFE = {
    "3.6": date(2021, 4, 30),
    "4.0": date(2022, 4, 30),
    "4.2": date(2023, 4, 30),
    "4.4": date(2024, 2, 29),
    "5.0": date(2024, 10, 31),
    "6.0": date(2025, 7, 31),
    "6.1": date(2023, 2, 9),
    "6.2": date(2023, 4, 24),
    "6.3": date(2023, 8, 31),
    "7.0": date(2027, 8, 31),
    "7.1": date(2024, 1, 23),
    "7.2": date(2024, 3, 27),
    "7.3": date(2024, 10, 2),
    "8.0": date(2029, 10, 31),
    "8.1": date(2025, 9, 30),
    "8.2": date(2026, 7, 31),
}
"""Release series to the last day of support (https://www.mongodb.com/legal/support-policy/lifecycles, May 2026)."""

_OLDEST = min(tuple(map(int, series.split("."))) for series in END_OF_LIFE)


def end_of_life(version: str) -> date | None:
    """Return the last day of support of a version such as ``6.0.5``; None if it is not known (yet).

    A series older than the table has the day of the oldest in it: it ended then at the latest.
    """
    series = ".".join(version.split(".")[:2])
    if series in END_OF_LIFE:
        return END_OF_LIFE[series]
    numbers = [int(part) for part in series.split(".") if part.isdigit()]
    if len(numbers) == 2 and tuple(numbers) < _OLDEST:
        return min(END_OF_LIFE.values())
    return None
