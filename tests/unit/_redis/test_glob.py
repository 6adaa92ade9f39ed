# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patterns of keys: which names they take, and which take everybody's. Integration tests ask a server the same."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._redis.glob import expression, takes_everything
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.scan import escaped


@pytest.mark.parametrize(
    ("pattern", "name", "taken"),
    [
        (b"sess:*", b"sess:1", True),
        (b"sess:*", b"xsess:1", False),
        (b"sess:*", b"sess:a\nb\xff", True),
        (b"a?c", b"a\nc", True),
        (b"a?c", b"ac", False),
        (b"a[bc]d", b"abd", True),
        (b"a[^bc]d", b"abd", False),
        (b"a[^bc]d", b"aed", True),
        (b"a[b-d]", b"ac", True),
        (b"a[d-b]", b"ac", True),
        (b"a[b-d]", b"ae", False),
        (rb"a[\]]", b"a]", True),
        (rb"a\*", b"a*", True),
        (rb"a\*", b"ab", False),
        (b"a[bc", b"ac", True),
        (b"a\\", b"a\\", True),
        (b"a[]b", b"ab", False),
    ],
)
def test_a_pattern_takes_what_the_server_takes(pattern: bytes, name: bytes, taken: bool) -> None:
    assert bool(expression(pattern).match(name)) is taken


@given(st.binary(max_size=30))
def test_an_escaped_name_takes_itself(name: bytes) -> None:
    assert expression(escaped(name)).match(name)


@given(st.text("ab*?", max_size=8), st.text("abc", max_size=8))
def test_without_brackets_it_is_as_the_shells(pattern: str, name: str) -> None:
    assert bool(expression(pattern.encode()).match(name.encode())) == fnmatchcase(name, pattern)


@pytest.mark.parametrize("pattern", [b"*", b"**", b"?*", b"*:*", b"[a-z]*", b"[^x]*", b"*[0-9]", b"*_*", rb"\**"])
def test_what_names_nothing_takes_everything(pattern: bytes) -> None:
    assert takes_everything(pattern)


@pytest.mark.parametrize("pattern", [b"sess:*", b"*:1", b"a*", rb"\a*", "ü*".encode()])
def test_what_names_a_letter_does_not(pattern: bytes) -> None:
    assert not takes_everything(pattern)
