# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an entry of the inventory asks of one step of a role, as the step's module takes it. Pure.

What is wrong with one entry becomes a result and no error, so that the other entries are seen to.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from .._core.errors import InvalidInput, UpkeepError
from .._core.finding import Finding
from .._core.result import Result
from .._core.severity import Severity
from .inventory import called, connection, sources, structured

__all__ = ["step"]

ALIKE = 0.75
"""From this likeness on, of difflib's ratio, an unknown key is taken for a known one misspelt."""

MAINTENANCE = "maintenance"


def step(
    entry: Mapping[str, Any],
    keys: Mapping[str, str | None],
    common: Mapping[str, Any],
    stores: Mapping[str, Any] | None = None,
    always: bool = False,
) -> dict[str, Any]:
    """Return ``{"options": ...}`` for the module, ``{"wrong": ...}``, a result that says why not, or nothing.

    :param entry: an entry of ``upkeep_redis`` and the like, with a name.
    :param keys: the entry's keys that belong to the step. For each the option that its list of dicts is for, or None:
        it is a dict of options itself. The first asks for the step.
    :param common: options under those of the entry; one that is None is left out.
    :param stores: for entries that may name one, see :func:`sources`.
    :param always: whether the step is done unless the first key says ``false``.
    """
    asking = next(iter(keys))
    try:
        asked = entry.get(asking)
        if asked in (None, [], ""):
            _misspelt(entry, keys)
        if asked is False or (asked in (None, [], "") and not always):
            return {}
        options = {key: value for key, value in common.items() if value is not None}
        options |= connection(entry, MAINTENANCE)
        for key, option in keys.items():
            value = structured(entry.get(key), key)
            if option is None:
                options |= _dict_of_options(value, key)
            else:
                options[option] = sources(_list_of_dicts(value, key), stores or {}, key)
        return {"options": options}
    except UpkeepError as error:
        return {"wrong": _result(str(entry.get("name")), error)}


def _misspelt(entry: Mapping[str, Any], keys: Mapping[str, str | None]) -> None:
    """:raises InvalidInput: a key of the entry is nearly one of the step's, which is absent."""
    missing = [key for key in (*keys, MAINTENANCE) if key not in entry]
    for key in entry:
        alike = get_close_matches(str(key), missing, 1, ALIKE)
        if alike and key not in (*keys, MAINTENANCE):
            raise InvalidInput(str(key), "no step knows it", f"Write {alike[0]}, if that is meant.")


def _dict_of_options(value: Any, key: str) -> dict[str, Any]:
    """Return a dict; nothing, or yes, asks for no options of its own."""
    if value in (None, True, [], ""):
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInput(key, f"it is {called(value)}", "Write a dict of the module's options.")
    return dict(value)


def _list_of_dicts(value: Any, key: str) -> list[dict[str, Any]]:
    """Return a list; one dict may stand without it."""
    found = [value] if isinstance(value, Mapping) else value
    if not isinstance(found, (list, tuple)):
        raise InvalidInput(key, f"it is {called(value)}", "Write a list of dicts, as in the role's README.")
    for each in found:
        if not isinstance(each, Mapping):
            raise InvalidInput(key, f"one of its items is {called(each)}", "Each is a dict.")
    return [dict(each) for each in found]


def _result(name: str, error: UpkeepError) -> dict[str, Any]:
    """Return the envelope of a step that was not begun."""
    finding = Finding(f"upkeep.{error.condition}", Severity.CRITICAL, name, f"{name}: {error}", remedy=error.remedy)
    return Result(name, [finding]).as_dict()
