# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands on the wire, and which keys are a queue's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.connection import Connection

from ansible_collections.dataops.upkeep.plugins.module_utils._redis.queue_keys import QueueKeys, queue_base
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.scan import escaped
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.wire import name_of, packed, packed_each, raw

arguments = st.lists(st.one_of(st.binary(max_size=30), st.integers(), st.text(max_size=10)), max_size=6)


@given(st.lists(arguments, max_size=5))
def test_commands_are_packed_as_the_driver_packs_them(commands: list[list[bytes | int | str]]) -> None:
    theirs = b"".join(b"".join(Connection().pack_command("SET", *map(raw, command))) for command in commands)
    assert packed([["SET", *command] for command in commands]) == theirs


@given(st.binary(max_size=50))
def test_any_name_comes_back_as_the_same_bytes(key: bytes) -> None:
    assert raw(name_of(key)) == key


def test_special_letters_of_patterns_are_escaped() -> None:
    assert escaped(b"a*b?[c]^-\\d") == rb"a\*b\?\[c\]\^\-\\d"


@pytest.mark.parametrize(
    ("key", "base"),
    [
        (b"bull:mail:wait", b"bull:mail"),
        (b"{bull}:mail:completed", b"{bull}:mail"),
        (b"bull:a:b:meta-paused", b"bull:a:b"),
        (b"bull:mail:metrics:failed:data", b"bull:mail"),
        (b"bull:mail:17", None),
        (b"wait", None),
        (b"user:1", None),
    ],
)
def test_a_queues_own_keys_are_known_by_their_ends(key: bytes, base: bytes | None) -> None:
    assert queue_base(key) == base


def test_keys_of_queues_are_held_and_others_are_not() -> None:
    keys = QueueKeys()
    keys.learn([b"bull:mail:id", b"bull:mail:wait", b"app:user:id", b"bull:mail:17", b"cache:1", b"x:stalled-check"])
    assert keys.bases == {b"bull:mail", b"x"}
    for held in (b"bull:mail:wait", b"bull:mail:17", b"bull:mail:17:logs", b"bull:mail:de:x", b"x:1"):
        assert keys.holds(held), held
    for free in (b"bull:mail", b"bull:mailer:17", b"app:user:id", b"cache:1", b"bull"):
        assert not keys.holds(free), free


@pytest.mark.parametrize(("key", "held"), [(b"bull:a:id", True), (b"{bull}:a:id", True), (b"shop:a:id", False)])
def test_one_key_tells_of_a_queue_where_the_libraries_put_it(key: bytes, held: bool) -> None:
    keys = QueueKeys()
    keys.learn([key, b"bull:b"])
    assert keys.holds(key) is held
    assert not keys.holds(b"bull:b")


@given(st.lists(st.binary(max_size=20)))
def test_one_command_for_each_key(keys: list[bytes]) -> None:
    assert packed_each((b"MEMORY", b"USAGE"), keys) == packed([(b"MEMORY", b"USAGE", key) for key in keys])
    assert packed_each((b"HMGET",), keys, (b"a", b"bc")) == packed([(b"HMGET", key, b"a", b"bc") for key in keys])
