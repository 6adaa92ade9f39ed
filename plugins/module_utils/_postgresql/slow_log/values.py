# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of server settings as the configuration files and pg_settings write them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["LIBRARY", "has_library", "libraries", "normal", "same"]

LIBRARY = "pg_stat_statements"

# Source: src/backend/utils/misc/guc.c. What is counted in milliseconds or bytes may be written in these.
_FACTORS = {
    "ms": {"us": 0.001, "ms": 1.0, "s": 1000.0, "min": 60_000.0, "h": 3_600_000.0, "d": 86_400_000.0},
    "B": {"B": 1.0, "kB": 1024.0, "MB": 1024.0**2, "GB": 1024.0**3, "TB": 1024.0**4},
}
_NUMBER = re.compile(r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*([A-Za-z]*)\s*")
_ITEM = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^",][^,]*))\s*(?:,|\Z)')


def same(value: str, other: str, unit: str | None) -> bool:
    """Whether two values of a setting are the same: ``1s`` is ``1000`` where it is counted in milliseconds.

    :param unit: the setting's unit in pg_settings.
    """
    return normal(value, unit) == normal(other, unit)


def normal(value: str, unit: str | None) -> float | str:
    """Return a value as a number in the setting's unit, or as it is if it is none."""
    match = _NUMBER.fullmatch(value)
    factor = 1.0 if match and not match[2] else _FACTORS.get(unit or "", {}).get(match[2] if match else "")
    if match is None or factor is None:
        return value.strip().lower()
    return round(float(match[1]) * factor, 6)


def libraries(value: str) -> list[str]:
    """Take the value of shared_preload_libraries apart. Source: SplitDirectoriesString in the server's varlena.c.

    :raises ValueError: the server could not read it either.
    """
    found: list[str] = []
    position = 0
    while value[position:].strip():
        match = _ITEM.match(value, position)
        if match is None:
            raise ValueError(f"it is no list of libraries: {value!r}")
        found.append(match[1].replace('""', '"') if match[1] is not None else match[2].strip())
        position = match.end()
    return found


def has_library(names: Sequence[str]) -> bool:
    """Whether the library is among them, with or without a path and an ending."""
    return any(name.rpartition("/")[2] in (LIBRARY, f"{LIBRARY}.so") for name in names)
