# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._redis.replies import MANY, ReplyError, read_replies

TEXTS = st.one_of(st.binary(max_size=20), st.sampled_from([b"", b"\r\n", b"$3\r\nabc", b":1", b"$-1"]))
SCALARS = st.one_of(st.integers(-(2**63), 2**63 - 1), TEXTS, st.none())
REPLIES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.lists(TEXTS, min_size=MANY - 1, max_size=MANY + 3)),
    max_leaves=8,
)


def encoded(reply: Any) -> bytes:
    if reply is None:
        return b"$-1\r\n"
    if isinstance(reply, int):
        return b":%d\r\n" % reply
    if isinstance(reply, bytes):
        return b"$%d\r\n%b\r\n" % (len(reply), reply)
    return b"*%d\r\n" % len(reply) + b"".join(encoded(item) for item in reply)


class Pieces:
    """Gives bytes in pieces of the sizes that it is told, as a line may."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data, self._sizes = data, sizes

    def recv(self, size: int, /) -> bytes:
        size = self._sizes.pop(0) if self._sizes else size
        piece, self._data = self._data[:size], self._data[size:]
        return piece


def read(data: bytes, number: int, sizes: list[int] | None = None) -> list[Any]:
    return read_replies(Pieces(data, sizes or []), number, lambda text: ValueError(text.decode()))


@given(st.lists(REPLIES, min_size=1, max_size=6), st.lists(st.integers(1, 9), max_size=40))
def test_any_replies_in_any_pieces(replies: list[Any], sizes: list[int]) -> None:
    assert read(b"".join(encoded(reply) for reply in replies), len(replies), sizes) == replies


@given(st.lists(st.one_of(st.integers(), st.none()), min_size=1), st.lists(st.integers(1, 9), max_size=40))
def test_numbers_and_what_is_not_there(numbers: list[int | None], sizes: list[int]) -> None:
    assert read(b"".join(encoded(number) for number in numbers), len(numbers), sizes) == numbers


def test_words_and_errors() -> None:
    word, error, number, inner = read(b"+OK\r\n-ERR no such key\r\n:1\r\n*2\r\n-WRONGTYPE x\r\n:2\r\n", 4)
    assert (word, number, inner[1]) == (b"OK", 1, 2)
    assert [str(one) for one in (error, inner[0])] == ["ERR no such key", "WRONGTYPE x"]
    assert read(b"*-1\r\n", 1) == [None]
    first, *rest = read(b":1\r\n-ERR x\r\n:3\r\n", 3)
    assert (first, str(rest[0]), rest[1]) == (1, "ERR x", 3)


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"$x\r\n\r\n", b":one\r\n", b"\r\n"])
def test_what_is_no_redis_server(data: bytes) -> None:
    with pytest.raises(ReplyError, match="does not speak"):
        read(data, 1)


def test_a_reply_too_many() -> None:
    with pytest.raises(ReplyError, match="more than it was asked for"):
        read(b":1\r\n:2\r\n", 1)


def test_a_connection_that_ends_or_stays_silent() -> None:
    mine, theirs = socket.socketpair()
    with mine, theirs:
        theirs.sendall(b"$10\r\nabc")
        mine.settimeout(0.05)
        with pytest.raises(TimeoutError):
            read_replies(mine, 1, ValueError)
        theirs.sendall(b":1\r\n")
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(ReplyError, match="closed"):
            read_replies(mine, 2, ValueError)
