# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key: long enough, apart from the statement's text, and kept from servers that would write it down."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.key import (
    LogSettings,
    check_key,
    hand_over,
    why_logged,
)

QUIET = LogSettings("none", -1, -1, 0.0, -1, False, False, False)


@given(st.text(min_size=1, max_size=100), st.binary(max_size=200))
def test_the_pads_are_those_of_hmac(key: str, message: bytes) -> None:
    parameters: Any = hand_over(key).parameters
    inner, outer = bytes.fromhex(parameters["inner"]), bytes.fromhex(parameters["outer"])
    made = hashlib.sha256(outer + hashlib.sha256(inner + message).digest()).digest()
    assert made == hmac.new(key.encode(), message, hashlib.sha256).digest()


def test_the_text_holds_none_of_it() -> None:
    assert hand_over("k" * 16).text == hand_over("another key").text


@pytest.mark.parametrize(("key", "good"), [("x" * 15, False), ("x" * 16, True), ("ü" * 8, True), ("ü" * 7, False)])
def test_a_key_has_sixteen_bytes(key: str, good: bool) -> None:
    if good:
        check_key(key)
        return
    with pytest.raises(InvalidInput, match="shorter than 16 bytes"):
        check_key(key)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({}, ""),
        ({"statements": "mod"}, ""),
        ({"statements": "all"}, "log_statement"),
        ({"least_ms": 0}, "duration"),
        ({"least_ms": 1}, ""),
        ({"least_sampled_ms": 0}, "duration"),
        ({"sampled": 0.01}, "log_transaction_sample_rate"),
        ({"statements": "all", "parameter_bytes": 0}, ""),
        ({"statements": "all", "may_set": True}, ""),
        ({"audited": True, "may_set": True}, "pgaudit"),
        ({"explained": True, "may_set": True}, "auto_explain"),
    ],
)
def test_servers_that_would_write_it_down(change: dict[str, Any], word: str) -> None:
    reason = why_logged(QUIET._replace(**change))
    assert word in reason
    assert bool(reason) == bool(word)
