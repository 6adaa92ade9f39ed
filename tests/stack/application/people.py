# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Invented names and addresses, drawn from a seeded generator: nobody's real data."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

__all__ = ["address", "generator", "moment", "person", "phone"]

FIRST = (
    "Amina",
    "Budi",
    "Carmen",
    "Dewi",
    "Elif",
    "Farid",
    "Greta",
    "Hana",
    "Ines",
    "Joko",
    "Kofi",
    "Lena",
    "Maya",
    "Noor",
)
LAST = (
    "Adeyemi",
    "Berg",
    "Costa",
    "Darma",
    "Endo",
    "Fischer",
    "Garcia",
    "Hartono",
    "Ivanova",
    "Jansen",
    "Kaya",
    "Lopez",
)
STREETS = ("Harbour Road", "Mill Lane", "Station Street", "Garden Walk", "North Quay", "Jalan Melati", "Rua Nova")
CITIES = (("Jakarta", -6.2, 106.8), ("Bandung", -6.9, 107.6), ("Porto", 41.1, -8.6), ("Bremen", 53.1, 8.8))


def generator(seed: int, purpose: str) -> random.Random:
    """A generator of its own for each purpose, so that one table's rows do not depend on another's count."""
    return random.Random(f"{seed}:{purpose}")


def person(source: random.Random, number: int) -> tuple[str, str]:
    """A name and a unique mail address in a domain reserved for examples."""
    first, last = source.choice(FIRST), source.choice(LAST)
    return f"{first} {last}", f"{first}.{last}.{number}@example.com".lower()


def phone(source: random.Random, number: int | None = None) -> str:
    """A telephone number; unique if a number is given."""
    return f"+62811{source.randrange(10**7):07d}" if number is None else f"+62812{number:07d}"


def address(source: random.Random) -> dict[str, object]:
    """A postal address with a position, nested as the application keeps it."""
    city, latitude, longitude = source.choice(CITIES)
    position = [round(longitude + source.uniform(-0.2, 0.2), 5), round(latitude + source.uniform(-0.2, 0.2), 5)]
    return {
        "street": f"{source.choice(STREETS)} {source.randrange(1, 200)}",
        "city": city,
        "zip": f"{source.randrange(10000, 99999)}",
        "location": {"type": "Point", "coordinates": position},
    }


def moment(source: random.Random, now: datetime, oldest_days: float, newest_days: float = 0.0) -> datetime:
    """A time between so many days ago, to the millisecond (as finely as MongoDB keeps it)."""
    age = timedelta(milliseconds=source.randrange(int(newest_days * 86_400_000), int(oldest_days * 86_400_000) + 1))
    return now - age
