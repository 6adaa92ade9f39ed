# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._redis.audit.names import (
    ANY,
    LONGEST_SHOWN,
    kin_of,
    label,
    parent_of,
    shown,
)


@pytest.mark.parametrize(
    ("key", "group"),
    [
        (b"user:123:cart", "user:*:cart"),
        (b"user:7", "user:*"),
        (b"sess:9f8e7d6c5b4a3921", "sess:*"),
        (b"550e8400-e29b-41d4-a716-446655440000", "*"),
        (b"job:550e8400-e29b-41d4-a716-446655440000:lock", "job:*:lock"),
        (b"analytics:daily:2026-11-22:12", "analytics:daily:*"),
        (b"analytics:visitors:all", "analytics:visitors:*"),
        (b"response:/api/deliveries?page=3", "response:/api/*"),
        (b"cache/page/12", "cache/page/*"),
        (b"tenant.42.settings", "tenant.*.settings"),
        (b"{bull}:mail:1", "{bull}:mail:*"),
        (b"oauth2:token:abc123", "oauth2:token:*"),
        (b"v1:user:4", "v1:user:*"),
        (b"config", "config"),
        (b"config12", "*"),
        (b"a:b:c:d:e", "a:b:c:*:e"),
        (b"john@example.com:prefs", "*.com:prefs"),
        (b"", "*"),
        ("straße:5".encode(), "straße:*"),
        (b"\xff\xfe:5", "\\udcff\\udcfe:*"),
    ],
)
def test_what_differs_by_an_id_is_one_group(key: bytes, group: str) -> None:
    assert label(kin_of(key)) == group


@given(st.binary(max_size=200))
def test_every_name_has_a_group_that_ends_in_the_widest(key: bytes) -> None:
    kin = kin_of(key)
    assert len(label(kin).splitlines()) <= 1
    steps = 0
    while kin != ANY:
        kin = parent_of(kin)
        steps += 1
    assert steps <= 5


@given(st.lists(st.sampled_from(["user", "cart", "v1", "mail"]), max_size=3), st.integers(10), st.integers(10))
def test_numbers_never_tell_groups_apart(words: list[str], one: int, other: int) -> None:
    first, second = (":".join([*words, str(number)]).encode() for number in (one, other))
    assert kin_of(first) == kin_of(second)


@pytest.mark.parametrize(
    ("kin", "parent"),
    [
        ((b"user:", b":cart"), (b"user:", b"")),
        ((b"a:b/c.", b""), (b"a:b/", b"")),
        ((b"user:", b""), ANY),
        ((b"config", b""), ANY),
        (ANY, ANY),
    ],
)
def test_the_group_above(kin: tuple[bytes, bytes], parent: tuple[bytes, bytes]) -> None:
    assert parent_of(kin) == parent


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (b"analytics:visitors:all", "analytics:visitors:all"),
        (b"user:1234567890123456789", "user:1234567890123456789"),
        (b"sess:9f8e7d6c5b4a39210000", "sess:9f8e7d*"),
        (b"sess:9f8e7d6c5b4a392", "sess:9f8e7d6c5b4a392"),
        (b"sess:" + b"abcdefghij" * 5, "sess:abcdef*"),
        (b"mail:anna@example.com", "mail:an*.com"),
        (b"a\nb", "a\\nb"),
    ],
)
def test_a_token_is_cut(key: bytes, text: str) -> None:
    assert shown(key) == text


@given(st.binary(max_size=3000))
def test_any_name_can_be_shown(key: bytes) -> None:
    text = shown(key)
    assert len(text.splitlines()) <= 1
    assert len(text) <= LONGEST_SHOWN + 3
    text.encode()
