# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands as Redis's protocol has them on the wire, and names of keys as text. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["name_of", "packed", "packed_each", "raw"]


def raw(value: str | int | float | bytes) -> bytes:
    """Return an argument as bytes; a name that came as text goes back to the very bytes that it was."""
    if isinstance(value, bytes):
        return value
    return str(value).encode("utf-8", "surrogateescape")


def name_of(key: bytes) -> str:
    """Return a key's name as text, from which :func:`raw` makes the same bytes again."""
    return key.decode("utf-8", "surrogateescape")


def packed(commands: Iterable[Sequence[Any]]) -> bytes:
    """Return commands as the protocol (RESP) has them: an array of strings each.

    Source: https://redis.io/docs/latest/develop/reference/protocol-spec/
    """
    parts: list[bytes] = []
    for command in commands:
        values = [argument if isinstance(argument, bytes) else raw(argument) for argument in command]
        parts.append(b"*%d\r\n" % len(values))
        parts += [b"$%d\r\n%b\r\n" % (len(value), value) for value in values]
    return b"".join(parts)


def packed_each(words: Sequence[bytes], keys: Iterable[bytes], behind: Sequence[bytes] = ()) -> bytes:
    """Return one command for each key, which stands between words; quicker than to pack them one by one.

    :param behind: the words that follow the key.
    """
    head = b"*%d\r\n" % (len(words) + 1 + len(behind)) + _words(words)
    tail = b"\r\n" + _words(behind)
    return b"".join([b"%b$%d\r\n%b%b" % (head, len(key), key, tail) for key in keys])


def _words(words: Iterable[bytes]) -> bytes:
    return b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)
