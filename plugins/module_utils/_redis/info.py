# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""INFO, read by name with the types made sure of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["Info", "product"]


class Info:
    """What INFO said. A field that this server does not have is None: older versions, forks and services vary.

    :param fields: field name to value, as the driver parsed it.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def number(self, name: str) -> float | None:
        """Return a numeric field."""
        value = self._fields.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        return value

    def integer(self, name: str) -> int | None:
        """Return a numeric field as a whole number."""
        value = self.number(name)
        return None if value is None else int(value)

    def text(self, name: str) -> str | None:
        """Return a field as text."""
        value = self._fields.get(name)
        return None if value is None or isinstance(value, Mapping) else str(value)

    def flag(self, name: str) -> bool:
        """Whether a field is 1."""
        return self.number(name) == 1

    def records(self, prefix: str) -> dict[str, Mapping[str, Any]]:
        """Return the fields that hold several values, such as ``db0`` or ``slave0``: prefix, then digits."""
        return {
            name: value
            for name, value in self._fields.items()
            if isinstance(value, Mapping) and name.startswith(prefix) and name[len(prefix) :].isdecimal()
        }

    def record_number(self, name: str, field: str) -> float | None:
        """Return a number out of a field that holds several values, such as ``errorstat_OOM``'s ``count``.

        A field of one value only is left as text by older drivers: ``count=1``.
        """
        record = self._fields.get(name)
        if isinstance(record, str):
            key, _equals, value = record.partition("=")
            return float(value) if key == field and value.isdecimal() else None
        return Info(record).number(field) if isinstance(record, Mapping) else None


def product(info: Info) -> tuple[str, str | None]:
    """Return which server it is (``redis``, ``valkey``, ``dragonfly``) and its own version.

    The forks call themselves a Redis version too, for the sake of clients; that one says nothing about their age.
    """
    for name in ("valkey", "dragonfly"):
        version = info.text(f"{name}_version")
        if version:
            return name, version.removeprefix("df-v")
    return "redis", info.text("redis_version")
