# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.audit.rules import (
    MOST_RULES,
    Rule,
    matcher,
    parse_rules,
)


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"pattern": "a*", "max_ttl": "5min"}, Rule("a*", 300.0, True)),
        ({"pattern": "a*", "max_ttl": 300, "ttl": "optional"}, Rule("a*", 300.0, False)),
        ({"pattern": "a*", "max_ttl": None, "ttl": "required"}, Rule("a*", None, True)),
        ({"pattern": "a*", "max_ttl": None, "ttl": None}, Rule("a*", None, False)),
    ],
)
def test_what_a_rule_means(given: dict[str, Any], rule: Rule) -> None:
    assert parse_rules([given]) == (rule,)


@pytest.mark.parametrize(
    "given",
    [
        [{"pattern": ""}],
        [{"pattern": "a*"}, {"pattern": "a*", "ttl": "required"}],
        [{"pattern": "a*", "max_ttl": "soon"}],
        [{"pattern": "a*", "max_ttl": "0"}],
        [{"pattern": f"a{number}*"} for number in range(MOST_RULES + 1)],
    ],
)
def test_what_is_no_rule(given: list[dict[str, Any]]) -> None:
    with pytest.raises(InvalidInput, match="policies"):
        parse_rules(given)


def test_the_first_rule_that_fits_is_the_one() -> None:
    rules = parse_rules([{"pattern": "user:*:cart"}, {"pattern": "user:*"}, {"pattern": "[ab]?"}, {"pattern": "ä*"}])
    pattern = matcher(rules)
    assert pattern is not None

    def first(key: bytes) -> int | None:
        match = pattern.match(key)
        return None if match is None or match.lastindex is None else match.lastindex - 1

    assert first(b"user:1:cart") == 0
    assert first(b"user:1:carts") == 1
    assert first(b"user:\n\xff") == 1
    assert first(b"ax") == 2
    assert first(b"axe") is None
    assert first("äb".encode()) == 3
    assert first(b"xuser:1") is None


def test_as_many_rules_as_there_may_be() -> None:
    rules = parse_rules([{"pattern": f"a{number}:*"} for number in range(MOST_RULES)])
    pattern = matcher(rules)
    assert pattern is not None
    match = pattern.match(f"a{MOST_RULES - 1}:x".encode())
    assert match is not None
    assert match.lastindex == MOST_RULES


def test_no_rule_matches_nothing() -> None:
    assert matcher(()) is None
