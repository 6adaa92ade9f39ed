# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules as users write them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.cleanup.rule import Rule, parse_rules

SESSIONS = {
    "name": "sessions",
    "pattern": "sess:*",
    "when": ["field_age"],
    "field": "lastActivity",
    "older_than": "30d",
    "action": "unlink",
}


def parsed(**entry: Any) -> Rule:
    (rule,) = parse_rules([{"pattern": "a:*", "action": "unlink", **entry}])
    return rule


def test_a_rule_is_understood() -> None:
    rule = parsed(**SESSIONS)
    assert (rule.name, rule.pattern, rule.field, rule.unit) == ("sessions", b"sess:*", b"lastActivity", "auto")
    assert rule.older_than is not None
    assert rule.older_than.seconds == 30 * 86400
    assert not rule.lasting
    assert not rule.by_name


def test_a_rule_of_a_pattern_alone_is_about_names_only() -> None:
    assert parsed().name == "rule 1"
    assert parsed().by_name
    assert not parsed(types=["hash"]).by_name
    assert not parsed(when=["no_ttl"]).by_name
    assert not parsed(when=["idle"], older_than="1h").by_name


def test_an_expiry_is_about_keys_without_ttl_and_has_jitter() -> None:
    rule = parsed(action="expire", ttl="1h")
    assert rule.lasting
    assert (rule.ttl, rule.jitter) == (3600, 0.1)
    assert parsed(action="expire", ttl=300, jitter_percent=0).jitter == 0
    assert parsed(action="expire", ttl=300, jitter_percent=50).jitter == 0.5


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"pattern": ""}, "it is empty"),
        ({"pattern": "*"}, "everybody"),
        ({"pattern": "*:*"}, "everybody"),
        ({"when": ["idle"]}, "needs older_than"),
        ({"when": ["field_age"], "older_than": "1d"}, "needs field"),
        ({"when": ["field_age"], "field": "at"}, "needs older_than"),
        ({"when": ["no_ttl"], "older_than": "30d"}, "older_than belongs to"),
        ({"field": "at"}, "field belongs to"),
        ({"ttl": "1h"}, "ttl belongs to"),
        ({"action": "expire"}, "needs ttl"),
        ({"action": "expire", "ttl": "0.5"}, "shorter than a second"),
        ({"action": "expire", "ttl": "1h", "jitter_percent": 51}, "no such part"),
        ({"action": "expire", "ttl": "1h", "jitter_percent": -1}, "no such part"),
        ({"action": "expire", "ttl": "soon"}, "no age"),
        ({"when": ["idle"], "older_than": "0d"}, "every key old"),
        ({"when": ["idle"], "older_than": "195d"}, "194 days"),
        ({"when": ["idle"], "older_than": "often"}, "no age"),
        ({"when": ["idle", "field_age"], "field": "at", "older_than": "1d"}, "do not go together"),
    ],
)
def test_what_cannot_be_meant_is_refused(entry: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as refused:
        parsed(**entry)
    assert refused.value.remedy


def test_limits_themselves_are_fine() -> None:
    assert parsed(when=["idle"], older_than="194d").idle == 194 * 86400
    assert parsed(action="expire", ttl=1).ttl == 1
    assert parsed(pattern="*", all_keys=True).pattern == b"*"


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidInput, match="several rules"):
        parse_rules([SESSIONS, SESSIONS])
