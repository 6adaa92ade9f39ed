# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option ``policies``: which keys have to expire, and how soon. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..._core.arguments import ArgumentSpec
from ..._core.errors import InvalidInput
from ..._core.units import parse_duration
from ..glob import expression
from ..wire import raw

__all__ = ["MOST_RULES", "Rule", "matcher", "parse_rules", "rule_arguments"]

MOST_RULES = 90
"""Each key is held against all of them in one go; older Pythons' expressions know a hundred groups."""


class Rule(NamedTuple):
    """One rule.

    :param pattern: glob pattern of keys, as Redis has it.
    :param max_ttl: seconds that a key may have left at most; None: any.
    :param required: whether keys have to expire. A rule without demands says that its keys may stay for ever.
    """

    pattern: str
    max_ttl: float | None
    required: bool


def rule_arguments() -> ArgumentSpec:
    """The option's specification."""
    rule = {
        "pattern": {"type": "str", "required": True},
        "max_ttl": {"type": "str"},
        "ttl": {"type": "str", "choices": ["required", "optional"]},
    }
    return ArgumentSpec({"policies": {"type": "list", "elements": "dict", "default": [], "options": rule}})


def parse_rules(given: Sequence[Mapping[str, Any]], option: str = "policies") -> tuple[Rule, ...]:
    """Understand the option. A longest TTL without a word on it means that a TTL is required.

    :raises InvalidInput: a pattern is empty or there twice, a duration is none, there are too many rules.
    """
    rules: list[Rule] = []
    for number, entry in enumerate(given):
        where = f"{option}[{number}]"
        pattern, max_ttl = str(entry["pattern"]), entry.get("max_ttl")
        if not pattern:
            raise InvalidInput(f"{where}.pattern", "it is empty", "Give a pattern of keys, such as session:*.")
        if pattern in (rule.pattern for rule in rules):
            raise InvalidInput(f"{where}.pattern", f"{pattern!r} is there twice", "Make one rule of the two.")
        seconds = None if max_ttl is None else parse_duration(max_ttl, f"{where}.max_ttl")
        if seconds == 0:
            raise InvalidInput(
                f"{where}.max_ttl", "no key has so little", "Give a duration above zero, or ttl: required."
            )
        demanded = entry.get("ttl") or ("optional" if seconds is None else "required")
        rules.append(Rule(pattern, seconds, demanded == "required"))
    if len(rules) > MOST_RULES:
        raise InvalidInput(option, f"{len(rules)} are too many", f"Give {MOST_RULES} at most.")
    return tuple(rules)


def matcher(rules: Sequence[Rule]) -> re.Pattern[bytes] | None:
    """Return one expression for all rules; ``lastindex - 1`` of its match is the number of the first that fits."""
    if not rules:
        return None
    return re.compile(b"|".join(b"(%b)" % expression(raw(rule.pattern)).pattern for rule in rules), re.DOTALL)
