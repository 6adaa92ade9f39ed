# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules of a clean-up of keys as a user writes them, checked and understood. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..._core.errors import InvalidInput
from ..._core.naming import refuse_twice
from ..._core.units import Age, parse_age, parse_duration
from ..glob import takes_everything
from ..wire import raw

__all__ = ["ACTIONS", "CONDITIONS", "EXPIRE", "TYPES", "UNITS", "UNLINK", "Rule", "parse_rules", "shown"]

UNLINK, EXPIRE = "unlink", "expire"
ACTIONS = (UNLINK, EXPIRE)
CONDITIONS = ("no_ttl", "idle", "field_age")
UNITS = ("auto", "seconds", "milliseconds", "iso")
TYPES = ("string", "hash", "list", "set", "zset", "stream")

LONGEST_IDLE = 2.0**24
"""Seconds (194 days) after which the server's idle times begin anew: it keeps 24 bits of them (LRU_BITS)."""

MOST_JITTER = 50.0


class Rule(NamedTuple):
    """Which keys are meant and what is to become of them.

    :param pattern: as SCAN takes it.
    :param no_ttl: only keys that never expire.
    :param idle: only keys that nobody used for so many seconds; None: whether used or not.
    :param field: only keys whose field, in a hash or in an object of JSON in a string, holds a time that is long ago.
    :param older_than: how long ago that has to be.
    :param older_text: as the user wrote it.
    :param unit: what the field holds.
    :param types: only keys of these types; empty: of any.
    :param ttl: seconds to live that ``expire`` sets.
    :param jitter: part of ``ttl`` by which a key may live longer or shorter.
    """

    name: str
    pattern: bytes
    action: str
    no_ttl: bool = False
    idle: float | None = None
    field: bytes | None = None
    older_than: Age | None = None
    older_text: str = ""
    unit: str = "auto"
    types: tuple[bytes, ...] = ()
    ttl: float = 0.0
    jitter: float = 0.0

    @property
    def lasting(self) -> bool:
        """Whether only keys without TTL are meant. A TTL that stands is never replaced."""
        return self.no_ttl or self.action == EXPIRE

    @property
    def by_name(self) -> bool:
        """Whether every key is due that the pattern takes, so that none has to be looked at."""
        return not (self.lasting or self.idle is not None or self.field is not None or self.types)


def shown(name: bytes) -> str:
    """Return a pattern or a part of a name as text that can be printed, whatever bytes it is made of."""
    return name.decode("utf-8", "backslashreplace")


def parse_rules(given: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Understand the option ``rules``.

    :raises InvalidInput: a rule cannot be understood, or would be dangerous.
    """
    rules = tuple(_parse(entry, number) for number, entry in enumerate(given, 1))
    refuse_twice("rules", (rule.name for rule in rules))
    return rules


def _parse(entry: Mapping[str, Any], number: int) -> Rule:
    name = entry.get("name") or f"rule {number}"
    option = f"rules[{name}]"
    pattern = raw(entry["pattern"])
    if not pattern:
        raise InvalidInput(f"{option}.pattern", "it is empty", "Give a pattern of keys, such as session:*.")
    if takes_everything(pattern) and not entry.get("all_keys"):
        raise InvalidInput(
            f"{option}.pattern",
            f"{shown(pattern)!r} takes the keys of everybody",
            "Name what the keys begin with, such as cache:*; or set all_keys: true if really all of them are meant.",
        )
    when = tuple(entry.get("when") or ())
    _check_belonging(entry, when, option)
    age = _age(entry, when, option)
    ttl, jitter = _life(entry, option)
    return Rule(
        name=name,
        pattern=pattern,
        action=entry["action"],
        no_ttl="no_ttl" in when,
        idle=age.seconds if age and "idle" in when else None,
        field=raw(entry["field"]) if "field_age" in when else None,
        older_than=age,
        older_text=str(entry.get("older_than") or ""),
        unit=entry.get("field_unit") or "auto",
        types=tuple(kind.encode() for kind in entry.get("types") or ()),
        ttl=ttl,
        jitter=jitter,
    )


def _check_belonging(entry: Mapping[str, Any], when: Sequence[str], option: str) -> None:
    """Options that are for one condition or action only are a mistake elsewhere: something else was meant."""
    if "idle" in when and "field_age" in when:
        raise InvalidInput(
            option, "idle and field_age do not go together: to read the field is to use the key", "Give one of the two."
        )
    needs = (
        ("older_than", "idle" in when or "field_age" in when, "when: idle or field_age"),
        ("field", "field_age" in when, "when: field_age"),
        ("ttl", entry["action"] == EXPIRE, "action: expire"),
    )
    for name, wanted, owner in needs:
        present = bool(entry.get(name))
        if wanted and not present:
            raise InvalidInput(option, f"{owner} needs {name}", f"Give {name}.")
        if present and not wanted:
            remedy = f"Drop {name}."
            if name == "older_than":
                remedy = "The server does not know when a key was made. Add idle or field_age to when, or drop it."
            raise InvalidInput(option, f"{name} belongs to {owner}", remedy)


def _age(entry: Mapping[str, Any], when: Sequence[str], option: str) -> Age | None:
    if not entry.get("older_than"):
        return None
    age = parse_age(entry["older_than"], f"{option}.older_than")
    if age.seconds <= 0:
        raise InvalidInput(f"{option}.older_than", "it makes every key old", "Give an age above zero.")
    if "idle" in when and age.seconds >= LONGEST_IDLE:
        raise InvalidInput(
            f"{option}.older_than", "the server counts idle times up to 194 days only", "Give less, or use field_age."
        )
    return age


def _life(entry: Mapping[str, Any], option: str) -> tuple[float, float]:
    """Return the TTL in seconds, and its jitter as a part of it."""
    if entry["action"] != EXPIRE:
        return 0.0, 0.0
    ttl = parse_duration(entry["ttl"], f"{option}.ttl")
    if ttl < 1:
        raise InvalidInput(f"{option}.ttl", "it is shorter than a second", "To remove keys, give action: unlink.")
    jitter = entry.get("jitter_percent")
    jitter = 10.0 if jitter is None else float(jitter)
    if not 0 <= jitter <= MOST_JITTER:
        raise InvalidInput(f"{option}.jitter_percent", f"{jitter:g} is no such part", "Give 0 to 50.")
    return ttl, jitter / 100
