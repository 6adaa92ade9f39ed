# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that users give to rules and entries, by which results tell them apart. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from .errors import InvalidInput

__all__ = ["refuse_twice"]


def refuse_twice(option: str, names: Iterable[str]) -> None:
    """Go on if every name stands for one thing.

    :param option: the option that holds what is named, as ``rules``, for the error.
    :raises InvalidInput: a name stands twice.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InvalidInput(option, f"several {option} have the name {name!r}", "Give each a name of its own.")
        seen.add(name)
