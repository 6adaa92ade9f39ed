# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges a single key. Pure."""

from __future__ import annotations

from enum import Enum

from ..lifetime import milliseconds_of
from .field_time import time_in_json, time_of
from .observation import Facts
from .rule import Rule

__all__ = ["FIELD_TYPES", "LONGEST_VALUE", "Verdict", "judge", "life_of", "may_be_due"]

LONGEST_VALUE = 65536
"""Bytes of a string that are read: a session is a few kilobytes, and a large value would hold the server up."""

FIELD_TYPES = (b"hash", b"string")
"""Types that have fields; a string has them where it is an object in JSON."""


class Verdict(Enum):
    """What becomes of a key."""

    DUE = "due"
    KEPT = "kept"
    UNREADABLE = "unreadable"


def may_be_due(rule: Rule, facts: Facts) -> bool:
    """Whether a key is due as far as can be told without its value."""
    if facts.kind == b"none" or facts.ttl == -2:
        return False
    if rule.types and facts.kind not in rule.types:
        return False
    if rule.lasting and facts.ttl != -1:
        return False
    return rule.idle is None or (facts.idle is not None and facts.idle >= rule.idle)


def judge(rule: Rule, facts: Facts, cutoff: float) -> Verdict:
    """Judge a key by what was read of it.

    :param cutoff: what a field holds has to be before this, in seconds since 1970.
    """
    if not may_be_due(rule, facts):
        return Verdict.KEPT
    if rule.field is None:
        return Verdict.DUE
    moment = _moment(rule, rule.field, facts)
    if moment is None:
        return Verdict.UNREADABLE
    return Verdict.DUE if moment < cutoff else Verdict.KEPT


def life_of(rule: Rule, key: bytes) -> int:
    """Return the milliseconds that a key gets to live: its own part of the jitter, so that not all die at once."""
    return milliseconds_of(key, rule.ttl, rule.jitter)


def _moment(rule: Rule, field: bytes, facts: Facts) -> float | None:
    if facts.value is None or facts.kind not in FIELD_TYPES:
        return None
    if facts.kind == b"hash":
        return time_of(facts.value, rule.unit)
    return time_in_json(facts.value, field, rule.unit) if len(facts.value) < LONGEST_VALUE else None
