# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

r"""Patterns of keys as SCAN and KEYS take them: ``*``, ``?``, ``[a-z]``, ``[^a]`` and ``\\`` before a letter. Pure.

Source: https://redis.io/docs/latest/commands/keys/
"""

from __future__ import annotations

import re

__all__ = ["expression", "takes_everything"]


def expression(pattern: bytes) -> re.Pattern[bytes]:
    """Return the expression whose ``match`` takes just the names that the server takes for the pattern."""
    parts: list[bytes] = []
    for kind, text in _pieces(pattern):
        if kind == "any":
            parts.append(b".*")
        elif kind == "one":
            parts.append(b".")
        elif kind == "class":
            parts.append(_class(text))
        else:
            parts.append(re.escape(text))
    return re.compile(b"".join(parts) + rb"\Z", re.DOTALL)


def takes_everything(pattern: bytes) -> bool:
    """Whether a pattern names no letter and no digit, as ``*``, ``?*``, ``*:*`` and ``[a-z]*``."""
    return not any(kind == "letter" and (text.isalnum() or text > b"\x7f") for kind, text in _pieces(pattern))


def _pieces(pattern: bytes) -> list[tuple[str, bytes]]:
    """Take a pattern apart: ``any``, ``one``, ``class`` (what stands in the brackets) and ``letter``."""
    pieces: list[tuple[str, bytes]] = []
    at = 0
    while at < len(pattern):
        byte = pattern[at : at + 1]
        if byte == b"*":
            if not pieces or pieces[-1][0] != "any":
                pieces.append(("any", b""))
        elif byte == b"?":
            pieces.append(("one", b""))
        elif byte == b"[":
            end = _end_of_class(pattern, at + 1)
            pieces.append(("class", pattern[at + 1 : end]))
            at = end
        else:
            if byte == b"\\" and at + 1 < len(pattern):
                at += 1
            pieces.append(("letter", pattern[at : at + 1]))
        at += 1
    return pieces


def _end_of_class(pattern: bytes, at: int) -> int:
    """Return where the bracket is that closes a class; the pattern's end where none does, as the server has it."""
    if pattern[at : at + 1] == b"^":
        at += 1
    while at < len(pattern) and pattern[at : at + 1] != b"]":
        if pattern[at : at + 1] == b"\\" and at + 1 < len(pattern):
            at += 2
        elif pattern[at + 1 : at + 2] == b"-" and at + 2 < len(pattern):
            at += 3  # the end of a range may be the bracket itself
        else:
            at += 1
    return min(at, len(pattern))


def _class(text: bytes) -> bytes:
    """Return a class as Python's expressions have it, its letters one by one."""
    negated = text.startswith(b"^")
    letters: set[int] = set()
    at = int(negated)
    while at < len(text):
        if text[at : at + 1] == b"\\" and at + 1 < len(text):
            letters.add(text[at + 1])
            at += 2
        elif text[at + 1 : at + 2] == b"-" and at + 2 < len(text):
            first, last = sorted((text[at], text[at + 2]))  # the server turns a range round that runs backwards
            letters.update(range(first, last + 1))
            at += 3
        else:
            letters.add(text[at])
            at += 1
    taken = letters if not negated else set(range(256)) - letters
    return b"[%b]" % b"".join(b"\\x%02x" % letter for letter in sorted(taken)) if taken else b"(?!)"
